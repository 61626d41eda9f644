#include "ir/verify.h"

#include <set>
#include <unordered_map>
#include <unordered_set>

namespace hone::ir {
namespace {

template <class... Args>
Error broken(const char* format, Args... args) {
  return error(Code::internal, format, args...);
}

// Whether a node in graph `at` may use v: it lives there or in a graph around it.
bool visible(const Value* v, const Graph* at) {
  for (; at; at = at->parent)
    if (v->graph == at) return true;
  return false;
}

Status single_assignment(const Graph& g) {
  for (const Node* n : g.nodes())
    for (size_t i = 0; i < n->outputs.size(); i++) {
      const Value* v = n->outputs[i];
      if (!v) continue;
      if (v->producer != n || v->output_index != static_cast<int>(i) || v->graph != &g)
        return broken("output %zu of %s does not name it as its producer", i, n->label().c_str());
      if (v->is_input || v->is_constant())
        return broken("value '%s' is made by %s and is an input or a constant too", v->name.c_str(),
                      n->label().c_str());
    }
  for (const Value* v : g.inputs())
    if (!v->is_input || v->is_constant() || v->graph != &g)
      return broken("'%s' is not a plain input", v->name.c_str());
  return {};
}

Status uses_agree(const Graph& g) {
  // Each use is true and stands once; then sets are equal if their sizes are.
  std::unordered_map<const Value*, std::pair<const Node*, int64_t>> slots;
  for (const Node* n : g.nodes())
    for (const Value* v : n->inputs)
      if (v) slots[v].first = n, slots[v].second++;
  for (const auto& [v, slot] : slots) {
    int64_t here = 0;
    for (const Use& u : v->uses) here += u.node->graph == &g;
    if (here != slot.second)
      return broken("an input of %s is not among the uses of '%s'", slot.first->label().c_str(),
                    v->name.c_str());
  }
  for (const Value* v : g.values()) {
    std::set<std::pair<const Node*, int>> seen;
    for (const Use& u : v->uses)
      if (u.node->erased || static_cast<size_t>(u.index) >= u.node->inputs.size() ||
          u.node->inputs[static_cast<size_t>(u.index)] != v || !seen.emplace(u.node, u.index).second)
        return broken("'%s' says that %s uses it, which does not", v->name.c_str(), u.node->label().c_str());
  }
  std::unordered_map<const Value*, int> count;
  for (const Value* v : g.outputs()) count[v]++;
  for (const Value* v : g.values())
    if (v->outputs != (count.count(v) ? count[v] : 0))
      return broken("'%s' counts %d places among the outputs of its graph", v->name.c_str(), v->outputs);
  return {};
}

Status scope(const Graph& g) {
  std::unordered_set<const Value*> own;
  for (const Value* v : g.values()) own.insert(v);
  for (const Node* n : g.nodes())
    for (const Value* v : n->inputs)
      if (v && (!visible(v, &g) || (v->graph == &g && !own.count(v))))
        return broken("%s uses '%s', which is dead or in a graph not around it", n->label().c_str(),
                      v->name.c_str());
  for (const Value* v : g.outputs())
    if (!own.count(v)) return broken("output '%s' is dead or belongs to another graph", v->name.c_str());
  return {};
}

Status acyclic(const Graph& g) {
  auto order = g.sorted();
  return order ? Status() : Status(broken("%s", order.error().message.c_str()));
}

Status counts(const Graph& g) {
  for (const Node* n : g.nodes()) {
    const OpDef& op = *n->op;
    const auto in = static_cast<int>(n->inputs.size()), out = static_cast<int>(n->outputs.size());
    if (in < op.min_inputs || (op.max_inputs >= 0 && in > op.max_inputs))
      return broken("%s has %d inputs, expected %d to %d", n->label().c_str(), in, op.min_inputs,
                    op.max_inputs);
    if (out < op.min_outputs || (op.max_outputs >= 0 && out > op.max_outputs))
      return broken("%s has %d outputs, expected %d to %d", n->label().c_str(), out, op.min_outputs,
                    op.max_outputs);
    if (!n->inputs.empty() && !n->inputs.back() && in > op.min_inputs)
      return broken("%s ends in an absent input", n->label().c_str());
  }
  return {};
}

Status attributes_bound(const Graph& g) {
  for (const Node* n : g.nodes()) {
    Attrs attrs = n->attrs;
    if (auto ok = bind_attrs(*n->op, attrs, true); !ok)
      return broken("%s: %s", n->label().c_str(), ok.error().message.c_str());
    if (attrs.size() != n->attrs.size())
      return broken("%s lacks attributes that have defaults", n->label().c_str());
  }
  return {};
}

Status names_unique(const Graph& g) {
  if (g.parent) return {};
  std::unordered_set<std::string> seen;
  std::vector<const Graph*> work{&g};
  while (!work.empty()) {
    const Graph* at = work.back();
    work.pop_back();
    for (const Value* v : at->values()) {
      if (!seen.insert(v->name).second) return broken("two values are called '%s'", v->name.c_str());
      if (at->find(v->name) != v) return broken("'%s' is not found under its name", v->name.c_str());
    }
    for (const Node* n : at->nodes())
      for (const Graph* nested : nested_graphs(*n)) work.push_back(nested);
  }
  return {};
}

Status constants_typed(const Graph& g) {
  for (const Value* v : g.values()) {
    if (!v->is_constant()) continue;
    if (!(v->type == type_of(hone::Value(v->constant))))
      return broken("constant '%s' is %s but its type says %s", v->name.c_str(),
                    type_of(hone::Value(v->constant)).str().c_str(), v->type.str().c_str());
    if (!checked_elements(v->constant.shape()) || (!v->constant.bytes() && v->constant.elements() > 0))
      return broken("constant '%s' has no bytes", v->name.c_str());
  }
  return {};
}

// The type of each output is at least as precise as what inference makes of the inputs' types, and does not
// contradict it.
Status types_inferred(const Graph& g) {
  for (const Node* n : g.nodes()) {
    std::vector<ValueType> in;
    std::vector<Tensor> values;
    for (const Value* v : n->inputs) {
      in.push_back(v ? v->type : ValueType());
      values.push_back(v ? v->constant : Tensor());
    }
    Infer c{*n->op, n->attrs, in, values, std::vector<ValueType>(n->outputs.size())};
    c.infer_graph = [](const SubgraphPtr& s, std::span<const ValueType>) -> Result<std::vector<ValueType>> {
      std::vector<ValueType> out;
      if (const auto* nested = dynamic_cast<const Graph*>(s.get()))
        for (const Value* v : nested->outputs()) out.push_back(v->type);
      return out;
    };
    if (auto ok = infer_types(c); !ok)
      return broken("%s: %s", n->label().c_str(), ok.error().message.c_str());
    for (size_t i = 0; i < n->outputs.size(); i++) {
      const Value* v = n->outputs[i];
      if (!v) continue;
      auto merged = merge(v->type, c.out[i]);
      if (!merged || !(*merged == v->type))
        return broken("output '%s' of %s is %s, inference says %s", v->name.c_str(), n->label().c_str(),
                      v->type.str().c_str(), c.out[i].str().c_str());
    }
  }
  return {};
}

Status nested_owned(const Graph& g) {
  for (const Node* n : g.nodes())
    for (const Graph* nested : nested_graphs(*n))
      if (nested->parent != &g || nested->owner != n)
        return broken("the graph '%s' nested in %s belongs to another node", nested->name.c_str(),
                      n->label().c_str());
  return {};
}

Status symbols_known(const Graph& g) {
  const size_t known_symbols = g.outermost()->symbols.size();
  for (const Value* v : g.values()) {
    const ValueType* t = &v->type;
    while (t->element) t = t->element.get();
    for (Dim d : t->shape)
      if (symbolic(d) && static_cast<size_t>(symbol_of(d)) >= known_symbols)
        return broken("the shape %s of '%s' names a symbol that the model lacks", t->shape.str().c_str(),
                      v->name.c_str());
  }
  return {};
}

const Law table[] = {
    {"single_assignment", "each value is made once: by a node, as an input or as a constant",
     single_assignment},
    {"scope", "a node uses live values of its own graph and of those around it; outputs are the graph's own",
     scope},
    {"uses_agree", "a value's uses and the inputs of nodes are the same fact", uses_agree},
    {"nested_owned", "a nested graph belongs to exactly one node", nested_owned},
    {"acyclic", "no node depends on its own output", acyclic},
    {"counts", "nodes have as many inputs and outputs as their operator allows", counts},
    {"attributes_bound", "attributes are those of the operator, of its types, with defaults in place",
     attributes_bound},
    {"names_unique", "no two values of a model have the same name", names_unique},
    {"symbols_known", "symbolic dimensions stand in the model's table", symbols_known},
    {"constants_typed", "a constant has bytes, and its type is that of the bytes", constants_typed},
    {"types_inferred", "types say no less than inference does, and nothing else", types_inferred},
};

}  // namespace

std::span<const Law> laws() { return table; }

Status verify(const Graph& g) {
  for (const Law& law : table)
    if (auto ok = law.check(g); !ok)
      return in("graph '" + g.name + "' breaks the law " + law.name, ok.take_error());
  for (const Node* n : g.nodes())
    for (const Graph* nested : nested_graphs(*n)) HONE_CHECK(verify(*nested));
  return {};
}

}  // namespace hone::ir
