#include "import/onnx/proto.h"

#include "import/onnx/fields.h"

namespace hone::onnx {
namespace {

class Reader {
 public:
  Reader(Text bytes, const ImportLimits& limits) : limits_(limits) {
    cursor_.begin = cursor_.at = bytes.data();
    cursor_.longest_text = limits.name_bytes;
  }
  const Cursor& cursor() const { return cursor_; }

  Status model(Text bytes, ModelP& m) {
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

  Status tensor(Text bytes, TensorP& t) {
    HONE_CHECK(count(values_, limits_.values, "tensors, inputs and outputs"));
    t.message = bytes;
    Fields f(cursor_, bytes, "TensorProto");
    return f.each([&](unsigned tag) -> Status {
      switch (tag) {
        case 1:
          return f.append_integers(t.dims);
        case 2:
          return f.integer(t.data_type);
        case 3:
          t.segmented = true;
          return f.skip();
        case 4:
        case 5:
        case 6:
        case 7:
        case 10:
        case 11:
          t.typed |= 1u << tag;
          return f.skip();
        case 8:
          return f.text(t.name);
        case 9:
          t.has_raw = true;
          return f.bytes(t.raw);
        case 13:
          return add(f, t.external_data, &Reader::entry);
        case 14: {
          int64_t location = 0;
          HONE_CHECK(f.integer(location));
          if (location != 0 && location != 1)
            return error(Code::corrupt, "%s: data location %lld; expected 0 (inside) or 1 (external)",
                         cursor_.str().c_str(), static_cast<long long>(location));
          t.external = location == 1;
          return {};
        }
        default:
          return f.skip();
      }
    });
  }

  Status sequence(Text bytes, SequenceP& s) {
    HONE_CHECK(enter("sequences and optionals"));
    const Nest nest{depth_};
    Fields f(cursor_, bytes, "SequenceProto");
    return f.each([&](unsigned tag) -> Status {
      switch (tag) {
        case 2:
          return f.integer(s.element_type);
        case 3:
          return add(f, s.tensors, &Reader::tensor);
        case 5:
          return add(f, s.sequences, &Reader::sequence);
        case 7:
          return add(f, s.optionals, &Reader::optional);
        case 4:
        case 6:
          s.unsupported = true;
          [[fallthrough]];
        default:
          return f.skip();
      }
    });
  }

  Status optional(Text bytes, OptionalP& o) {
    HONE_CHECK(enter("sequences and optionals"));
    const Nest nest{depth_};
    Fields f(cursor_, bytes, "OptionalProto");
    return f.each([&](unsigned tag) -> Status {
      switch (tag) {
        case 2:
          return f.integer(o.element_type);
        case 3:
          return sub(f, o.tensor, &Reader::tensor);
        case 5:
          return sub(f, o.sequence, &Reader::sequence);
        case 7:
          return sub(f, o.optional, &Reader::optional);
        case 4:
        case 6:
          o.unsupported = true;
          [[fallthrough]];
        default:
          return f.skip();
      }
    });
  }

 private:
  template <class T>
  using Read = Status (Reader::*)(Text, T&);

  template <class T>
  Status sub(Fields& f, T& out, Read<T> read) {
    Text bytes;
    HONE_CHECK(f.bytes(bytes));
    return (this->*read)(bytes, out);
  }
  // A message field that is given twice is merged, as protobuf wants it.
  template <class T>
  Status sub(Fields& f, std::unique_ptr<T>& out, Read<T> read) {
    if (!out) out = std::make_unique<T>();
    return sub(f, *out, read);
  }
  template <class T>
  Status add(Fields& f, std::vector<T>& out, Read<T> read) {
    return sub(f, out.emplace_back(), read);
  }
  Status add_text(Fields& f, std::vector<Text>& out) { return f.text(out.emplace_back()); }

  Status count(int64_t& n, int64_t limit, const char* what) {
    if (++n <= limit) return {};
    return error(Code::limit, "%s: more than %lld %s, the limit for one model", cursor_.str().c_str(),
                 static_cast<long long>(limit), what);
  }
  Status enter(const char* what) {
    if (depth_++ < limits_.depth) return {};
    return error(Code::limit, "%s: %s nested more than %d deep, the limit", cursor_.str().c_str(), what,
                 limits_.depth);
  }

  Status entry(Text bytes, std::pair<Text, Text>& e) {
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

  Status opset(Text bytes, OpsetP& o) {
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

  Status function(Text bytes, FunctionP& fn) {
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

  Status graph(Text bytes, GraphP& g) {
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

  Status node(Text bytes, NodeP& n) {
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

  Status attribute(Text bytes, AttributeP& a) {
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

  Status sparse_tensor(Text bytes, SparseTensorP& s) {
    Fields f(cursor_, bytes, "SparseTensorProto");
    return f.each([&](unsigned tag) -> Status {
      switch (tag) {
        case 1:
          return sub(f, s.values, &Reader::tensor);
        case 2:
          return sub(f, s.indices, &Reader::tensor);
        case 3:
          return f.append_integers(s.dims);
        default:
          return f.skip();
      }
    });
  }

  Status value_info(Text bytes, ValueInfoP& v) {
    HONE_CHECK(count(values_, limits_.values, "tensors, inputs and outputs"));
    Fields f(cursor_, bytes, "ValueInfoProto");
    return f.each([&](unsigned tag) -> Status {
      switch (tag) {
        case 1:
          return f.text(v.name);
        case 2:
          v.has_type = true;
          return sub(f, v.type, &Reader::type);
        default:
          return f.skip();
      }
    });
  }

  Status type(Text bytes, TypeP& t) {
    HONE_CHECK(enter("types"));
    const Nest nest{depth_};
    Fields f(cursor_, bytes, "TypeProto");
    return f.each([&](unsigned tag) -> Status {
      switch (tag) {
        case 1:
          t.kind = TypeP::tensor;
          return sub(f, t, &Reader::tensor_type);
        case 4:
        case 9:
          t.kind = tag == 4 ? TypeP::sequence : TypeP::optional;
          return sub(f, t, &Reader::element_type);
        case 5:
        case 7:
        case 8:
          t.kind = tag == 5 ? TypeP::map : tag == 7 ? TypeP::opaque : TypeP::sparse;
          return f.skip();
        default:
          return f.skip();
      }
    });
  }

  Status tensor_type(Text bytes, TypeP& t) {
    Fields f(cursor_, bytes, "TypeProto.Tensor");
    return f.each([&](unsigned tag) -> Status {
      switch (tag) {
        case 1:
          return f.integer(t.element_type);
        case 2:
          t.has_shape = true;
          return sub(f, t, &Reader::shape);
        default:
          return f.skip();
      }
    });
  }

  Status element_type(Text bytes, TypeP& t) {
    Fields f(cursor_, bytes, "TypeProto.Sequence");
    return f.each([&](unsigned tag) { return tag == 1 ? sub(f, t.element, &Reader::type) : f.skip(); });
  }

  Status shape(Text bytes, TypeP& t) {
    Fields f(cursor_, bytes, "TensorShapeProto");
    return f.each([&](unsigned tag) { return tag == 1 ? add(f, t.dims, &Reader::dim) : f.skip(); });
  }

  Status dim(Text bytes, DimP& d) {
    HONE_CHECK(count(values_, limits_.values, "tensors, inputs and outputs"));
    Fields f(cursor_, bytes, "TensorShapeProto.Dimension");
    return f.each([&](unsigned tag) -> Status {
      switch (tag) {
        case 1:
          d.has_value = true;
          return f.integer(d.value);
        case 2:
          return f.text(d.param);
        default:
          return f.skip();
      }
    });
  }

  struct Nest {
    int& depth;
    ~Nest() { depth--; }
  };

  const ImportLimits& limits_;
  Cursor cursor_;
  int depth_ = 0;
  int64_t nodes_ = 0, values_ = 0, attributes_ = 0;
};

template <class T>
Result<T> read_whole(Text bytes, const ImportLimits& limits, Status (Reader::*read)(Text, T&)) {
  Reader reader(bytes, limits);
  T message;
  HONE_CHECK(guarded(reader.cursor(), [&] { return (reader.*read)(bytes, message); }));
  return message;
}

}  // namespace

Result<ModelP> read_model(Text b, const ImportLimits& l) { return read_whole<ModelP>(b, l, &Reader::model); }
Result<TensorP> read_tensor_message(Text b, const ImportLimits& l) {
  return read_whole<TensorP>(b, l, &Reader::tensor);
}
Result<SequenceP> read_sequence_message(Text b, const ImportLimits& l) {
  return read_whole<SequenceP>(b, l, &Reader::sequence);
}
Result<OptionalP> read_optional_message(Text b, const ImportLimits& l) {
  return read_whole<OptionalP>(b, l, &Reader::optional);
}

}  // namespace hone::onnx
