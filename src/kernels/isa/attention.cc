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

// R rows at a time: their chains are independent of each other.
template <int R>
HONE_INLINE void weigh_rows(const ScoreBlock& b, int64_t r, int64_t n) {
  float* s = b.scores + r * b.row;
  f32v largest[R], from[R], sum[R];
  float before[R], top[R], shrink[R];
  sfor<R>([&](auto j) HONE_LAMBDA { largest[j] = splat<f32v>(-inf), sum[j] = f32v{}; });
  vectors(n, [&](int64_t i, auto k) HONE_LAMBDA {
    sfor<R>([&](auto j) HONE_LAMBDA {
      largest[j] = max(largest[j], only(get(s + j * b.row + i, k), k, splat<f32v>(-inf)));
    });
  });
  sfor<R>([&](auto j) HONE_LAMBDA {
    const float here = max_lanes(largest[j]);
    before[j] = b.top[r + j];
    top[j] = before[j] > here ? before[j] : here;
    // Where nothing may be looked at, all weights are exp(-infinity) = 0.
    from[j] = splat<f32v>(top[j] == -inf ? 0.0f : top[j]);
  });
  vectors(n, [&](int64_t i, auto k) HONE_LAMBDA {
    sfor<R>([&](auto j) HONE_LAMBDA {
      const f32v w = exp_below_zero(get(s + j * b.row + i, k) - from[j]);
      put(s + j * b.row + i, w, k);
      sum[j] += only(w, k, f32v{});
    });
  });
  sfor<R>([&](auto j) HONE_LAMBDA {
    for (int64_t i = n; i < b.keys; i++) s[j * b.row + i] = 0;
    shrink[j] = exp_below_zero(splat<f32v>(before[j]) - from[j])[0];
    b.shrink[r + j] = shrink[j];
    b.top[r + j] = top[j];
    b.sum[r + j] = b.sum[r + j] * shrink[j] + sum_lanes(sum[j]);
  });
}

void weigh(const ScoreBlock& b) {
  int64_t r = 0;
  if (b.first_limit >= b.keys)  // for all rows
    for (; r + 4 <= b.rows; r += 4) weigh_rows<4>(b, r, b.keys);
  for (; r < b.rows; r++) {
    const int64_t limit = b.first_limit + r;
    weigh_rows<1>(b, r, limit < 0 ? 0 : limit < b.keys ? limit : b.keys);
  }
}

void scale_rows(float* y, int64_t rows, int64_t n, int64_t row, const float* factor) {
  for (int64_t r = 0; r < rows; r++, y += row) {
    const f32v f = splat<f32v>(factor[r]);
    vectors(n, [&](int64_t i, auto k) HONE_LAMBDA { put(y + i, get(y + i, k) * f, k); });
  }
}

void scale(float* y, int64_t n, float factor) {
  const f32v f = splat<f32v>(factor);
  vectors(n, [&](int64_t i, auto k) HONE_LAMBDA { put(y + i, get(y + i, k) * f, k); });
}

}  // namespace

extern const AttentionKernels attention_kernels;
const AttentionKernels attention_kernels = {weigh, scale_rows, scale};

}  // namespace hone::HONE_ISA
