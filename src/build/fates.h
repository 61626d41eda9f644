// What became of the nodes of a model while it was optimised, for NodeFate.
#pragma once
#include <map>

#include "build/build.h"
#include "ir/patch.h"

namespace hone {

class Fates {
 public:
  explicit Fates(const ir::Graph& imported);
  void follow(const ir::Log&);
  // ids: Node::id of each step of the plan.
  std::vector<NodeFate> of(const std::vector<int>& ids) const;

 private:
  struct Change {
    int heir = 0;
    bool merged = false;
    std::string rule, reason;
  };
  std::vector<std::pair<int, NodeFate>> nodes_;  // Node::id
  std::map<int, Change> changes_;
};

}  // namespace hone
