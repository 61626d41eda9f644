// Element types. `none` is "not known yet"; the others are dtype.def.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hone {

enum class DType : uint8_t {
  none = 0,
#define DTYPE(name, number, bits, kind) name = number,
#include "base/dtype.def"
#undef DTYPE
};
enum class DKind : uint8_t { none, real, sint, uint, logic, text, complex };

const char* dtype_name(DType);                 // "f32"; "?" for none
DType dtype_from_name(std::string_view name);  // none if there is no such type
DType dtype_from_number(int64_t onnx_number);  // none if there is no such type
int dtype_bits(DType);                         // 0 for none; a string's element is a std::string object
DKind dtype_kind(DType);

inline bool is_float(DType d) { return dtype_kind(d) == DKind::real; }
inline bool is_int(DType d) { return dtype_kind(d) == DKind::sint || dtype_kind(d) == DKind::uint; }

// Storage of the types that C++ lacks: distinct types, so that templates over element types can tell them
// from integers. Conversions are in base/convert.h.
struct f16_t {
  uint16_t bits;
};
struct bf16_t {
  uint16_t bits;
};
struct f8e4m3fn_t {
  uint8_t bits;
};
struct f8e4m3fnuz_t {
  uint8_t bits;
};
struct f8e5m2_t {
  uint8_t bits;
};
struct f8e5m2fnuz_t {
  uint8_t bits;
};
struct f8e8m0_t {
  uint8_t bits;
};

}  // namespace hone
