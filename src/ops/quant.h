// Affine quantisation: x = (q - zero_point) * scale, per tensor, per index of one axis, or per block along an
// axis.
#pragma once
#include <cmath>
#include <vector>

#include "ops/op.h"
#include "ops/types.h"

namespace hone {

inline constexpr TypeSet byte_types{DType::u8, DType::i8};
inline constexpr TypeSet small_int_types{DType::u8, DType::i8, DType::u16, DType::i16,
                                         DType::u4, DType::i4, DType::u2,  DType::i2};
inline constexpr TypeSet small_float_types{DType::f8e4m3fn, DType::f8e4m3fnuz, DType::f8e5m2,
                                           DType::f8e5m2fnuz, DType::f4e2m1};

struct IntRange {
  int64_t low, high;
};
IntRange int_range(DType);  // of an integer type of at most 32 bits

// The integers of a tensor of an integer type of at most 32 bits, less `zero`.
std::vector<int32_t> widen_ints(const TensorView&, int32_t zero = 0);
// Stores v, which is within the type's range.
void store_int(const TensorView&, int64_t i, int64_t v);

// To the nearest integer, ties to even, plus zero, cut to the range. NaN becomes zero.
inline int64_t quantize(float x, int64_t zero, IntRange r) {
  const float rounded = std::nearbyint(x);
  if (!(rounded == rounded)) return zero;
  const auto v = static_cast<int64_t>(std::clamp(rounded, -2147483648.0f, 2147483520.0f)) + zero;
  return std::clamp(v, r.low, r.high);
}

// A scale or zero point where the operator takes one number for the whole tensor: its value, or `fallback` if
// absent.
Result<float> one_float(const EvalContext&, size_t i, const char* what);
Result<int32_t> one_int(const EvalContext&, size_t i, const char* what);
// Checks for inference that input i is one number: a scalar or a list of one.
Status check_single(const Infer&, size_t i, const char* what);

}  // namespace hone
