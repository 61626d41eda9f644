#include "kernels/isa/winograd.h"

#include "kernels/simd/vec.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;

HONE_INLINE f32v times(double c, f32v x) { return splat<f32v>(static_cast<float>(c)) * x; }

// One dimension of the transforms. Row i of B^T holds the coefficients of the product of (x - point) over all
// finite points but the i-th, over all of them for infinity; column i of A^T the powers of the i-th point.
// The points +-p share all but the last step. Half 0 yields the first half of the n results.
template <int M>
struct Line;

template <>
struct Line<4> {
  static constexpr double p = winograd_p[4], q = winograd_q[4], pp = p * p, qq = q * q;
  template <int Half>
  static HONE_INLINE void input(const f32v* d, f32v* t) {
    constexpr double r = Half ? q : p, other = Half ? pp : qq;
    const f32v even = d[4] - times(other, d[2]), odd = d[3] - times(other, d[1]);
    if constexpr (Half == 0) t[0] = d[4] - times(pp + qq, d[2]) + times(pp * qq, d[0]);
    t[Half ? 0 : 1] = even + times(r, odd);
    t[Half ? 1 : 2] = even - times(r, odd);
    if constexpr (Half == 1) t[2] = d[5] - times(pp + qq, d[3]) + times(pp * qq, d[1]);
  }
  static HONE_INLINE void output(const f32v* m, f32v* y) {
    const f32v sp = m[1] + m[2], dp = m[1] - m[2], sq = m[3] + m[4], dq = m[3] - m[4];
    y[0] = m[0] + sp + sq;
    y[1] = times(p, dp) + times(q, dq);
    y[2] = times(pp, sp) + times(qq, sq);
    y[3] = m[5] + times(p * pp, dp) + times(q * qq, dq);
  }
};

template <>
struct Line<2> {
  template <int Half>
  static HONE_INLINE void input(const f32v* d, f32v* t) {
    if constexpr (Half == 0) {
      t[0] = d[2] - d[0];
      t[1] = d[2] + d[1];
    } else {
      t[0] = d[2] - d[1];
      t[1] = d[3] - d[1];
    }
  }
  static HONE_INLINE void output(const f32v* m, f32v* y) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] + m[3];
  }
};

// One vector of channels of a patch whose element (y, x) is get(y, x). By halves of the rows, which fit the
// registers.
template <int M, class Get>
HONE_INLINE void patch(Get&& get, float* v, int64_t v_point) {
  constexpr int n = M + 2, h = n / 2;
  sfor<2>([&](auto half) HONE_LAMBDA {
    f32v t[n][h];
    sfor<n>([&](auto x) HONE_LAMBDA {
      f32v d[n];
      sfor<n>([&](auto y) HONE_LAMBDA { d[y] = get(y, x); });
      Line<M>::template input<half>(d, t[x]);
    });
    sfor<h>([&](auto y) HONE_LAMBDA {
      f32v row[n], r[n];
      sfor<n>([&](auto x) HONE_LAMBDA { row[x] = t[x][y]; });
      Line<M>::template input<0>(row, r);
      Line<M>::template input<1>(row, r + h);
      sfor<n>([&](auto x) HONE_LAMBDA { store(v + ((half * h + y) * n + x) * v_point, r[x]); });
    });
  });
}

template <int M>
__attribute__((noinline)) void inner_tile(const WinogradInput& job, const float* in, float* v) {
  const int64_t row = job.in_row, pixel = job.in_pixel;
  int64_t c = 0;
  for (; c + L <= job.channels; c += L)
    patch<M>([&](auto y, auto x) HONE_LAMBDA { return load<f32v>(in + y * row + x * pixel + c); }, v + c,
             job.v_point);
  const int tail = static_cast<int>(job.channels - c);
  if (tail)
    patch<M>([&](auto y, auto x) HONE_LAMBDA { return load_n<f32v>(in + y * row + x * pixel + c, tail); },
             v + c, job.v_point);
}

template <int M>
__attribute__((noinline)) void edge_tile(const WinogradInput& job, const WinogradTile& t, float* v) {
  constexpr int n = M + 2;
  const float* in[n][n];
  for (int y = 0; y < n; y++)
    for (int x = 0; x < n; x++)
      in[y][x] = y >= t.top && y < t.bottom && x >= t.left && x < t.right
                     ? t.in + y * job.in_row + x * job.in_pixel
                     : job.zeros;
  int64_t c = 0;
  for (; c + L <= job.channels; c += L)
    patch<M>([&](auto y, auto x) HONE_LAMBDA { return load<f32v>(in[y][x] + c); }, v + c, job.v_point);
  const int tail = static_cast<int>(job.channels - c);
  if (tail)
    patch<M>([&](auto y, auto x) HONE_LAMBDA { return load_n<f32v>(in[y][x] + c, tail); }, v + c,
             job.v_point);
}

template <int M>
void input_tiles(const WinogradInput& job) {
  constexpr int n = M + 2;
  for (int64_t i = 0; i < job.count; i++) {
    const WinogradTile& t = job.tiles[i];
    float* v = job.v + i * job.v_tile;
    if (t.top == 0 && t.left == 0 && t.bottom == n && t.right == n) inner_tile<M>(job, t.in, v);
    else edge_tile<M>(job, t, v);
  }
}

// Channels [c, c + lanes) of a tile; only `tail` of them with Tail, only some pixels with Edge.
template <int M, bool Edge, bool Tail>
HONE_INLINE void outputs(const WinogradOutput& job, const WinogradTile& t, const float* products, int64_t c,
                         int tail) {
  constexpr int n = M + 2;
  f32v half[n][M], y[M][M];
  sfor<n>([&](auto i) HONE_LAMBDA {
    f32v m[n];
    sfor<n>([&](auto j) HONE_LAMBDA { m[j] = load<f32v>(products + (i * n + j) * job.point + c); });
    Line<M>::output(m, half[i]);
  });
  sfor<M>([&](auto j) HONE_LAMBDA {
    f32v column[n], r[M];
    sfor<n>([&](auto i) HONE_LAMBDA { column[i] = half[i][j]; });
    Line<M>::output(column, r);
    sfor<M>([&](auto i) HONE_LAMBDA { y[i][j] = r[i]; });
  });
  const f32v bias = load<f32v>(job.bias + c), lo = splat<f32v>(job.lo), hi = splat<f32v>(job.hi);
  const float* residual = t.residual ? t.residual + job.first + c : nullptr;
  float* out = t.out + job.first + c;
  // f(row, column) of all that is inside the map.
  const auto each = [&](auto&& f) HONE_LAMBDA {
    sfor<M>([&](auto i) HONE_LAMBDA {
      if constexpr (Edge)
        if (i >= t.rows) return;
      sfor<M>([&](auto j) HONE_LAMBDA {
        if constexpr (Edge)
          if (j >= t.columns) return;
        f(i, j);
      });
    });
  };
  sfor<M>([&](auto i) HONE_LAMBDA { sfor<M>([&](auto j) HONE_LAMBDA { y[i][j] += bias; }); });
  if (residual)
    each([&](auto i, auto j) HONE_LAMBDA {
      const float* from = residual + i * job.residual_row + j * job.residual_pixel;
      if constexpr (Tail) y[i][j] += load_n<f32v>(from, tail);
      else y[i][j] += load<f32v>(from);
    });
  if (job.act) {
    alignas(64) float results[M * M * L];
    sfor<M * M>([&](auto i) HONE_LAMBDA { store(results + i * L, y[i / M][i % M]); });
    job.act(results, 0, results, 0, 1, M * M * L, job.alpha, job.beta);
    sfor<M * M>([&](auto i) HONE_LAMBDA { y[i / M][i % M] = load<f32v>(results + i * L); });
  }
  each([&](auto i, auto j) HONE_LAMBDA {
    float* to = out + i * job.out_row + j * job.out_pixel;
    if constexpr (Tail) store_n(to, clamp(y[i][j], lo, hi), tail);
    else store(to, clamp(y[i][j], lo, hi));
  });
}

template <int M, bool Edge>
__attribute__((noinline)) void output_tile(const WinogradOutput& job, const WinogradTile& t,
                                           const float* products) {
  int64_t c = 0;
  for (; c + L <= job.channels; c += L) outputs<M, Edge, false>(job, t, products, c, L);
  const int tail = static_cast<int>(job.channels - c);
  if (tail) outputs<M, true, true>(job, t, products, c, tail);
}

template <int M>
void output_tiles(const WinogradOutput& job) {
  for (int64_t i = 0; i < job.count; i++) {
    const WinogradTile& t = job.tiles[i];
    const float* products = job.products + i * job.tile;
    if (t.rows == M && t.columns == M) output_tile<M, false>(job, t, products);
    else output_tile<M, true>(job, t, products);
  }
}

void input(const WinogradInput& job) { job.m == 4 ? input_tiles<4>(job) : input_tiles<2>(job); }
void output(const WinogradOutput& job) { job.m == 4 ? output_tiles<4>(job) : output_tiles<2>(job); }

}  // namespace

extern const WinogradKernels winograd_kernels;
const WinogradKernels winograd_kernels = {input, output};

}  // namespace hone::HONE_ISA
