// Reshape [N,g,m,H,W], Transpose [0,2,1,3,4], Reshape [N,g*m,H,W]  ->  ChannelShuffle(g)
#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

using ir::Node;

// The number of groups, or 0.
int64_t groups_of(const Node& last) {
  if (!is_op(&last, "Reshape") || !last.outputs[0]) return 0;
  const Node* transpose = made_by(last.inputs[0], "Transpose");
  if (!transpose || transpose->attrs.ints("perm") != std::vector<int64_t>{0, 2, 1, 3, 4}) return 0;
  const Node* first = made_by(transpose->inputs[0], "Reshape");
  if (!first) return 0;
  const ir::Value *x = first->inputs[0], *middle = first->outputs[0], *y = last.outputs[0];
  if (x->graph != last.graph || x->type.shape.rank() != 4 || middle->type.shape.rank() != 5 ||
      x->type.shape != y->type.shape || !x->type.shape.ranked())
    return 0;
  const Shape &s = x->type.shape, &m = middle->type.shape;
  if (s[0] != m[0] || s[2] != m[3] || s[3] != m[4]) return 0;
  if (!known(m[1]) || !known(m[2]) || m[1] * m[2] != s[1]) return 0;
  return m[1];
}

}  // namespace

Result<int> fuse_channel_shuffle(ir::Graph& g, ir::Log& log) {
  HONE_TRY(const auto order, g.sorted());
  int changes = 0;
  for (Node* n : order) {
    if (n->erased) continue;
    const int64_t groups = groups_of(*n);
    if (!groups) continue;
    ir::Value* x = n->inputs[0]->producer->inputs[0]->producer->inputs[0];
    ir::Patch patch(g, "fuse_channel_shuffle", "only channels move");
    Attrs attrs;
    attrs.set("groups", groups);
    ir::Node* shuffle = patch.add_node(*find_op("ChannelShuffle", "hone"), {x}, attrs);
    if (shuffle) patch.replace(n->outputs[0], shuffle->outputs[0]);
    HONE_CHECK(patch.apply(&log));
    changes++;
  }
  return changes;
}

}  // namespace hone::opt
