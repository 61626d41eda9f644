// ir::Graph -> Program: the last step of a build.
#pragma once
#include <map>
#include <memory>

#include "engine/program.h"
#include "ir/graph.h"

namespace hone {

// Constants of several programs, each kept once: by identity of the bytes, so that the portable program and
// the plans share what the optimiser did not touch. (The engine writer merges equal contents as well.)
class ConstantTable {
 public:
  int add(const Tensor&);
  std::vector<Tensor> take() { return std::move(tensors_); }

 private:
  using Key = std::tuple<const void*, DType, std::string>;  // bytes, type, shape
  std::map<Key, int> index_;
  std::vector<Tensor> tensors_;
};

// Graphs must be verified. Values keep their names; dead ones are left out. `ids` gets Node::id of each step.
Result<std::shared_ptr<Program>> lower(const ir::Graph&, ConstantTable&, std::vector<int>* ids = nullptr);

}  // namespace hone
