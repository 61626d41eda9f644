#include "import/onnx/builder.h"

#include <algorithm>

#include "import/onnx/order.h"
#include "import/onnx/survey.h"
#include "import/quote.h"

namespace hone::onnx {
namespace {

// More symbols than any real model has; the rest are merely unknown dimensions.
constexpr size_t max_symbols = 10'000;
// Longer value names are cut (those of the model's inputs and outputs are not).
constexpr size_t max_value_name = 256;

// Unknown parts of `known_type` from what the model file claims; what inference found out is never overruled.
void fill_unknown(ValueType& known_type, const ValueType& claim) {
  if (known_type.kind == Value::Kind::none) {
    known_type = claim;
    return;
  }
  if (known_type.kind != claim.kind || known_type.kind != Value::Kind::tensor) return;
  if (known_type.dtype == DType::none) known_type.dtype = claim.dtype;
  if (!known_type.shape.ranked()) known_type.shape = claim.shape;
  if (known_type.shape.rank() != claim.shape.rank() || !claim.shape.ranked()) return;
  for (size_t i = 0; i < claim.shape.size(); i++)
    if (known_type.shape[i] == unknown_dim) known_type.shape[i] = claim.shape[i];
}

}  // namespace

Builder::Builder(const ModelP& model, const Library& library, const TensorSource& source,
                 const ImportOptions& options)
    : model_(model),
      library_(library),
      source_(source),
      options_(options),
      dense_bytes_(options.limits.dense_bytes) {}

Result<std::shared_ptr<ir::Graph>> Builder::build() {
  graph_ = std::make_shared<ir::Graph>();
  graph_->name = std::string(model_.graph.name.substr(0, max_value_name));
  for (const auto& v : model_.graph.outputs) output_names_.insert(v.name);
  for (const auto* list : {&model_.graph.value_info, &model_.graph.outputs})
    for (const ValueInfoP& v : *list)
      if (v.has_type) hints_[v.name] = &v;
  metadata();
  Scope scope{nullptr, graph_.get(), true};
  HONE_CHECK(inputs(scope));
  HONE_CHECK(initializers(model_.graph, scope));
  HONE_CHECK(nodes(model_.graph.nodes, Frame{}, scope));
  HONE_CHECK(outputs(scope));
  if (options_.survey) HONE_CHECK(all_problems(options_.survey->problems, options_.limits.errors));
  return std::move(graph_);
}

// In a survey: notes the problem, puts values of unknown type in place of what was to be made, and goes on.
Status Builder::survive(Error e, const NodeP& n, Scope& scope) {
  const std::string name = label(n);
  for (const std::string& prefix : {"node " + name + ": ", name + ": "})
    if (e.message.starts_with(prefix)) e.message.erase(0, prefix.size());
  // What a nested graph's or function's node could not do has been noted already.
  add_problem(
      options_.survey->problems,
      {e.code, std::string(n.op_type), std::string(normal_domain(n.domain)), name, 1, e.message, fix_for(e)});
  return stand_in(n, scope);
}
Status Builder::stand_in(const NodeP& n, Scope& scope) {
  for (const Text out : n.outputs)
    if (!out.empty() && !scope.values.contains(out))
      HONE_CHECK(define(scope, out, scope.graph->add_input(value_name(scope, out), ValueType())));
  return {};
}
// The same of an input, an initializer or an output.
Status Builder::survive(Error e, const std::string& what, Scope& scope, Text name) {
  add_problem(options_.survey->problems, {e.code, "", "", what, 1, e.message, fix_for(e)});
  if (name.empty() || scope.values.contains(name)) return {};
  return define(scope, name, scope.graph->add_input(value_name(scope, name), ValueType()));
}

void Builder::metadata() {
  auto& list = graph_->metadata;
  const auto add = [&](Text key, Text text) {
    if (!key.empty() && !text.empty()) list.emplace_back(key, text);
  };
  for (const auto& [key, text] : model_.metadata) add(key, text);
  std::string producer(model_.producer_name);
  if (!producer.empty() && !model_.producer_version.empty()) (producer += ' ') += model_.producer_version;
  add("producer", producer);
  add("domain", model_.domain);
  add("description", model_.doc_string);
  if (model_.model_version) add("model_version", std::to_string(model_.model_version));
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  list.erase(
      std::unique(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
      list.end());
}

Result<Dim> Builder::dim(const DimP& d) {
  if (d.has_value) {
    if (d.value >= -1) return d.value;  // -1: what some exporters write for unknown
    return error(Code::corrupt, "dimension %lld is negative", static_cast<long long>(d.value));
  }
  if (d.param.empty()) return unknown_dim;
  if (const auto it = symbols_.find(d.param); it != symbols_.end()) return it->second;
  if (symbols_.size() >= max_symbols) return unknown_dim;
  const Dim symbol = symbol_dim(graph_->symbol(d.param.substr(0, max_value_name)));
  symbols_.emplace(d.param, symbol);
  return symbol;
}

Result<ValueType> Builder::type(const TypeP& t) {
  switch (t.kind) {
    case TypeP::tensor: {
      const DType d = dtype_from_number(t.element_type);
      if (d == DType::none)
        return error(Code::unsupported, "element type %lld is not one that ONNX defines",
                     static_cast<long long>(t.element_type));
      if (!t.has_shape) return ValueType(d, Shape::unranked());
      if (t.dims.size() > max_rank)
        return error(Code::limit, "rank %zu; tensors of more than %d dimensions are not supported",
                     t.dims.size(), max_rank);
      Shape shape;
      for (const DimP& given : t.dims) {
        HONE_TRY(const Dim d, dim(given));
        shape.push_back(d);
      }
      return ValueType(d, shape);
    }
    case TypeP::sequence:
    case TypeP::optional: {
      ValueType element;
      if (t.element) { HONE_TRY(element, type(*t.element)); }
      return ValueType::of(t.kind == TypeP::sequence ? Value::Kind::sequence : Value::Kind::optional,
                           std::move(element));
    }
    case TypeP::map:
      return error(Code::unsupported, "it is a map; only tensors, sequences and optionals are supported");
    case TypeP::sparse:
      return error(Code::unsupported, "it is a sparse tensor; only dense ones are supported");
    case TypeP::opaque:
      return error(Code::unsupported,
                   "it is of an opaque type; only tensors, sequences and optionals are supported");
    case TypeP::none:
      break;
  }
  return ValueType();
}

// The declared type, with the shape that the options give to this input.
Result<ValueType> Builder::input_type(const ValueInfoP& info) {
  if (!info.has_type || info.type.kind == TypeP::none)
    return error(Code::corrupt, "it has no type; export the model with typed inputs");
  const auto wanted = options_.shapes.find(std::string(info.name));
  if (wanted == options_.shapes.end()) return type(info.type);
  const Shape& shape = wanted->second;
  if (info.type.kind != TypeP::tensor)
    return error(Code::invalid_argument, "a shape was given, but it is not a tensor");
  const bool other_rank = info.type.has_shape && info.type.dims.size() != shape.size();
  if (other_rank && !options_.other_ranks)
    return error(Code::invalid_argument, "shape %s was given, but the model declares %zu dimensions",
                 shape.str().c_str(), info.type.dims.size());
  HONE_CHECK(checked_elements(shape));
  // A symbol bound by one input holds wherever it stands.
  stale_hints_ = stale_hints_ || other_rank;
  for (size_t i = 0; i < info.type.dims.size() && !other_rank; i++) {
    const DimP& declared = info.type.dims[i];
    if (declared.has_value) {
      stale_hints_ = stale_hints_ || (declared.value >= 0 && declared.value != shape[i]);
    } else if (!declared.param.empty()) {
      const auto [it, is_new] = symbols_.emplace(declared.param, shape[i]);
      if (!is_new && known(it->second) && it->second != shape[i])
        return error(Code::invalid_argument, "shape %s gives %s the value %lld, another input gives it %lld",
                     shape.str().c_str(), quote(declared.param).c_str(), static_cast<long long>(shape[i]),
                     static_cast<long long>(it->second));
    }
  }
  const DType d = dtype_from_number(info.type.element_type);
  if (d == DType::none)
    return error(Code::unsupported, "element type %lld is not one that ONNX defines",
                 static_cast<long long>(info.type.element_type));
  return ValueType(d, shape);
}

Status Builder::inputs(Scope& scope) {
  // Up to IR version 3 every initializer is listed as an input too; later it is a default that a caller may
  // override. Hone takes both for constants.
  std::unordered_set<Text> constants;
  for (const auto& t : model_.graph.initializers) constants.insert(t.name);
  for (const auto& t : model_.graph.sparse_initializers) constants.insert(t.values.name);
  std::vector<const ValueInfoP*> list;
  for (const auto& v : model_.graph.inputs)
    if (!constants.contains(v.name)) list.push_back(&v);
  for (const auto& [name, shape] : options_.shapes) {
    if (std::any_of(list.begin(), list.end(), [&, n = &name](const auto* v) { return v->name == *n; }))
      continue;
    std::string names;
    for (size_t i = 0; i < list.size() && i < 20; i++) names += (i ? ", " : "") + quote(list[i]->name);
    return error(Code::not_found, "a shape was given for input %s, but the model's inputs are: %s%s",
                 quote(name).c_str(), names.c_str(), list.size() > 20 ? ", ..." : "");
  }
  // Inputs with a given shape first: what they bind must be known when the others are read.
  std::unordered_map<const ValueInfoP*, ValueType> types;
  for (const bool given : {true, false})
    for (const auto* v : list) {
      if (options_.shapes.contains(std::string(v->name)) != given) continue;
      auto t = input_type(*v);
      if (!t && options_.survey) {
        HONE_CHECK(survive(t.take_error(), "input " + quote(v->name), scope, v->name));
        continue;
      }
      if (!t) return in("input " + quote(v->name), t.take_error());
      types[v] = *std::move(t);
    }
  for (const auto* v : list) {
    if (!types.contains(v)) continue;  // in a survey
    if (v->name.empty()) return error(Code::corrupt, "an input of the model has no name");
    if (v->name.find('\0') != Text::npos)
      return error(Code::corrupt, "input %s: the name contains a NUL byte", quote(v->name).c_str());
    HONE_CHECK(define(scope, v->name, graph_->add_input(std::string(v->name), types[v])));
  }
  return {};
}

Status Builder::initializers(const GraphP& g, Scope& scope) {
  for (const TensorP& t : g.initializers) {
    auto made = tensor(t);
    if (!made && options_.survey && scope.main) {
      HONE_CHECK(survive(made.take_error(), "initializer " + quote(t.name), scope, t.name));
      continue;
    }
    if (!made) return in("initializer " + quote(t.name), made.take_error());
    HONE_CHECK(define(scope, t.name, scope.graph->add_constant(*std::move(made), value_name(scope, t.name))));
  }
  for (const SparseTensorP& t : g.sparse_initializers) {
    auto made = read_sparse_tensor(t, source_, dense_bytes_);
    if (!made) return in("sparse initializer " + quote(t.values.name), made.take_error());
    HONE_CHECK(define(scope, t.values.name,
                      scope.graph->add_constant(*std::move(made), value_name(scope, t.values.name))));
  }
  return {};
}

Status Builder::nodes(const std::vector<NodeP>& list, const Frame& frame, Scope& scope) {
  bool reordered = false;
  HONE_TRY(const std::vector<size_t> order, build_order(list, reordered));
  if (reordered) log("the nodes of the model are not in topological order; they were sorted");
  for (const size_t i : order) HONE_CHECK(node(list[i], frame, scope));
  return {};
}

Result<std::shared_ptr<ir::Graph>> Builder::nested(const GraphP& g, const Frame& frame, const Scope& outer,
                                                   ir::Graph* parent) {
  struct Depth {
    explicit Depth(int& depth) : depth(++depth) {}
    ~Depth() { depth--; }
    int& depth;
  } const inside(graph_depth_);
  if (graph_depth_ > options_.limits.depth)
    return error(Code::limit, "graphs nested more than %d deep, the limit", options_.limits.depth);
  auto graph = std::make_shared<ir::Graph>();
  graph->parent = parent;
  graph->name = std::string(g.name.substr(0, max_value_name));
  Scope scope{&outer, graph.get()};
  for (const ValueInfoP& v : g.inputs) {
    auto t = type(v.type);
    if (!t) return in("input " + quote(v.name), t.take_error());
    HONE_CHECK(define(scope, v.name, graph->add_input(value_name(scope, v.name), *t)));
  }
  HONE_CHECK(initializers(g, scope));
  HONE_CHECK(nodes(g.nodes, frame, scope));
  for (const ValueInfoP& v : g.outputs) {
    HONE_TRY(ir::Value * value, find(scope, v.name));
    if (!value)
      return error(Code::corrupt, "output %s is an input that the function's call leaves out",
                   quote(v.name).c_str());
    if (value->graph != graph.get()) { HONE_TRY(value, identity(*graph, value)); }
    graph->add_output(value);
  }
  return graph;
}

Status Builder::outputs(Scope& scope) {
  if (model_.graph.outputs.empty()) return error(Code::corrupt, "the model has no outputs");
  std::unordered_set<Text> seen;
  for (const ValueInfoP& v : model_.graph.outputs) {
    auto made = output(v, seen, scope);
    if (!made && options_.survey)
      HONE_CHECK(survive(made.take_error(), "output " + quote(v.name), scope, Text()));
    else if (!made) return made;
  }
  return {};
}

Status Builder::output(const ValueInfoP& v, std::unordered_set<Text>& seen, Scope& scope) {
  const auto found = scope.values.find(v.name);
  if (found == scope.values.end() || v.name.empty())
    return error(Code::corrupt, "output %s is made by no node", quote(v.name).c_str());
  if (!seen.insert(v.name).second)
    return error(Code::corrupt, "output %s is listed twice", quote(v.name).c_str());
  if (v.name.find('\0') != Text::npos)
    return error(Code::corrupt, "output %s: the name contains a NUL byte", quote(v.name).c_str());
  ir::Value* value = found->second;
  // A function may hand the same value out under several names, or hand through what it was given.
  if (value->name != v.name && (value->outputs || !value->producer)) {
    HONE_TRY(value, identity(*graph_, value));
  }
  graph_->rename(value, std::string(v.name));
  if (v.has_type) {
    auto declared = type(v.type);
    if (!declared) return in("output " + quote(v.name), declared.take_error());
    if (value->type.kind == Value::Kind::tensor && declared->kind == Value::Kind::tensor &&
        value->type.dtype != DType::none && declared->dtype != value->type.dtype)
      return error(Code::corrupt, "output %s is declared as %s but computed as %s", quote(v.name).c_str(),
                   declared->str().c_str(), value->type.str().c_str());
    if (!stale_hints_ && !ir::merge(value->type, *declared))
      log("output " + quote(v.name) + " is declared as " + declared->str() + " but will be " +
          value->type.str());
  }
  graph_->add_output(value);
  return {};
}

Status Builder::define(Scope& scope, Text name, ir::Value* value) {
  if (name.empty()) return error(Code::corrupt, "a tensor has no name");
  if (scope.values.emplace(name, value).second) return {};
  return error(Code::corrupt, "the name %s is given to two values; each may be made only once",
               quote(name).c_str());
}

Result<ir::Value*> Builder::find(const Scope& scope, Text name) const {
  for (const Scope* s = &scope; s; s = s->outer)
    if (const auto it = s->values.find(name); it != s->values.end()) return it->second;
  return error(Code::corrupt, "%s is neither an input, an initializer nor made by any node",
               quote(name).c_str());
}

// The name a value gets in the graph. Those of the model's outputs are kept free for them.
std::string Builder::value_name(const Scope& scope, Text name) const {
  if (scope.main && output_names_.contains(name)) return std::string(name);
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  if (printable && name.size() <= max_value_name)
    return output_names_.contains(name) ? std::string(name) + "_inner" : std::string(name);
  return quote(name, max_value_name);
}

void Builder::add_hint(ir::Value* value, Text name) {
  const auto it = hints_.find(name);
  if (it == hints_.end()) return;
  auto claim = type(it->second->type);
  if (!claim) return;  // a hint that cannot be understood says nothing
  if (stale_hints_ && claim->kind == Value::Kind::tensor) claim->shape = Shape::unranked();
  fill_unknown(value->type, *claim);
}

Result<ir::Value*> Builder::identity(ir::Graph& graph, ir::Value* value) {
  const OpDef* op = find_op("Identity");
  if (!op) return error(Code::internal, "operator Identity is missing");
  HONE_CHECK(count_nodes(1));
  ir::Node* n = graph.add_node(*op, {value}, {});
  HONE_CHECK(bind_attrs(*op, n->attrs, false));
  HONE_CHECK(ir::infer(*n));
  return n->outputs[0];
}

}  // namespace hone::onnx
