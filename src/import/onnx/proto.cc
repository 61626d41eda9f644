#include "import/onnx/proto.h"

#include "import/onnx/reader.h"

namespace hone::onnx {

Status Reader::model(Text bytes, ModelP& m) {
  Fields f(cursor_, bytes, "ModelProto");
  return f.each([&](unsigned tag) -> Status {
    switch (tag) {
      case 1:
        m.has_ir_version = true;
        return f.integer(m.ir_version);
      case 2:
        return f.bytes(m.producer_name);
      case 3:
        return f.bytes(m.producer_version);
      case 4:
        return f.bytes(m.domain);
      case 5:
        return f.integer(m.model_version);
      case 6:
        return f.bytes(m.doc_string);
      case 7:
        m.has_graph = true;
        return sub(f, m.graph, &Reader::graph);
      case 8:
        return add(f, m.opsets, &Reader::opset);
      case 14:
        return add(f, m.metadata, &Reader::entry);
      case 20:
        m.training_infos++;
        return f.skip();
      case 25:
        return add(f, m.functions, &Reader::function);
      default:
        return f.skip();
    }
  });
}

Status Reader::entry(Text bytes, std::pair<Text, Text>& e) {
  HONE_CHECK(count(values_, limits_.values, "tensors, inputs and outputs"));
  Fields f(cursor_, bytes, "StringStringEntryProto");
  return f.each([&](unsigned tag) -> Status {
    switch (tag) {
      case 1:
        return f.text(e.first);
      case 2:
        return f.bytes(e.second);
      default:
        return f.skip();
    }
  });
}

Status Reader::opset(Text bytes, OpsetP& o) {
  HONE_CHECK(count(values_, limits_.values, "tensors, inputs and outputs"));
  Fields f(cursor_, bytes, "OperatorSetIdProto");
  return f.each([&](unsigned tag) -> Status {
    switch (tag) {
      case 1:
        return f.text(o.domain);
      case 2:
        return f.integer(o.version);
      default:
        return f.skip();
    }
  });
}

Status Reader::function(Text bytes, FunctionP& fn) {
  HONE_CHECK(count(nodes_, limits_.nodes, "nodes"));
  Fields f(cursor_, bytes, "FunctionProto");
  return f.each([&](unsigned tag) -> Status {
    switch (tag) {
      case 1:
        return f.text(fn.name);
      case 4:
        return add_text(f, fn.inputs);
      case 5:
        return add_text(f, fn.outputs);
      case 6:
        return add_text(f, fn.attributes);
      case 7:
        return add(f, fn.nodes, &Reader::node);
      case 9:
        return add(f, fn.opsets, &Reader::opset);
      case 10:
        return f.text(fn.domain);
      case 11:
        return add(f, fn.default_attributes, &Reader::attribute);
      case 12:
        return add(f, fn.value_info, &Reader::value_info);
      case 13:
        return f.text(fn.overload);
      default:
        return f.skip();
    }
  });
}

Status Reader::graph(Text bytes, GraphP& g) {
  HONE_CHECK(enter("graphs"));
  const Nest nest{depth_};
  Fields f(cursor_, bytes, "GraphProto");
  return f.each([&](unsigned tag) -> Status {
    switch (tag) {
      case 1:
        return add(f, g.nodes, &Reader::node);
      case 2:
        return f.text(g.name);
      case 5:
        return add(f, g.initializers, &Reader::tensor);
      case 11:
        return add(f, g.inputs, &Reader::value_info);
      case 12:
        return add(f, g.outputs, &Reader::value_info);
      case 13:
        return add(f, g.value_info, &Reader::value_info);
      case 15:
        return add(f, g.sparse_initializers, &Reader::sparse_tensor);
      default:
        return f.skip();
    }
  });
}

Status Reader::node(Text bytes, NodeP& n) {
  HONE_CHECK(count(nodes_, limits_.nodes, "nodes"));
  Fields f(cursor_, bytes, "NodeProto");
  return f.each([&](unsigned tag) -> Status {
    switch (tag) {
      case 1:
        return add_text(f, n.inputs);
      case 2:
        return add_text(f, n.outputs);
      case 3:
        return f.text(n.name);
      case 4:
        return f.text(n.op_type);
      case 5:
        return add(f, n.attributes, &Reader::attribute);
      case 7:
        return f.text(n.domain);
      case 8:
        return f.text(n.overload);
      default:
        return f.skip();
    }
  });
}

Status Reader::attribute(Text bytes, AttributeP& a) {
  using A = AttributeP;
  HONE_CHECK(count(attributes_, limits_.attributes, "attributes"));
  const auto has = [&](A::Type type) { a.present |= 1u << type; };
  Fields f(cursor_, bytes, "AttributeProto");
  return f.each([&](unsigned tag) -> Status {
    switch (tag) {
      case 1:
        return f.text(a.name);
      case 2:
        has(A::f);
        return f.real(a.f_value);
      case 3:
        has(A::i);
        return f.integer(a.i_value);
      case 4:
        has(A::s);
        return f.bytes(a.s_value);
      case 5:
        has(A::tensor);
        return sub(f, a.t, &Reader::tensor);
      case 6:
        has(A::graph);
        return sub(f, a.g, &Reader::graph);
      case 7:
        has(A::floats);
        return f.append_fixed(a.floats_value);
      case 8:
        has(A::ints);
        return f.append_integers(a.ints_value);
      case 9:
        has(A::strings);
        return f.bytes(a.strings_value.emplace_back());
      case 10:
        has(A::tensors);
        return f.skip();
      case 11:
        has(A::graphs);
        return f.skip();
      case 14:
        has(A::type_proto);
        return sub(f, a.type_value, &Reader::type);
      case 15:
        has(A::type_protos);
        return f.skip();
      case 20:
        return f.integer(a.type);
      case 21:
        return f.text(a.ref);
      case 22:
        has(A::sparse);
        return sub(f, a.sparse_tensor, &Reader::sparse_tensor);
      case 23:
        has(A::sparses);
        return f.skip();
      default:
        return f.skip();
    }
  });
}

Result<ModelP> read_model(Text b, const ImportLimits& l) { return read_whole<ModelP>(b, l, &Reader::model); }

}  // namespace hone::onnx
