// Calls a template for the element type known at run time:
//   HONE_CHECK(dispatch<float, double, int32_t>(view.dtype, [&](auto zero) { using T = decltype(zero); ...
//   }));
// The lambda may return void or Status. Error: the type is none of those listed.
#pragma once
#include <string>
#include <type_traits>

#include "base/tensor.h"

namespace hone {

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  else if constexpr (std::is_same_v<T, double>) return DType::f64;
  else if constexpr (std::is_same_v<T, uint8_t>) return DType::u8;
  else if constexpr (std::is_same_v<T, int8_t>) return DType::i8;
  else if constexpr (std::is_same_v<T, uint16_t>) return DType::u16;
  else if constexpr (std::is_same_v<T, int16_t>) return DType::i16;
  else if constexpr (std::is_same_v<T, uint32_t>) return DType::u32;
  else if constexpr (std::is_same_v<T, int32_t>) return DType::i32;
  else if constexpr (std::is_same_v<T, uint64_t>) return DType::u64;
  else if constexpr (std::is_same_v<T, int64_t>) return DType::i64;
  else if constexpr (std::is_same_v<T, bool8>) return DType::boolean;
  else if constexpr (std::is_same_v<T, f16_t>) return DType::f16;
  else if constexpr (std::is_same_v<T, bf16_t>) return DType::bf16;
  else if constexpr (std::is_same_v<T, f8e4m3fn_t>) return DType::f8e4m3fn;
  else if constexpr (std::is_same_v<T, f8e4m3fnuz_t>) return DType::f8e4m3fnuz;
  else if constexpr (std::is_same_v<T, f8e5m2_t>) return DType::f8e5m2;
  else if constexpr (std::is_same_v<T, f8e5m2fnuz_t>) return DType::f8e5m2fnuz;
  else if constexpr (std::is_same_v<T, f8e8m0_t>) return DType::f8e8m0;
  else if constexpr (std::is_same_v<T, std::string>) return DType::string;
  else return DType::none;
}

template <class... Ts, class F>
Status dispatch(DType d, F&& f) {
  Status status = error(Code::unsupported, "element type %s is not supported here", dtype_name(d));
  auto one = [&](auto zero) {
    using T = decltype(zero);
    static_assert(dtype_of<T>() != DType::none);
    if (d != dtype_of<T>()) return false;
    if constexpr (std::is_void_v<decltype(f(T{}))>) {
      f(T{});
      status = Status{};
    } else {
      status = f(T{});
    }
    return true;
  };
  (void)(one(Ts{}) || ...);
  return status;
}

}  // namespace hone
