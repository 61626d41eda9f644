#include "ir/graph.h"

#include <algorithm>
#include <cassert>
#include <unordered_set>

namespace hone::ir {
namespace {

void remove_use(Value* v, Node* n, int index) {
  if (!v) return;
  auto it = std::find(v->uses.rbegin(), v->uses.rend(), Use{n, index});
  if (it != v->uses.rend()) v->uses.erase(std::next(it).base());
}

bool inside(const Graph* g, const Graph* root) {
  for (; g; g = g->parent)
    if (g == root) return true;
  return false;
}

bool live(const Value& v) {
  return v.is_input || v.is_constant() ||
         (v.producer && !v.producer->erased &&
          v.producer->outputs[static_cast<size_t>(v.output_index)] == &v);
}

}  // namespace

std::string Node::label() const {
  std::string s = op ? op->name : "?";
  if (!name.empty()) return s + " '" + name + "'";
  for (const Value* v : outputs)
    if (v) return s + " making '" + v->name + "'";
  return s;
}

Graph::~Graph() {
  drop_captures();
  for (auto& n : nodes_)
    for (Graph* g : nested_graphs(*n))
      if (g->owner == n.get()) g->drop_captures(), g->parent = nullptr, g->owner = nullptr;
  nodes_.clear();  // before the values, to which the nested graphs inside them point
}

void Graph::drop_captures() {
  auto drop = [](auto& self, Graph& g, const Graph* root) -> void {
    for (auto& n : g.nodes_) {
      if (n->erased) continue;
      for (size_t i = 0; i < n->inputs.size(); i++) {
        Value* v = n->inputs[i];
        if (!v || inside(v->graph, root)) continue;
        remove_use(v, n.get(), static_cast<int>(i));
        n->inputs[i] = nullptr;
      }
      for (Graph* nested : nested_graphs(*n))
        if (nested->owner == n.get()) self(self, *nested, root);
    }
  };
  drop(drop, *this, this);
}

Graph* Graph::outermost() {
  Graph* g = this;
  while (g->parent) g = g->parent;
  return g;
}
const Graph* Graph::outermost() const { return const_cast<Graph*>(this)->outermost(); }

std::string Graph::fresh_name(std::string_view stem) {
  auto& taken = outermost()->taken_;
  const std::string base(stem.empty() ? "v" : stem);
  if (taken.emplace(base, 1).second) return base;
  for (;;) {
    std::string name = base + "_" + std::to_string(taken[base]++);
    if (taken.emplace(name, 1).second) return name;
  }
}

std::string Graph::claim_name(std::string name) { return fresh_name(name); }

int Graph::symbol(std::string_view symbol_name) {
  auto& table = outermost()->symbols;
  auto it = std::find(table.begin(), table.end(), symbol_name);
  if (it == table.end()) it = table.emplace(table.end(), symbol_name);
  return static_cast<int>(it - table.begin());
}

Value* Graph::new_value(std::string value_name, ValueType type) {
  auto v = std::make_unique<Value>();
  v->graph = this;
  v->name = claim_name(std::move(value_name));
  v->type = std::move(type);
  by_name_[v->name] = v.get();
  values_.push_back(std::move(v));
  return values_.back().get();
}

Value* Graph::add_input(std::string value_name, ValueType type) {
  Value* v = new_value(std::move(value_name), std::move(type));
  v->is_input = true;
  inputs_.push_back(v);
  return v;
}

Value* Graph::add_constant(Tensor t, std::string value_name) {
  assert(t);
  Value* v = new_value(value_name.empty() ? "c" : std::move(value_name), ValueType(t.dtype(), t.shape()));
  v->constant = std::move(t);
  return v;
}

void Graph::add_output(Value* v) {
  assert(v && v->graph == this);
  v->outputs++;
  outputs_.push_back(v);
}

void Graph::set_output(size_t i, Value* v) {
  assert(v && v->graph == this);
  outputs_[i]->outputs--;
  v->outputs++;
  outputs_[i] = v;
}

Node* Graph::add_node(const OpDef& op, std::vector<Value*> node_inputs, Attrs attrs, size_t n_outputs,
                      std::string node_name) {
  auto owned = std::make_unique<Node>();
  Node* n = owned.get();
  n->graph = this;
  n->id = ++outermost()->last_id_;
  n->op = &op;
  n->name = std::move(node_name);
  n->attrs = std::move(attrs);
  n->inputs = std::move(node_inputs);
  nodes_.push_back(std::move(owned));
  for (size_t i = 0; i < n->inputs.size(); i++)
    if (n->inputs[i]) n->inputs[i]->uses.push_back({n, static_cast<int>(i)});
  for (Graph* g : nested_graphs(*n)) {
    g->owner = n;
    if (!g->parent) adopt(*g);
  }
  n->outputs.resize(n_outputs);
  for (size_t i = 0; i < n_outputs; i++) add_output_value(n, i, "");
  return n;
}

Value* Graph::add_output_value(Node* n, size_t index, std::string value_name) {
  if (n->outputs.size() <= index) n->outputs.resize(index + 1);
  assert(!n->outputs[index] || n->outputs[index]->dead());
  if (value_name.empty()) value_name = n->name.empty() ? n->op->name : n->name;
  if (Value* old = n->outputs[index]) old->producer = nullptr, by_name_.erase(old->name);
  Value* v = new_value(std::move(value_name), {});
  v->producer = n;
  v->output_index = static_cast<int>(index);
  n->outputs[index] = v;
  return v;
}

void Graph::drop_output(Node* n, size_t index) {
  Value*& v = n->outputs[index];
  assert(v && v->dead());
  v->producer = nullptr;
  by_name_.erase(v->name);
  v = nullptr;
}

void Graph::adopt(Graph& nested) {
  nested.parent = this;
  nested.taken_.clear();
  for (auto& v : nested.values_) {
    std::string unique = fresh_name(v->name);
    if (unique == v->name) continue;
    nested.by_name_.erase(v->name);
    v->name = unique;
    nested.by_name_[unique] = v.get();
  }
  for (auto& n : nested.nodes_)
    for (Graph* g : nested_graphs(*n))
      if (g->owner == n.get()) nested.adopt(*g);
}

void Graph::set_input(Node* n, size_t index, Value* v) {
  if (n->inputs.size() <= index) n->inputs.resize(index + 1);
  remove_use(n->inputs[index], n, static_cast<int>(index));
  n->inputs[index] = v;
  if (v) v->uses.push_back({n, static_cast<int>(index)});
  while (!n->inputs.empty() && !n->inputs.back()) n->inputs.pop_back();
}

void Graph::replace_uses(Value* from, Value* to) {
  if (from == to) return;
  for (const Use& u : from->uses) {
    u.node->inputs[static_cast<size_t>(u.index)] = to;
    to->uses.push_back(u);
  }
  from->uses.clear();
  for (size_t i = 0; from->outputs && i < outputs_.size(); i++)
    if (outputs_[i] == from) set_output(i, to);
}

void Graph::erase(Node* n) {
  if (n->erased) return;
  for (size_t i = 0; i < n->inputs.size(); i++) remove_use(n->inputs[i], n, static_cast<int>(i));
  for (Graph* g : nested_graphs(*n))
    if (g->owner == n) g->drop_captures();
  for (Value* v : n->outputs) {
    assert(!v || v->dead());
    if (v) by_name_.erase(v->name);
  }
  n->inputs.clear();
  n->erased = true;
}

void Graph::erase_constant(Value* v) {
  assert(v->is_constant() && v->dead());
  v->constant = {};
  by_name_.erase(v->name);
}

void Graph::rename(Value* v, std::string to) {
  if (v->name == to) return;
  by_name_.erase(v->name);
  outermost()->taken_.erase(v->name);
  v->name = claim_name(std::move(to));
  by_name_[v->name] = v;
}

Value* Graph::find(std::string_view value_name) const {
  auto it = by_name_.find(std::string(value_name));
  return it == by_name_.end() ? nullptr : it->second;
}

std::vector<Node*> Graph::nodes() const {
  std::vector<Node*> out;
  for (auto& n : nodes_)
    if (!n->erased) out.push_back(n.get());
  return out;
}

std::vector<Value*> Graph::values() const {
  std::vector<Value*> out;
  for (auto& v : values_)
    if (live(*v)) out.push_back(v.get());
  return out;
}

// Depth-first from each node in order of insertion, with an explicit stack: a chain of a million nodes is no
// deeper than one.
Result<std::vector<Node*>> Graph::sorted() const {
  enum : uint8_t { fresh, open, done };
  struct Frame {
    Node* node;
    std::vector<Node*> needs;
    size_t next = 0;
  };
  auto needs_of = [this](const Node& n) {
    std::vector<Node*> needs;
    auto add = [&](const Value* v) {
      if (v && v->producer && v->graph == this) needs.push_back(v->producer);
    };
    for (const Value* v : n.inputs) add(v);
    for (const Value* v : captures(n)) add(v);
    return needs;
  };
  std::unordered_map<const Node*, uint8_t> state;
  std::vector<Node*> order;
  std::vector<Frame> stack;
  for (auto& root : nodes_) {
    if (root->erased || state[root.get()] != fresh) continue;
    state[root.get()] = open;
    stack.push_back({root.get(), needs_of(*root)});
    while (!stack.empty()) {
      Frame& f = stack.back();
      if (f.next == f.needs.size()) {
        state[f.node] = done;
        order.push_back(f.node);
        stack.pop_back();
        continue;
      }
      Node* n = f.needs[f.next++];
      uint8_t& s = state[n];
      if (s == done) continue;
      if (s == open || n->erased)
        return error(
            Code::corrupt, "%s %s", n->label().c_str(),
            n->erased ? "is used after it was erased" : "depends on its own output: the graph has a cycle");
      s = open;
      stack.push_back({n, needs_of(*n)});
    }
  }
  return order;
}

Status Graph::compact() {
  HONE_TRY(std::vector<Node*> order, sorted());
  std::unordered_map<const Node*, size_t> rank;
  for (size_t i = 0; i < order.size(); i++) rank[order[i]] = i;
  std::erase_if(values_, [&](const std::unique_ptr<Value>& v) { return !live(*v); });
  std::erase_if(nodes_, [](const std::unique_ptr<Node>& n) { return n->erased; });
  std::sort(nodes_.begin(), nodes_.end(), [&](auto& a, auto& b) { return rank[a.get()] < rank[b.get()]; });
  for (auto& n : nodes_)
    for (Graph* g : nested_graphs(*n)) HONE_CHECK(g->compact());
  return {};
}

std::vector<Graph*> nested_graphs(const Node& n) {
  std::vector<Graph*> out;
  for (const auto& [name, value] : n.attrs)
    if (const SubgraphPtr* g = std::get_if<SubgraphPtr>(&value))
      if (auto* graph = dynamic_cast<Graph*>(g->get())) out.push_back(graph);
  return out;
}

std::vector<Value*> captures(const Node& node) {
  std::vector<Value*> out;
  const std::vector<Graph*> roots = nested_graphs(node);
  if (roots.empty()) return out;
  std::unordered_set<const Value*> seen;
  for (const Graph* root : roots) {
    std::vector<const Graph*> work{root};
    while (!work.empty()) {
      const Graph* g = work.back();
      work.pop_back();
      for (const Node* n : g->nodes()) {
        for (Value* v : n->inputs)
          if (v && !inside(v->graph, root) && seen.insert(v).second) out.push_back(v);
        for (const Graph* nested : nested_graphs(*n)) work.push_back(nested);
      }
    }
  }
  return out;
}

}  // namespace hone::ir
