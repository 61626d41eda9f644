// Copying graphs: clone() keeps every name, inline_graph() makes fresh ones.
#include <cassert>
#include <unordered_map>

#include "ir/graph.h"

namespace hone::ir {
namespace {

using Map = std::unordered_map<const Value*, Value*>;

Value* mapped(const Map& map, Value* v) {
  auto it = map.find(v);
  return it == map.end() ? v : it->second;  // values of graphs around the copied one stay what they are
}

std::shared_ptr<Graph> copy_nested(const Graph& from, Graph* parent, Map& map);

Attrs copy_attrs(const Attrs& from, Graph* to, Map& map) {
  Attrs attrs = from;
  for (auto& [name, value] : attrs)
    if (auto* g = std::get_if<SubgraphPtr>(&value))
      if (auto* nested = dynamic_cast<const Graph*>(g->get()))
        value = SubgraphPtr(copy_nested(*nested, to, map));
  return attrs;
}

// In the order of `from` where that is sorted already: a copy of a valid graph is the same text. A cyclic
// graph is copied in order of insertion, its forward references left pointing at the original (the verifier
// reports it).
std::vector<Node*> order_of(const Graph& g) {
  auto order = g.sorted();
  return order ? *std::move(order) : g.nodes();
}

void copy_nodes(const Graph& from, Graph& to, Map& map, const std::string& prefix,
                std::vector<Node*>* made = nullptr) {
  for (const Node* n : order_of(from)) {
    std::vector<Value*> inputs;
    for (Value* v : n->inputs) inputs.push_back(v ? mapped(map, v) : nullptr);
    Node* copy = to.add_node(*n->op, std::move(inputs), copy_attrs(n->attrs, &to, map), 0,
                             n->name.empty() ? n->name : prefix + n->name);
    if (made) made->push_back(copy);
    copy->origin = n->origin;
    copy->outputs.resize(n->outputs.size());
    for (size_t i = 0; i < n->outputs.size(); i++) {
      if (!n->outputs[i]) continue;
      Value* v = to.add_output_value(copy, i, n->outputs[i]->name);
      v->type = n->outputs[i]->type;
      map[n->outputs[i]] = v;
    }
  }
}

void copy_all(const Graph& from, Graph& to, Map& map) {
  to.name = from.name;
  to.symbols = from.symbols;
  to.metadata = from.metadata;
  for (Value* v : from.inputs()) map[v] = to.add_input(v->name, v->type);
  for (Value* v : from.values())
    if (v->is_constant()) map[v] = to.add_constant(v->constant, v->name), map[v]->type = v->type;
  copy_nodes(from, to, map, "");
  for (Value* v : from.outputs()) to.add_output(mapped(map, v));
}

std::shared_ptr<Graph> copy_nested(const Graph& from, Graph* parent, Map& map) {
  auto to = std::make_shared<Graph>();
  to->parent = parent;
  copy_all(from, *to, map);
  return to;
}

}  // namespace

std::shared_ptr<Graph> Graph::clone() const {
  auto to = std::make_shared<Graph>();
  Map map;
  copy_all(*this, *to, map);
  return to;
}

std::vector<Value*> Graph::inline_graph(const Graph& body, std::span<Value* const> args,
                                        const std::string& prefix, std::vector<Node*>* made) {
  assert(args.size() <= body.inputs().size());
  Map map;
  for (size_t i = 0; i < body.inputs().size(); i++)
    map[body.inputs()[i]] = i < args.size() ? args[i] : nullptr;
  for (Value* v : body.values())
    if (v->is_constant()) map[v] = add_constant(v->constant, v->name), map[v]->type = v->type;
  copy_nodes(body, *this, map, prefix, made);
  std::vector<Value*> out;
  for (Value* v : body.outputs()) out.push_back(mapped(map, v));
  return out;
}

}  // namespace hone::ir
