#include "build/lower.h"

#include <algorithm>
#include <set>

namespace hone {

int ConstantTable::add(const Tensor& t) {
  const Key key{t.bytes(), t.dtype(), t.shape().str()};
  auto [it, fresh] = index_.try_emplace(key, static_cast<int>(tensors_.size()));
  if (fresh) tensors_.push_back(t);
  return it->second;
}

namespace {

class Lowering {
 public:
  Lowering(ConstantTable& constants, Lowering* parent) : constants_(constants), parent_(parent) {}

  Result<std::shared_ptr<Program>> run(const ir::Graph& graph, std::vector<int>* ids) {
    graph_ = &graph;
    program_->name = graph.name;
    for (const ir::Value* v : graph.inputs()) program_->inputs.push_back(value(v));
    HONE_TRY(const auto nodes, graph.sorted());
    find_live(nodes);
    for (const ir::Node* node : nodes) {
      if (!live_nodes_.count(node)) continue;
      HONE_CHECK(lower_node(*node));
      if (ids) ids->push_back(node->id);
    }
    for (const ir::Value* v : graph.outputs()) program_->outputs.push_back(value(v));
    return program_;
  }

 private:
  int value(const ir::Value* v) {
    if (!v) return -1;
    if (auto it = index_.find(v); it != index_.end()) return it->second;
    ProgramValue p;
    p.name = v->name;
    p.type = v->type;
    if (v->graph != graph_) {
      p.kind = ProgramValue::Kind::capture;
      p.ref = parent_->value(v);
    } else if (v->is_constant()) {
      p.kind = ProgramValue::Kind::constant;
      p.ref = constants_.add(v->constant);
    } else if (v->is_input) {
      p.kind = ProgramValue::Kind::input;
    }
    const int id = static_cast<int>(program_->values.size());
    program_->values.push_back(std::move(p));
    return index_[v] = id;
  }

  // Nodes that an output depends on, and the values they read.
  void find_live(const std::vector<ir::Node*>& nodes) {
    for (const ir::Value* v : graph_->outputs()) live_.insert(v);
    for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
      const ir::Node& node = **it;
      if (std::none_of(node.outputs.begin(), node.outputs.end(),
                       [&](const ir::Value* v) { return v && live_.count(v); }))
        continue;
      live_nodes_.insert(&node);
      live_.insert(node.inputs.begin(), node.inputs.end());
      for (const ir::Value* v : ir::captures(node)) live_.insert(v);
    }
  }

  Status lower_node(const ir::Node& node) {
    ProgramStep step;
    step.op = node.op->name;
    step.domain = node.op->domain;
    step.name = node.name;
    for (const ir::Value* v : node.inputs) step.in.push_back(value(v));
    for (const auto& [name, attr] : node.attrs) {
      if (const SubgraphPtr* nested = std::get_if<SubgraphPtr>(&attr)) {
        const auto* graph = dynamic_cast<const ir::Graph*>(nested->get());
        if (!graph)
          return error(Code::internal, "%s: attribute '%s' holds no graph", node.label().c_str(),
                       name.c_str());
        HONE_TRY(auto program, Lowering(constants_, this).run(*graph, nullptr));
        step.attrs.set(name, SubgraphPtr(std::move(program)));
      } else {
        step.attrs.set(name, attr);
      }
    }
    // Outputs nobody reads are not wanted: the kernel need not make them.
    for (const ir::Value* v : node.outputs) step.out.push_back(v && live_.count(v) ? value(v) : -1);
    program_->steps.push_back(std::move(step));
    return {};
  }

  ConstantTable& constants_;
  Lowering* parent_;
  const ir::Graph* graph_ = nullptr;
  std::map<const ir::Value*, int> index_;
  std::set<const ir::Value*> live_;
  std::set<const ir::Node*> live_nodes_;
  std::shared_ptr<Program> program_ = std::make_shared<Program>();
};

}  // namespace

Result<std::shared_ptr<Program>> lower(const ir::Graph& graph, ConstantTable& constants,
                                       std::vector<int>* ids) {
  return Lowering(constants, nullptr).run(graph, ids);
}

}  // namespace hone
