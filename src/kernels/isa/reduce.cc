#include "kernels/isa/reduce.h"

#include "kernels/simd/math.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;

struct Sum {
  static HONE_INLINE float start() { return 0; }
  template <class V>
  static HONE_INLINE V join(V a, V b) {
    return a + b;
  }
};
struct Max {
  static HONE_INLINE float start() { return -inf; }
  template <class V>
  static HONE_INLINE V join(V a, V b) {
    return max_nan(a, b);
  }
};
struct Min {
  static HONE_INLINE float start() { return inf; }
  template <class V>
  static HONE_INLINE V join(V a, V b) {
    return min_nan(a, b);
  }
};

// The first n lanes of v, the others `rest`.
HONE_INLINE f32v first_lanes(f32v v, int n, f32v rest) {
  i32v lane;
  for (int i = 0; i < L; i++) lane[i] = i;
  return select(lane < splat<i32v>(n), v, rest);
}

HONE_INLINE int part(int64_t left) { return left < L ? static_cast<int>(left) : L; }

// Joins f(x) over n neighbours: four independent chains; chunks, so that long sums lose less.
template <class Op, class F>
HONE_INLINE float over_row(const float* x, int64_t n, F&& f) {
  constexpr int64_t chunk = 512 * L;
  f32v total = splat<f32v>(Op::start());
  for (int64_t from = 0; from < n; from += chunk) {
    const int64_t to = n - from < chunk ? n : from + chunk;
    f32v a[4];
    sfor<4>([&](auto k) HONE_LAMBDA { a[k] = splat<f32v>(Op::start()); });
    int64_t i = from;
    for (; i + 4 * L <= to; i += 4 * L)
      sfor<4>([&](auto k) HONE_LAMBDA { a[k] = Op::join(a[k], f(load<f32v>(x + i + k * L))); });
    for (; i < to; i += L) {
      const int m = part(to - i);
      a[0] = Op::join(a[0], first_lanes(f(load_n<f32v>(x + i, m)), m, splat<f32v>(Op::start())));
    }
    total = Op::join(total, Op::join(Op::join(a[0], a[1]), Op::join(a[2], a[3])));
  }
  // Lanes joined in pairs; as vectors, since max_nan compares lane by lane.
  return fold(total, [](auto a, auto b) HONE_LAMBDA {
    if constexpr (is_same<decltype(a), float>) return Op::join(vec<float, 4>{a}, vec<float, 4>{b})[0];
    else return Op::join(a, b);
  });
}

template <class Op>
float row(const float* x, int64_t n) {
  return over_row<Op>(x, n, [](f32v v) HONE_LAMBDA { return v; });
}
float row_squares(const float* x, int64_t n, float mean) {
  const f32v m = splat<f32v>(mean);
  return over_row<Sum>(x, n, [m](f32v v) HONE_LAMBDA { return (v - m) * (v - m); });
}

// Both sums in one reading; chunks and chains as over_row() has them.
void row_moments(const float* x, int64_t n, float mean, float* distances, float* squares) {
  constexpr int64_t chunk = 512 * L;
  const f32v m = splat<f32v>(mean);
  f32v sum{}, square{};
  for (int64_t from = 0; from < n; from += chunk) {
    const int64_t to = n - from < chunk ? n : from + chunk;
    f32v s[4]{}, q[4]{};
    const auto add = [&](auto k, f32v d) HONE_LAMBDA { s[k] += d, q[k] += d * d; };
    int64_t i = from;
    for (; i + 4 * L <= to; i += 4 * L)
      sfor<4>([&](auto k) HONE_LAMBDA { add(k, load<f32v>(x + i + k * L) - m); });
    for (; i < to; i += L) {
      const int k = part(to - i);
      add(Int<0>{}, first_lanes(load_n<f32v>(x + i, k) - m, k, f32v{}));
    }
    sum += (s[0] + s[1]) + (s[2] + s[3]);
    square += (q[0] + q[1]) + (q[2] + q[3]);
  }
  *distances = sum_lanes(sum);
  *squares = sum_lanes(square);
}

// Joins f(x, column) over the rows of B vectors of columns, K chains each.
template <class Op, int B, int K, class Load, class F>
HONE_INLINE void column_block(const MatrixView& x, int64_t c, f32v (&total)[B], Load&& get, F&& f) {
  constexpr int64_t chunk = 256;
  for (int64_t from = 0; from < x.rows; from += chunk) {
    const int64_t to = x.rows - from < chunk ? x.rows : from + chunk;
    f32v a[K][B];
    sfor<K>([&](auto k)
                HONE_LAMBDA { sfor<B>([&](auto b) HONE_LAMBDA { a[k][b] = splat<f32v>(Op::start()); }); });
    const float* p = x.data + from * x.row + c;
    int64_t r = from;
    for (; r + K <= to; r += K, p += K * x.row)
      sfor<K>([&](auto k) HONE_LAMBDA {
        sfor<B>([&](auto b) HONE_LAMBDA { a[k][b] = Op::join(a[k][b], f(get(p + k * x.row + b * L), b)); });
      });
    for (; r < to; r++, p += x.row)
      sfor<B>([&](auto b) HONE_LAMBDA { a[0][b] = Op::join(a[0][b], f(get(p + b * L), b)); });
    sfor<B>([&](auto b) HONE_LAMBDA {
      f32v t = a[0][b];
      sfor<K - 1>([&](auto k) HONE_LAMBDA { t = Op::join(t, a[k + 1][b]); });
      total[b] = Op::join(total[b], t);
    });
  }
}

constexpr auto plain = [](const float* p) HONE_LAMBDA { return load<f32v>(p); };

template <class Op>
void columns(const MatrixView& x, float* out, bool more) {
  const auto same = [](f32v v, auto) HONE_LAMBDA { return v; };
  const auto begin = [&](int64_t c, int n)
                         HONE_LAMBDA { return more ? load_n<f32v>(out + c, n) : splat<f32v>(Op::start()); };
  int64_t c = 0;
  for (; c + 4 * L <= x.columns; c += 4 * L) {
    f32v t[4];
    sfor<4>([&](auto b) HONE_LAMBDA { t[b] = begin(c + b * L, L); });
    column_block<Op, 4, 1>(x, c, t, plain, same);
    sfor<4>([&](auto b) HONE_LAMBDA { store(out + c + b * L, t[b]); });
  }
  for (; c < x.columns; c += L) {
    const int n = part(x.columns - c);
    f32v t[1] = {begin(c, n)};
    if (n == L) column_block<Op, 1, 4>(x, c, t, plain, same);
    else
      column_block<Op, 1, 4>(
          x, c, t, [n](const float* p) HONE_LAMBDA { return load_n<f32v>(p, n); }, same);
    store_n(out + c, t[0], n);
  }
}

void column_squares(const MatrixView& x, const float* mean, float* out) {
  for (int64_t c = 0; c < x.columns; c += L) {
    const int n = part(x.columns - c);
    const f32v m = load_n<f32v>(mean + c, n);
    const auto square = [m](f32v v, auto) HONE_LAMBDA { return (v - m) * (v - m); };
    f32v t[1] = {f32v{}};
    if (n == L) column_block<Sum, 1, 4>(x, c, t, plain, square);
    else
      column_block<Sum, 1, 4>(
          x, c, t, [n](const float* p) HONE_LAMBDA { return load_n<f32v>(p, n); }, square);
    store_n(out + c, t[0], n);
  }
}

// y[i] = f(x[i], i, lanes) over one row.
template <class F>
HONE_INLINE void map_row(const float* x, int64_t n, float* y, F&& f) {
  int64_t i = 0;
  for (; i + L <= n; i += L) store(y + i, f(load<f32v>(x + i), i, Int<L>{}));
  if (i < n) {
    const int m = static_cast<int>(n - i);
    store_n(y + i, f(load_n<f32v>(x + i, m), i, m), m);
  }
}
// Whole vectors are loaded plainly, the rest masked.
HONE_INLINE f32v at(const float* p, int64_t i, Int<L>) { return load<f32v>(p + i); }
HONE_INLINE f32v at(const float* p, int64_t i, int n) { return load_n<f32v>(p + i, n); }

void scale_columns(const MatrixView& x, const float* factor, const float* offset, float* y, int64_t y_row) {
  for (int64_t r = 0; r < x.rows; r++)
    map_row(x.data + r * x.row, x.columns, y + r * y_row,
            [=](f32v v, int64_t i, auto n) HONE_LAMBDA { return v * at(factor, i, n) + at(offset, i, n); });
}
void scale_rows(const MatrixView& x, const float* factor, const float* offset, float* y, int64_t y_row) {
  for (int64_t r = 0; r < x.rows; r++) {
    const f32v f = splat<f32v>(factor[r]), o = splat<f32v>(offset[r]);
    map_row(x.data + r * x.row, x.columns, y + r * y_row,
            [=](f32v v, int64_t, auto) HONE_LAMBDA { return v * f + o; });
  }
}
void normalize(const float* x, int64_t n, float mean, float rest, float inverse, const float* scale,
               const float* bias, float* y) {
  const f32v m = splat<f32v>(mean), c = splat<f32v>(rest), s = splat<f32v>(inverse);
  if (bias)
    map_row(x, n, y, [=](f32v v, int64_t i, auto k) HONE_LAMBDA {
      return (v - m - c) * s * at(scale, i, k) + at(bias, i, k);
    });
  else
    map_row(x, n, y,
            [=](f32v v, int64_t i, auto k) HONE_LAMBDA { return (v - m - c) * s * at(scale, i, k); });
}

// exp(x - max) / sum, or x - max - log(sum). A NaN makes the sum, and so the whole group, NaN.
template <bool Log>
void softmax(const MatrixView& x, float* y, int64_t y_row) {
  for (int64_t r = 0; r < x.rows; r++, y += y_row) {
    const float* p = x.data + r * x.row;
    const f32v top = splat<f32v>(row<Max>(p, x.columns));
    if constexpr (Log) {
      const float total = over_row<Sum>(p, x.columns, [top](f32v v) HONE_LAMBDA { return exp(v - top); });
      const f32v shift = log(splat<f32v>(total));
      map_row(p, x.columns, y, [=](f32v v, int64_t, auto) HONE_LAMBDA { return v - top - shift; });
    } else {
      map_row(p, x.columns, y, [=](f32v v, int64_t, auto) HONE_LAMBDA { return exp(v - top); });
      const f32v scale = splat<f32v>(1.0f / row<Sum>(y, x.columns));
      map_row(y, x.columns, y, [=](f32v v, int64_t, auto) HONE_LAMBDA { return v * scale; });
    }
  }
}

template <bool Log>
void softmax_columns(const MatrixView& x, float* y, int64_t y_row) {
  for (int64_t c = 0; c < x.columns; c += L) {
    const int n = part(x.columns - c);
    const auto get = [n](const float* p) HONE_LAMBDA { return n == L ? load<f32v>(p) : load_n<f32v>(p, n); };
    f32v top[1] = {splat<f32v>(-inf)}, total[1] = {f32v{}};
    column_block<Max, 1, 4>(x, c, top, get, [](f32v v, auto) HONE_LAMBDA { return v; });
    if constexpr (Log) {
      column_block<Sum, 1, 4>(x, c, total, get, [&](f32v v, auto) HONE_LAMBDA { return exp(v - top[0]); });
      const f32v shift = log(total[0]);
      for (int64_t r = 0; r < x.rows; r++)
        store_n(y + r * y_row + c, get(x.data + r * x.row + c) - top[0] - shift, n);
    } else {
      for (int64_t r = 0; r < x.rows; r++)
        store_n(y + r * y_row + c, exp(get(x.data + r * x.row + c) - top[0]), n);
      const MatrixView powers = {y, x.rows, x.columns, y_row};
      column_block<Sum, 1, 4>(powers, c, total, get, [](f32v v, auto) HONE_LAMBDA { return v; });
      const f32v scale = splat<f32v>(1) / total[0];
      for (int64_t r = 0; r < x.rows; r++) store_n(y + r * y_row + c, get(y + r * y_row + c) * scale, n);
    }
  }
}

}  // namespace

extern const ReduceKernels reduce_kernels;
const ReduceKernels reduce_kernels = {
    .row = {row<Sum>, row<Max>, row<Min>},
    .columns = {columns<Sum>, columns<Max>, columns<Min>},
    .row_moments = row_moments,
    .row_squares = row_squares,
    .column_squares = column_squares,
    .scale_columns = scale_columns,
    .scale_rows = scale_rows,
    .normalize = normalize,
    .softmax = softmax<false>,
    .log_softmax = softmax<true>,
    .softmax_columns = softmax_columns<false>,
    .log_softmax_columns = softmax_columns<true>,
};

}  // namespace hone::HONE_ISA
