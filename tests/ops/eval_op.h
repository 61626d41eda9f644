// Small tensors, and what operators make of them.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ops/run_op.h"

namespace hone {

template <class T>
Tensor tensor(DType d, const Shape& s, const std::vector<T>& values) {
  Tensor t = *Tensor::allocate(d, s);
  for (size_t i = 0; i < values.size(); i++) t.data<T>()[i] = values[i];
  return t;
}
inline Tensor floats(const Shape& s, const std::vector<float>& v) { return tensor(DType::f32, s, v); }
inline Tensor ints(const std::vector<int64_t>& v) { return Tensor::of_ints(v); }
inline Tensor ints(const Shape& s, const std::vector<int64_t>& v) { return tensor(DType::i64, s, v); }
// A tensor that claims a shape without the memory for it: for what must be refused before a byte is read.
inline Tensor claim(DType d, const Shape& s) {
  static const std::shared_ptr<std::vector<uint64_t>> bytes = std::make_shared<std::vector<uint64_t>>(8);
  return Tensor::view(bytes, bytes->data(), d, s);
}

using Outputs = Result<std::vector<Value>>;

inline Outputs eval_op(const char* name, const std::vector<Value>& inputs, Attrs attrs = {},
                       size_t outputs = 1) {
  return run_op(name, std::move(attrs), inputs, outputs);
}

inline Attrs with(std::string_view name, AttrValue value) {
  Attrs a;
  a.set(name, std::move(value));
  return a;
}
inline Attrs with(std::string_view name, AttrValue value, std::string_view name2, AttrValue value2) {
  Attrs a = with(name, std::move(value));
  a.set(name2, std::move(value2));
  return a;
}

template <class T>
std::vector<T> elements(const Outputs& r, size_t output = 0) {
  if (!r) {
    ADD_FAILURE() << r.error().message;
    return {};
  }
  const Tensor& t = (*r)[output].tensor;
  return std::vector<T>(t.data<T>(), t.data<T>() + t.elements());
}

// The operator refuses, and its message has `part`.
inline void expect_refused(const Outputs& r, const std::string& part) {
  ASSERT_FALSE(r) << "expected a refusal with '" << part << "'";
  EXPECT_NE(r.error().message.find(part), std::string::npos) << r.error().message;
}

// What inference says of these types; `values` as in Infer.
inline std::string inferred(const char* name, const std::vector<ValueType>& types,
                            const std::vector<Tensor>& values = {}, Attrs attrs = {}) {
  const OpDef* op = find_op(name);
  if (!op) return "no operator";
  if (auto bound = bind_attrs(*op, attrs, true); !bound) return bound.error().message;
  Infer c{*op, attrs, types, values, std::vector<ValueType>(1)};
  if (auto status = infer_types(c); !status) return status.error().message;
  return c.out[0].str();
}

}  // namespace hone
