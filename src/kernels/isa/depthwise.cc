#include "kernels/isa/depthwise.h"

#include "kernels/simd/vec.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;
constexpr bool many_registers = vec_registers == 32;

HONE_INLINE const float* input_row(const DepthwiseJob& job, int64_t y) {
  return job.in + y * job.in_row - (y >= job.in_wrap ? job.in_back : 0);
}

template <int N>
HONE_INLINE void activate(const DepthwiseJob& job, f32v* v) {
  if (job.act) {
    alignas(64) float results[N * L];
    sfor<N>([&](auto i) HONE_LAMBDA { store(results + i * L, v[i]); });
    job.act(results, 0, results, 0, 1, N * L, job.alpha, job.beta);
    sfor<N>([&](auto i) HONE_LAMBDA { v[i] = load<f32v>(results + i * L); });
    return;
  }
  const f32v low = splat<f32v>(job.lo), high = splat<f32v>(job.hi);
  sfor<N>([&](auto i) HONE_LAMBDA { v[i] = clamp(v[i], low, high); });
}

// One vector of channels of RB x XB output pixels. Each input row is loaded once into registers and meets
// every kernel row that reaches it. Edge: some rows (null pointers) or columns (outside [lo, hi)) of the
// input patch are outside the image.
template <int KS, int S, int XB, int RB, bool Edge, bool Tail>
struct Patch {
  static constexpr int rows = (RB - 1) * S + KS, columns = (XB - 1) * S + KS;
  const float* row[rows];
  int64_t lo, hi;

  HONE_INLINE void vector(const DepthwiseJob& job, int64_t c, float* out, const float* residual,
                          int n) const {
    const auto get = [&](const float* p) HONE_LAMBDA {
      if constexpr (Tail) return load_n<f32v>(p, n);
      else return load<f32v>(p);
    };
    const float* w = job.weights + c * (KS * KS);
    f32v acc[RB][XB];
    const f32v bias = load<f32v>(job.bias + c);
    sfor<RB>([&](auto r) HONE_LAMBDA { sfor<XB>([&](auto x) HONE_LAMBDA { acc[r][x] = bias; }); });
    sfor<rows>([&](auto y) HONE_LAMBDA {
      const float* p = row[y] + c;
      if constexpr (Edge)
        if (!row[y]) return;
      f32v d[columns];
      sfor<columns>([&](auto x) HONE_LAMBDA {
        if constexpr (Edge) d[x] = x >= lo && x < hi ? get(p + x * job.in_pixel) : f32v{};
        else d[x] = get(p + x * job.in_pixel);
      });
      sfor<RB>([&](auto r) HONE_LAMBDA {
        constexpr int ky = y - r * S;
        if constexpr (ky >= 0 && ky < KS)
          sfor<KS>([&](auto kx) HONE_LAMBDA {
            const f32v k = load<f32v>(w + (ky * KS + kx) * L);
            sfor<XB>([&](auto x) HONE_LAMBDA { acc[r][x] += d[x * S + kx] * k; });
          });
      });
    });
    if (residual)
      sfor<RB>([&](auto r) HONE_LAMBDA {
        sfor<XB>([&](auto x) HONE_LAMBDA {
          acc[r][x] += get(residual + r * job.residual_row + x * job.residual_pixel + c);
        });
      });
    activate<RB * XB>(job, acc[0]);
    sfor<RB>([&](auto r) HONE_LAMBDA {
      sfor<XB>([&](auto x) HONE_LAMBDA {
        float* to = out + r * job.out_row + x * job.out_pixel + c;
        if constexpr (Tail) store_n(to, acc[r][x], n);
        else store(to, acc[r][x]);
      });
    });
  }
};

// All channels of RB x XB pixels from (y, x) on; with Tail, only those beyond the last full vector.
template <int KS, int S, int XB, int RB, bool Edge, bool Tail>
__attribute__((noinline)) void pixels(const DepthwiseJob& job, int64_t y, int64_t x) {
  Patch<KS, S, XB, RB, Edge, Tail> patch;
  const int64_t iy = y * S - job.top, ix = x * S - job.left;
  patch.lo = ix < 0 ? -ix : 0;
  patch.hi = job.w - ix;
  for (int i = 0; i < patch.rows; i++)
    patch.row[i] = iy + i < 0 || iy + i >= job.h ? nullptr : input_row(job, iy + i) + ix * job.in_pixel;
  float* out = job.out + y * job.out_row + x * job.out_pixel;
  const float* residual =
      job.residual ? job.residual + y * job.residual_row + x * job.residual_pixel : nullptr;
  const int64_t full = job.channels / L * L;
  if constexpr (Tail) return patch.vector(job, full, out, residual, static_cast<int>(job.channels - full));
  for (int64_t c = 0; c < full; c += L) patch.vector(job, c, out, residual, L);
}

template <int KS, int S, int XB, int RB>
HONE_INLINE void place(const DepthwiseJob& job, int64_t y, int64_t x) {
  const int64_t iy = y * S - job.top, ix = x * S - job.left;
  const bool inside =
      iy >= 0 && iy + (RB - 1) * S + KS <= job.h && ix >= 0 && ix + (XB - 1) * S + KS <= job.w;
  if (inside && RB > 1) pixels<KS, S, XB, RB, false, false>(job, y, x);
  else pixels<KS, S, XB, RB, true, false>(job, y, x);
  // The tail's kernel serves one row: one instance less for a share of the work that is small.
  if (job.channels % L)
    for (int r = 0; r < RB; r++) pixels<KS, S, XB, 1, true, true>(job, y + r, x);
}

// Columns are taken by sevens where that comes out even (maps of 7, 14, 28, ... are the rule) and registers
// suffice, else by fours; what is left over overlaps the piece before it.
template <int KS, int S, int RB>
HONE_INLINE void stripe(const DepthwiseJob& job, int64_t y) {
  constexpr bool sevens = many_registers && S == 1;
  constexpr int wide = many_registers || S == 1 ? 4 : 3;
  int64_t x = job.x0;
  if constexpr (sevens)
    if ((job.x1 - job.x0) % 7 == 0)
      for (; x + 7 <= job.x1; x += 7) place<KS, S, 7, RB>(job, y, x);
  if (job.x1 - job.x0 >= wide) {
    for (; x + wide <= job.x1; x += wide) place<KS, S, wide, RB>(job, y, x);
    if (x < job.x1) place<KS, S, wide, RB>(job, y, job.x1 - wide);
  } else {
    for (; x < job.x1; x++) place<KS, S, 1, RB>(job, y, x);
  }
}

template <int KS, int S>
void fixed(const DepthwiseJob& job) {
  constexpr int RB = KS == 3 || many_registers ? 2 : 1;
  int64_t y = job.y0;
  for (; y + RB <= job.y1; y += RB) stripe<KS, S, RB>(job, y);
  if constexpr (RB > 1)
    for (; y < job.y1; y++) stripe<KS, S, 1>(job, y);
}

// NV vectors of channels of one pixel, any kernel.
template <int NV, bool Tail>
HONE_INLINE void pixel(const DepthwiseJob& job, int64_t y, int64_t x, int64_t c, int n) {
  const int64_t iy = y * job.sh - job.top, ix = x * job.sw - job.left, taps = job.kh * job.kw;
  const auto get = [&](const float* p) HONE_LAMBDA {
    if constexpr (Tail) return load_n<f32v>(p, n);
    else return load<f32v>(p);
  };
  const float* w = job.weights + c * taps;
  f32v acc[NV];
  sfor<NV>([&](auto j) HONE_LAMBDA { acc[j] = load<f32v>(job.bias + c + j * L); });
  for (int64_t ky = 0; ky < job.kh; ky++) {
    const int64_t v = iy + ky * job.dh;
    if (v < 0 || v >= job.h) continue;
    for (int64_t kx = 0; kx < job.kw; kx++) {
      const int64_t u = ix + kx * job.dw;
      if (u < 0 || u >= job.w) continue;
      const float* p = input_row(job, v) + u * job.in_pixel + c;
      const float* k = w + (ky * job.kw + kx) * L;
      sfor<NV>([&](auto j) HONE_LAMBDA { acc[j] += get(p + j * L) * load<f32v>(k + j * taps * L); });
    }
  }
  if (job.residual)
    sfor<NV>([&](auto j) HONE_LAMBDA {
      acc[j] += get(job.residual + y * job.residual_row + x * job.residual_pixel + c + j * L);
    });
  activate<NV>(job, acc);
  sfor<NV>([&](auto j) HONE_LAMBDA {
    float* to = job.out + y * job.out_row + x * job.out_pixel + c + j * L;
    if constexpr (Tail) store_n(to, acc[j], n);
    else store(to, acc[j]);
  });
}

void any(const DepthwiseJob& job) {
  for (int64_t y = job.y0; y < job.y1; y++)
    for (int64_t x = job.x0; x < job.x1; x++) {
      int64_t c = 0;
      for (; c + 4 * L <= job.channels; c += 4 * L) pixel<4, false>(job, y, x, c, L);
      for (; c + L <= job.channels; c += L) pixel<1, false>(job, y, x, c, L);
      if (c < job.channels) pixel<1, true>(job, y, x, c, static_cast<int>(job.channels - c));
    }
}

void run(const DepthwiseJob& job) {
  if (job.kh == job.kw && job.sh == job.sw && job.dh == 1 && job.dw == 1) {
    if (job.kh == 3 && job.sh == 1) return fixed<3, 1>(job);
    if (job.kh == 3 && job.sh == 2) return fixed<3, 2>(job);
    if (job.kh == 5 && job.sh == 1) return fixed<5, 1>(job);
    if (job.kh == 5 && job.sh == 2) return fixed<5, 2>(job);
  }
  any(job);
}

}  // namespace

extern const DepthwiseKernels depthwise_kernels;
const DepthwiseKernels depthwise_kernels = {L, run};

}  // namespace hone::HONE_ISA
