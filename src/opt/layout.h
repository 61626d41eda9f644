// The layout pass keeps, for each value of the graph, the tensor that really flows: `actual`, which is the
// value transposed by `perm` (actual.shape[i] = value.shape[perm[i]]). Spatial operators (Conv, pools,
// Resize, ...) get channels-last tensors and give such; everything behind them that a permutation can pass
// through takes them as they are. A Transpose is made only where somebody insists: an operator that a
// permutation cannot pass, or an output of the graph. Nodes that nothing permuted reaches stay as they are.
#pragma once
#include <map>
#include <unordered_map>
#include <vector>

#include "opt/util.h"

namespace hone::opt {

using Perm = std::vector<int>;

Perm identity_perm(int rank);
Perm channels_last_perm(int rank);  // 0, 2, ..., 1
bool is_identity(const Perm&);
Perm inverse(const Perm&);
Shape permuted(const Shape&, const Perm&);
// Whether the dimensions that are not 1 keep their order: the bytes stay where they are.
bool moves_nothing(const Shape&, const Perm&);

struct Placed {
  ir::Value* actual = nullptr;
  Perm perm;
};

class Layouts {
 public:
  explicit Layouts(ir::Patch& p) : p_(p) {}
  ir::Patch& patch() { return p_; }
  Placed of(ir::Value* v) const;
  bool moved(ir::Value* v) const { return v && !is_identity(of(v).perm); }
  // v transposed by perm, made from what there is; each once.
  ir::Value* get(ir::Value* v, const Perm& perm);
  // v with ones in front up to rank perm.size(), transposed by perm: an operand that broadcasts. Single
  // elements stay.
  ir::Value* get_broadcast(ir::Value* v, const Perm& perm);
  Status put(ir::Value* v, ir::Value* actual, Perm perm);
  // Another node of the same kind: its outputs stand for those of n, all transposed by perm.
  Status remake(ir::Node* n, std::vector<ir::Value*> inputs, Attrs attrs, const Perm& perm);
  // n stays as it is: the values it reads are put back into the model's layout.
  void keep(ir::Node* n);
  void restore(ir::Value* v);
  // A Reshape of `actual`; null if more than one dimension of the target is not a number.
  ir::Value* reshape(ir::Value* actual, const Shape& target, const std::string& name);

 private:
  ir::Patch& p_;
  std::unordered_map<const ir::Value*, Placed> placed_;
  std::map<std::pair<const ir::Value*, Perm>, ir::Value*> made_;
  std::unordered_map<const ir::Value*, ir::Value*> restored_;
};

// Passes the permutation of n's inputs through n; false: it cannot, and nothing has been done.
Result<bool> pass_through(Layouts&, ir::Node* n);
// Gives a spatial operator its channels-last form; false: not this one (5-D, indices wanted, ...).
Result<bool> make_channels_last(Layouts&, ir::Node* n);

}  // namespace hone::opt
