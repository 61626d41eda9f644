#include "compare.h"

#include <cmath>
#include <limits>

#include "base/convert.h"

namespace cli {
using hone::DType;

namespace {
template <class T>
double widen(const T& v) {
  if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(v);
  else return static_cast<double>(to_float(v));
}
template <class T>
void widen_all(const hone::Tensor& t, std::vector<double>& out) {
  for (size_t i = 0; i < out.size(); i++) out[i] = widen(t.data<T>()[i]);
}
}  // namespace

hone::Result<std::vector<double>> to_doubles(const hone::Tensor& t) {
  const bool is_complex = t.dtype() == DType::c64 || t.dtype() == DType::c128;
  std::vector<double> v(static_cast<size_t>(t.elements()) * (is_complex ? 2 : 1));
  const int bits = dtype_bits(t.dtype());
  switch (t.dtype()) {
    case DType::f32:
    case DType::c64:
      widen_all<float>(t, v);
      break;
    case DType::f64:
    case DType::c128:
      widen_all<double>(t, v);
      break;
    case DType::f16:
      widen_all<hone::f16_t>(t, v);
      break;
    case DType::bf16:
      widen_all<hone::bf16_t>(t, v);
      break;
    case DType::i8:
      widen_all<int8_t>(t, v);
      break;
    case DType::i16:
      widen_all<int16_t>(t, v);
      break;
    case DType::i32:
      widen_all<int32_t>(t, v);
      break;
    case DType::i64:
      widen_all<int64_t>(t, v);
      break;
    case DType::u8:
      widen_all<uint8_t>(t, v);
      break;
    case DType::u16:
      widen_all<uint16_t>(t, v);
      break;
    case DType::u32:
      widen_all<uint32_t>(t, v);
      break;
    case DType::u64:
      widen_all<uint64_t>(t, v);
      break;
    case DType::boolean:
      for (size_t i = 0; i < v.size(); i++) v[i] = t.data<uint8_t>()[i] != 0;
      break;
    case DType::f8e4m3fn:
      widen_all<hone::f8e4m3fn_t>(t, v);
      break;
    case DType::f8e4m3fnuz:
      widen_all<hone::f8e4m3fnuz_t>(t, v);
      break;
    case DType::f8e5m2:
      widen_all<hone::f8e5m2_t>(t, v);
      break;
    case DType::f8e5m2fnuz:
      widen_all<hone::f8e5m2fnuz_t>(t, v);
      break;
    case DType::f8e8m0:
      widen_all<hone::f8e8m0_t>(t, v);
      break;
    case DType::f4e2m1:
    case DType::u4:
    case DType::i4:
    case DType::u2:
    case DType::i2:
      for (size_t i = 0; i < v.size(); i++) {
        const uint8_t raw = hone::get_packed(t.bytes(), static_cast<int64_t>(i), bits);
        v[i] = t.dtype() == DType::f4e2m1 ? static_cast<double>(from_small_float(raw, hone::f4e2m1_format))
               : hone::dtype_kind(t.dtype()) == hone::DKind::sint ? hone::sign_extend(raw, bits)
                                                                  : raw;
      }
      break;
    default:
      return hone::error(hone::Code::unsupported, "a tensor of %s has no numbers", dtype_name(t.dtype()));
  }
  return v;
}

Difference compare(const hone::Tensor& got, const hone::Tensor& expected) {
  Difference d;
  if (got.shape() != expected.shape()) {
    d.mismatch = "shape " + got.shape().str() + ", expected " + expected.shape().str();
    return d;
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (got.dtype() == DType::string || expected.dtype() == DType::string) {
    if (got.dtype() != expected.dtype())
      d.mismatch = std::string(dtype_name(got.dtype())) + ", expected " + dtype_name(expected.dtype());
    for (int64_t i = 0, n = got.elements(); d.mismatch.empty() && d.worst < 0 && i < n; i++)
      if (got.data<std::string>()[i] != expected.data<std::string>()[i])
        d.worst = i, d.max_abs = d.relative = infinity;
    return d;
  }
  const auto a = to_doubles(got), b = to_doubles(expected);
  if (!a || !b || a->size() != b->size()) {
    d.mismatch = std::string(dtype_name(got.dtype())) + ", expected " + dtype_name(expected.dtype());
    return d;
  }
  double scale = 0;
  for (size_t i = 0; i < b->size(); i++) {
    const double x = (*a)[i], y = (*b)[i];
    if (std::isfinite(y)) scale = std::max(scale, std::fabs(y));
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double off = std::isfinite(x) && std::isfinite(y) ? std::fabs(x - y) : infinity;
    if (d.worst < 0 || off > d.max_abs) {
      d.max_abs = off;
      d.worst = static_cast<int64_t>(i);
      d.got = x;
      d.expected = y;
    }
  }
  d.relative = scale > 0 ? d.max_abs / scale : d.max_abs;
  return d;
}

}  // namespace cli
