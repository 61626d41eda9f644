#include "import/onnx/reader.h"

namespace hone::onnx {

Status Reader::tensor(Text bytes, TensorP& t) {
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

Status Reader::sparse_tensor(Text bytes, SparseTensorP& s) {
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

Status Reader::sequence(Text bytes, SequenceP& s) {
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

Status Reader::optional(Text bytes, OptionalP& o) {
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

Status Reader::value_info(Text bytes, ValueInfoP& v) {
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

Status Reader::type(Text bytes, TypeP& t) {
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

Status Reader::tensor_type(Text bytes, TypeP& t) {
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

Status Reader::element_type(Text bytes, TypeP& t) {
  Fields f(cursor_, bytes, "TypeProto.Sequence");
  return f.each([&](unsigned tag) { return tag == 1 ? sub(f, t.element, &Reader::type) : f.skip(); });
}

Status Reader::shape(Text bytes, TypeP& t) {
  Fields f(cursor_, bytes, "TensorShapeProto");
  return f.each([&](unsigned tag) { return tag == 1 ? add(f, t.dims, &Reader::dim) : f.skip(); });
}

Status Reader::dim(Text bytes, DimP& d) {
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
