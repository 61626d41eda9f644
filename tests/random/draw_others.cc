#include <algorithm>

#include "ir/text.h"
#include "random/draws.h"

namespace hone::test {
namespace {

using Ints = std::vector<int64_t>;
constexpr TypeSet bytes{DType::u8, DType::i8};

void scale_and_zero(Draw& d, DType t) {
  d.in(d.tensor(DType::f32, {}, 0.01, 0.3));
  d.in(d.tensor(t, {}, -9, 9));
}
AttrValue graph(const std::string& text) { return SubgraphPtr(*ir::parse_graph(text)); }
Value sequence(Draw& d, DType t, const std::vector<Shape>& shapes) {
  std::vector<Value> items;
  for (const Shape& s : shapes) items.emplace_back(d.tensor(t, s));
  return Value::sequence(t, std::move(items));
}
std::vector<Shape> some_shapes(Draw& d, int64_t least) {
  std::vector<Shape> shapes;
  const int64_t n = d.between(least, 4);
  for (int64_t i = 0; i < n; i++) shapes.push_back(d.shape(0, 3));
  return shapes;
}

}  // namespace

void quantize(Draw& d) {
  const DType t = d.type(float_types);
  const DType q = d.type(TypeSet{DType::u8, DType::i8, DType::u16, DType::i16} | small_ints | small_floats |
                         TypeSet{DType::f4e2m1});
  const Shape s = d.shape(1, 4, false);
  Shape scale;
  const int64_t kind = d.between(0, 2), axis = d.axis(s.rank());
  const auto at = static_cast<size_t>(axis < 0 ? axis + s.rank() : axis);
  if (kind > 0) d.attr("axis", axis);
  if (kind == 1) scale = Shape{s[at]};
  if (kind == 2) {
    const int64_t block = d.between(1, s[at]);
    d.attr("block_size", block);
    scale = s;
    scale[at] = (s[at] + block - 1) / block;
  }
  const bool zero = d.chance(70);
  if (!zero) d.attr("output_dtype", static_cast<int64_t>(q));
  d.flag("saturate");
  d.in(d.tensor(t, s, -9, 9));
  d.in(d.tensor(t, scale, 0.05, 1));
  if (zero)
    d.in(is_float(q) ? d.zeros(q, scale) : d.tensor(q, scale, dtype_kind(q) == DKind::uint ? 0 : -2, 2));
}

void dequantize(Draw& d) {
  const DType q = d.type(TypeSet{DType::u8, DType::i8, DType::u16, DType::i16, DType::i32} | small_ints |
                         small_floats | TypeSet{DType::f4e2m1});
  const DType t = d.type(TypeSet{DType::f32, DType::f16, DType::bf16});
  const Shape s = d.shape(1, 4, false);
  Shape scale;
  const int64_t kind = d.between(0, 2), axis = d.axis(s.rank());
  const auto at = static_cast<size_t>(axis < 0 ? axis + s.rank() : axis);
  if (kind > 0) d.attr("axis", axis);
  if (kind == 1) scale = Shape{s[at]};
  if (kind == 2) {
    const int64_t block = d.between(1, s[at]);
    d.attr("block_size", block);
    scale = s;
    scale[at] = (s[at] + block - 1) / block;
  }
  d.in(d.tensor(q, s, -9, 9));
  d.in(d.tensor(t, scale, 0.05, 1));
  if (d.chance(60))
    d.in(is_float(q) || q == DType::i32 ? d.zeros(q, scale)
                                        : d.tensor(q, scale, dtype_kind(q) == DKind::uint ? 0 : -2, 2));
  d.judge(Judge::ulps, 2);
}

void dynamic_quantize(Draw& d) {
  d.outputs(3);
  d.in(d.tensor(DType::f32, d.shape(0, 4, false)));
}

void qlinear_binary(Draw& d) {
  const DType t = d.type(bytes);
  const Shape s = d.shape(0, 4);
  d.in(d.tensor(t, s, -128, 255));
  scale_and_zero(d, t);
  d.in(d.tensor(t, d.broadcastable(s), -128, 255));
  scale_and_zero(d, t);
  scale_and_zero(d, t);
}

void qlinear_unary(Draw& d) {
  const DType t = d.type(bytes);
  if (std::string_view(d.op().name) == "QLinearLeakyRelu") d.maybe<float>("alpha", {0.1f, 0.5f});
  d.in(d.tensor(t, d.shape(0, 4), -128, 255));
  scale_and_zero(d, t);
  scale_and_zero(d, t);
}

void qlinear_pool(Draw& d) {
  const DType t = d.type(bytes);
  d.flag("channels_last");
  d.in(d.tensor(t, d.shape(3, 4, false), -128, 255));
  scale_and_zero(d, t);
  scale_and_zero(d, t);
}

void qlinear_concat(Draw& d) {
  const DType t = d.type(bytes);
  const Shape s = d.shape(1, 4, false);
  const int64_t axis = d.axis(s.rank()), n = d.between(1, 4);
  d.attr("axis", axis);
  scale_and_zero(d, t);
  for (int64_t i = 0; i < n; i++) {
    Shape part = s;
    part[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)] = d.dim();
    d.in(d.tensor(t, part, -128, 255));
    scale_and_zero(d, t);
  }
}

void dropout(Draw& d) {
  const DType t = d.type(float_types);
  d.attr("seed", d.between(1, 1000));
  d.outputs(static_cast<size_t>(d.between(1, 2)));
  d.in(d.tensor(t, d.shape(0, 4)));
  if (d.chance(70)) {
    d.in(d.tensor(d.type(TypeSet{DType::f32, DType::f64, DType::f16}), {}, 0, 0.9));
    if (d.chance(60)) d.in(d.tensor(DType::boolean, {}));
  }
}

void random(Draw& d, bool like) {
  const bool normal = std::string_view(d.op().name).starts_with("RandomNormal"), seeded = d.chance(70);
  if (seeded) d.attr("seed", static_cast<float>(d.between(0, 1000)));
  if (d.chance(50)) d.attr("dtype", static_cast<int64_t>(d.type(float_types)));
  d.attr(normal ? "mean" : "low", static_cast<float>(d.real(-2, 0)));
  d.attr(normal ? "scale" : "high", static_cast<float>(d.real(1, 2)));
  const Shape s = d.shape(0, 3);
  if (like) d.in(d.tensor(d.type(float_types), s));
  else d.attr("shape", Ints(s.begin(), s.end()));
  if (!seeded) d.judge(Judge::types);
}

void bernoulli(Draw& d) {
  const bool seeded = d.chance(70);
  if (seeded) d.attr("seed", static_cast<float>(d.between(0, 1000)));
  if (d.chance(50)) d.attr("dtype", static_cast<int64_t>(d.type(number_types | bool_type)));
  d.in(d.tensor(d.type(float_types), d.shape(0, 3), 0, 1));
  if (!seeded) d.judge(Judge::types);
}

void multinomial(Draw& d) {
  const bool seeded = d.chance(70);
  if (seeded) d.attr("seed", static_cast<float>(d.between(0, 1000)));
  d.maybe<int64_t>("dtype", {6, 7});
  d.attr("sample_size", d.between(1, 20));
  d.in(d.tensor(d.type(float_types), {d.between(1, 4), d.between(1, 6)}, -3, 1));
  if (!seeded) d.judge(Judge::types);
}

void string_concat(Draw& d) {
  const Shape s = d.shape(0, 3);
  d.in(d.tensor(DType::string, s));
  d.in(d.tensor(DType::string, d.broadcastable(s)));
}
void string_split(Draw& d) {
  d.maybe<std::string>("delimiter", {"a", " ", ","});
  d.maybe<int64_t>("maxsplit", {1, 2});
  d.outputs(static_cast<size_t>(d.between(1, 2)));
  d.in(d.tensor(DType::string, d.shape(0, 3)));
}
void string_normalizer(Draw& d) {
  d.maybe<std::string>("case_change_action", {"NONE", "LOWER", "UPPER"});
  d.flag("is_case_sensitive");
  if (d.chance(60)) d.attr("stopwords", std::vector<std::string>{"monday", "a"});
  d.in(d.tensor(DType::string, d.chance(50) ? Shape{d.between(1, 6)} : Shape{1, d.between(1, 6)}));
}
void regex(Draw& d) {
  d.attr("pattern", d.pick<std::string>({"[a-z]+", ".*", "(a|b)?", "\\d+", "[^,]*,[^,]*", "a b|12"}));
  d.in(d.tensor(DType::string, d.shape(0, 3)));
}

void tfidf(Draw& d) {
  const bool text = d.chance(40);
  const Ints pool{0, 1, 2, 3, 0, 1, 1, 2};  // four 1-grams, two 2-grams
  d.attr("mode", d.pick<std::string>({"TF", "IDF", "TFIDF"}));
  d.attr("min_gram_length", d.between(1, 2));
  d.attr("max_gram_length", int64_t{2});
  d.attr("max_skip_count", d.between(0, 3));
  d.attr("ngram_counts", Ints{0, 4});
  d.attr("ngram_indexes", Ints{0, 1, 2, 3, 4, 5});
  if (d.chance(50)) d.attr("weights", std::vector<float>{1, 2, 0.5f, 3, 1, 2});
  const Shape s = d.chance(50) ? Shape{d.between(1, 9)} : Shape{d.between(1, 3), d.between(1, 9)};
  if (text) {
    d.attr("pool_strings", std::vector<std::string>{"a", "b", "", "12", "a", "b", "b", ""});
    d.in(d.tensor(DType::string, s));
  } else {
    d.attr("pool_int64s", pool);
    d.in(d.whole(d.type(index_types), s, 0, 4));
  }
}

void label_encoder(Draw& d) {
  const DType from = d.pick({DType::string, DType::i64, DType::f32}),
              to = d.pick({DType::string, DType::i64, DType::f32});
  const auto list = [&](const char* what, DType t) {
    const std::string name(what);
    if (t == DType::string) d.attr((name + "_strings").c_str(), std::vector<std::string>{"a", "b", "Monday"});
    else if (t == DType::i64) d.attr((name + "_int64s").c_str(), Ints{1, 2, 3});
    else d.attr((name + "_floats").c_str(), std::vector<float>{1, 2, 3});
  };
  list("keys", from);
  list("values", to);
  const Shape s = d.shape(0, 3);
  d.in(from == DType::string ? d.tensor(from, s) : d.whole(from, s, 0, 4));
}

void tree_ensemble(Draw& d) {
  const DType t = d.type(TypeSet{DType::f32, DType::f64});
  const int64_t features = d.between(1, 4), trees = d.between(1, 3), targets = d.between(1, 3);
  // Each tree: three inner nodes and four leaves.
  Ints ids, modes, truth, falsehood, true_leaf, false_leaf, roots, leaf_targets;
  for (int64_t k = 0; k < trees; k++) {
    const int64_t n = 3 * k, leaf = 4 * k;
    roots.push_back(n);
    for (int i = 0; i < 3; i++) ids.push_back(d.between(0, features - 1)), modes.push_back(d.between(0, 5));
    for (const int64_t v : {n + 1, leaf, leaf + 2}) truth.push_back(v);
    for (const int64_t v : {n + 2, leaf + 1, leaf + 3}) falsehood.push_back(v);
    for (const int64_t v : {0, 1, 1}) true_leaf.push_back(v), false_leaf.push_back(v);
    for (int i = 0; i < 4; i++) leaf_targets.push_back(d.between(0, targets - 1));
  }
  const Tensor splits = d.tensor(t, {3 * trees}, -1, 1), weights = d.tensor(t, {4 * trees});
  Tensor mode = d.zeros(DType::u8, {3 * trees});
  for (size_t i = 0; i < modes.size(); i++) mode.data<uint8_t>()[i] = static_cast<uint8_t>(modes[i]);
  d.attr("aggregate_function", d.between(0, 3));
  d.attr("post_transform", d.between(0, 3));
  d.attr("n_targets", targets);
  d.attr("nodes_featureids", ids);
  d.attr("nodes_modes", mode);
  d.attr("nodes_splits", splits);
  d.attr("nodes_truenodeids", truth);
  d.attr("nodes_falsenodeids", falsehood);
  d.attr("nodes_trueleafs", true_leaf);
  d.attr("nodes_falseleafs", false_leaf);
  d.attr("tree_roots", roots);
  d.attr("leaf_targetids", leaf_targets);
  d.attr("leaf_weights", weights);
  d.in(d.tensor(t, {d.between(1, 5), features}, -2, 2));
}

void array_features(Draw& d) {
  const Shape s = d.shape(1, 3, false);
  d.in(d.tensor(d.type(number_types | TypeSet{DType::string}), s));
  d.in(d.whole(DType::i64, {1, d.between(1, 4)}, 0, s.back() - 1));
}

void sequence_construct(Draw& d) {
  const DType t = d.type(whole_types);
  for (const Shape& s : some_shapes(d, 1)) d.in(d.tensor(t, s));
}
void sequence_empty(Draw& d) {
  if (d.chance(60)) d.attr("dtype", static_cast<int64_t>(d.type(whole_types)));
}
void sequence_at(Draw& d) {  // and SequenceErase
  const std::vector<Shape> shapes = some_shapes(d, 1);
  const auto n = static_cast<int64_t>(shapes.size());
  d.in(sequence(d, d.type(whole_types), shapes));
  if (std::string_view(d.op().name) == "SequenceAt" || d.chance(70))
    d.in(d.whole(d.type(index_types), {}, -n, n - 1));
}
void sequence_insert(Draw& d) {
  const std::vector<Shape> shapes = some_shapes(d, 0);
  const auto n = static_cast<int64_t>(shapes.size());
  const DType t = d.type(whole_types);
  d.in(sequence(d, t, shapes));
  d.in(d.tensor(t, d.shape(0, 3)));
  if (d.chance(60)) d.in(d.whole(d.type(index_types), {}, -n, n));
}
void sequence_length(Draw& d) { d.in(sequence(d, d.type(whole_types), some_shapes(d, 0))); }
void concat_from_sequence(Draw& d) {
  const Shape s = d.shape(1, 3);
  const bool fresh = d.chance(40);
  const int64_t axis = d.axis(s.rank() + (fresh ? 1 : 0)), n = d.between(1, 4);
  d.attr("axis", axis);
  if (fresh) d.attr("new_axis", int64_t{1});
  std::vector<Shape> shapes;
  for (int64_t i = 0; i < n; i++) {
    shapes.push_back(s);
    if (!fresh) shapes.back()[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)] = d.dim();
  }
  d.in(sequence(d, d.type(whole_types), shapes));
}
void split_to_sequence(Draw& d) {
  const Shape s = d.shape(1, 4);
  const int64_t axis = d.axis(s.rank()), n = s[static_cast<size_t>(axis < 0 ? axis + s.rank() : axis)];
  d.attr("axis", axis);
  d.flag("keepdims");
  d.in(d.tensor(d.type(whole_types), s));
  const int64_t kind = d.between(0, 2);
  if (kind == 1) d.in(d.whole(d.type(index_types), {}, 1, 3));
  if (kind == 2) {
    const int64_t cut = d.between(0, n);
    d.ints({cut, n - cut});
  }
}
void sequence_map(Draw& d) {
  const DType t = d.type(float_types);
  const std::vector<Shape> shapes = some_shapes(d, 1);
  const bool two = d.chance(50);
  const std::string type = dtype_name(t);
  d.attr("body", graph("graph @body(%a: " + type + "[*]" + (two ? ", %b: " + type + "[]" : "") +
                       ") -> (%r) {\n  %r = " + (two ? "Add(%a, %b)" : "Neg(%a)") + "\n}"));
  d.in(sequence(d, t, shapes));
  if (two) d.in(d.tensor(t, {}));
}
void optional(Draw& d) { d.in(d.tensor(d.type(whole_types), d.shape(0, 3))); }
void optional_get(Draw& d) {
  const DType t = d.type(whole_types);
  const Tensor x = d.tensor(t, d.shape(0, 3));
  Value v;
  v.kind = Value::Kind::optional;
  v.items = std::make_shared<std::vector<Value>>(1, Value(x));
  d.in(d.chance(50) ? v : Value(x));
}

void if_else(Draw& d) {
  const std::string c = d.pick<std::string>({"1", "2.5", "-3"});
  const auto branch = [&](const char* name, const std::string& value) {
    return graph(std::string("graph @") + name + "() -> (%r) {\n  %k = const f32[2] {" + value +
                 ", 4}\n  %r = " + d.pick({"Neg", "Abs", "Exp"}) + "(%k)\n}");
  };
  d.attr("then_branch", branch("t", c));
  d.attr("else_branch", branch("e", "7"));
  d.in(d.tensor(DType::boolean, {}));
  d.judge(Judge::ulps, 8);
}

void loop(Draw& d) {
  const Shape s = d.shape(0, 2);
  const bool scans = d.chance(60), stops = d.chance(50);
  d.attr(
      "body",
      graph(std::string("graph @body(%i: i64[], %c: boolean[], %v: f32[*]) -> (%go, %w") +
            (scans ? ", %o" : "") +
            ") {\n  %one = const f32[] {0.5}\n  %w = Add(%v, %one)\n  %last = const i64[] {2}\n  %go = " +
            (stops ? "Less(%i, %last)" : "Identity(%c)") + "\n" + (scans ? "  %o = Neg(%v)\n" : "") + "}"));
  d.in(d.whole(DType::i64, {}, scans ? 1 : 0, 5));
  if (d.chance(50)) d.in(Tensor::scalar(DType::boolean, bool8(true)));
  else d.none();
  d.in(d.tensor(DType::f32, s));
  d.outputs(scans ? 2 : 1);
  d.judge(Judge::scaled, 16);
}

void scan(Draw& d) {
  const int64_t steps = d.between(1, 5), n = d.between(1, 4), axis = d.chance(40) ? 1 : 0;
  const std::string dims = "[" + std::to_string(n) + "]";
  d.attr("num_scan_inputs", int64_t{1});
  d.attr("body", graph("graph @body(%s: f32" + dims + ", %x: f32" + dims +
                       ") -> (%t, %y) {\n  %t = Add(%s, %x)\n  %y = Mul(%t, %x)\n}"));
  if (axis) d.attr("scan_input_axes", Ints{axis});
  d.maybe<Ints>("scan_input_directions", {Ints{0}, Ints{1}});
  d.maybe<Ints>("scan_output_directions", {Ints{0}, Ints{1}});
  d.maybe<Ints>("scan_output_axes", {Ints{0}, Ints{1}, Ints{-1}});
  d.in(d.tensor(DType::f32, {n}));
  d.in(d.tensor(DType::f32, axis ? Shape{n, steps} : Shape{steps, n}));
  d.outputs(2);
  d.judge(Judge::scaled, 32);
}

}  // namespace hone::test
