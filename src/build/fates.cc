#include "build/fates.h"

namespace hone {

Fates::Fates(const ir::Graph& imported) {
  const auto sorted = imported.sorted();
  for (const ir::Node* n : sorted ? *sorted : imported.nodes()) {
    NodeFate f;
    f.op = n->op->name;
    f.domain = n->op->domain;
    f.name = n->name;
    f.label = n->label();
    nodes_.emplace_back(n->id, std::move(f));
  }
}

void Fates::follow(const ir::Log& log) {
  for (const ir::LogEntry& e : log)
    for (const ir::Fate& f : e.fates) changes_[f.node] = {f.heir, f.merged, e.rule, e.reason};
}

std::vector<NodeFate> Fates::of(const std::vector<int>& ids) const {
  using Kind = NodeFate::Kind;
  std::map<int, int> steps;
  for (size_t i = 0; i < ids.size(); i++) steps[ids[i]] = static_cast<int>(i);
  std::vector<NodeFate> list;
  std::map<int, int> shares;  // nodes that a step does the work of
  for (const auto& [id, node] : nodes_) {
    NodeFate& f = list.emplace_back(node);
    int at = id;
    for (auto it = changes_.find(at); it != changes_.end(); it = changes_.find(at)) {
      const Change& c = it->second;
      at = c.heir;
      // What a removed node's place was given to may change further, but does nothing of its work.
      if (f.kind == Kind::removed && at) continue;
      if (f.kind != Kind::removed) {
        f.rule = c.rule;
        f.reason = c.reason;
        f.kind = c.merged ? Kind::merged : c.heir ? Kind::removed : Kind::folded;
      }
      if (!at) break;
    }
    if (const auto step = steps.find(at); step != steps.end()) f.step = step->second;
    else if (at) f.kind = Kind::unused;
    if (f.kind == Kind::folded && f.rule != "fold" && f.rule != "layout_fold") f.kind = Kind::removed;
    if (f.kind == Kind::merged || f.kind == Kind::runs) shares[f.step]++;
  }
  for (NodeFate& f : list)
    if (f.kind == Kind::merged && shares[f.step] == 1) f.kind = Kind::runs;
  return list;
}

}  // namespace hone
