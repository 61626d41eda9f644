#include "base/tensor.h"

#include <cstdlib>
#include <new>

#include "base/memory_budget.h"

namespace hone {
namespace {

// What a tensor takes besides its elements, roughly: many empty ones must count too.
constexpr int64_t object_bytes = 256;

// Takes the bytes from the budget of this thread; null: there is none.
Result<std::shared_ptr<MemoryBudget>> charge(int64_t bytes) {
  MemoryBudget* budget = MemoryBudget::current();
  if (!budget) return std::shared_ptr<MemoryBudget>();
  HONE_CHECK(budget->take(bytes));
  return budget->shared_from_this();
}
// The same memory, whose end gives back what was taken.
std::shared_ptr<const void> with_charge(std::shared_ptr<const void> memory,
                                        std::shared_ptr<MemoryBudget> budget, int64_t bytes) {
  const void* p = memory.get();
  return {p, [memory = std::move(memory), budget = std::move(budget), bytes](const void*) mutable {
            memory.reset();
            budget->give(bytes);
          }};
}

}  // namespace

Result<Tensor> Tensor::allocate(DType d, const Shape& s) {
  HONE_TRY(const int64_t n, checked_elements(s));
  const int64_t counted = dtype_bytes(d, n) + object_bytes;
  HONE_TRY(auto budget, charge(counted));
  auto t = uncounted(d, s);
  if (!budget) return t;
  if (t) t->owner_ = with_charge(std::move(t->owner_), std::move(budget), counted);
  else budget->give(counted);
  return t;
}

Result<Tensor> Tensor::uncounted(DType d, const Shape& s) {
  HONE_TRY(const int64_t n, checked_elements(s));
  Tensor t;
  t.dtype_ = d;
  t.shape_ = s;
  if (d == DType::string) {
    auto strings = std::shared_ptr<std::string[]>(new (std::nothrow) std::string[static_cast<size_t>(n)]);
    if (!strings) return error(Code::limit, "out of memory for a string tensor of shape %s", s.str().c_str());
    t.bytes_ = strings.get();
    t.owner_ = std::shared_ptr<const void>(strings, strings.get());
    return t;
  }
  const size_t bytes = (static_cast<size_t>(dtype_bytes(d, n)) + 63) / 64 * 64;
  void* p = std::aligned_alloc(64, bytes ? bytes : 64);
  if (!p)
    return error(Code::limit, "out of memory: %zu bytes for a tensor %s%s", bytes, dtype_name(d),
                 s.str().c_str());
  t.bytes_ = p;
  t.owner_ = std::shared_ptr<const void>(p, [](const void* q) { std::free(const_cast<void*>(q)); });
  return t;
}

Tensor Tensor::view(std::shared_ptr<const void> owner, const void* bytes, DType d, const Shape& s) {
  Tensor t;
  t.dtype_ = d;
  t.shape_ = s;
  t.bytes_ = const_cast<void*>(bytes);
  t.owner_ = std::move(owner);
  return t;
}

namespace {
template <class T>
void widen(const Tensor& t, std::vector<int64_t>& out) {
  const T* p = t.data<T>();
  for (size_t i = 0; i < out.size(); i++) out[i] = static_cast<int64_t>(p[i]);
}
}  // namespace

Result<std::vector<int64_t>> Tensor::as_ints() const {
  std::vector<int64_t> out(static_cast<size_t>(elements()));
  switch (dtype_) {
    case DType::i64:
      widen<int64_t>(*this, out);
      break;
    case DType::i32:
      widen<int32_t>(*this, out);
      break;
    case DType::i16:
      widen<int16_t>(*this, out);
      break;
    case DType::i8:
      widen<int8_t>(*this, out);
      break;
    case DType::u64:
      widen<uint64_t>(*this, out);
      break;
    case DType::u32:
      widen<uint32_t>(*this, out);
      break;
    case DType::u16:
      widen<uint16_t>(*this, out);
      break;
    case DType::u8:
      widen<uint8_t>(*this, out);
      break;
    case DType::boolean:
      widen<bool8>(*this, out);
      break;
    default:
      return error(Code::invalid_argument, "expected an integer tensor, got %s", dtype_name(dtype_));
  }
  return out;
}

bool ValueType::operator==(const ValueType& o) const {
  if (kind != o.kind) return false;
  if (kind == Value::Kind::none) return true;
  if (kind == Value::Kind::tensor) return dtype == o.dtype && shape == o.shape;
  return element && o.element && *element == *o.element;
}

std::string ValueType::str() const {
  switch (kind) {
    case Value::Kind::none:
      return "?";
    case Value::Kind::tensor:
      return dtype_name(dtype) + shape.str();
    case Value::Kind::sequence:
      return "seq(" + (element ? element->str() : "?") + ")";
    case Value::Kind::optional:
      return "opt(" + (element ? element->str() : "?") + ")";
  }
  return "?";
}

ValueType type_of(const Value& v) {
  if (v.kind == Value::Kind::tensor) return {v.tensor.dtype(), v.tensor.shape()};
  if (v.kind == Value::Kind::sequence) return ValueType::of(v.kind, ValueType(v.element, Shape::unranked()));
  if (v.kind == Value::Kind::optional)
    return ValueType::of(v.kind, v.items && !v.items->empty() ? type_of(v.items->front()) : ValueType());
  return {};
}

}  // namespace hone
