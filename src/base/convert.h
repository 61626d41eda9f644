// Conversions between float and the storage types that C++ lacks (base/dtype.h), and packed elements below 8
// bits. Rounding is to nearest, ties to even, from the exact value: no double rounding on the way from
// double.
//
//   f16, bf16           IEEE: overflow gives infinity
//   f8e5m2              IEEE-like: infinities and NaNs
//   f8e4m3fn            no infinity, NaN = S.1111.111; greatest 448
//   f8e4m3fnuz, e5m2fnuz  no infinity, no -0, NaN = 0x80
//   f4e2m1              no infinity, no NaN (NaN becomes -0, as ONNX's test cases have it); always saturates
//   f8e8m0              2^(bits - 127), no sign, no zero; NaN = 255
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/dtype.h"

namespace hone {

// What a number format of at most 16 bits is made of: sign, exponent, mantissa; the value of the exponent
// field e is 2^(e - bias), or that of 1 where e = 0 (subnormal).
struct SmallFloat {
  enum Kind : uint8_t { ieee, fn, fnuz, finite };
  int exponent_bits, mantissa_bits, bias;
  Kind kind;
  constexpr int bits() const { return 1 + exponent_bits + mantissa_bits; }
  constexpr uint32_t sign_bit() const { return 1u << (bits() - 1); }
  constexpr uint32_t max_finite() const {
    const uint32_t all = sign_bit() - 1;
    if (kind == ieee) return (all >> mantissa_bits << mantissa_bits) - 1;
    return kind == fn ? all - 1 : all;
  }
  constexpr uint32_t infinity() const {
    return (sign_bit() - 1) >> mantissa_bits << mantissa_bits;
  }  // kind ieee
  constexpr uint32_t nan() const {
    if (kind == ieee) return infinity() | 1u << (mantissa_bits - 1);
    if (kind == fn) return sign_bit() - 1;
    return sign_bit();
  }
};
template <class T>
inline constexpr SmallFloat small_float{};
template <>
inline constexpr SmallFloat small_float<f16_t>{5, 10, 15, SmallFloat::ieee};
template <>
inline constexpr SmallFloat small_float<bf16_t>{8, 7, 127, SmallFloat::ieee};
template <>
inline constexpr SmallFloat small_float<f8e4m3fn_t>{4, 3, 7, SmallFloat::fn};
template <>
inline constexpr SmallFloat small_float<f8e4m3fnuz_t>{4, 3, 8, SmallFloat::fnuz};
template <>
inline constexpr SmallFloat small_float<f8e5m2_t>{5, 2, 15, SmallFloat::ieee};
template <>
inline constexpr SmallFloat small_float<f8e5m2fnuz_t>{5, 2, 16, SmallFloat::fnuz};
inline constexpr SmallFloat f4e2m1_format{2, 1, 1, SmallFloat::finite};

// saturate: what exceeds the range becomes the greatest finite magnitude, infinity included; otherwise
// infinity, or NaN where the format has none.
inline uint32_t to_small_float(double x, const SmallFloat& f, bool saturate) {
  const uint64_t u = std::bit_cast<uint64_t>(x);
  const uint32_t sign = u >> 63 ? f.sign_bit() : 0;
  const bool signed_zero = f.kind != SmallFloat::fnuz;
  if (std::isnan(x)) return sign | f.nan();
  uint32_t magnitude = f.max_finite() + 1;  // "too great"
  if (!std::isinf(x)) {
    const int e = static_cast<int>(u >> 52 & 0x7ff) - 1023;
    if (e < -1022)
      return signed_zero ? sign : 0;  // a subnormal double is far below half of any format's smallest value
    const uint64_t significand = (u & 0xfffffffffffffull) | 1ull << 52;
    // Bits to drop from the 53: more for results that are subnormal.
    int drop = 52 - f.mantissa_bits;
    int field = e + f.bias;
    if (field < 1) {
      drop += 1 - field;
      field = 0;
    }
    if (drop > 54) return signed_zero ? sign : 0;
    uint64_t kept = significand >> drop;
    const uint64_t rest = significand & ((1ull << drop) - 1), half = 1ull << (drop - 1);
    if (rest > half || (rest == half && (kept & 1))) kept++;
    // The implicit bit of `kept` carries into the exponent field, as does a mantissa that rounds up to the
    // next power.
    const int64_t encoded =
        static_cast<int64_t>(kept) + (static_cast<int64_t>(field > 0 ? field - 1 : 0) << f.mantissa_bits);
    if (encoded <= static_cast<int64_t>(f.max_finite())) magnitude = static_cast<uint32_t>(encoded);
  }
  if (magnitude > f.max_finite()) {
    if (saturate || f.kind == SmallFloat::finite) return sign | f.max_finite();
    if (f.kind == SmallFloat::ieee) return sign | f.infinity();
    return f.kind == SmallFloat::fnuz ? f.nan() : sign | f.nan();
  }
  return magnitude == 0 && !signed_zero ? 0 : sign | magnitude;
}

inline float from_small_float(uint32_t bits, const SmallFloat& f) {
  const bool negative = bits & f.sign_bit();
  const uint32_t magnitude = bits & (f.sign_bit() - 1);
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  if (f.kind == SmallFloat::fnuz && bits == f.nan()) return nan;
  if (magnitude > f.max_finite()) {
    if (f.kind == SmallFloat::ieee && magnitude == f.infinity())
      return negative ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
    return negative ? -nan : nan;
  }
  const int field = static_cast<int>(magnitude >> f.mantissa_bits);
  const uint32_t mantissa = magnitude & ((1u << f.mantissa_bits) - 1);
  const float value = field ? std::ldexp(static_cast<float>(mantissa | 1u << f.mantissa_bits),
                                         field - f.bias - f.mantissa_bits)
                            : std::ldexp(static_cast<float>(mantissa), 1 - f.bias - f.mantissa_bits);
  return negative ? -value : value;
}

// f16 and bf16 are common: without branches on the format, and from float.
inline float to_float(f16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000u) << 16, magnitude = h.bits & 0x7fffu;
  if (magnitude >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  // Exponent and mantissa in place, then scaled by 2^(127 - 15): exact, subnormals included.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | sign);
}
inline f16_t to_f16(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x), sign = u >> 16 & 0x8000u;
  const float magnitude = std::bit_cast<float>(u & 0x7fffffffu);
  if (!(magnitude < 65520.0f))  // half way from the greatest f16 to 2^16
    return {static_cast<uint16_t>(sign | (magnitude != magnitude ? 0x7e00u : 0x7c00u))};
  if (magnitude < 0x1p-14f)  // adding 0.5 puts the last bit of a subnormal f16 at the last bit of a float
    return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(magnitude + 0.5f) - 0x3f000000u))};
  const uint32_t m = std::bit_cast<uint32_t>(magnitude);
  return {static_cast<uint16_t>(sign | (m - 0x38000000u + 0xfffu + (m >> 13 & 1)) >> 13)};
}
inline float to_float(bf16_t h) { return std::bit_cast<float>(static_cast<uint32_t>(h.bits) << 16); }
inline bf16_t to_bf16(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  if (x != x) return {static_cast<uint16_t>(u >> 16 | 0x40)};
  return {static_cast<uint16_t>((u + 0x7fffu + (u >> 16 & 1)) >> 16)};
}
inline float to_float(f8e4m3fn_t v) { return from_small_float(v.bits, small_float<f8e4m3fn_t>); }
inline float to_float(f8e4m3fnuz_t v) { return from_small_float(v.bits, small_float<f8e4m3fnuz_t>); }
inline float to_float(f8e5m2_t v) { return from_small_float(v.bits, small_float<f8e5m2_t>); }
inline float to_float(f8e5m2fnuz_t v) { return from_small_float(v.bits, small_float<f8e5m2fnuz_t>); }
inline float to_float(f8e8m0_t v) {
  return v.bits == 255 ? std::numeric_limits<float>::quiet_NaN()
                       : std::ldexp(1.0f, static_cast<int>(v.bits) - 127);
}

enum class Round : uint8_t { nearest, up, down };
// Powers of two; a sign is ignored. saturate: the greatest and the smallest value instead of NaN outside the
// range.
inline f8e8m0_t to_f8e8m0(double x, Round round, bool saturate) {
  if (std::isnan(x)) return {255};
  x = std::fabs(x);
  if (std::isinf(x)) return {static_cast<uint8_t>(saturate ? 254 : 255)};
  if (x == 0) return {static_cast<uint8_t>(saturate ? 0 : 255)};
  int e = 0;
  const double fraction = std::frexp(x, &e) * 2;  // x = fraction * 2^(e - 1), fraction in [1, 2)
  e--;
  if (round == Round::up ? fraction > 1 : round == Round::nearest && fraction >= 1.5) e++;
  if (e < -127) return {static_cast<uint8_t>(saturate ? 0 : 255)};
  if (e > 127) return {static_cast<uint8_t>(saturate ? 254 : 255)};
  return {static_cast<uint8_t>(e + 127)};
}

// Element i of a packed array of 4-bit or 2-bit elements (first element in the low bits).
inline uint8_t get_packed(const void* bytes, int64_t i, int bits) {
  const int64_t per_byte = 8 / bits;
  const int shift = static_cast<int>(i % per_byte) * bits;
  return static_cast<uint8_t>(static_cast<const uint8_t*>(bytes)[i / per_byte] >> shift & ((1 << bits) - 1));
}
// Leaves the neighbours as they are: not for two threads in one byte.
inline void set_packed(void* bytes, int64_t i, int bits, uint8_t value) {
  const int64_t per_byte = 8 / bits;
  const int shift = static_cast<int>(i % per_byte) * bits, mask = (1 << bits) - 1;
  uint8_t& b = static_cast<uint8_t*>(bytes)[i / per_byte];
  b = static_cast<uint8_t>((b & ~(mask << shift)) | (value & mask) << shift);
}
// The low `bits` of v as a two's complement number.
inline int8_t sign_extend(uint8_t v, int bits) {
  return static_cast<int8_t>(static_cast<int8_t>(v << (8 - bits)) >> (8 - bits));
}

}  // namespace hone
