#include "kernels/isa/depthwise.h"

#include "kernels/simd/vec.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;
constexpr bool many_registers = vec_registers == 32;
// Of so many channels the outputs of a patch stay in the nearest cache, 14 pixels at most.
constexpr int64_t near_channels = 256;

HONE_INLINE const float* input_row(const DepthwiseJob& job, int64_t y) {
  return job.in + y * job.in_row - (y >= job.in_wrap ? job.in_back : 0);
}

template <int N>
HONE_INLINE void clamp_all(const DepthwiseJob& job, f32v* v) {
  const f32v low = splat<f32v>(job.lo), high = splat<f32v>(job.hi);
  sfor<N>([&](auto i) HONE_LAMBDA { v[i] = clamp(v[i], low, high); });
}
// Applies what is no clamp to n channels of a run of pixels, while they are in the nearest cache.
HONE_INLINE void activate(const DepthwiseJob& job, float* out, int64_t pixels, int64_t n) {
  if (job.act) job.act(out, job.out_pixel, out, job.out_pixel, pixels, n, job.alpha, job.beta);
}

// One vector of channels of RB x XB output pixels. Each input row is loaded once into registers and meets
// every kernel row that reaches it. Edge: some rows (null pointers) or columns (outside [lo, hi)) of the
// input patch are outside the image.
template <int KS, int S, int XB, int RB, bool Edge, bool Tail>
struct Patch {
  static_assert(RB == 1 || RB == 2);
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
    // Input row y meets kernel row y - r * S of output rows r in [R, R + Rs).
    const auto input = [&](auto y, auto R, auto Rs) HONE_LAMBDA {
      if (Edge && !row[y]) return;
      // Or else a row's weights are kept in registers for the next input row, and the registers do not suffice.
      asm volatile("" : "+r"(w));
      const float* p = row[y] + c;
      f32v d[columns];
      sfor<columns>([&](auto x) HONE_LAMBDA {
        if constexpr (Edge) d[x] = x >= lo && x < hi ? get(p + x * job.in_pixel) : f32v{};
        else d[x] = get(p + x * job.in_pixel);
      });
      sfor<Rs>([&](auto i) HONE_LAMBDA {
        constexpr int r = R + i;
        const float* k = w + (y - r * S) * (KS * L);
        sfor<KS>([&](auto kx) HONE_LAMBDA {
          const f32v v = load<f32v>(k + kx * L);
          sfor<XB>([&](auto x) HONE_LAMBDA { acc[r][x] += d[x * S + kx] * v; });
        });
      });
    };
    // Unrolled over the rows where registers suffice, and that is not too much code.
    const auto inputs = [&](auto from, auto to, auto R, auto Rs) HONE_LAMBDA {
      if constexpr (many_registers && KS <= 5)
        sfor<to - from>([&](auto y) HONE_LAMBDA { input(Int<from + y>{}, R, Rs); });
      else
        for (int y = from; y < to; y++) input(y, R, Rs);
    };
    if constexpr (RB == 1) {
      inputs(Int<0>{}, Int<KS>{}, Int<0>{}, Int<1>{});
    } else {
      inputs(Int<0>{}, Int<S>{}, Int<0>{}, Int<1>{});
      inputs(Int<S>{}, Int<KS>{}, Int<0>{}, Int<2>{});
      inputs(Int<KS>{}, Int<KS + S>{}, Int<1>{}, Int<1>{});
    }
    if (residual)
      sfor<RB>([&](auto r) HONE_LAMBDA {
        sfor<XB>([&](auto x) HONE_LAMBDA {
          acc[r][x] += get(residual + r * job.residual_row + x * job.residual_pixel + c);
        });
      });
    clamp_all<RB * XB>(job, acc[0]);
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
  if constexpr (Tail) {
    patch.vector(job, full, out, residual, static_cast<int>(job.channels - full));
    for (int r = 0; r < RB; r++) activate(job, out + r * job.out_row + full, XB, job.channels - full);
  } else {
    for (int64_t c = 0, end; c < full; c = end) {
      end = c + near_channels < full ? c + near_channels : full;
      for (int64_t i = c; i < end; i += L) patch.vector(job, i, out, residual, L);
      for (int r = 0; r < RB; r++) activate(job, out + r * job.out_row + c, XB, end - c);
    }
  }
}

template <int KS, int S, int XB, int RB>
HONE_INLINE void place(const DepthwiseJob& job, int64_t y, int64_t x) {
  const int64_t iy = y * S - job.top, ix = x * S - job.left;
  const bool inside =
      iy >= 0 && iy + (RB - 1) * S + KS <= job.h && ix >= 0 && ix + (XB - 1) * S + KS <= job.w;
  if (inside && RB > 1) pixels<KS, S, XB, RB, false, false>(job, y, x);
  else pixels<KS, S, XB, RB, true, false>(job, y, x);
  // The tail's kernels serve one row and at most four columns: fewer instances for a share of the work that is
  // small.
  if (job.channels % L == 0) return;
  constexpr int part = XB < 4 ? XB : 4;
  for (int r = 0; r < RB; r++) {
    pixels<KS, S, part, 1, true, true>(job, y + r, x);
    if constexpr (XB > part) pixels<KS, S, part, 1, true, true>(job, y + r, x + XB - part);
  }
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
    for (; x < job.x1; x++)
      for (int r = 0; r < RB; r++) place<KS, S, 1, 1>(job, y + r, x);
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
  clamp_all<NV>(job, acc);
  sfor<NV>([&](auto j) HONE_LAMBDA {
    float* to = job.out + y * job.out_row + x * job.out_pixel + c + j * L;
    if constexpr (Tail) store_n(to, acc[j], n);
    else store(to, acc[j]);
  });
  activate(job, job.out + y * job.out_row + x * job.out_pixel + c, 1, (NV - 1) * L + n);
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

void undilated(const DepthwiseJob& job) {
  if (job.kh == job.kw && job.sh == job.sw) {
    if (job.kh == 3 && job.sh == 1) return fixed<3, 1>(job);
    if (job.kh == 3 && job.sh == 2) return fixed<3, 2>(job);
    if (job.kh == 5 && job.sh == 1) return fixed<5, 1>(job);
    if (job.kh == 5 && job.sh == 2) return fixed<5, 2>(job);
    if (job.kh == 7 && job.sh == 1) return fixed<7, 1>(job);
  }
  any(job);
}

// Outputs that lie dh rows and dw columns apart see only inputs that do: each such grid of either is a problem
// without dilation.
void grids(const DepthwiseJob& job) {
  const int64_t dh = job.dh, dw = job.dw;
  // The first of output rows py + i * dh sees rows from begin = py - top on, which are rows first + i * dh.
  const auto first = [](int64_t begin, int64_t d) { return (begin % d + d) % d; };
  const auto ceil = [](int64_t n, int64_t d) { return n > 0 ? (n + d - 1) / d : 0; };
  for (int64_t py = 0; py < dh; py++)
    for (int64_t px = 0; px < dw; px++) {
      const int64_t fy = first(py - job.top, dh), fx = first(px - job.left, dw);
      DepthwiseJob g = job;
      g.dh = g.dw = 1;
      g.top = (fy - (py - job.top)) / dh;
      g.left = (fx - (px - job.left)) / dw;
      g.h = ceil(job.h - fy, dh);
      g.w = ceil(job.w - fx, dw);
      g.in += fy * job.in_row + fx * job.in_pixel;
      g.in_row *= dh;
      g.in_pixel *= dw;
      if (job.in_back) g.in_wrap = ceil(job.in_wrap - fy, dh);
      g.out += py * job.out_row + px * job.out_pixel;
      g.out_row *= dh;
      g.out_pixel *= dw;
      if (job.residual) g.residual += py * job.residual_row + px * job.residual_pixel;
      g.residual_row *= dh;
      g.residual_pixel *= dw;
      g.y0 = ceil(job.y0 - py, dh);
      g.y1 = ceil(job.y1 - py, dh);
      g.x0 = ceil(job.x0 - px, dw);
      g.x1 = ceil(job.x1 - px, dw);
      undilated(g);
    }
}

void run(const DepthwiseJob& job) {
  if (job.dh == 1 && job.dw == 1) undilated(job);
  else if (job.sh == 1 && job.sw == 1 && job.kh == job.kw && (job.kh == 3 || job.kh == 5 || job.kh == 7))
    grids(job);
  else any(job);
}

}  // namespace

extern const DepthwiseKernels depthwise_kernels;
const DepthwiseKernels depthwise_kernels = {L, run};

}  // namespace hone::HONE_ISA
