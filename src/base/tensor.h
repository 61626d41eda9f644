// Tensors and values.
//   TensorView  pointer + type + shape, contiguous row-major; owns nothing.
//   Tensor      the same with shared ownership of the bytes (heap, or a view into a mapped file: then
//               read-only).
//   Value       what an edge of a graph carries: nothing, a tensor, a sequence of values or an optional
//               value.
//   ValueType   what is known of a value before it exists.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"

namespace hone {

// Storage type of DType::boolean: any non-zero byte is true (files are not trusted to hold 0 or 1).
struct bool8 {
  uint8_t byte = 0;
  bool8() = default;
  constexpr bool8(bool b) : byte(b) {}
  constexpr operator bool() const { return byte != 0; }
};

// Bytes that n elements of type d take (packed below 8 bits, rounded up).
inline int64_t dtype_bytes(DType d, int64_t n) { return (n * dtype_bits(d) + 7) / 8; }

struct TensorView {
  DType dtype = DType::none;
  Shape shape;
  void* bytes =
      nullptr;  // alignment: at least that of the element; 64 when it comes from Tensor::allocate or an arena
  template <class T>
  T* data() const {
    return static_cast<T*>(bytes);
  }
  int64_t elements() const { return shape.elements(); }
  int64_t byte_size() const { return dtype_bytes(dtype, elements()); }
};

class Tensor {
 public:
  Tensor() = default;
  // 64-byte aligned, uninitialised (strings: empty). Errors: more elements than checked_elements() allows,
  // out of memory, or more than the budget of this thread has left (base/memory_budget.h).
  static Result<Tensor> allocate(DType, const Shape&);
  // A view into memory kept alive by `owner`; the bytes must not be written.
  static Tensor view(std::shared_ptr<const void> owner, const void* bytes, DType, const Shape&);
  template <class T>
  static Tensor of(DType d, std::initializer_list<T> values) {
    return from(d, Shape{static_cast<Dim>(values.size())}, values.begin());
  }
  static Tensor of_ints(std::span<const int64_t> values) {
    return from(DType::i64, Shape{static_cast<Dim>(values.size())}, values.data());
  }
  template <class T>
  static Tensor scalar(DType d, T value) {
    return from(d, Shape{}, &value);
  }

  explicit operator bool() const { return dtype_ != DType::none; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t elements() const { return shape_.elements(); }
  int64_t byte_size() const { return dtype_bytes(dtype_, elements()); }
  void* bytes() const { return bytes_; }
  template <class T>
  T* data() const {
    return static_cast<T*>(bytes_);
  }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  TensorView view() const { return {dtype_, shape_, bytes_}; }
  // The same bytes under another shape with as many elements.
  Tensor reshaped(const Shape& s) const { return view(owner_, bytes_, dtype_, s); }
  // Integer tensors of up to 64 bits (or boolean) as int64; error for other types.
  Result<std::vector<int64_t>> as_ints() const;

 private:
  template <class T>
  static Tensor from(DType d, const Shape& s, const T* values);  // few values: counted to no budget
  static Result<Tensor> uncounted(DType, const Shape&);
  DType dtype_ = DType::none;
  Shape shape_;
  void* bytes_ = nullptr;
  std::shared_ptr<const void> owner_;
};

struct Value {
  enum class Kind : uint8_t { none, tensor, sequence, optional };
  Kind kind = Kind::none;
  Tensor tensor;                // kind tensor
  DType element = DType::none;  // kind sequence: element type of its tensors (an empty one has a type too)
  std::shared_ptr<std::vector<Value>>
      items;  // kind sequence: never null. kind optional: null = empty, else one item
  Value() = default;
  Value(Tensor t) : kind(t ? Kind::tensor : Kind::none), tensor(std::move(t)) {}
  static Value sequence(DType element, std::vector<Value> items) {
    Value v;
    v.kind = Kind::sequence;
    v.element = element;
    v.items = std::make_shared<std::vector<Value>>(std::move(items));
    return v;
  }
  explicit operator bool() const { return kind != Kind::none; }
};

struct ValueType {
  Value::Kind kind = Value::Kind::none;      // none: not known (or an absent optional input)
  DType dtype = DType::none;                 // tensor
  Shape shape = Shape::unranked();           // tensor
  std::shared_ptr<const ValueType> element;  // sequence, optional
  ValueType() = default;
  ValueType(DType d, const Shape& s) : kind(Value::Kind::tensor), dtype(d), shape(s) {}
  static ValueType of(Value::Kind k, ValueType element) {
    ValueType t;
    t.kind = k;
    t.element = std::make_shared<const ValueType>(std::move(element));
    return t;
  }
  bool operator==(const ValueType& o) const;
  std::string str() const;  // "f32[1,3,?]", "seq(i64[?])", "opt(...)", "?"
};
ValueType type_of(const Value&);

template <class T>
Tensor Tensor::from(DType d, const Shape& s, const T* values) {
  Tensor t = *uncounted(d, s);
  T* out = t.data<T>();
  for (int64_t i = 0, n = s.elements(); i < n; i++) out[i] = values[i];
  return t;
}

}  // namespace hone
