// The functions that read the messages of proto.h, one for each, and what they share: counts, depth, the
// place for errors. proto.cc holds those of models, graphs and nodes, proto_values.cc those of tensors,
// values and types.
#pragma once
#include "import/onnx/fields.h"
#include "import/onnx/proto.h"

namespace hone::onnx {

class Reader {
 public:
  Reader(Text bytes, const ImportLimits& limits) : limits_(limits) {
    cursor_.begin = cursor_.at = bytes.data();
    cursor_.longest_text = limits.name_bytes;
  }
  const Cursor& cursor() const { return cursor_; }

  Status model(Text bytes, ModelP& m);
  Status tensor(Text bytes, TensorP& t);
  Status sequence(Text bytes, SequenceP& s);
  Status optional(Text bytes, OptionalP& o);

 private:
  Status entry(Text bytes, std::pair<Text, Text>& e);
  Status opset(Text bytes, OpsetP& o);
  Status function(Text bytes, FunctionP& fn);
  Status graph(Text bytes, GraphP& g);
  Status node(Text bytes, NodeP& n);
  Status attribute(Text bytes, AttributeP& a);
  Status sparse_tensor(Text bytes, SparseTensorP& s);
  Status value_info(Text bytes, ValueInfoP& v);
  Status type(Text bytes, TypeP& t);
  Status tensor_type(Text bytes, TypeP& t);
  Status element_type(Text bytes, TypeP& t);
  Status shape(Text bytes, TypeP& t);
  Status dim(Text bytes, DimP& d);

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

  struct Nest {
    int& depth;
    ~Nest() { depth--; }
  };

  const ImportLimits& limits_;
  Cursor cursor_;
  int depth_ = 0;
  int64_t nodes_ = 0, values_ = 0, attributes_ = 0;
};

// The whole of `bytes` as one message.
template <class T>
Result<T> read_whole(Text bytes, const ImportLimits& limits, Status (Reader::*read)(Text, T&)) {
  Reader reader(bytes, limits);
  T message;
  HONE_CHECK(guarded(reader.cursor(), [&] { return (reader.*read)(bytes, message); }));
  return message;
}

}  // namespace hone::onnx
