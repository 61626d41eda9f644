// Builder, the part that builds one node: a constant, a call of a local function, or an operator.
#include <algorithm>
#include <bit>

#include "import/onnx/builder.h"
#include "import/quote.h"
#include "ir/text.h"

namespace hone::onnx {
namespace {

// Longest name of a node, calls around it included; more would make expanded functions grow without bound.
constexpr size_t max_node_name = 200;
// Most attributes of one node or function; real ones have some twenty.
constexpr size_t max_attributes = 1000;

// A node on its way from the model's opset to the newest definition of its operator.
class Upgraded : public OpsetNode {
 public:
  Upgraded(const OpDef& op, int64_t opset, std::vector<ir::Value*> inputs, Attrs attrs, ir::Graph& graph)
      : op_(&op),
        opset_(static_cast<int>(opset)),
        inputs_(std::move(inputs)),
        attrs_(std::move(attrs)),
        graph_(graph) {}
  Status run() {
    // Until opset 5 it named inputs whose memory might be overwritten: an optimisation, which any node had.
    if (opset_ < 6 && std::string_view(op_->domain).empty()) attrs_.erase("consumed_inputs");
    // A renamed node is in the newest version already.
    for (const Upgrade& u : op_->upgrades)
      if (!renamed_ && opset_ < u.below) HONE_CHECK(u.apply(*this));
    return {};
  }
  const OpDef& op() const { return *op_; }
  std::vector<ir::Value*>& values() { return inputs_; }

  int opset() const override { return opset_; }
  Attrs& attrs() override { return attrs_; }
  size_t inputs() const override { return inputs_.size(); }
  bool has(size_t i) const override { return i < inputs_.size() && inputs_[i]; }
  ValueType type(size_t i) const override { return has(i) ? inputs_[i]->type : ValueType(); }
  Tensor constant(size_t i) const override { return has(i) ? inputs_[i]->constant : Tensor(); }
  void set_constant(size_t i, Tensor t) override {
    if (inputs_.size() <= i) inputs_.resize(i + 1);
    inputs_[i] = graph_.add_constant(std::move(t));
  }
  void remove_input(size_t i) override {
    if (i < inputs_.size()) inputs_.erase(inputs_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void insert_absent(size_t i) override {
    inputs_.insert(inputs_.begin() + static_cast<std::ptrdiff_t>(std::min(i, inputs_.size())), nullptr);
  }
  void rename(const char* name) override {
    op_ = find_op(name);
    if (!op_) op_ = find_op(name, "hone");
    renamed_ = true;
  }

 private:
  const OpDef* op_;
  int opset_;
  std::vector<ir::Value*> inputs_;
  Attrs attrs_;
  ir::Graph& graph_;
  bool renamed_ = false;
};

template <class T>
void trim(std::vector<T>& list) {
  while (!list.empty() && list.back() == T()) list.pop_back();
}

}  // namespace

Status Builder::count_nodes(int64_t n) {
  node_count_ += n;
  if (node_count_ <= options_.limits.nodes) return {};
  return error(Code::limit, "more than %lld nodes once functions are expanded, the limit",
               static_cast<long long>(options_.limits.nodes));
}

// Attributes of a function are copied with each call; this keeps a small file from becoming a large graph.
Status Builder::charge(size_t bytes) {
  copied_bytes_ += static_cast<int64_t>(bytes);
  if (copied_bytes_ <= options_.limits.dense_bytes) return {};
  return error(Code::limit, "attributes take more than %lld bytes once functions are expanded, the limit",
               static_cast<long long>(options_.limits.dense_bytes));
}

std::string Builder::node_name(const NodeP& n, const Frame& frame) const {
  std::string name = quote(n.name, max_node_name);
  name = name.substr(1, name.rfind('\'') - 1);
  if (frame.prefix.empty()) return name;
  name = frame.prefix + "/" + name;
  return name.size() > max_node_name ? name.substr(0, max_node_name) : name;
}

Result<Tensor> Builder::tensor(const TensorP& t) {
  if (const auto it = tensors_.find(&t); it != tensors_.end()) return it->second;
  HONE_TRY(Tensor made, read_tensor(t, source_));
  tensors_.emplace(&t, made);
  return made;
}

Status Builder::node(const NodeP& n, const Frame& frame, Scope& scope) {
  const auto build = [&]() -> Status {
    HONE_CHECK(count_nodes(1));
    if (const FunctionP* f = library_.function(n)) return call(*f, n, frame, scope);
    if (n.op_type == "Constant" && normal_domain(n.domain).empty()) return constant(n, frame, scope);
    if (n.op_type == "Gradient" && n.domain == "ai.onnx.preview.training") return gradient(n, frame, scope);
    return operation(n, frame, scope);
  };
  ImportSurvey* survey = frame.function ? nullptr : options_.survey;
  const size_t listed = survey ? survey->nodes.size() : 0;
  if (survey)
    survey->nodes.push_back({std::string(n.op_type), std::string(normal_domain(n.domain)),
                             node_name(n, frame), library_.supports(n)});
  if (!library_.supports(n)) return stand_in(n, scope);
  if (auto ok = build(); !ok) {
    if (options_.survey && ok.error().code != Code::limit && ok.error().code != Code::internal) {
      if (survey) survey->nodes[listed].supported = false;
      return survive(ok.take_error(), n, scope);
    }
    // What knows the node already (inference, a call within) has said which it is.
    Error e = ok.take_error();
    if (e.message.starts_with(label(n))) e.message.insert(0, "node ");
    else if (!e.message.starts_with("node " + label(n))) return in("node " + label(n), std::move(e));
    return e;
  }
  return {};
}

Result<std::vector<Builder::Attribute>> Builder::resolve(const NodeP& n, const Frame& frame,
                                                         const Scope& scope) const {
  std::vector<Attribute> out;
  if (n.attributes.size() > max_attributes)
    return error(Code::limit, "%zu attributes; at most %zu are allowed", n.attributes.size(), max_attributes);
  for (const AttributeP& a : n.attributes) {
    if (a.name.empty()) return error(Code::corrupt, "an attribute has no name");
    for (const Attribute& other : out)
      if (other.name == a.name)
        return error(Code::corrupt, "attribute %s is given twice", quote(a.name).c_str());
    if (a.ref.empty()) {
      out.push_back({a.name, {&a, &frame, &scope}});
      continue;
    }
    if (!frame.function)
      return error(Code::corrupt,
                   "attribute %s refers to attribute %s of a function, but this node is in none",
                   quote(a.name).c_str(), quote(a.ref).c_str());
    // One that the call leaves out and that has no default is left out here too.
    if (const auto it = frame.attributes.find(a.ref); it != frame.attributes.end())
      out.push_back({a.name, it->second});
  }
  return out;
}

Result<AttrValue> Builder::value(const BoundAttribute& bound, ir::Graph& graph) {
  const AttributeP& a = *bound.attribute;
  int64_t t = a.type;
  // Writers of IR version 1 leave the type out.
  if (t == AttributeP::undefined && std::has_single_bit(a.present)) t = std::countr_zero(a.present);
  if (t > AttributeP::undefined && t <= AttributeP::type_protos && (a.present & ~(1u << t)))
    return error(Code::corrupt, "its value is not of the type it states (%lld)",
                 static_cast<long long>(a.type));
  switch (t) {
    case AttributeP::f:
      return AttrValue(a.f_value);
    case AttributeP::i:
      return AttrValue(a.i_value);
    case AttributeP::s:
      HONE_CHECK(charge(a.s_value.size()));
      return AttrValue(std::string(a.s_value));
    case AttributeP::floats:
      HONE_CHECK(charge(a.floats_value.size() * sizeof(float)));
      return AttrValue(a.floats_value);
    case AttributeP::ints:
      HONE_CHECK(charge(a.ints_value.size() * sizeof(int64_t)));
      return AttrValue(a.ints_value);
    case AttributeP::strings: {
      std::vector<std::string> list;
      for (const Text s : a.strings_value) {
        HONE_CHECK(charge(s.size() + sizeof(std::string)));
        list.emplace_back(s);
      }
      return AttrValue(std::move(list));
    }
    case AttributeP::tensor: {
      if (!a.t) return error(Code::corrupt, "it has no value");
      HONE_TRY(Tensor made, tensor(*a.t));
      return AttrValue(std::move(made));
    }
    case AttributeP::graph: {
      if (!a.g) return error(Code::corrupt, "it has no value");
      HONE_TRY(auto made, nested(*a.g, *bound.frame, *bound.scope, &graph));
      return AttrValue(SubgraphPtr(std::move(made)));
    }
    case AttributeP::type_proto: {
      if (!a.type_value) return error(Code::corrupt, "it has no value");
      HONE_TRY(ValueType made, type(*a.type_value));
      return AttrValue(std::move(made));
    }
    case AttributeP::sparse:
    case AttributeP::sparses:
      return error(Code::unsupported, "sparse tensors are supported as constants only");
    case AttributeP::tensors:
    case AttributeP::graphs:
    case AttributeP::type_protos:
      return error(Code::unsupported,
                   "lists of tensors, graphs or types are not used by any supported operator");
    default:
      return error(Code::corrupt, "its type %lld is none that ONNX defines, or it has no value",
                   static_cast<long long>(a.type));
  }
}

// The forms of the operator Constant; the result is a constant of the graph, not a node.
Status Builder::constant(const NodeP& n, const Frame& frame, Scope& scope) {
  HONE_TRY(const auto attributes, resolve(n, frame, scope));
  if (attributes.size() != 1 || n.outputs.size() != 1 || !n.inputs.empty())
    return error(Code::corrupt,
                 "it has %zu inputs, %zu attributes and %zu outputs; expected none, one and one",
                 n.inputs.size(), attributes.size(), n.outputs.size());
  const auto& [name, bound] = attributes[0];
  const auto make = [&, &name = name, &bound = bound]() -> Result<Tensor> {
    if (name == "sparse_value" && bound.attribute->sparse_tensor)
      return read_sparse_tensor(*bound.attribute->sparse_tensor, source_, dense_bytes_);
    HONE_TRY(AttrValue v, value(bound, *scope.graph));
    if (auto* t = std::get_if<Tensor>(&v); t && name == "value") return std::move(*t);
    if (auto* f = std::get_if<float>(&v); f && name == "value_float") return Tensor::scalar(DType::f32, *f);
    if (auto* i = std::get_if<int64_t>(&v); i && name == "value_int") return Tensor::scalar(DType::i64, *i);
    if (auto* s = std::get_if<std::string>(&v); s && name == "value_string")
      return Tensor::scalar(DType::string, *s);
    const auto list = [](DType d, const auto& values) -> Result<Tensor> {
      HONE_TRY(Tensor t, Tensor::allocate(d, Shape{static_cast<Dim>(values.size())}));
      using T = typename std::decay_t<decltype(values)>::value_type;
      std::copy(values.begin(), values.end(), t.data<T>());
      return t;
    };
    if (auto* f = std::get_if<std::vector<float>>(&v); f && name == "value_floats")
      return list(DType::f32, *f);
    if (auto* i = std::get_if<std::vector<int64_t>>(&v); i && name == "value_ints")
      return list(DType::i64, *i);
    if (auto* s = std::get_if<std::vector<std::string>>(&v); s && name == "value_strings")
      return list(DType::string, *s);
    return error(Code::corrupt, "the operator Constant has no such attribute of this type");
  };
  auto made = make();
  if (!made) return in("attribute " + quote(name), made.take_error());
  return define(scope, n.outputs[0],
                scope.graph->add_constant(*std::move(made), value_name(scope, n.outputs[0])));
}

Status Builder::call(const FunctionP& f, const NodeP& n, const Frame& frame, Scope& scope) {
  Frame inner{&f, {}, node_name(n, frame)};
  if (n.inputs.size() > f.inputs.size() || n.outputs.size() > f.outputs.size())
    return error(Code::corrupt, "%zu inputs and %zu outputs, but the function takes %zu and makes %zu",
                 n.inputs.size(), n.outputs.size(), f.inputs.size(), f.outputs.size());
  if (f.attributes.size() + f.default_attributes.size() > max_attributes)
    return error(Code::limit, "the function has more than %zu attributes", max_attributes);
  // A long list of inputs costs as much as some nodes do, each time it is gone through.
  HONE_CHECK(count_nodes(static_cast<int64_t>((f.inputs.size() + f.outputs.size()) / 64)));
  for (const AttributeP& a : f.default_attributes) inner.attributes[a.name] = {&a, &frame, &scope};
  HONE_TRY(const auto attributes, resolve(n, frame, scope));
  for (const auto& [name, bound] : attributes) {
    const bool declared = inner.attributes.contains(name) ||
                          std::find(f.attributes.begin(), f.attributes.end(), name) != f.attributes.end();
    if (!declared) return error(Code::corrupt, "the function has no attribute %s", quote(name).c_str());
    inner.attributes[name] = bound;
  }
  Scope body{nullptr, scope.graph};
  for (size_t i = 0; i < f.inputs.size(); i++) {
    ir::Value* given = nullptr;
    if (i < n.inputs.size() && !n.inputs[i].empty()) { HONE_TRY(given, find(scope, n.inputs[i])); }
    HONE_CHECK(define(body, f.inputs[i], given));
  }
  HONE_CHECK(nodes(f.nodes, inner, body));
  // What the function merely hands through keeps the name it has.
  std::unordered_set<const ir::Value*> named;
  for (const Text formal : f.inputs) named.insert(body.values[formal]);
  for (size_t i = 0; i < n.outputs.size(); i++) {
    if (n.outputs[i].empty()) continue;
    const auto made = body.values.find(f.outputs[i]);
    if (made == body.values.end())
      return error(Code::corrupt, "output %s of the function is made by none of its nodes",
                   quote(f.outputs[i]).c_str());
    ir::Value* value = made->second;
    if (!value)
      return error(Code::corrupt, "output %s of the function is an input that this call leaves out",
                   quote(f.outputs[i]).c_str());
    if (value->graph == scope.graph && named.insert(value).second)
      scope.graph->rename(value, value_name(scope, n.outputs[i]));
    if (scope.main) add_hint(value, n.outputs[i]);
    HONE_CHECK(define(scope, n.outputs[i], value));
  }
  return {};
}

// Puts the operator's decomposition in place of a node.
Status Builder::expand(const OpDef& op, const Attrs& attrs, std::vector<ir::Value*> inputs, ir::Graph& graph,
                       const std::string& name, std::vector<ir::Value*>& outputs) {
  HONE_TRY(const auto body, ir::parse_graph(op.body, {.bindings = &attrs}));
  inputs.resize(body->inputs().size());
  std::vector<ir::Node*> made;
  outputs = graph.inline_graph(*body, inputs, name.empty() ? "" : name + "/", &made);
  HONE_CHECK(count_nodes(static_cast<int64_t>(made.size())));
  for (ir::Node* n : made) {
    if (n->name.empty() && !name.empty())
      n->name = name + "/" + n->op->name;  // messages name the model's node
    if (!n->op->body) {
      HONE_CHECK(ir::infer(*n));
      continue;
    }
    std::vector<ir::Value*> results;
    HONE_CHECK(expand(*n->op, n->attrs, n->inputs, graph, n->name, results));
    if (results.size() < n->outputs.size())
      return error(Code::internal, "the body of %s makes %zu outputs", n->op->name, results.size());
    for (size_t i = 0; i < n->outputs.size(); i++) {
      if (!n->outputs[i]) continue;
      std::replace(outputs.begin(), outputs.end(), n->outputs[i], results[i]);
      graph.replace_uses(n->outputs[i], results[i]);
    }
    graph.erase(n);
  }
  return {};
}

Status Builder::operation(const NodeP& n, const Frame& frame, Scope& scope) {
  const Text domain = normal_domain(n.domain);
  const OpDef* listed = find_op(n.op_type, domain);
  std::vector<ir::Value*> inputs;
  for (const Text name : n.inputs) {
    inputs.push_back(nullptr);
    if (name.empty()) continue;
    HONE_TRY(inputs.back(), find(scope, name));
  }
  trim(inputs);
  const int most = listed->max_model_inputs >= -1 ? listed->max_model_inputs : listed->max_inputs;
  if (most >= 0 && inputs.size() > static_cast<size_t>(most))
    return error(Code::corrupt, "%zu inputs, but the operator takes at most %d", inputs.size(), most);

  Attrs attrs;
  HONE_TRY(const auto attributes, resolve(n, frame, scope));
  for (const auto& [name, bound] : attributes) {
    for (const AttrDef& d : listed->attrs)
      if (d.internal && name == d.name)
        return error(Code::unsupported, "it has no attribute %s", quote(name).c_str());
    auto converted = value(bound, *scope.graph);
    if (!converted) return in("attribute " + quote(name), converted.take_error());
    attrs.set(name, *std::move(converted));
  }
  Upgraded node(*listed, library_.opsets(frame.function).at(domain), std::move(inputs), std::move(attrs),
                *scope.graph);
  HONE_CHECK(node.run());
  const OpDef& op = node.op();
  HONE_CHECK(bind_attrs(op, node.attrs(), true));
  trim(node.values());

  std::vector<Text> names = n.outputs;
  trim(names);
  names.resize(std::max(names.size(), static_cast<size_t>(std::max(op.min_outputs, 0))));
  const std::string name = node_name(n, frame);
  std::vector<ir::Value*> made;
  if (op.body) {
    HONE_CHECK(expand(op, node.attrs(), node.values(), *scope.graph, name, made));
    if (names.size() > made.size())
      return error(Code::corrupt, "%zu outputs, but the operator makes at most %zu", names.size(),
                   made.size());
    // What the body merely hands through keeps the name it has.
    std::unordered_set<const ir::Value*> named(node.values().begin(), node.values().end());
    for (size_t i = 0; i < names.size(); i++)
      if (!names[i].empty() && made[i]->producer && named.insert(made[i]).second)
        scope.graph->rename(made[i], value_name(scope, names[i]));
  } else {
    ir::Node* built = scope.graph->add_node(op, std::move(node.values()), std::move(node.attrs()), 0, name);
    built->outputs.resize(names.size());
    for (size_t i = 0; i < names.size(); i++)
      if (!names[i].empty()) scope.graph->add_output_value(built, i, value_name(scope, names[i]));
    HONE_CHECK(ir::infer(*built));
    made = built->outputs;
  }
  for (size_t i = 0; i < names.size(); i++) {
    if (names[i].empty()) continue;
    if (scope.main) add_hint(made[i], names[i]);
    HONE_CHECK(define(scope, names[i], made[i]));
  }
  return {};
}

}  // namespace hone::onnx
