#include <algorithm>

#include "ir/text.h"
#include "random/draws.h"

namespace hone::test {
namespace {

// A weight: mostly a constant, as kernels pack it.
void weight(Draw& d, Value v) { d.chance(70) ? d.fixed(std::move(v)) : d.in(std::move(v)); }

struct Matrices {
  Shape a, b;
  Dim k;
};
Matrices matrices(Draw& d) {
  const Dim m = d.dim(), k = d.chance(3) ? 0 : d.chance(10) ? d.between(70, 300) : d.dim(), n = d.dim();
  Shape a{m, k}, b{k, n};
  if (d.chance(10)) a = Shape{k};
  if (d.chance(10)) b = Shape{k};
  if (a.rank() == 2 && b.rank() == 2 && d.chance(50)) {
    const Shape batch = d.shape(1, 3);
    if (batch.elements() * m * n <= 4000) {
      Shape left = d.chance(60) ? batch : d.broadcastable(batch),
            right = d.chance(40) ? batch : d.broadcastable(batch);
      left.push_back(m), left.push_back(k), right.push_back(k), right.push_back(n);
      a = left, b = right;
    }
  }
  return {a, b, k};
}

}  // namespace

void matmul(Draw& d) {
  const DType t = d.type(float_types | TypeSet{DType::i32, DType::i64, DType::u32, DType::u64});
  const Matrices s = matrices(d);
  d.in(d.tensor(t, s.a));
  weight(d, d.tensor(t, s.b));
  d.judge(Judge::sums, 4 + static_cast<double>(s.k));
}

void matmul_integer(Draw& d) {
  const DType t = d.type(TypeSet{DType::u8, DType::i8}), u = d.type(TypeSet{DType::u8, DType::i8});
  const Matrices s = matrices(d);
  d.in(d.tensor(t, s.a, -128, 255));
  weight(d, d.tensor(u, s.b, -128, 255));
  if (d.chance(60)) {
    const bool rows = s.a.rank() == 2 && d.chance(40), columns = s.b.rank() == 2 && d.chance(40);
    d.in(d.tensor(t, rows ? Shape{s.a[0]} : Shape{}, -128, 255));
    if (d.chance(60)) d.in(d.tensor(u, columns ? Shape{s.b[1]} : Shape{}, -128, 255));
  }
}

void qlinear_matmul(Draw& d) {
  const Matrices s = matrices(d);
  for (int i = 0; i < 3; i++) {
    const DType t = d.type(TypeSet{DType::u8, DType::i8});
    if (i < 2) d.in(d.tensor(t, i == 0 ? s.a : s.b, -128, 255));
    d.in(d.tensor(DType::f32, {}, 0.01, 0.2));
    d.in(d.tensor(t, {}, -9, 9));
  }
}

void gemm(Draw& d) {
  const DType t = d.type(float_types | TypeSet{DType::i32, DType::i64, DType::u32, DType::u64});
  const Dim m = d.dim(), k = d.chance(3) ? 0 : d.dim(), n = d.dim();
  const bool ta = d.chance(40), tb = d.chance(40);
  if (ta) d.attr("transA", int64_t{1});
  if (tb) d.attr("transB", int64_t{1});
  d.maybe<float>("alpha", {1.0f, 0.5f, 2.0f});
  d.maybe<float>("beta", {1.0f, 0.0f, 0.25f});
  d.in(d.tensor(t, ta ? Shape{k, m} : Shape{m, k}));
  weight(d, d.tensor(t, tb ? Shape{n, k} : Shape{k, n}));
  if (d.chance(70)) weight(d, d.tensor(t, d.broadcastable({m, n})));
  d.judge(Judge::sums, 6 + static_cast<double>(k));
}

void einsum(Draw& d) {
  struct Case {
    const char* equation;
    std::vector<std::string> letters;
  };
  static const Case cases[] = {{"ij,jk->ik", {"ij", "jk"}},
                               {"bij,bjk->bik", {"bij", "bjk"}},
                               {"ij->ji", {"ij"}},
                               {"ij->", {"ij"}},
                               {"ii->i", {"ii"}},
                               {"i,j->ij", {"i", "j"}},
                               {"ij,kj->ik", {"ij", "kj"}},
                               {"bhid,bhjd->bhij", {"bhid", "bhjd"}},
                               {"ijk,kl,l->ij", {"ijk", "kl", "l"}},
                               {"...ij,...jk->...ik", {"bij", "bjk"}},
                               {"ij,ij->i", {"ij", "ij"}},
                               {"i,i", {"i", "i"}},
                               {"abc->cab", {"abc"}},
                               {" i j , j k -> i k ", {"ij", "jk"}},
                               {"bnqd,bnkd->bnqk", {"bnqd", "bnkd"}}};
  const Case& c = cases[d.between(0, std::size(cases) - 1)];
  const DType t = d.type(number_types);
  Dim size[26];
  for (Dim& s : size) s = d.between(1, 5);
  double terms = 1;
  for (const Dim s : size) terms = std::max(terms, static_cast<double>(s));
  d.attr("equation", std::string(c.equation));
  for (const std::string& letters : c.letters) {
    Shape s;
    for (const char l : letters) s.push_back(size[l - 'a']);
    d.in(d.tensor(t, s));
  }
  d.judge(Judge::sums, 4 + terms * terms);
}

void det(Draw& d) {
  Shape s = d.chance(50) ? d.shape(1, 2) : Shape{};
  const Dim n = d.between(1, 5);
  s.push_back(n), s.push_back(n);
  d.in(d.tensor(d.type(float_types), s));
  d.judge(Judge::scaled, 64);
}

void reduce(Draw& d, TypeSet types, Judge::Kind kind, double positive) {
  const DType t = d.type(types);
  const Shape s = d.shape(0, 5);
  d.flag("keepdims");
  d.in(d.tensor(t, s, positive > 0 ? 0.1 : -2, 2));
  bool all = true;
  if (s.rank() > 0 && d.chance(75)) {
    d.ints(d.axes(s.rank(), static_cast<int>(d.between(1, s.rank()))));
    all = false;
  }
  if (all) {
    d.flag("noop_with_empty_axes");
    if (d.chance(30)) d.in(Tensor::of_ints({}));
  }
  if (kind != Judge::exact) d.judge(kind, 8 + static_cast<double>(std::max<int64_t>(1, s.elements())));
}

void arg_reduce(Draw& d) {
  const Shape s = d.shape(1, 4, false);
  d.flag("keepdims");
  d.flag("select_last_index");
  if (d.chance(70)) d.attr("axis", d.axis(s.rank()));
  const DType t = d.type(number_types);
  d.in(d.chance(50) ? d.tensor(t, s) : d.whole(t, s, 0, 3));  // with ties
}

void cumulative(Draw& d, Judge::Kind kind) {
  const Shape s = d.shape(1, 4);
  const int64_t axis = d.axis(s.rank());
  d.flag("exclusive");
  d.flag("reverse");
  d.in(d.tensor(d.type(float_types | TypeSet{DType::i32, DType::i64, DType::u32, DType::u64}), s, -1.5, 1.5));
  d.in(d.whole(d.type(index_types), {}, axis, axis));
  d.judge(kind, 4 + static_cast<double>(s[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)]));
}

void top_k(Draw& d) {
  const Shape s = d.shape(1, 4);
  const int64_t axis = d.axis(s.rank());
  if (d.chance(70)) d.attr("axis", axis);
  const Dim n =
      d.so_far().attrs.has("axis") ? s[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)] : s.back();
  d.flag("largest");
  d.attr("sorted", int64_t{1});
  d.outputs(static_cast<size_t>(d.between(1, 2)));
  const DType t = d.type(number_types);
  d.in(d.chance(50) ? d.tensor(t, s) : d.whole(t, s, 0, 3));
  d.ints({d.between(0, n)});
}

void softmax(Draw& d, bool exact) {
  const Shape s = d.shape(1, 4);
  if (d.chance(70)) d.attr("axis", d.axis(s.rank()));
  d.in(d.tensor(d.type(float_types), s, -6, 6));
  // Terms, their exponentials, and their largest.
  if (!exact) d.judge(Judge::scaled, 16 + static_cast<double>(s.elements()));
}

void attention(Draw& d) {
  const DType t = d.type(float_types);
  const int64_t batch = d.between(1, 2), share = d.between(1, 2), kv = d.between(1, 3), heads = kv * share;
  const int64_t length = d.between(1, 9), keys = d.chance(50) ? length : d.between(1, 20),
                size = d.between(1, 12), width = d.chance(60) ? size : d.between(1, 12);
  const bool folded = d.chance(30), past = d.chance(25);
  const int64_t before = past ? d.between(0, 5) : 0, total = before + keys;
  if (folded) {
    d.attr("q_num_heads", heads);
    d.attr("kv_num_heads", kv);
  }
  const auto operand = [&](int64_t h, int64_t l, int64_t e) {
    return folded ? Shape{batch, l, h * e} : Shape{batch, h, l, e};
  };
  d.in(d.tensor(t, operand(heads, length, size)));
  d.in(d.tensor(t, operand(kv, keys, size)));
  d.in(d.tensor(t, operand(kv, keys, width)));
  const int64_t mask = d.between(0, 3);
  if (mask == 0 || mask == 1) {
    Shape s = d.pick({Shape{length, total}, Shape{1, length, total}, Shape{batch, 1, length, total},
                      Shape{batch, heads, length, total}});
    if (mask == 1) d.in(d.tensor(t, s));
    else {
      Tensor m = d.tensor(DType::boolean, s);
      for (int64_t i = 0; i < m.elements(); i += total) m.data<bool8>()[i] = true;  // no row without a key
      d.in(m);
    }
  } else if (past) {
    d.none();
  }
  if (past) {
    d.in(d.tensor(t, {batch, kv, before, size}));
    d.in(d.tensor(t, {batch, kv, before, width}));
  }
  if (d.chance(40)) d.attr("is_causal", int64_t{1});
  d.maybe<float>("scale", {0.5f, 1.0f, 0.1f});
  if (d.chance(20)) d.attr("softcap", 2.0f);
  d.outputs(past ? 3 : 1);
  d.judge(Judge::scaled, 32 + 4 * static_cast<double>(size + total));
}

void flex_attention(Draw& d) {
  const DType t = d.type(float_types);
  const int64_t batch = d.between(1, 2), kv = d.between(1, 2), heads = kv * d.between(1, 2),
                length = d.between(1, 5), keys = d.between(1, 6), size = d.between(1, 6);
  const char* inner = t == DType::f64 ? "f64" : "f32";
  for (const char* name : {"score_mod", "prob_mod"})
    if (d.chance(40))
      d.attr(name,
             SubgraphPtr(*ir::parse_graph(strf("graph @mod(%%s: %s[?,?,?,?]) -> (%%r) {\n %%r = %s(%%s)\n}",
                                               inner, d.pick({"Tanh", "Abs", "Identity"})))));
  d.maybe<float>("scale", {0.5f, 1.0f});
  d.in(d.tensor(t, {batch, heads, length, size}));
  d.in(d.tensor(t, {batch, kv, keys, size}));
  d.in(d.tensor(t, {batch, kv, keys, d.between(1, 6)}));
  d.judge(Judge::scaled, 64);
}

void linear_attention(Draw& d) {
  const DType t = d.type(float_types);
  const int64_t batch = d.between(1, 2), steps = d.between(1, 5), kv = d.between(1, 2),
                heads = kv * d.between(1, 2), dk = d.between(1, 4), dv = d.between(1, 4);
  const std::string rule = d.pick<std::string>({"linear", "gated", "delta", "gated_delta"});
  d.attr("q_num_heads", heads);
  d.attr("kv_num_heads", kv);
  d.attr("update_rule", rule);
  d.in(d.tensor(t, {batch, steps, heads * dk}, -1, 1));
  d.in(d.tensor(t, {batch, steps, kv * dk}, -1, 1));
  d.in(d.tensor(t, {batch, steps, kv * dv}, -1, 1));
  if (d.chance(40)) d.in(d.tensor(t, {batch, kv, dk, dv}, -1, 1));
  else d.none();
  if (rule.starts_with("gated")) d.in(d.tensor(t, {batch, steps, d.chance(50) ? kv : kv * dk}, -1, 0));
  else d.none();
  if (rule.ends_with("delta")) d.in(d.tensor(t, {batch, steps, d.chance(50) ? kv : 1}, 0, 1));
  d.outputs(static_cast<size_t>(d.between(1, 2)));
  d.judge(Judge::scaled, 256);
}

void causal_conv(Draw& d) {
  const DType t = d.type(float_types);
  const int64_t n = d.between(1, 2), c = d.between(1, 5), length = d.between(1, 9), taps = d.between(1, 4);
  d.maybe<std::string>("activation", {"none", "silu", "swish"});
  d.in(d.tensor(t, {n, c, length}));
  d.in(d.tensor(t, {c, 1, taps}));
  if (d.chance(50)) d.in(d.tensor(t, {c}));
  else d.none();
  if (d.chance(50)) d.in(d.tensor(t, {n, c, taps - 1}));
  d.outputs(static_cast<size_t>(d.between(1, 2)));
  d.judge(Judge::scaled, 32);
}

void rotary(Draw& d) {
  const DType t = d.type(float_types);
  const int64_t batch = d.between(1, 2), heads = d.between(1, 3), length = d.between(1, 5),
                half = d.between(1, 4), size = 2 * half + (d.chance(30) ? 2 * d.between(1, 2) : 0);
  const bool folded = d.chance(50), positions = d.chance(50);
  d.flag("interleaved");
  if (size != 2 * half) d.attr("rotary_embedding_dim", 2 * half);
  if (folded) d.attr("num_heads", heads);
  d.in(d.tensor(t, folded ? Shape{batch, length, heads * size} : Shape{batch, heads, length, size}));
  const Shape table = positions ? Shape{length + 3, half} : Shape{batch, length, half};
  d.in(d.tensor(t, table, -1, 1));
  d.in(d.tensor(t, table, -1, 1));
  if (positions) d.in(d.whole(DType::i64, {batch, length}, 0, length + 2));
  d.judge(Judge::scaled, 8);
}

void recurrent(Draw& d, int gates) {
  const DType t = d.type(float_types);
  const int64_t steps = d.between(1, 5), batch = d.between(1, 3), input = d.between(1, 6),
                hidden = d.between(1, 6);
  const std::string direction = d.pick<std::string>({"forward", "reverse", "bidirectional"});
  const int64_t n = direction == "bidirectional" ? 2 : 1;
  const bool batch_first = d.chance(30);
  d.attr("direction", direction);
  if (d.chance(80)) d.attr("hidden_size", hidden);
  if (batch_first) d.attr("layout", int64_t{1});
  if (d.chance(20)) d.attr("clip", 0.8f);
  if (gates == 3) d.flag("linear_before_reset");
  if (gates == 4) d.flag("input_forget");
  if (d.chance(30)) {
    std::vector<std::string> names;
    for (int64_t i = 0; i < n * (gates == 1 ? 1 : gates - 1); i++)
      names.push_back(d.pick<std::string>({"Sigmoid", "Tanh", "Relu", "HardSigmoid", "Softsign", "LeakyRelu",
                                           "Elu", "ScaledTanh", "Affine", "Softplus", "ThresholdedRelu"}));
    d.attr("activations", names);
  }
  d.in(d.tensor(t, batch_first ? Shape{batch, steps, input} : Shape{steps, batch, input}, -1, 1));
  d.in(d.tensor(t, {n, gates * hidden, input}, -1, 1));
  d.in(d.tensor(t, {n, gates * hidden, hidden}, -1, 1));
  const int64_t more = d.between(0, gates == 4 ? 5 : 3);
  const Shape state = batch_first ? Shape{batch, n, hidden} : Shape{n, batch, hidden};
  for (int64_t i = 0; i < more; i++) {
    if (d.chance(25) && i + 1 < more) d.none();
    else if (i == 0) d.in(d.tensor(t, {n, 2 * gates * hidden}, -1, 1));
    else if (i == 1) d.in(d.whole(DType::i32, {batch}, 0, steps));
    else if (i == 4) d.in(d.tensor(t, {n, 3 * hidden}, -1, 1));
    else d.in(d.tensor(t, state, -1, 1));
  }
  d.outputs(static_cast<size_t>(d.between(1, gates == 4 ? 3 : 2)));
  d.judge(Judge::scaled, 512);
}

void loss(Draw& d, bool cross_entropy) {
  const DType t = d.type(float_types);
  Shape s = d.shape(2, 4, false);
  Shape labels;
  for (size_t i = 0; i < s.size(); i++)
    if (i != 1) labels.push_back(s[i]);
  d.maybe<std::string>("reduction", {"none", "mean", "sum"});
  if (d.chance(40)) d.attr("ignore_index", d.between(0, s[1] - 1));
  d.in(d.tensor(t, s));
  d.in(d.whole(d.type(index_types), labels, 0, s[1] - 1));
  if (d.chance(50)) d.in(d.tensor(t, {s[1]}, 0.1, 1));
  if (cross_entropy) d.outputs(static_cast<size_t>(d.between(1, 2)));
  d.judge(Judge::scaled, 16 + static_cast<double>(s.elements()));
}

void optimisation_step(Draw& d, int states) {
  const DType t = d.type(TypeSet{DType::f32, DType::f64});
  const int64_t n = d.between(1, 3);
  const bool momentum = std::string_view(d.op().name) == "Momentum";
  for (const AttrDef& a : d.op().attrs)
    if (a.type == AttrType::f && (a.presence == AttrDef::required || d.chance(50)))
      d.attr(a.name, static_cast<float>(d.real(0.01, 0.9)));
  if (momentum) d.attr("mode", d.pick<std::string>({"standard", "nesterov"}));
  d.in(d.tensor(t, {}, 0.01, 0.5));
  d.in(d.whole(DType::i64, {}, 0, 5));
  std::vector<Shape> shapes;
  for (int64_t i = 0; i < n; i++) shapes.push_back(d.shape(0, 3));
  for (int kind = 0; kind < 2 + states; kind++)
    for (const Shape& s : shapes) d.in(d.tensor(t, s, kind < 2 ? -1 : 0.1, 1));
  d.outputs(static_cast<size_t>(n * (1 + states)));
  d.judge(Judge::scaled, 64);
}

}  // namespace hone::test
