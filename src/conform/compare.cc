#include "conform/compare.h"

#include <algorithm>
#include <cmath>

#include "base/convert.h"
#include "base/result.h"

namespace hone::conform {
namespace {

template <class T>
const T& at(const Tensor& t, int64_t i) {
  return t.data<T>()[i];
}

// Real element i. Integers go their own way: a double does not hold every int64.
double real(const Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DType::f32:
      return at<float>(t, i);
    case DType::f64:
      return at<double>(t, i);
    case DType::f16:
      return to_float(at<f16_t>(t, i));
    case DType::bf16:
      return to_float(at<bf16_t>(t, i));
    case DType::f8e4m3fn:
      return to_float(at<f8e4m3fn_t>(t, i));
    case DType::f8e4m3fnuz:
      return to_float(at<f8e4m3fnuz_t>(t, i));
    case DType::f8e5m2:
      return to_float(at<f8e5m2_t>(t, i));
    case DType::f8e5m2fnuz:
      return to_float(at<f8e5m2fnuz_t>(t, i));
    case DType::f8e8m0:
      return to_float(at<f8e8m0_t>(t, i));
    case DType::f4e2m1:
      return from_small_float(get_packed(t.bytes(), i, 4), f4e2m1_format);
    default:
      return NAN;
  }
}

std::string integer(const Tensor& t, int64_t i) {
  const int bits = dtype_bits(t.dtype());
  switch (t.dtype()) {
    case DType::u4:
    case DType::u2:
      return std::to_string(get_packed(t.bytes(), i, bits));
    case DType::i4:
    case DType::i2:
      return std::to_string(sign_extend(get_packed(t.bytes(), i, bits), bits));
    case DType::boolean:
      return at<bool8>(t, i) ? "true" : "false";
    case DType::u8:
      return std::to_string(at<uint8_t>(t, i));
    case DType::i8:
      return std::to_string(at<int8_t>(t, i));
    case DType::u16:
      return std::to_string(at<uint16_t>(t, i));
    case DType::i16:
      return std::to_string(at<int16_t>(t, i));
    case DType::u32:
      return std::to_string(at<uint32_t>(t, i));
    case DType::i32:
      return std::to_string(at<int32_t>(t, i));
    case DType::u64:
      return std::to_string(at<uint64_t>(t, i));
    default:
      return std::to_string(at<int64_t>(t, i));
  }
}

std::string text(double x) { return strf("%.9g", x); }
std::string text(const std::string& s) {
  constexpr size_t most = 60;
  std::string out = "\"";
  for (const char c : s.substr(0, most)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += strf("\\x%02x", static_cast<unsigned char>(c));
    else out += c;
  }
  return out + (s.size() > most ? "...\"" : "\"");
}

bool close(double got, double want, double absolute, double relative) {
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
  if (std::isinf(want) || std::isinf(got)) return got == want;
  return std::fabs(got - want) <= absolute + relative * std::fabs(want);
}

std::string position(const Shape& shape, int64_t i) {
  std::string out = "[";
  const auto strides = contiguous_strides(shape);
  for (size_t k = 0; k < shape.size(); k++) {
    out += (k ? "," : "") + std::to_string(i / strides[k]);
    i %= strides[k];
  }
  return out + "]";
}

// The first of n elements that are not the same, and how many there are.
template <class Same, class Text>
std::string first(const Shape& shape, int64_t n, Same same, Text words) {
  int64_t found = -1, differ = 0;
  for (int64_t i = 0; i < n; i++)
    if (!same(i) && differ++ == 0) found = i;
  if (found < 0) return {};
  const auto [got, want] = words(found);
  return "element " + position(shape, found) + " is " + got + ", expected " + want +
         strf(" (%lld of %lld differ)", static_cast<long long>(differ), static_cast<long long>(n));
}

using Words = std::pair<std::string, std::string>;

std::string tensor_difference(const Tensor& got, const Tensor& want, double noise) {
  const DType d = want.dtype();
  const Shape& shape = want.shape();
  if (got.dtype() != d || got.shape() != shape)
    return "is " + ValueType(got.dtype(), got.shape()).str() + ", expected " + ValueType(d, shape).str();
  const int64_t n = want.elements();
  if (d == DType::string)
    return first(
        shape, n, [&](int64_t i) { return at<std::string>(got, i) == at<std::string>(want, i); },
        [&](int64_t i) {
          return Words{text(at<std::string>(got, i)), text(at<std::string>(want, i))};
        });
  const bool complex = dtype_kind(d) == DKind::complex;
  if (!is_float(d) && !complex)
    return first(
        shape, n, [&](int64_t i) { return integer(got, i) == integer(want, i); },
        [&](int64_t i) {
          return Words{integer(got, i), integer(want, i)};
        });

  const bool half = d == DType::f16 || d == DType::bf16, exact = dtype_bits(d) <= 8;
  double absolute = exact ? 0 : half ? 1e-3 : 1e-7;
  const double relative = exact ? 0 : half ? 1e-2 : 1e-3;
  Tensor a = got, b = want;
  Shape parts = shape;
  if (complex) {
    if (parts.rank() == max_rank) parts = Shape{n};
    parts.push_back(2);
    const DType part = d == DType::c64 ? DType::f32 : DType::f64;
    a = Tensor::view(got.owner(), got.bytes(), part, parts);
    b = Tensor::view(want.owner(), want.bytes(), part, parts);
  }
  if (noise > 0 && b.dtype() == DType::f32) {
    double greatest = 0;
    for (int64_t i = 0; i < b.elements(); i++)
      if (std::isfinite(real(b, i))) greatest = std::max(greatest, std::fabs(real(b, i)));
    absolute = std::max(absolute, noise * greatest);
  }
  return first(
      parts, b.elements(), [&](int64_t i) { return close(real(a, i), real(b, i), absolute, relative); },
      [&](int64_t i) {
        return Words{text(real(a, i)), text(real(b, i))};
      });
}

}  // namespace

std::string difference(const Value& got, const Value& want, double noise) {
  static const char* const kinds[] = {"nothing", "a tensor", "a sequence", "an optional"};
  if (got.kind != want.kind)
    return std::string("is ") + kinds[static_cast<size_t>(got.kind)] + ", expected " +
           kinds[static_cast<size_t>(want.kind)];
  if (got.kind == Value::Kind::tensor) return tensor_difference(got.tensor, want.tensor, noise);
  const size_t n = got.items ? got.items->size() : 0, m = want.items ? want.items->size() : 0;
  if (n != m) return strf("has %zu items, expected %zu", n, m);
  for (size_t i = 0; i < n; i++)
    if (const std::string words = difference((*got.items)[i], (*want.items)[i], noise); !words.empty())
      return strf("item %zu ", i) + words;
  return {};
}

}  // namespace hone::conform
