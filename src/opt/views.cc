// Chains of operators that only rearrange: Transpose after Transpose, Reshape after Reshape (and Flatten,
// Squeeze, Unsqueeze), and a Transpose that moves nothing but dimensions of 1, which is a Reshape.
#include <algorithm>

#include "opt/layout.h"
#include "opt/passes.h"

namespace hone::opt {
namespace {

using ir::Node;

Perm perm_of(const Node* n) {
  Perm p;
  for (int64_t i : n->attrs.ints("perm")) p.push_back(static_cast<int>(i));
  if (p.empty() && n->inputs[0]->type.shape.ranked()) {
    p = identity_perm(n->inputs[0]->type.shape.rank());
    std::ranges::reverse(p);
  }
  return p;
}

bool is_reshape(const Node* n) {
  return is_op(n, "Reshape") || is_op(n, "Flatten") || is_op(n, "Squeeze") || is_op(n, "Unsqueeze");
}

// The shape as a Reshape's target: at most one dimension may be other than a known number above 0.
std::optional<std::vector<int64_t>> target_of(const ValueType& t) {
  if (t.kind != hone::Value::Kind::tensor || !t.shape.ranked()) return std::nullopt;
  std::vector<int64_t> dims;
  for (Dim d : t.shape) dims.push_back(d > 0 ? d : -1);
  if (std::ranges::count(t.shape, 0) || std::ranges::count(dims, -1) > 1) return std::nullopt;
  return dims;
}

Result<bool> merge_transposes(ir::Graph& g, Node* n, ir::Log& log) {
  const Node* first = n->inputs[0]->producer;
  const Perm second = perm_of(n);
  if (second.empty()) return false;
  if (is_op(first, "Transpose")) {
    const Perm before = perm_of(first);
    if (before.size() != second.size()) return false;
    std::vector<int64_t> both;
    for (int i : second) both.push_back(before[static_cast<size_t>(i)]);
    ir::Patch p(g, "merge_views", "its input is transposed too");
    Attrs attrs;
    attrs.set("perm", both);
    p.replace(n->outputs[0], std::ranges::is_sorted(both)
                                 ? first->inputs[0]
                                 : p.add("Transpose", {first->inputs[0]}, std::move(attrs)));
    HONE_CHECK(p.apply(&log));
    return true;
  }
  if (is_identity(second) || !moves_nothing(n->inputs[0]->type.shape, second)) return false;
  const auto target = target_of(n->outputs[0]->type);
  if (!target) return false;
  ir::Patch p(g, "merge_views", "it moves dimensions of 1 only");
  p.replace(n->outputs[0], p.add("Reshape", {n->inputs[0], p.constant(int_tensor(*target))}));
  HONE_CHECK(p.apply(&log));
  return true;
}

Result<bool> merge_reshapes(ir::Graph& g, Node* n, ir::Log& log) {
  const Node* first = n->inputs[0]->producer;
  if (!is_reshape(first)) return false;
  const auto target = target_of(n->outputs[0]->type);
  if (!target) return false;
  ir::Patch p(g, "merge_views", "its input is reshaped too");
  if (same_shape(first->inputs[0]->type, n->outputs[0]->type)) p.replace(n->outputs[0], first->inputs[0]);
  else p.replace(n->outputs[0], p.add("Reshape", {first->inputs[0], p.constant(int_tensor(*target))}));
  HONE_CHECK(p.apply(&log));
  return true;
}

}  // namespace

Result<int> merge_views(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    if (n->erased || n->inputs.empty() || !n->inputs[0] || !n->outputs[0]) continue;
    if (is_op(n, "Transpose") && n->inputs[0]->type.shape.ranked()) {
      HONE_TRY(const bool done, merge_transposes(g, n, log));
      changes += done;
    } else if (is_reshape(n)) {
      HONE_TRY(const bool done, merge_reshapes(g, n, log));
      changes += done;
    }
  }
  return changes;
}

}  // namespace hone::opt
