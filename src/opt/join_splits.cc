// Split(x) -> a, b, ...; Concat(..., a, b, ..., others)  ->  Concat(..., x, ..., others): what was cut and put
// together again side by side need not be moved. (Blocks that keep their input beside what they made of its
// parts.)
#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

// The Split all of whose outputs stand in `inputs` from `from` on, in order; null if there is none.
const ir::Node* split_at(const std::vector<ir::Value*>& inputs, size_t from) {
  const ir::Node* split = made_by(inputs[from], "Split");
  if (!split || split->outputs.size() > inputs.size() - from) return nullptr;
  return std::equal(split->outputs.begin(), split->outputs.end(), inputs.begin() + static_cast<long>(from))
             ? split
             : nullptr;
}

bool same_axis(const ir::Node& concat, const ir::Node& split) {
  const Shape& s = split.inputs[0]->type.shape;
  if (!s.ranked()) return false;
  const auto a = normalize_axis(concat.attrs.i("axis"), s.rank()),
             b = normalize_axis(split.attrs.i("axis"), s.rank());
  return a && b && *a == *b;
}

}  // namespace

Result<int> join_splits(ir::Graph& g, ir::Log& log) {
  HONE_TRY(const auto order, g.sorted());
  int changes = 0;
  for (ir::Node* n : order) {
    if (n->erased || !is_op(n, "Concat") || !n->outputs[0]) continue;
    std::vector<ir::Value*> inputs;
    for (size_t i = 0; i < n->inputs.size();) {
      const ir::Node* split = split_at(n->inputs, i);
      const bool joins = split && split->inputs[0]->graph == n->graph && same_axis(*n, *split);
      inputs.push_back(joins ? split->inputs[0] : n->inputs[i]);
      i += joins ? split->outputs.size() : 1;
    }
    if (inputs.size() == n->inputs.size()) continue;
    ir::Patch patch(g, "join_splits", "the parts of a Split stand side by side again");
    ir::Node* joined = patch.add_node(*n->op, std::move(inputs), n->attrs, 1, n->name);
    joined->origin = n->origin;
    patch.replace(n->outputs[0], joined->outputs[0]);
    HONE_CHECK(patch.apply(&log));
    changes++;
  }
  return changes;
}

}  // namespace hone::opt
