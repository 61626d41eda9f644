#include "vision/isa/preprocess.h"

#include "vision/isa/four.h"

namespace hone::HONE_ISA {
namespace {

// --- rows: B vectors at a time share the walk over the taps; Taps = 0: as many as are given ---

template <int B, int Taps>
HONE_INLINE void blend_block(const uint8_t* in, int64_t stride, const float* weight, int taps, float* out) {
  f32v sum[B], v[B];
  load_bytes<B>(in, sum);
  if (Taps != 1 || weight[0] != 1) {
    const f32v w = splat<f32v>(weight[0]);
    sfor<B>([&](auto b) HONE_LAMBDA { sum[b] *= w; });
  }
  for (int k = 1; k < (Taps ? Taps : taps); k++) {
    load_bytes<B>(in + k * stride, v);
    const f32v w = splat<f32v>(weight[k]);
    sfor<B>([&](auto b) HONE_LAMBDA { sum[b] += w * v[b]; });
  }
  sfor<B>([&](auto b) HONE_LAMBDA { store(out + b * L, sum[b]); });
}

template <int Taps>
HONE_INLINE void blend(const uint8_t* in, int64_t stride, const float* weight, int taps, int64_t n,
                       float* out) {
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) blend_block<4, Taps>(in + i, stride, weight, taps, out + i);
  for (; i + L <= n; i += L) blend_block<1, Taps>(in + i, stride, weight, taps, out + i);
  if (i == n) return;
  if (n >= L) return blend_block<1, Taps>(in + n - L, stride, weight, taps, out + n - L);
  f32v sum{}, v[1];
  for (int k = 0; k < taps; k++) {
    uint8_t bytes[L] = {};
    memcpy(bytes, in + k * stride, static_cast<size_t>(n));
    load_bytes<1>(bytes, v);
    sum += splat<f32v>(weight[k]) * v[0];
  }
  store_n(out, sum, static_cast<int>(n));
}

void blend_rows(const uint8_t* in, int64_t stride, const float* weight, int taps, int64_t n, float* out) {
  if (taps == 1) blend<1>(in, stride, weight, 1, n, out);
  else if (taps == 2) blend<2>(in, stride, weight, 2, n, out);
  else blend<0>(in, stride, weight, taps, n, out);
}

// --- pixels: four(at) yields those of the output at[0..3] ---

// At the end of a row, where whole vectors would be read from behind it: its last bytes, and zeros.
struct RowEnd {
  static constexpr int most = 16;
  int64_t from;  // of these bytes in the row
  uint8_t upper[2 * most] = {}, lower[2 * most] = {};

  HONE_INLINE explicit RowEnd(const PixelSource& s) : from(s.bytes > most ? s.bytes - most : 0) {
    memcpy(upper, s.upper + from, static_cast<size_t>(s.bytes - from));
    memcpy(lower, s.lower + from, static_cast<size_t>(s.bytes - from));
  }
};

template <int C>
struct Copy {
  static constexpr int reads = 4;
  const PixelSource s;  // a copy: stores to the output could change the original's members, to the compiler
  const RowEnd& end;
  template <bool Checked>
  HONE_INLINE Four four(const int64_t (&at)[4]) const {
    const uint8_t* p[4];
    sfor<4>([&](auto i) HONE_LAMBDA {
      const int64_t x = s.start[at[i]];
      p[i] = Checked && x + reads > s.bytes ? end.upper + (x - end.from) : s.upper + x;
    });
    Four f;
    sfor<vectors>([&](auto i) HONE_LAMBDA { f.v[i] = load_pixels(p + i * per_vector); });
    return f;
  }
};

template <int C>
struct Bilinear {
  static constexpr int reads = 16;
  const PixelSource s;
  const RowEnd& end;
  template <bool Checked>
  HONE_INLINE Four four(const int64_t (&at)[4]) const {
    const uint8_t *p[4], *q[4];
    sfor<4>([&](auto i) HONE_LAMBDA {
      const int64_t x = s.start[at[i]];
      const bool over = Checked && x + reads > s.bytes;
      p[i] = over ? end.upper + (x - end.from) : s.upper + x;
      q[i] = over ? end.lower + (x - end.from) : s.lower + x;
    });
    const f32v wp = splat<f32v>(s.upper_weight), wq = splat<f32v>(s.lower_weight);
    Four f;
    sfor<vectors>([&](auto i) HONE_LAMBDA {
      constexpr int first = i * per_vector;
      const i32v pairs = load<i32v>(s.pairs + 4 * at[first]);
      const i32v upper = multiply_pairs(pair_up<C>(load_blocks(p + first)), pairs),
                 lower = multiply_pairs(pair_up<C>(load_blocks(q + first)), pairs);
      f.v[i] = round<Round::nearest>(convert<f32v>(upper) * wp + convert<f32v>(lower) * wq);
    });
    return f;
  }
};

template <int C>
struct Weighted {
  const PixelSource s;
  template <bool>
  HONE_INLINE Four four(const int64_t (&at)[4]) const {
    constexpr int unit = taps_per_vector<C>;
    const float *p[4], *w[4];
    f32v sum[4];
    sfor<4>([&](auto i) HONE_LAMBDA {
      p[i] = s.row + s.start[at[i]];
      w[i] = s.weight + at[i] * s.taps;
      sum[i] = spread_weights<C>(w[i]) * load<f32v>(p[i]);
    });
    for (int k = unit; k < s.taps; k += unit)
      sfor<4>([&](auto i) HONE_LAMBDA { sum[i] += spread_weights<C>(w[i] + k) * load<f32v>(p[i] + k * C); });
    Four f = add_taps<C>(sum);
    sfor<vectors>([&](auto i) HONE_LAMBDA { f.v[i] = round<Round::nearest>(f.v[i]); });
    return f;
  }
};

// put(x, n, four) takes output pixels [x, x + n), n <= 4, until all n are taken; some may be given twice. The
// first `safe` need no check. `pairs` of a bilinear source are read by the vector, so fewer than four pixels
// are its first four where there are as many: the table has room for them.
template <class Source, class Put>
HONE_INLINE void each_four(const Source& source, int64_t n, int64_t safe, Put&& put) {
  int64_t x = 0;
  for (; x + 4 <= safe; x += 4) {
    const int64_t at[4] = {x, x + 1, x + 2, x + 3};
    put(x, 4, source.template four<false>(at));
  }
  for (; x < n; x += 4) {
    if (x + 4 > n && n >= 4) x = n - 4;
    const int64_t last = n - 1;
    const int64_t at[4] = {x, x + 1 < n ? x + 1 : last, x + 2 < n ? x + 2 : last, x + 3 < n ? x + 3 : last};
    put(x, n - x < 4 ? static_cast<int>(n - x) : 4, source.template four<true>(at));
  }
}

// Pixels of the output whose bytes may be read by the vector.
HONE_INLINE int64_t safe_pixels(const PixelSource& s, int64_t n, int reads) {
  while (n > 0 && s.start[n - 1] + reads > s.bytes) n--;
  return n;
}

template <int C, class Put>
HONE_INLINE void each_pixel_of(const PixelSource& s, int64_t n, Put&& put) {
  if (s.kind == PixelSource::weighted) return each_four(Weighted<C>{s}, n, n, put);
  const RowEnd end(s);
  if (s.kind == PixelSource::copy) each_four(Copy<C>{s, end}, n, safe_pixels(s, n, 4), put);
  else each_four(Bilinear<C>{s, end}, n, safe_pixels(s, n, 16), put);
}
template <class Put>
HONE_INLINE void each_pixel(const PixelSource& s, int64_t n, Put&& put) {
  if (s.channels == 3) each_pixel_of<3>(s, n, put);
  else each_pixel_of<4>(s, n, put);
}

HONE_INLINE f32v three(const float* p) { return repeat(f32x4{p[0], p[1], p[2]}); }

void colour_planes(const PixelSource& source, int64_t n, const float* scale, const float* bias,
                   float* const* out) {
  const f32v s = three(scale), b = three(bias);
  float *const to0 = out[0], *const to1 = out[1], *const to2 = out[2];
  each_pixel(source, n, [&](int64_t x, int m, Four f) HONE_LAMBDA {
    f32x4 channel[3];
    sfor<vectors>([&](auto i) HONE_LAMBDA { f.v[i] = f.v[i] * s + b; });
    transpose(f, channel);
    if (m == 4) {
      store(to0 + x, channel[0]);
      store(to1 + x, channel[1]);
      store(to2 + x, channel[2]);
    } else {
      store_n(to0 + x, channel[0], m);
      store_n(to1 + x, channel[1], m);
      store_n(to2 + x, channel[2], m);
    }
  });
}

template <bool Swap>
HONE_INLINE void interleave(const PixelSource& source, int64_t n, const float* scale, const float* bias,
                            float* out) {
  const f32v s = three(scale), b = three(bias);
  each_pixel(source, n, [&](int64_t x, int m, Four f) HONE_LAMBDA {
    float* to = out + 3 * x;
    if constexpr (Swap) {
      // so that scale and bias meet their channels
      sfor<vectors>([&](auto i) HONE_LAMBDA { f.v[i] = swap_ends(f.v[i]); });
    }
    sfor<vectors>([&](auto i) HONE_LAMBDA { f.v[i] = f.v[i] * s + b; });
    sfor<4>([&](auto i) HONE_LAMBDA {
      // Four lanes where a pixel of this call follows that overwrites the fourth.
      if (i + 1 < m) store(to + 3 * i, pixel<i>(f));
      else if (i < m) store_n(to + 3 * i, pixel<i>(f), 3);
    });
  });
}
void colour_pixels(const PixelSource& source, int64_t n, const float* scale, const float* bias, bool swap,
                   float* out) {
  if (swap) interleave<true>(source, n, scale, bias, out);
  else interleave<false>(source, n, scale, bias, out);
}

void colour_sum(const PixelSource& source, int64_t n, const float* scale, const float* bias, float* out) {
  const f32v s = three(scale);
  const f32x4 b = splat<f32x4>(bias[0]);
  each_pixel(source, n, [&](int64_t x, int m, Four f) HONE_LAMBDA {
    f32x4 channel[3];
    sfor<vectors>([&](auto i) HONE_LAMBDA { f.v[i] *= s; });
    transpose(f, channel);
    store_n(out + x, channel[0] + channel[1] + (channel[2] + b), m);
  });
}

void grey(const PixelSource& s, int64_t n, float scale, float bias, float* out, int64_t pitch) {
  const float* w = s.weight;
  for (int64_t x = 0; x < n; x++, w += s.taps) {
    const float* p = s.row + s.start[x];
    float sum = w[0] * p[0];
    for (int k = 1; k < s.taps; k++) sum += w[k] * p[k];
    out[x * pitch] = __builtin_rintf(sum) * scale + bias;
  }
}

// --- types ---

// put(vector, to) stores L converted elements.
template <class T, class Put>
HONE_INLINE void convert_all(const float* in, int64_t n, T* out, Put&& put) {
  int64_t i = 0;
  for (; i + L <= n; i += L) put(load<f32v>(in + i), out + i);
  if (i == n) return;
  T rest[L];
  put(load_n<f32v>(in + i, static_cast<int>(n - i)), rest);
  memcpy(out + i, rest, static_cast<size_t>(n - i) * sizeof(T));
}

void to_f16(const float* in, int64_t n, uint16_t* out) {
  convert_all(in, n, out, [](f32v v, uint16_t* to) HONE_LAMBDA { store_low_halves(to, f16_bits(v)); });
}
template <class T>
HONE_INLINE void to_bytes(const float* in, int64_t n, T* out, float least, float most) {
  const f32v lo = splat<f32v>(least), hi = splat<f32v>(most);
  convert_all(in, n, out, [&](f32v v, T* to) HONE_LAMBDA {
    store_low_bytes(reinterpret_cast<uint8_t*>(to), convert<i32v>(round<Round::nearest>(clamp(v, lo, hi))));
  });
}
void to_u8(const float* in, int64_t n, uint8_t* out) { to_bytes(in, n, out, 0, 255); }
void to_i8(const float* in, int64_t n, int8_t* out) { to_bytes(in, n, out, -128, 127); }

}  // namespace

extern const PreprocessKernels preprocess_kernels;
const PreprocessKernels preprocess_kernels = {.taps_unit = {1, 1, 1, taps_per_vector<3>, taps_per_vector<4>},
                                              .blend_rows = blend_rows,
                                              .colour_planes = colour_planes,
                                              .colour_pixels = colour_pixels,
                                              .colour_sum = colour_sum,
                                              .grey = grey,
                                              .to_f16 = to_f16,
                                              .to_u8 = to_u8,
                                              .to_i8 = to_i8};

}  // namespace hone::HONE_ISA
