#include "ir/eval.h"

#include <atomic>
#include <map>
#include <unordered_map>

namespace hone::ir {
namespace {

// What is the same each time a graph runs: its order, and after which node each value is last needed.
struct Schedule {
  std::vector<Node*> order;
  std::vector<std::vector<const Value*>> free_after;  // by position in order
};

struct Run {
  const EvalOptions& options;
  std::unordered_map<const Graph*, Schedule> schedules = {};
  std::shared_ptr<std::atomic<int64_t>> live = std::make_shared<std::atomic<int64_t>>(0);
};

struct Scope {
  const Graph* graph = nullptr;
  const Scope* outer = nullptr;
  std::unordered_map<const Value*, hone::Value> values = {};

  // Null: the value has not been computed (a node between graphs, or a capture that evaluate(Node) does not
  // know).
  const hone::Value* find(const Value* v) const {
    for (const Scope* s = this; s; s = s->outer)
      if (auto it = s->values.find(v); it != s->values.end()) return &it->second;
    return nullptr;
  }
};

Result<std::vector<hone::Value>> run_graph(Run&, const Graph&, std::span<const hone::Value>,
                                           const Scope* outer);

Result<Tensor> allocate(Run& run, DType d, const Shape& shape) {
  HONE_TRY(const int64_t n, checked_elements(shape));
  const int64_t bytes = dtype_bytes(d, n);
  if (bytes > run.options.memory_limit - run.live->load())
    return error(Code::limit, "a tensor %s%s would take the memory in use past the limit of %lld bytes",
                 dtype_name(d), shape.str().c_str(), static_cast<long long>(run.options.memory_limit));
  HONE_TRY(Tensor t, Tensor::allocate(d, shape));
  struct Counted {
    Tensor tensor;
    std::shared_ptr<std::atomic<int64_t>> live;
    int64_t bytes;
    ~Counted() { *live -= bytes; }
  };
  *run.live += bytes;
  void* p = t.bytes();
  return Tensor::view(
      std::shared_ptr<const void>(new Counted{std::move(t), run.live, bytes},
                                  [](const void* c) { delete static_cast<const Counted*>(c); }),
      p, d, shape);
}

class NodeContext : public EvalContext {
 public:
  NodeContext(Run& run, const Node& node, std::vector<hone::Value> in, std::vector<bool> wanted,
              std::vector<ValueType> types, const Scope* scope)
      : EvalContext(*node.op, node.attrs, in, node.outputs.size()),
        run_(run),
        in_(std::move(in)),
        wanted_(std::move(wanted)),
        types_(std::move(types)),
        scope_(scope),
        out_(node.outputs.size()) {}

  bool wanted(size_t i) const override { return i < wanted_.size() && wanted_[i]; }
  Result<TensorView> output(size_t i, DType d, const Shape& shape) override {
    if (i >= out_.size()) return spare(d, shape);  // an output that the node does not even name
    HONE_TRY(Tensor t, allocate(run_, d, shape));
    const TensorView view = t.view();
    out_[i] = hone::Value(std::move(t));
    return view;
  }
  Status set_output(size_t i, hone::Value v) override {
    if (i < out_.size()) out_[i] = std::move(v);
    return {};
  }
  Result<std::vector<hone::Value>> run_graph(std::string_view attr,
                                             std::span<const hone::Value> args) override {
    const auto* graph = dynamic_cast<const Graph*>(attrs.graph(attr).get());
    if (!graph) return error(Code::internal, "there is no nested graph '%s'", std::string(attr).c_str());
    return ir::run_graph(run_, *graph, args, scope_);
  }
  ValueType output_type(size_t i) const override { return i < types_.size() ? types_[i] : ValueType(); }
  bool cancelled() const override { return run_.options.cancelled && run_.options.cancelled(); }

  std::vector<hone::Value>& out() { return out_; }

 private:
  Run& run_;
  std::vector<hone::Value> in_;
  std::vector<bool> wanted_;
  std::vector<ValueType> types_;
  const Scope* scope_;
  std::vector<hone::Value> out_;
};

// Runs the operator's inference on what the node really gets. The nested graphs answer with what is known of
// them already: inferring them anew would write types into the graph.
Result<std::vector<ValueType>> infer_concrete(const Node& n, std::span<const hone::Value> in) {
  std::vector<ValueType> types;
  std::vector<Tensor> values;
  for (const hone::Value& v : in) {
    types.push_back(type_of(v));
    values.push_back(v.tensor);
  }
  Infer c{*n.op, n.attrs, types, values, std::vector<ValueType>(n.outputs.size())};
  c.infer_graph = [](const SubgraphPtr& g, std::span<const ValueType>) -> Result<std::vector<ValueType>> {
    std::vector<ValueType> out;
    if (const auto* graph = dynamic_cast<const Graph*>(g.get()))
      for (const Value* v : graph->outputs()) out.push_back(v->type);
    return out;
  };
  HONE_CHECK(infer_types(c));
  return std::move(c.out);
}

Result<std::vector<hone::Value>> run_node(Run& run, const Node& n, std::vector<hone::Value> in,
                                          std::vector<bool> wanted, const Scope* scope) {
  if (run.options.cancelled && run.options.cancelled()) return error(Code::cancelled, "cancelled");
  if (!n.op->reference) return error(Code::internal, "the operator has no reference and was not expanded");
  HONE_TRY(const std::vector<ValueType> inferred, infer_concrete(n, in));
  NodeContext context(run, n, std::move(in), std::move(wanted), inferred, scope);
  HONE_CHECK(n.op->reference(context));
  for (size_t i = 0; i < n.outputs.size(); i++) {
    if (!context.wanted(i)) continue;
    const hone::Value& got = context.out()[i];
    if (!got) return error(Code::internal, "its reference did not make output %zu", i);
    const ValueType made = type_of(got);
    if (!merge(inferred[i], made))
      return error(Code::internal, "inference says output %zu is %s, the reference made %s", i,
                   inferred[i].str().c_str(), made.str().c_str());
    if (const Value* v = n.outputs[i]; v && !merge(v->type, made))
      return error(Code::corrupt, "output '%s' is declared as %s but computed as %s", v->name.c_str(),
                   v->type.str().c_str(), made.str().c_str());
  }
  return std::move(context.out());
}

Result<Schedule> make_schedule(const Graph& g) {
  Schedule s;
  HONE_TRY(s.order, g.sorted());
  std::unordered_map<const Value*, size_t> last;
  for (size_t i = 0; i < s.order.size(); i++) {
    const Node& n = *s.order[i];
    for (const Value* v : n.outputs)
      if (v) last[v] = i;
    for (const Value* v : n.inputs)
      if (v && v->graph == &g) last[v] = i;
    for (const Value* v : captures(n))
      if (v->graph == &g) last[v] = i;
  }
  s.free_after.resize(s.order.size());
  for (const auto& [v, i] : last)
    if (!v->outputs) s.free_after[i].push_back(v);
  return s;
}

// Checks an argument against the type that the graph declares; a symbol must mean the same number each time.
Status check_argument(const Graph& g, const Value& declared, const hone::Value& given,
                      std::map<Dim, Dim>& symbols) {
  const ValueType type = type_of(given);
  if (!merge(declared.type, type))
    return error(Code::invalid_argument, "input '%s' is %s, expected %s", declared.name.c_str(),
                 type.str().c_str(), declared.type.str().c_str());
  if (type.kind != hone::Value::Kind::tensor || !declared.type.shape.ranked()) return {};
  for (size_t i = 0; i < type.shape.size(); i++) {
    const Dim d = declared.type.shape[i];
    if (!symbolic(d)) continue;
    auto [it, is_new] = symbols.emplace(d, type.shape[i]);
    if (is_new || it->second == type.shape[i]) continue;
    const auto& names = g.outermost()->symbols;
    const auto s = static_cast<size_t>(symbol_of(d));
    return error(Code::invalid_argument, "input '%s' has %s = %lld in dimension %zu, another input has %lld",
                 declared.name.c_str(), s < names.size() ? names[s].c_str() : "a symbol",
                 static_cast<long long>(type.shape[i]), i, static_cast<long long>(it->second));
  }
  return {};
}

hone::Value as_optional(hone::Value v) {
  hone::Value optional;
  optional.kind = hone::Value::Kind::optional;
  optional.items = std::make_shared<std::vector<hone::Value>>(1, std::move(v));
  return optional;
}

Result<std::vector<hone::Value>> run_graph(Run& run, const Graph& g, std::span<const hone::Value> inputs,
                                           const Scope* outer) {
  if (inputs.size() != g.inputs().size())
    return error(Code::invalid_argument, "graph '%s' has %zu inputs, got %zu", g.name.c_str(),
                 g.inputs().size(), inputs.size());
  if (!run.schedules.count(&g)) {
    HONE_TRY(Schedule made, make_schedule(g));
    run.schedules.emplace(&g, std::move(made));
  }
  const Schedule& schedule = run.schedules.find(&g)->second;
  Scope scope{&g, outer};
  std::map<Dim, Dim> symbols;
  using Kind = hone::Value::Kind;
  for (size_t i = 0; i < inputs.size(); i++) {
    const Value& declared = *g.inputs()[i];
    hone::Value given = inputs[i];
    // A loop whose body takes an optional may carry the plain value on.
    if (declared.type.kind == Kind::optional && given && given.kind != Kind::optional)
      given = as_optional(inputs[i]);
    if (given) HONE_CHECK(check_argument(g, declared, given, symbols));
    scope.values[&declared] = std::move(given);
  }
  auto value_of = [&](const Value* v) -> Result<hone::Value> {
    if (!v) return hone::Value();
    if (v->is_constant()) return hone::Value(v->constant);
    const hone::Value* found = scope.find(v);
    if (!found) return error(Code::internal, "value '%s' is used before it is computed", v->name.c_str());
    return *found;
  };
  for (size_t at = 0; at < schedule.order.size(); at++) {
    const Node& n = *schedule.order[at];
    std::vector<hone::Value> in;
    for (const Value* v : n.inputs) {
      auto value = value_of(v);
      if (!value) return hone::in(n.label(), value.take_error());
      in.push_back(*std::move(value));
    }
    std::vector<bool> wanted;
    for (const Value* v : n.outputs) wanted.push_back(v && (!v->dead() || run.options.observe));
    auto out = run_node(run, n, std::move(in), std::move(wanted), &scope);
    if (!out) return hone::in(n.label(), out.take_error());
    if (run.options.observe && !outer) run.options.observe(n, *out);
    for (size_t i = 0; i < n.outputs.size(); i++)
      if (n.outputs[i]) scope.values[n.outputs[i]] = std::move((*out)[i]);
    for (const Value* v : schedule.free_after[at]) scope.values.erase(v);
  }
  std::vector<hone::Value> out;
  for (const Value* v : g.outputs()) {
    HONE_TRY(hone::Value value, value_of(v));
    out.push_back(std::move(value));
  }
  return out;
}

}  // namespace

Result<std::vector<hone::Value>> evaluate(const Graph& g, std::span<const hone::Value> inputs,
                                          const EvalOptions& options) {
  Run run{options};
  return run_graph(run, g, inputs, nullptr);
}

Result<std::vector<hone::Value>> evaluate(const Node& n, std::span<const hone::Value> inputs,
                                          const EvalOptions& options) {
  Run run{options};
  auto out =
      run_node(run, n, {inputs.begin(), inputs.end()}, std::vector<bool>(n.outputs.size(), true), nullptr);
  if (!out) return hone::in(n.label(), out.take_error());
  return out;
}

}  // namespace hone::ir
