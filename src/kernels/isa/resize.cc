#include "kernels/isa/resize.h"

#include "kernels/simd/vec.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;

// B vectors at a time share the walk over the taps.
template <int B, bool Partial>
HONE_INLINE void blend_block(const ResizeTable& t, int32_t from, int32_t to, const float* in, int64_t row,
                             float* out, int n) {
  f32v a[B];
  sfor<B>([&](auto b) HONE_LAMBDA { a[b] = f32v{}; });
  for (int32_t k = from; k < to; k++) {
    const float* p = in + t.index[k] * row;
    const f32v w = splat<f32v>(t.weight[k]);
    sfor<B>([&](auto b)
                HONE_LAMBDA { a[b] += w * (Partial ? load_n<f32v>(p + b * L, n) : load<f32v>(p + b * L)); });
  }
  sfor<B>([&](auto b) HONE_LAMBDA {
    if constexpr (Partial) store_n(out + b * L, a[b], n);
    else store(out + b * L, a[b]);
  });
}

HONE_INLINE void blend(const ResizeTable& t, int64_t o, const float* in, int64_t row, int64_t n, float* out) {
  const int32_t from = t.begin[o], to = t.begin[o + 1];
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) blend_block<4, false>(t, from, to, in + i, row, out + i, L);
  for (; i + L <= n; i += L) blend_block<1, false>(t, from, to, in + i, row, out + i, L);
  if (i < n) blend_block<1, true>(t, from, to, in + i, row, out + i, static_cast<int>(n - i));
}

void blend_rows(const ResizeTable& t, int64_t o, const float* in, int64_t row, int64_t n, float* out) {
  blend(t, o, in, row, n, out);
}

HONE_INLINE void blend_by_taps(const ResizeTable& t, int64_t count, const float* in, float* out) {
  for (int64_t o = 0; o < count; o += L) {
    // The last vector overlaps the one before.
    const int64_t at = o + L <= count || count < L ? o : count - L;
    const int n = count < L ? static_cast<int>(count) : L;
    f32v a{};
    for (int32_t j = 0; j < t.taps; j++)
      a += load_n<f32v>(t.weight + j * count + at, n) * gather(in, load_n<i32v>(t.index + j * count + at, n));
    store_n(out + at, a, n);
  }
}

void blend_pixels(const ResizeTable& t, int64_t count, const float* in, int64_t n, float* out,
                  int64_t pitch) {
  if (t.taps) return blend_by_taps(t, count, in, out);
  if (n == 1) {
    for (int64_t o = 0; o < count; o++, out += pitch) {
      float a = 0;
      for (int32_t k = t.begin[o]; k < t.begin[o + 1]; k++) a += t.weight[k] * in[t.index[k]];
      *out = a;
    }
    return;
  }
  for (int64_t o = 0; o < count; o++, out += pitch) blend(t, o, in, n, n, out);
}

}  // namespace

extern const ResizeKernels resize_kernels;
const ResizeKernels resize_kernels = {.lanes = L, .blend_rows = blend_rows, .blend_pixels = blend_pixels};

}  // namespace hone::HONE_ISA
