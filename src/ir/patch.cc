#include "ir/patch.h"

#include <algorithm>
#include <cassert>
#include <unordered_map>

namespace hone::ir {

Patch::~Patch() {
  if (applied_) return;
  for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) g_.erase(*it);
  for (Value* v : constants_)
    if (v->is_constant() && v->dead()) g_.erase_constant(v);
}

Value* Patch::constant(Tensor t, std::string name) {
  constants_.push_back(g_.add_constant(std::move(t), std::move(name)));
  return constants_.back();
}

Node* Patch::add_node(const OpDef& op, std::vector<Value*> inputs, Attrs attrs, size_t n_outputs,
                      std::string name) {
  if (status_) status_ = bind_attrs(op, attrs, true);
  while (!inputs.empty() && !inputs.back()) inputs.pop_back();
  Node* n = g_.add_node(op, std::move(inputs), std::move(attrs), n_outputs, std::move(name));
  nodes_.push_back(n);
  if (status_) status_ = infer(*n);
  return n;
}

Value* Patch::add(const char* op_name, std::vector<Value*> inputs, Attrs attrs, std::string name) {
  const OpDef* op = find_op(op_name);
  if (!op) {
    if (status_) status_ = error(Code::internal, "there is no operator '%s'", op_name);
    return nullptr;
  }
  return add_node(*op, std::move(inputs), std::move(attrs), 1, std::move(name))->outputs[0];
}

std::vector<Value*> Patch::add_graph(const Graph& body, std::span<Value* const> args,
                                     std::span<Value* const> wanted) {
  std::unordered_map<const Value*, Value*> map;
  for (size_t i = 0; i < args.size(); i++) map[body.inputs()[i]] = args[i];
  for (Value* v : body.values())
    if (v->is_constant() && !v->dead()) map[v] = constant(v->constant, v->name);
  for (const Node* n : body.nodes()) {
    std::vector<Value*> inputs;
    for (Value* v : n->inputs) inputs.push_back(v ? map[v] : nullptr);
    Node* copy = add_node(*n->op, std::move(inputs), n->attrs, n->outputs.size(), n->name);
    for (size_t i = 0; i < n->outputs.size(); i++)
      if (n->outputs[i]) map[n->outputs[i]] = copy->outputs[i];
  }
  std::vector<Value*> out;
  for (const Value* v : wanted) out.push_back(map[v]);
  return out;
}

void Patch::replace(Value* from, Value* to) {
  if (to) replacements_.emplace_back(from, to);
}

Node* Patch::replace_node(Node* old, const OpDef& op, std::vector<Value*> inputs, Attrs attrs) {
  Node* n = add_node(op, std::move(inputs), std::move(attrs), old->outputs.size(), old->name);
  for (size_t i = 0; i < old->outputs.size(); i++)
    if (old->outputs[i]) replace(old->outputs[i], n->outputs[i]);
  return n;
}

Status Patch::check() const {
  if (!status_) return in(rule_, Error(status_.error()));
  for (const auto& [from, to] : replacements_)
    if (auto merged = merge(from->type, to->type); !merged)
      return in(rule_ + ": '" + from->name + "' cannot be replaced", merged.take_error());
  return {};
}

Status Patch::apply(Log* log) {
  HONE_CHECK(check());
  applied_ = true;
  const Node* first = nullptr;
  for (const auto& [from, to] : replacements_)
    if (from->producer && !first) first = from->producer;
  // What replaces one value takes over its history; in larger patches the maker of a node sets it.
  const std::string origin = replacements_.size() == 1 && first ? first->origin : "";
  if (log) log->push_back({rule_, reason_, first ? first->label() : ""});
  for (Node* n : nodes_) {
    if (n->origin.empty()) n->origin = origin;
    n->origin += (n->origin.empty() ? "" : ";") + rule_;
    if (n->name.empty() && first) n->name = first->name;
  }
  std::vector<std::pair<Node*, Fate>> old;
  for (auto [from, to] : replacements_) {
    const bool is_new =
        to->producer ? std::ranges::count(nodes_, to->producer) > 0 : std::ranges::count(constants_, to) > 0;
    const bool keep_name = from->outputs > 0 && !from->graph->parent;
    if (from->outputs > 0 && (to->is_input || to->outputs > 0 || to->graph != from->graph)) {
      Node* identity = from->graph->add_node(*find_op("Identity"), {to}, {}, 1,
                                             from->producer ? from->producer->name : "");
      identity->origin = rule_;
      HONE_CHECK(infer(*identity));
      to = identity->outputs[0];
    }
    if (!to->is_input && !to->is_constant() && to->graph == from->graph) {
      HONE_TRY(to->type, merge(from->type, to->type));
    }
    if (from->producer)
      old.push_back({from->producer, {0, to->producer ? to->producer->id : 0, to->producer && is_new}});
    const bool was_output = to->outputs > 0;
    from->graph->replace_uses(from, to);
    if (keep_name || (is_new && !was_output)) {
      std::string name = from->name;
      from->graph->rename(from, name + "_old");
      to->graph->rename(to, name);
    }
    HONE_CHECK(refine_users(to));
  }
  for (auto& [n, fate] : old) {
    std::vector<int> erased;
    erase_if_dead(n, log ? &erased : nullptr);
    for (const int id : erased) {
      const auto heir = heirs_.find(id);
      log->back().fates.push_back(heir != heirs_.end()            ? Fate{id, heir->second, true}
                                  : heirs_.empty() || id == n->id ? Fate{id, fate.heir, fate.merged}
                                                                  : Fate{id, 0, false});
    }
  }
  for (Node* n : nodes_) erase_if_dead(n);
  for (Value* v : constants_)
    if (v->is_constant() && v->dead()) g_.erase_constant(v);
  return {};
}

Status refine_users(Value* v) {
  std::vector<Value*> work{v};
  while (!work.empty()) {
    Value* at = work.back();
    work.pop_back();
    std::vector<Node*> users;
    for (const Use& u : at->uses)
      if (users.empty() || users.back() != u.node) users.push_back(u.node);
    if (at->outputs && at->graph->owner) users.push_back(at->graph->owner);
    for (Node* n : users) {
      std::vector<ValueType> before;
      for (const Value* out : n->outputs) before.push_back(out ? out->type : ValueType());
      HONE_CHECK(infer(*n));
      for (size_t i = 0; i < n->outputs.size(); i++)
        if (n->outputs[i] && !(n->outputs[i]->type == before[i])) work.push_back(n->outputs[i]);
    }
  }
  return {};
}

void erase_if_dead(Node* start, std::vector<int>* erased) {
  std::vector<Node*> work{start};
  while (!work.empty()) {
    Node* n = work.back();
    work.pop_back();
    if (n->erased) continue;
    if (std::any_of(n->outputs.begin(), n->outputs.end(), [](const Value* v) { return v && !v->dead(); }))
      continue;
    std::vector<Value*> needed = n->inputs;
    for (Value* v : captures(*n)) needed.push_back(v);
    n->graph->erase(n);
    if (erased) erased->push_back(n->id);
    for (Value* v : needed) {
      if (!v || !v->dead()) continue;
      if (v->producer) work.push_back(v->producer);
      else if (v->is_constant()) v->graph->erase_constant(v);
    }
  }
}

}  // namespace hone::ir
