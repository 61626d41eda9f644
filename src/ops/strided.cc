#include "ops/strided.h"

#include <string>

#include "base/convert.h"
#include "ops/element.h"

namespace hone {
namespace {
template <class T>
void copy_as(const Nest<2>& nest, void* to, int64_t to_offset, const void* from, int64_t from_offset) {
  T* const y = static_cast<T*>(to) + to_offset;
  const T* const x = static_cast<const T*>(from) + from_offset;
  for_each_row(nest, [&](const auto& at, int64_t n, const auto& stride) {
    T* const row = y + at[0];
    const T* const source = x + at[1];
    if constexpr (std::is_trivially_copyable_v<T>) {
      if (stride[0] == 1 && stride[1] == 1) {
        std::memcpy(row, source, static_cast<size_t>(n) * sizeof(T));
        return;
      }
    }
    for (int64_t i = 0; i < n; i++) row[i * stride[0]] = source[i * stride[1]];
  });
}

void copy_packed(int bits, const Nest<2>& nest, void* to, int64_t to_offset, const void* from,
                 int64_t from_offset) {
  for_each_row(nest, [&](const auto& at, int64_t n, const auto& stride) {
    for (int64_t i = 0; i < n; i++)
      set_packed(to, to_offset + at[0] + i * stride[0], bits,
                 get_packed(from, from_offset + at[1] + i * stride[1], bits));
  });
}
}  // namespace

std::array<int64_t, max_rank> broadcast_strides(const Shape& in, const Shape& out) {
  const auto own = contiguous_strides(in);
  std::array<int64_t, max_rank> strides{};
  const size_t skip = out.size() - in.size();
  for (size_t i = 0; i < in.size(); i++) strides[i + skip] = in[i] == 1 ? 0 : own[i];
  return strides;
}

void copy_strided(DType d, const Nest<2>& nest, void* to, int64_t to_offset, const void* from,
                  int64_t from_offset) {
  if (dtype_bits(d) < 8) return copy_packed(dtype_bits(d), nest, to, to_offset, from, from_offset);
  (void)dispatch_storage(d,
                         [&](auto zero) { copy_as<decltype(zero)>(nest, to, to_offset, from, from_offset); });
}

void copy_elements(DType d, void* to, int64_t to_offset, const void* from, int64_t from_offset, int64_t n) {
  Nest<2> nest;
  nest.add(n, {1, 1});
  copy_strided(d, nest, to, to_offset, from, from_offset);
}

void fill_elements(const TensorView& y, const void* from, int64_t index) {
  Nest<2> nest;
  nest.add(y.elements(), {1, 0});
  copy_strided(y.dtype, nest, y.bytes, 0, from, index);
}

void zero_elements(const TensorView& y) {
  if (y.dtype == DType::string) {
    for (int64_t i = 0, n = y.elements(); i < n; i++) y.data<std::string>()[i].clear();
    return;
  }
  std::memset(y.bytes, 0, static_cast<size_t>(y.byte_size()));
}

}  // namespace hone
