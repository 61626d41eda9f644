#include <algorithm>

#include "opt/passes.h"

namespace hone::opt {

Result<int> dead_code(ir::Graph& g, ir::Log&) {
  int changes = 0;
  HONE_TRY(const std::vector<ir::Node*> order, g.sorted());
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    ir::Node* n = *it;
    if (n->erased) continue;
    if (std::ranges::all_of(n->outputs, [](const ir::Value* v) { return !v || v->dead(); })) {
      ir::erase_if_dead(n);
      changes++;
      continue;
    }
    // An optional output that nobody uses need not be made.
    for (size_t i = static_cast<size_t>(n->op->min_outputs); i < n->outputs.size(); i++)
      if (n->outputs[i] && n->outputs[i]->dead()) g.drop_output(n, i), changes++;
    // Of as many outputs as one likes (Split, Loop) the number says something: a dropped one keeps its place.
    while (n->op->max_outputs >= 0 && n->outputs.size() > static_cast<size_t>(n->op->min_outputs) &&
           !n->outputs.back())
      n->outputs.pop_back();
  }
  for (ir::Value* v : g.values())
    if (v->is_constant() && v->dead()) g.erase_constant(v), changes++;
  return changes;
}

}  // namespace hone::opt
