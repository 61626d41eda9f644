// Writes ONNX models in memory, right and wrong ones. Each function returns a serialised message of
// onnx.proto; numbers are the field numbers of that file. What a test wants to be damaged it puts together
// from Message itself.
#pragma once
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "import/import.h"

namespace hone::test {

struct Message {
  std::string bytes;
  Message& text(unsigned field, std::string_view v) {
    return with([&](auto& w) { w.add_bytes(field, v.data(), v.size()); });
  }
  Message& sub(unsigned field, const Message& m) { return text(field, m.bytes); }
  Message& number(unsigned field, int64_t v) {
    return with([&](auto& w) { w.add_int64(field, v); });
  }
  Message& real(unsigned field, float v) {
    return with([&](auto& w) { w.add_float(field, v); });
  }
  template <class List>
  Message& subs(unsigned field, const List& list) {
    for (const auto& m : list) sub(field, m);
    return *this;
  }
  template <class List>
  Message& texts(unsigned field, const List& list) {
    for (const auto& t : list) text(field, t);
    return *this;
  }
  template <class List>
  Message& numbers(unsigned field, const List& list) {
    return with([&](auto& w) { w.add_packed_int64(field, std::begin(list), std::end(list)); });
  }
  template <class List>
  Message& reals(unsigned field, const List& list) {
    return with([&](auto& w) { w.add_packed_float(field, std::begin(list), std::end(list)); });
  }
  template <class List>
  Message& doubles(unsigned field, const List& list) {
    return with([&](auto& w) { w.add_packed_double(field, std::begin(list), std::end(list)); });
  }

 private:
  template <class F>
  Message& with(F&& f) {
    protozero::pbf_writer w(bytes);
    f(w);
    return *this;
  }
};

using Names = std::vector<std::string>;
using Dims = std::vector<int64_t>;

// TensorProto without data.
inline Message tensor_header(std::string_view name, const Dims& dims, DType d) {
  Message m;
  m.numbers(1, dims).number(2, static_cast<int64_t>(d));
  return name.empty() ? m : m.text(8, name);
}
template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}
inline Message tensor_raw(std::string_view name, const Dims& dims, DType d, std::string_view bytes) {
  return tensor_header(name, dims, d).text(9, bytes);
}
inline Message tensor_f32(std::string_view name, const Dims& dims, const std::vector<float>& v) {
  return tensor_raw(name, dims, DType::f32, raw(v));
}
inline Message tensor_i64(std::string_view name, const Dims& dims, const std::vector<int64_t>& v) {
  return tensor_raw(name, dims, DType::i64, raw(v));
}
inline Message entry(std::string_view key, std::string_view value) {
  return Message().text(1, key).text(2, value);
}
inline Message tensor_external(std::string_view name, const Dims& dims, DType d,
                               const std::vector<std::pair<std::string, std::string>>& entries) {
  Message m = tensor_header(name, dims, d);
  for (const auto& [key, value] : entries) m.sub(13, entry(key, value));
  return m.number(14, 1);
}

// A dimension: a number, or a symbol's name ("" is a dimension of which nothing is said).
using DimSpec = std::variant<int, const char*>;
inline Message tensor_type(DType d, const std::vector<DimSpec>& dims) {
  Message shape;
  for (const DimSpec& s : dims) {
    Message dim;
    if (const int* n = std::get_if<int>(&s)) dim.number(1, *n);
    else if (*std::get<const char*>(s)) dim.text(2, std::get<const char*>(s));
    shape.sub(1, dim);
  }
  return Message().sub(1, Message().number(1, static_cast<int64_t>(d)).sub(2, shape));
}
inline Message value_info(std::string_view name, const Message& type) {
  return Message().text(1, name).sub(2, type);
}
inline Message f32_info(std::string_view name, const std::vector<DimSpec>& dims) {
  return value_info(name, tensor_type(DType::f32, dims));
}

// AttributeProto; the number is that of AttributeProto.AttributeType.
inline Message attribute(std::string_view name, int type) { return Message().text(1, name).number(20, type); }
inline Message attr(std::string_view name, int64_t v) { return attribute(name, 2).number(3, v); }
inline Message attr(std::string_view name, float v) { return attribute(name, 1).real(2, v); }
inline Message attr(std::string_view name, std::string_view v) { return attribute(name, 3).text(4, v); }
inline Message attr(std::string_view name, const Dims& v) { return attribute(name, 7).numbers(8, v); }
inline Message attr_tensor(std::string_view name, const Message& t) { return attribute(name, 4).sub(5, t); }
inline Message attr_graph(std::string_view name, const Message& g) { return attribute(name, 5).sub(6, g); }
inline Message attr_ref(std::string_view name, std::string_view of, int type) {
  return attribute(name, type).text(21, of);
}

struct NodeExtra {
  std::vector<Message> attributes = {};
  std::string name = {}, domain = {};
};
inline Message node(std::string_view op, const Names& inputs, const Names& outputs,
                    const NodeExtra& extra = {}) {
  Message m;
  m.texts(1, inputs).texts(2, outputs).text(4, op).subs(5, extra.attributes);
  if (!extra.name.empty()) m.text(3, extra.name);
  if (!extra.domain.empty()) m.text(7, extra.domain);
  return m;
}

struct GraphMessage {
  std::vector<Message> nodes, inputs, outputs, initializers, sparse_initializers = {}, value_info = {};
  Message message() const {
    Message m;
    return m.subs(1, nodes)
        .text(2, "g")
        .subs(5, initializers)
        .subs(11, inputs)
        .subs(12, outputs)
        .subs(13, value_info)
        .subs(15, sparse_initializers);
  }
};

inline Message opset(std::string_view domain, int64_t version) {
  return Message().text(1, domain).number(2, version);
}

struct ModelMessage {
  GraphMessage graph;
  int64_t ir_version = 10;
  std::vector<Message> opsets = {opset("", 21)};
  std::vector<Message> functions = {};
  Message extra = {};  // further fields of ModelProto
  std::string bytes() const {
    return Message().number(1, ir_version).subs(8, opsets).subs(25, functions).sub(7, graph.message()).bytes +
           extra.bytes;
  }
};

struct FunctionMessage {
  std::string name, domain = "local";
  Names inputs, outputs, attributes = {};
  std::vector<Message> nodes, defaults = {}, opsets = {opset("", 21)};
  Message message() const {
    Message m;
    return m.text(1, name)
        .texts(4, inputs)
        .texts(5, outputs)
        .texts(6, attributes)
        .subs(7, nodes)
        .subs(9, opsets)
        .text(10, domain)
        .subs(11, defaults);
  }
};

// x -> Relu -> y, both f32[2,3].
inline ModelMessage relu_model() {
  return {
      {{node("Relu", {"x"}, {"y"}, {.name = "relu"})}, {f32_info("x", {2, 3})}, {f32_info("y", {2, 3})}, {}}};
}

inline Result<std::shared_ptr<ir::Graph>> import_bytes(const std::string& bytes,
                                                       const ImportOptions& options = {},
                                                       const std::string& folder = {}) {
  // A copy of exactly this size on the heap: the address sanitizer sees each read past its end.
  auto owner = std::make_shared<std::vector<std::byte>>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(owner->data()));
  return import_onnx({*owner, owner}, folder, options);
}
inline Result<std::shared_ptr<ir::Graph>> import_message(const ModelMessage& m,
                                                         const ImportOptions& options = {}) {
  return import_bytes(m.bytes(), options);
}

}  // namespace hone::test
