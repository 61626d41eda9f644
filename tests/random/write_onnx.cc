#include "random/write_onnx.h"

#include <set>

#include "onnx_builder.h"

namespace hone::test {
namespace {

Message tensor_message(const Tensor& t, std::string_view name) {
  const Dims dims(t.shape().begin(), t.shape().end());
  if (t.dtype() == DType::string) {
    Message m = tensor_header(name, dims, t.dtype());
    for (int64_t i = 0; i < t.elements(); i++) m.text(6, t.data<std::string>()[i]);
    return m;
  }
  return tensor_raw(name, dims, t.dtype(),
                    {static_cast<const char*>(t.bytes()), static_cast<size_t>(t.byte_size())});
}

Message type_message(const ValueType& t, const ir::Graph& g) {
  switch (t.kind) {
    case hone::Value::Kind::sequence:
    case hone::Value::Kind::optional:
      return Message().sub(t.kind == hone::Value::Kind::sequence ? 4 : 9,
                           Message().sub(1, type_message(*t.element, g)));
    case hone::Value::Kind::tensor:
      break;
    case hone::Value::Kind::none:
      return {};
  }
  Message tensor;
  tensor.number(1, static_cast<int64_t>(t.dtype));
  if (t.shape.ranked()) {
    Message shape;
    for (const Dim d : t.shape.dims()) {
      Message dim;
      if (known(d)) dim.number(1, d);
      else if (symbolic(d)) dim.text(2, g.outermost()->symbols[static_cast<size_t>(symbol_of(d))]);
      shape.sub(1, dim);
    }
    tensor.sub(2, shape);
  }
  return Message().sub(1, tensor);
}

Message graph_message(const ir::Graph&);

Message attribute_message(const std::string& name, const AttrValue& v, const ir::Graph& g) {
  struct Writer {
    const std::string& name;
    const ir::Graph& g;
    Message operator()(int64_t x) { return attr(name, x); }
    Message operator()(float x) { return attr(name, x); }
    Message operator()(const std::string& x) { return attr(name, std::string_view(x)); }
    Message operator()(const std::vector<int64_t>& x) { return attr(name, x); }
    Message operator()(const std::vector<float>& x) { return attribute(name, 6).reals(7, x); }
    Message operator()(const std::vector<std::string>& x) { return attribute(name, 8).texts(9, x); }
    Message operator()(const Tensor& x) { return attr_tensor(name, tensor_message(x, "")); }
    Message operator()(const SubgraphPtr& x) {
      return attr_graph(name, graph_message(static_cast<const ir::Graph&>(*x)));
    }
    Message operator()(const ValueType& x) { return attribute(name, 13).sub(14, type_message(x, g)); }
  };
  return std::visit(Writer{name, g}, v);
}

Message graph_message(const ir::Graph& g) {
  GraphMessage m;
  for (const ir::Value* v : g.inputs()) m.inputs.push_back(value_info(v->name, type_message(v->type, g)));
  for (const ir::Value* v : g.outputs()) m.outputs.push_back(value_info(v->name, type_message(v->type, g)));
  for (const ir::Value* v : g.values())
    if (v->is_constant()) m.initializers.push_back(tensor_message(v->constant, v->name));
  const auto nodes = g.sorted();
  for (const ir::Node* n : *nodes) {
    Names in, out;
    for (const ir::Value* v : n->inputs) in.push_back(v ? v->name : "");
    for (const ir::Value* v : n->outputs) out.push_back(v ? v->name : "");
    NodeExtra extra{.name = n->name, .domain = n->op->domain};
    for (const auto& [name, value] : n->attrs) {
      const bool internal = std::any_of(n->op->attrs.begin(), n->op->attrs.end(),
                                        [&](const AttrDef& a) { return a.internal && name == a.name; });
      if (!internal) extra.attributes.push_back(attribute_message(name, value, g));
    }
    m.nodes.push_back(node(n->op->name, in, out, extra));
  }
  return m.message();
}

}  // namespace

bool can_be_onnx(const ir::Graph& g) {
  for (const ir::Node* n : g.nodes()) {
    if (std::string_view(n->op->domain) == "hone") return false;
    const int most = n->op->max_model_inputs >= -1 ? n->op->max_model_inputs : n->op->max_inputs;
    if (most >= 0 && n->inputs.size() > static_cast<size_t>(most)) return false;
    for (const AttrDef& a : n->op->attrs) {
      const AttrValue* v = a.internal ? n->attrs.find(a.name) : nullptr;
      if (v && !(std::holds_alternative<int64_t>(*v) && std::get<int64_t>(*v) == a.i) &&
          !(std::holds_alternative<std::string>(*v) && std::get<std::string>(*v).empty()) &&
          !(std::holds_alternative<float>(*v) && std::get<float>(*v) == a.f))
        return false;
    }
  }
  return true;
}

std::string onnx_model(const ir::Graph& g) {
  Message m;
  m.number(1, 13).sub(7, graph_message(g));
  struct Version {
    const char* domain;
    int64_t newest;
  };
  static const Version versions[] = {
#define OPSETS(domain, oldest, newest) {domain, newest},
#include "import/onnx/opsets.def"
#undef OPSETS
  };
  for (const Version& v : versions) m.sub(8, opset(v.domain, v.newest));
  return m.bytes;
}

}  // namespace hone::test
