// Elements as numbers. load() gives the type that arithmetic is done in: float for f16 and bf16, otherwise
// the type itself; store() rounds back.
#pragma once
#include <string>
#include <type_traits>

#include "base/convert.h"
#include "base/tensor.h"
#include "ops/dispatch.h"

namespace hone {

template <class T>
using Compute = std::conditional_t<std::is_same_v<T, f16_t> || std::is_same_v<T, bf16_t>, float, T>;

template <class T>
Compute<T> load(const T& x) {
  if constexpr (std::is_same_v<Compute<T>, T>) return x;
  else return to_float(x);
}
template <class T>
void store(T& y, Compute<T> x) {
  if constexpr (std::is_same_v<T, f16_t>) y = to_f16(x);
  else if constexpr (std::is_same_v<T, bf16_t>) y = to_bf16(x);
  else y = x;
}

// Lists of element types for dispatch: dispatch_floats(view.dtype, [&](auto zero) { using T = decltype(zero);
// ... }).
template <class F>
Status dispatch_floats(DType d, F&& f) {
  return dispatch<float, f16_t, bf16_t, double>(d, f);
}
template <class F>
Status dispatch_ints(DType d, F&& f) {
  return dispatch<int64_t, int32_t, uint8_t, int8_t, int16_t, uint16_t, uint32_t, uint64_t>(d, f);
}
template <class F>
Status dispatch_numbers(DType d, F&& f) {
  return dispatch<float, f16_t, bf16_t, double, int64_t, int32_t, uint8_t, int8_t, int16_t, uint16_t,
                  uint32_t, uint64_t>(d, f);
}

// Calls f with an unsigned integer (or a string, or a pair of integers) of the size of the element: for code
// that only moves elements. Not for types packed below 8 bits.
struct Wide {
  uint64_t half[2];
};
template <class F>
Status dispatch_storage(DType d, F&& f) {
  if (d == DType::string) return f(std::string()), Status{};
  switch (dtype_bits(d)) {
    case 8:
      return f(uint8_t{}), Status{};
    case 16:
      return f(uint16_t{}), Status{};
    case 32:
      return f(uint32_t{}), Status{};
    case 64:
      return f(uint64_t{}), Status{};
    case 128:
      return f(Wide{}), Status{};
    default:
      return error(Code::unsupported, "element type %s is not supported here", dtype_name(d));
  }
}

// Towards zero; NaN becomes 0, and what exceeds the range becomes its end.
inline int64_t to_int64(double x) {
  if (std::isnan(x)) return 0;
  if (x >= 0x1p63) return std::numeric_limits<int64_t>::max();
  return x <= -0x1p63 ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(x);
}

// Any real element type as a double (exact but for 64-bit integers beyond 2^53). For small or rare tensors:
// slow.
double element_as_double(const TensorView&, int64_t i);

}  // namespace hone
