#include "kernels/isa/attention.h"

#include "kernels/simd/math.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;

HONE_INLINE f32v first_lanes(f32v v, int n, f32v rest) {
  i32v lane;
  for (int i = 0; i < L; i++) lane[i] = i;
  return select(lane < splat<i32v>(n), v, rest);
}

// f(offset, lanes) for vectors of n neighbours; `lanes` is Int<L> but for the last, partial one.
template <class F>
HONE_INLINE void vectors(int64_t n, F&& f) {
  int64_t i = 0;
  for (; i + L <= n; i += L) f(i, Int<L>{});
  if (i < n) f(i, static_cast<int>(n - i));
}
HONE_INLINE f32v get(const float* p, Int<L>) { return load<f32v>(p); }
HONE_INLINE f32v get(const float* p, int n) { return load_n<f32v>(p, n); }
HONE_INLINE void put(float* p, f32v v, Int<L>) { store(p, v); }
HONE_INLINE void put(float* p, f32v v, int n) { store_n(p, v, n); }
HONE_INLINE f32v only(f32v v, Int<L>, f32v) { return v; }
HONE_INLINE f32v only(f32v v, int n, f32v rest) { return first_lanes(v, n, rest); }

// The largest x of a row; with a mask, x is left in place of the scores.
template <bool Mask>
HONE_INLINE float largest(float* s, int64_t n, f32v scale, const float* mask) {
  const f32v least = splat<f32v>(-inf);
  f32v top = least;
  vectors(n, [&](int64_t i, auto k) HONE_LAMBDA {
    f32v x = get(s + i, k) * scale;
    if constexpr (Mask) {
      x += get(mask + i, k);
      put(s + i, x, k);
    }
    top = max(top, only(x, k, least));
  });
  return max_lanes(top);
}

template <bool Mask>
HONE_INLINE void weigh_rows(const ScoreBlock& b) {
  const f32v scale = splat<f32v>(b.scale);
  for (int64_t r = 0; r < b.rows; r++) {
    float* s = b.scores + r * b.row;
    const int64_t limit = b.first_limit + r, n = limit < 0 ? 0 : limit < b.keys ? limit : b.keys;
    const float before = b.top[r],
                here = largest<Mask>(s, n, scale, Mask ? b.mask + r * b.mask_row : nullptr);
    const float top = before > here ? before : here;
    // Where nothing may be looked at, all weights are exp(-infinity) = 0.
    const float origin = top == -inf ? 0.0f : top;
    const f32v from = splat<f32v>(origin);
    f32v sum{};
    vectors(n, [&](int64_t i, auto k) HONE_LAMBDA {
      const f32v v = get(s + i, k), w = exp((Mask ? v : v * scale) - from);
      put(s + i, w, k);
      sum += only(w, k, f32v{});
    });
    for (int64_t i = n; i < b.keys; i++) s[i] = 0;
    const float shrink = exp(splat<f32v>(before - origin))[0];
    b.shrink[r] = shrink;
    b.top[r] = top;
    b.sum[r] = b.sum[r] * shrink + sum_lanes(sum);
  }
}

void weigh(const ScoreBlock& b) {
  if (b.mask) weigh_rows<true>(b);
  else weigh_rows<false>(b);
}

void scale_rows(float* y, int64_t rows, int64_t n, int64_t row, const float* factor) {
  for (int64_t r = 0; r < rows; r++, y += row) {
    const f32v f = splat<f32v>(factor[r]);
    vectors(n, [&](int64_t i, auto k) HONE_LAMBDA { put(y + i, get(y + i, k) * f, k); });
  }
}

}  // namespace

extern const AttentionKernels attention_kernels;
const AttentionKernels attention_kernels = {weigh, scale_rows};

}  // namespace hone::HONE_ISA
