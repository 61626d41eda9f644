#include "ops/rows.h"

#include "ops/element.h"

namespace hone {
namespace {
// Whether A holds T as rows.h says.
template <class A, class T>
constexpr bool holds() {
  constexpr bool integer = std::is_integral_v<T> || std::is_same_v<T, bool8>;
  if constexpr (std::is_same_v<A, float>) return !integer && !std::is_same_v<T, double>;
  else if constexpr (std::is_same_v<A, double>) return !std::is_same_v<T, bool8>;
  else return integer;
}

template <class A, class T>
void read(const void* tensor, int64_t at, int64_t stride, int64_t n, A* to) {
  const T* const p = static_cast<const T*>(tensor) + at;
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<A>(load(p[i * stride]));
}
template <class A, class T>
void write(const A* from, int64_t n, void* tensor, int64_t at, int64_t stride) {
  T* const p = static_cast<T*>(tensor) + at;
  for (int64_t i = 0; i < n; i++) {
    if constexpr (std::is_same_v<T, bool8>) p[i * stride] = from[i] != 0;
    else if constexpr (std::is_integral_v<T> && std::is_same_v<A, double>)
      p[i * stride] = static_cast<T>(to_int64(from[i]));
    else store(p[i * stride], static_cast<Compute<T>>(from[i]));
  }
}

template <class F>
void each_type(DType d, F&& f) {
  if (d == DType::boolean) f(bool8());
  else (void)dispatch_numbers(d, f);
}

template <class T>
uint64_t key_of(T x) {
  if constexpr (std::is_same_v<T, bool8>) return x ? 1 : 0;
  else if constexpr (std::is_unsigned_v<T>) return x;
  else if constexpr (std::is_integral_v<T>) return static_cast<uint64_t>(int64_t{x}) ^ uint64_t { 1 } << 63;
  else {
    const double v = static_cast<double>(x) + 0.0;  // makes 0 of -0
    if (std::isnan(v)) return ~uint64_t{0};
    const uint64_t bits = std::bit_cast<uint64_t>(v);
    return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
  }
}
}  // namespace

template <class A>
ReadRow<A> read_row(DType d) {
  ReadRow<A> row = nullptr;
  each_type(d, [&](auto zero) {
    if constexpr (holds<A, decltype(zero)>()) row = read<A, decltype(zero)>;
  });
  return row;
}
template <class A>
WriteRow<A> write_row(DType d) {
  WriteRow<A> row = nullptr;
  each_type(d, [&](auto zero) {
    if constexpr (holds<A, decltype(zero)>()) row = write<A, decltype(zero)>;
  });
  return row;
}
template ReadRow<float> read_row<float>(DType);
template ReadRow<double> read_row<double>(DType);
template ReadRow<int64_t> read_row<int64_t>(DType);
template ReadRow<uint64_t> read_row<uint64_t>(DType);
template WriteRow<float> write_row<float>(DType);
template WriteRow<double> write_row<double>(DType);
template WriteRow<int64_t> write_row<int64_t>(DType);
template WriteRow<uint64_t> write_row<uint64_t>(DType);

std::vector<uint64_t> order_keys(const TensorView& x) {
  std::vector<uint64_t> keys(static_cast<size_t>(x.elements()));
  each_type(x.dtype, [&](auto zero) {
    for (size_t i = 0; i < keys.size(); i++) keys[i] = key_of(load(x.data<decltype(zero)>()[i]));
  });
  return keys;
}

}  // namespace hone
