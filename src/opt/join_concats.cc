// C1 = Concat(a, b); C2 = Concat(a, b, c)  ->  C2 = Concat(C1, c): what begins alike is put together once, and memory can
// be planned so that C1 is where C2 begins. (Blocks whose every layer reads the outputs of all before it: Huang et al.,
// "Densely Connected Convolutional Networks", 2017.)
#include <map>

#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

// A Concat and what it consists of, when its inputs that are Concats along the same axis are taken apart.
struct Joined {
  ir::Value* output;
  int64_t axis;
  std::vector<ir::Value*> parts;
};

// A Concat of Concats of itself has more parts than a model has bytes: beyond so many, an inner one is a part.
constexpr size_t most_parts = 4096;

bool begins_with(const std::vector<ir::Value*>& list, const std::vector<ir::Value*>& start) {
  return start.size() < list.size() && std::equal(start.begin(), start.end(), list.begin());
}

}  // namespace

Result<int> join_concats(ir::Graph& g, ir::Log& log) {
  HONE_TRY(const auto order, g.sorted());
  std::map<ir::Value*, Joined> made;                   // by output
  std::map<ir::Value*, std::vector<Joined>> starting;  // by first part
  int changes = 0;
  for (ir::Node* n : order) {
    if (n->erased || !is_op(n, "Concat") || !n->outputs[0] || !n->inputs[0]->type.shape.ranked()) continue;
    const auto axis = normalize_axis(n->attrs.i("axis"), n->inputs[0]->type.shape.rank());
    if (!axis) continue;
    Joined whole{n->outputs[0], *axis, {}};
    for (ir::Value* in : n->inputs) {
      const auto inner = made.find(in);
      if (inner == made.end() || inner->second.axis != *axis ||
          whole.parts.size() + inner->second.parts.size() > most_parts)
        whole.parts.push_back(in);
      else whole.parts.insert(whole.parts.end(), inner->second.parts.begin(), inner->second.parts.end());
    }
    std::vector<Joined>& alike = starting[whole.parts.front()];
    const Joined* longest = nullptr;
    for (const Joined& j : alike)
      if (j.axis == *axis && begins_with(whole.parts, j.parts) &&
          (!longest || j.parts.size() > longest->parts.size()))
        longest = &j;
    const size_t rest = longest ? whole.parts.size() - longest->parts.size() : 0;
    if (longest && rest + 1 < n->inputs.size()) {
      std::vector<ir::Value*> inputs{longest->output};
      inputs.insert(inputs.end(), whole.parts.end() - static_cast<std::ptrdiff_t>(rest), whole.parts.end());
      ir::Patch patch(g, "join_concats", "its first inputs are put together already");
      ir::Node* joined = patch.add_node(*n->op, std::move(inputs), n->attrs, 1, n->name);
      joined->origin = n->origin;
      patch.replace(n->outputs[0], joined->outputs[0]);
      whole.output = joined->outputs[0];
      HONE_CHECK(patch.apply(&log));
      changes++;
    }
    alike.push_back(whole);
    made.insert({whole.output, std::move(whole)});
  }
  return changes;
}

}  // namespace hone::opt
