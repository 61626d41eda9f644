// s * (A B + c) = A (s B) + s c for a constant s that has a number for each column, also where the product is transposed
// first, as ConvNeXt's layer scale stands behind a product that returns to channels first.
#include <algorithm>

#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

using ir::Node;
using ir::Value;
using Numbers = std::vector<double>;

// A product of constant weights whose sum nobody else sees and nothing was done to.
bool can_scale(const Node* n, const Value* out) {
  if (!is_op(n, "MatMul") || !single_use(out) || !n->attrs.s("activation").empty() || input(n, 3))
    return false;
  const Value *b = n->inputs[1], *bias = input(n, 2);
  return b->is_constant() && is_float(b->constant.dtype()) && b->type.shape.rank() == 2 &&
         (!bias || bias->is_constant());
}

// The numbers of s, a factor of a tensor of this rank, if they differ along one axis only.
std::optional<Numbers> along(const Value* s, int rank, int axis, Dim size) {
  const Shape& shape = s->type.shape;
  if (!s->is_constant() || !is_float(s->constant.dtype()) || shape.rank() > rank) return std::nullopt;
  const int own = axis - (rank - shape.rank());
  if (own < 0 || shape[static_cast<size_t>(own)] != size || shape.elements() != size) return std::nullopt;
  return numbers(s);
}

Result<bool> fold(ir::Graph& g, Node* n, ir::Log& log) {
  for (size_t side = 0; side < 2; side++) {
    Value *x = n->inputs[side], *made = x;
    if (!x->type.shape.ranked() || !same_shape(x->type, n->outputs[0]->type)) continue;
    const int rank = x->type.shape.rank();
    int axis = rank - 1;
    Node* transpose = made_by(x, "Transpose");
    if (transpose) {
      const auto& perm = transpose->attrs.ints("perm");
      const auto at = std::ranges::find(perm, rank - 1);
      if (!single_use(x) || at == perm.end()) continue;
      axis = static_cast<int>(at - perm.begin());
      made = transpose->inputs[0];
    }
    Node* product = made->producer;
    if (!can_scale(product, made)) continue;
    Value *w = product->inputs[1], *bias = input(product, 2);
    const Dim columns = w->type.shape[1];
    const auto s = along(n->inputs[1 - side], rank, axis, columns);
    auto weights = numbers(w);
    auto shift = bias ? numbers(bias) : std::nullopt;
    if (!s || !weights || (bias && !shift)) continue;
    const size_t count = s->size();
    for (size_t i = 0; i < weights->size(); i++) (*weights)[i] *= (*s)[i % count];
    ir::Patch p(g, "scale_columns", "it scales each column of a product by a constant");
    const DType d = w->constant.dtype();
    HONE_TRY(Tensor t, float_tensor(d, w->type.shape, *weights));
    std::vector<Value*> inputs = {product->inputs[0], p.constant(std::move(t), w->name)};
    if (bias) {
      for (size_t i = 0; i < count; i++) (*shift)[i] *= (*s)[i];
      HONE_TRY(Tensor b, float_tensor(d, bias->type.shape, *shift));
      inputs.push_back(p.constant(std::move(b), bias->name));
    }
    Node* scaled = p.add_node(*product->op, std::move(inputs), product->attrs, 1, product->name);
    if (!scaled) return false;
    scaled->origin = product->origin;
    p.replace(n->outputs[0], transpose
                                 ? p.add("Transpose", {scaled->outputs[0]}, transpose->attrs, transpose->name)
                                 : scaled->outputs[0]);
    if (!p.check()) return false;
    HONE_CHECK(p.apply(&log));
    return true;
  }
  return false;
}

}  // namespace

Result<int> scale_columns(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    if (n->erased || !is_op(n, "Mul") || !n->attrs.s("activation").empty()) continue;
    HONE_TRY(const bool done, fold(g, n, log));
    changes += done;
  }
  return changes;
}

}  // namespace hone::opt
