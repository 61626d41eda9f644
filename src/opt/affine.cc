// Scale and shift for each channel behind a linear operator go into its weights and bias:
//   s (W x + b) + t = (s W) x + (s b + t)
// BatchNormalization is s = scale / sqrt(var + eps), t = B - s mean; Mul, Div, Add, Sub by a constant are one
// half of it. A BatchNormalization with nothing to go into becomes Mul and Add.
#include <algorithm>
#include <cmath>

#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

using ir::Node;
using ir::Value;
using Numbers = std::vector<double>;

struct Affine {
  Value* x = nullptr;  // what is scaled and shifted
  Numbers scale, shift;
};

// A constant that has one number per channel (axis 1 of `rank`) or one for all, spread to `channels`.
std::optional<Numbers> per_channel(const Value* v, int rank, Dim channels) {
  const auto all = numbers(v);
  if (!all || !is_float(v->constant.dtype())) return std::nullopt;
  if (all->size() == 1 && v->type.shape.rank() <= rank)
    return Numbers(static_cast<size_t>(channels), all->front());
  const Shape& s = v->type.shape;
  const int axis = 1 - (rank - s.rank());
  if (s.rank() > rank || axis < 0 || static_cast<Dim>(all->size()) != channels ||
      s[static_cast<size_t>(axis)] != channels)
    return std::nullopt;
  return all;
}

std::optional<Affine> batch_norm(const Node* n, Dim channels) {
  if (!is_op(n, "BatchNormalization") || n->attrs.flag("training_mode") || n->attrs.flag("channels_last"))
    return std::nullopt;
  const auto scale = numbers(input(n, 1)), shift = numbers(input(n, 2)), mean = numbers(input(n, 3)),
             variance = numbers(input(n, 4));
  if (!scale || !shift || !mean || !variance) return std::nullopt;
  const auto c = static_cast<size_t>(channels);
  if (scale->size() != c || shift->size() != c || mean->size() != c || variance->size() != c)
    return std::nullopt;
  Affine a{n->inputs[0], Numbers(c), Numbers(c)};
  for (size_t i = 0; i < c; i++) {
    a.scale[i] = (*scale)[i] / std::sqrt((*variance)[i] + n->attrs.f("epsilon"));
    a.shift[i] = (*shift)[i] - a.scale[i] * (*mean)[i];
  }
  return a;
}

// n as scale and shift of its input; the output has `rank` dimensions with `channels` along axis 1.
std::optional<Affine> affine_of(const Node* n, int rank, Dim channels) {
  if (auto a = batch_norm(n, channels)) return a;
  const bool add = is_op(n, "Add"), sub = is_op(n, "Sub"), mul = is_op(n, "Mul"), div = is_op(n, "Div");
  if ((!add && !sub && !mul && !div) || !n->attrs.s("activation").empty()) return std::nullopt;
  for (size_t side = 0; side < 2; side++) {
    if (div && side == 1) continue;  // a constant divided by x is not linear
    Value* x = n->inputs[side];
    const auto c = per_channel(n->inputs[1 - side], rank, channels);
    if (!c || x->is_constant() || !same_shape(x->type, n->outputs[0]->type)) continue;
    Affine a{x, Numbers(c->size(), 1), Numbers(c->size(), 0)};
    for (size_t i = 0; i < c->size(); i++) {
      const double v = (*c)[i];
      if (mul) a.scale[i] = v;
      if (div) a.scale[i] = 1 / v;
      if (add) a.shift[i] = v;
      if (sub) a.shift[i] = side == 0 ? -v : v, a.scale[i] = side == 0 ? 1 : -1;
    }
    if (std::ranges::all_of(a.scale, [](double s) { return std::isfinite(s); })) return a;
  }
  return std::nullopt;
}

// weights[..., m, ...] *= scale[m]: m is the index along an axis split in groups (ConvTranspose: [C, M/group,
// ...]).
void scale_weights(Numbers& w, const Shape& shape, const Numbers& scale, const Node* linear) {
  const std::string op = linear->op->name;
  if (op == "Conv") {
    const size_t each = w.size() / scale.size();
    for (size_t i = 0; i < w.size(); i++) w[i] *= scale[i / each];
  } else if (op == "ConvTranspose") {
    const auto groups = static_cast<size_t>(linear->attrs.i("group", 1)),
               per_group = static_cast<size_t>(shape[1]);
    const size_t inputs_per_group = static_cast<size_t>(shape[0]) / groups;
    const auto taps = static_cast<size_t>(shape.product(2, shape.rank()));
    for (size_t i = 0; i < w.size(); i++) {
      const size_t m = i / taps % per_group, g = i / taps / per_group / inputs_per_group;
      w[i] *= scale[g * per_group + m];
    }
  } else {  // Gemm: B is [K, N] or, transposed, [N, K]
    const auto columns = static_cast<size_t>(shape[1]);
    const bool transposed = linear->attrs.flag("transB");
    for (size_t i = 0; i < w.size(); i++) w[i] *= scale[transposed ? i / columns : i % columns];
  }
}

bool is_linear(const Node* n) { return is_op(n, "Conv") || is_op(n, "ConvTranspose") || is_op(n, "Gemm"); }

Result<bool> fold_into(ir::Graph& g, Node* n, Node* linear, const Affine& a, ir::Log& log) {
  const auto channels = static_cast<Dim>(a.scale.size());
  const bool gemm = is_op(linear, "Gemm");
  Value* w = input(linear, 1);
  auto weights = numbers(w);
  if (!weights || !is_float(w->constant.dtype()) || weights->size() % a.scale.size()) return false;
  Numbers bias(a.scale.size(), 0);
  if (Value* b = input(linear, 2)) {
    const auto given = per_channel(b, gemm ? 2 : 1, channels);
    const auto plain = numbers(b);
    if (gemm && given) bias = *given;
    else if (!gemm && plain && plain->size() == bias.size()) bias = *plain;
    else return false;
  }
  Attrs attrs = linear->attrs;
  if (gemm) {
    for (double& b : bias) b *= attrs.f("beta", 1);
    attrs.set("beta", 1.0f);
  }
  scale_weights(*weights, w->type.shape, a.scale, linear);
  for (size_t i = 0; i < bias.size(); i++) bias[i] = a.scale[i] * bias[i] + a.shift[i];
  const DType d = w->constant.dtype();
  ir::Patch p(g, "fold_affine", n->label() + " scales and shifts each channel by constants");
  const bool scaled = std::ranges::any_of(a.scale, [](double s) { return s != 1; });
  if (scaled) {
    HONE_TRY(Tensor t, float_tensor(d, w->type.shape, *weights));
    w = p.constant(std::move(t), w->name);
  }
  HONE_TRY(Tensor b, float_tensor(d, Shape{channels}, bias));
  Node* made = p.add_node(*linear->op, {linear->inputs[0], w, p.constant(std::move(b))}, std::move(attrs), 1,
                          linear->name);
  made->origin = linear->origin;
  p.replace(n->outputs[0], made->outputs[0]);
  if (!p.check()) return false;
  HONE_CHECK(p.apply(&log));
  return true;
}

Result<bool> split_batch_norm(ir::Graph& g, Node* n, const Affine& a, ir::Log& log) {
  const int rank = n->outputs[0]->type.shape.rank();
  const DType d = n->outputs[0]->type.dtype;
  if (n->inputs[0]->type.dtype != d || !is_float(d)) return false;
  Shape s = Shape::of_rank(rank, 1);
  s[1] = static_cast<Dim>(a.scale.size());
  HONE_TRY(Tensor scale, float_tensor(d, s, a.scale));
  HONE_TRY(Tensor shift, float_tensor(d, s, a.shift));
  ir::Patch p(g, "fold_affine", "its statistics are constants");
  Value* scaled = p.add("Mul", {n->inputs[0], p.constant(std::move(scale))});
  p.replace(n->outputs[0], p.add("Add", {scaled, p.constant(std::move(shift))}));
  HONE_CHECK(p.apply(&log));
  return true;
}

}  // namespace

Result<int> fold_affine(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    if (n->erased || n->outputs.empty() || !n->outputs[0]) continue;
    if (std::any_of(n->outputs.begin() + 1, n->outputs.end(), [](const Value* v) { return v && !v->dead(); }))
      continue;
    const Shape& out = n->outputs[0]->type.shape;
    if (!out.ranked() || out.rank() < 2 || !known(out[1])) continue;
    const auto a = affine_of(n, out.rank(), out[1]);
    if (!a) continue;
    Node* linear = a->x->producer;
    bool done = false;
    if (is_linear(linear) && single_use(a->x) && !input(linear, 3) && linear->attrs.s("activation").empty()) {
      HONE_TRY(done, fold_into(g, n, linear, *a, log));
    }
    if (!done && is_op(n, "BatchNormalization")) { HONE_TRY(done, split_batch_norm(g, n, *a, log)); }
    changes += done;
  }
  return changes;
}

}  // namespace hone::opt
