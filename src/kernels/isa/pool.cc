#include "kernels/isa/pool.h"

#include "kernels/simd/math.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;

struct MaxOf {
  static HONE_INLINE f32v start() { return splat<f32v>(-inf); }
  static HONE_INLINE f32v step(f32v a, f32v x) { return max_nan(a, x); }
  static HONE_INLINE f32v finish(f32v a, float) { return a; }
};
struct AverageOf {
  static HONE_INLINE f32v start() { return f32v{}; }
  static HONE_INLINE f32v step(f32v a, f32v x) { return a + x; }
  static HONE_INLINE f32v finish(f32v a, float divisor) { return a / splat<f32v>(divisor); }
};

// Channels [0, n) of one output pixel, n <= B * L, the last vector being partial where Partial.
template <class Op, int B, bool Partial>
HONE_INLINE void block(const PoolRow& p, const float* x, int64_t taps, float divisor, float* y, int n) {
  f32v a[B];
  sfor<B>([&](auto b) HONE_LAMBDA { a[b] = Op::start(); });
  const int64_t step = p.dilation * p.in_pitch;
  for (int64_t d = 0; d < p.depth.count; d++)
    for (int64_t h = 0; h < p.height.count; h++) {
      const float* q = x + d * p.depth.step + h * p.height.step;
      for (int64_t t = 0; t < taps; t++, q += step)
        sfor<B>([&](auto b) HONE_LAMBDA {
          a[b] = Op::step(a[b], Partial ? load_n<f32v>(q + b * L, n) : load<f32v>(q + b * L));
        });
    }
  sfor<B>([&](auto b) HONE_LAMBDA {
    const f32v v = Op::finish(a[b], divisor);
    if constexpr (Partial) store_n(y + b * L, v, n);
    else store(y + b * L, v);
  });
}

template <class Op>
void row(const PoolRow& given) {
  const PoolRow p = given;  // so that no store can be taken to change it
  float* y = p.y;
  for (int64_t o = 0; o < p.out_width; o++, y += p.out_pitch) {
    const int64_t i = o * p.stride - p.begin;
    const int64_t first = i < 0 ? (-i + p.dilation - 1) / p.dilation : 0;
    const auto taps_below = [&](int64_t size) HONE_LAMBDA {
      if (i + (p.kernel - 1) * p.dilation < size) return p.kernel;  // spares the division
      return i < size ? (size - i + p.dilation - 1) / p.dilation : int64_t{0};
    };
    const int64_t taps = taps_below(p.width) - first;
    const int64_t counted = p.divisor * (p.count_padding ? taps_below(p.width + p.end) : taps < 0 ? 0 : taps);
    const float divisor = counted > 0 ? static_cast<float>(counted) : 1.0f;
    const float* x = p.x + (i + first * p.dilation) * p.in_pitch;
    int64_t c = 0;
    for (; c + 4 * L <= p.channels; c += 4 * L) block<Op, 4, false>(p, x + c, taps, divisor, y + c, L);
    for (; c + L <= p.channels; c += L) block<Op, 1, false>(p, x + c, taps, divisor, y + c, L);
    if (c < p.channels) block<Op, 1, true>(p, x + c, taps, divisor, y + c, static_cast<int>(p.channels - c));
  }
}

}  // namespace

extern const PoolKernels pool_kernels;
const PoolKernels pool_kernels = {.max = row<MaxOf>, .average = row<AverageOf>};

}  // namespace hone::HONE_ISA
