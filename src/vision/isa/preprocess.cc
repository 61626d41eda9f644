#include "vision/isa/preprocess.h"

#include "vision/isa/bytes.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;
using f32x4 = vec<float, 4>;

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

// --- pixels: one in each f32x4, four at a time ---

// Pixels x[0..3] of the output.
template <int C, int Taps>
HONE_INLINE void gather(const PixelTaps& t, const float* row, const int64_t (&x)[4], f32x4 (&pixel)[4]) {
  const int taps = Taps ? Taps : t.taps;
  const float *p[4], *w[4];
  sfor<4>([&](auto i) HONE_LAMBDA {
    p[i] = row + t.start[x[i]];
    w[i] = t.weight + x[i] * taps;
    pixel[i] = splat<f32x4>(w[i][0]) * load<f32x4>(p[i]);
  });
  for (int k = 1; k < taps; k++)
    sfor<4>([&](auto i) HONE_LAMBDA { pixel[i] += splat<f32x4>(w[i][k]) * load<f32x4>(p[i] + k * C); });
}

// The first three channels of four pixels, each in a vector.
HONE_INLINE void transpose(const f32x4 (&pixel)[4], f32x4 (&channel)[3]) {
  const f32x4 a = __builtin_shufflevector(pixel[0], pixel[1], 0, 4, 1, 5),
              b = __builtin_shufflevector(pixel[2], pixel[3], 0, 4, 1, 5),
              c = __builtin_shufflevector(pixel[0], pixel[1], 2, 6, 3, 7),
              d = __builtin_shufflevector(pixel[2], pixel[3], 2, 6, 3, 7);
  channel[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  channel[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  channel[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
}

// put(x, n, pixel) takes output pixels [x, x + n), n <= 4, until all are taken; some may be given twice.
template <int C, int Taps, class Put>
HONE_INLINE void each_four(const PixelTaps& t, const float* row, int64_t n, Put&& put) {
  f32x4 pixel[4];
  for (int64_t x = 0; x < n; x += 4) {
    if (x + 4 > n && n >= 4) x = n - 4;
    int64_t at[4];
    sfor<4>([&](auto i) HONE_LAMBDA { at[i] = x + i < n ? x + i : n - 1; });
    gather<C, Taps>(t, row, at, pixel);
    put(x, n - x < 4 ? static_cast<int>(n - x) : 4, pixel);
  }
}

// Picks the number of channels and of taps.
template <class Put>
HONE_INLINE void each_pixel(const PixelTaps& t, const float* row, int64_t n, Put&& put) {
  if (t.channels == 3) {
    if (t.taps == 1) each_four<3, 1>(t, row, n, put);
    else if (t.taps == 2) each_four<3, 2>(t, row, n, put);
    else each_four<3, 0>(t, row, n, put);
  } else {
    if (t.taps == 1) each_four<4, 1>(t, row, n, put);
    else if (t.taps == 2) each_four<4, 2>(t, row, n, put);
    else each_four<4, 0>(t, row, n, put);
  }
}

void colour_planes(const PixelTaps& t, const float* row, int64_t n, const float* scale, const float* bias,
                   float* const* out) {
  f32x4 s[3], b[3];
  float* plane[3];
  sfor<3>([&](auto j) HONE_LAMBDA {
    s[j] = splat<f32x4>(scale[j]);
    b[j] = splat<f32x4>(bias[j]);
    plane[j] = out[j];
  });
  each_pixel(t, row, n, [&](int64_t x, int m, const f32x4(&pixel)[4]) HONE_LAMBDA {
    f32x4 channel[3];
    transpose(pixel, channel);
    sfor<3>([&](auto j) HONE_LAMBDA {
      const f32x4 v = channel[j] * s[j] + b[j];
      if (m == 4) store(plane[j] + x, v);
      else store_n(plane[j] + x, v, m);
    });
  });
}

template <bool Swap>
HONE_INLINE void interleave(const PixelTaps& t, const float* row, int64_t n, const float* scale,
                            const float* bias, float* out) {
  const f32x4 s = {scale[0], scale[1], scale[2]}, b = {bias[0], bias[1], bias[2]};
  each_pixel(t, row, n, [&](int64_t x, int m, const f32x4(&pixel)[4]) HONE_LAMBDA {
    sfor<4>([&](auto i) HONE_LAMBDA {
      if (i >= m) return;
      const f32x4 v = (Swap ? __builtin_shufflevector(pixel[i], pixel[i], 2, 1, 0, 3) : pixel[i]) * s + b;
      // Four lanes where a pixel of this call follows that overwrites the fourth.
      if (i + 1 < m) store(out + 3 * (x + i), v);
      else store_n(out + 3 * (x + i), v, 3);
    });
  });
}
void colour_pixels(const PixelTaps& t, const float* row, int64_t n, const float* scale, const float* bias,
                   bool swap, float* out) {
  if (swap) interleave<true>(t, row, n, scale, bias, out);
  else interleave<false>(t, row, n, scale, bias, out);
}

void colour_sum(const PixelTaps& t, const float* row, int64_t n, const float* scale, const float* bias,
                float* out) {
  const f32x4 s0 = splat<f32x4>(scale[0]), s1 = splat<f32x4>(scale[1]), s2 = splat<f32x4>(scale[2]),
              b = splat<f32x4>(bias[0]);
  each_pixel(t, row, n, [&](int64_t x, int m, const f32x4(&pixel)[4]) HONE_LAMBDA {
    f32x4 channel[3];
    transpose(pixel, channel);
    store_n(out + x, channel[0] * s0 + (channel[1] * s1 + (channel[2] * s2 + b)), m);
  });
}

void grey(const PixelTaps& t, const float* row, int64_t n, float scale, float bias, float* out,
          int64_t pitch) {
  const float* w = t.weight;
  for (int64_t x = 0; x < n; x++, w += t.taps) {
    const float* p = row + t.start[x];
    float sum = w[0] * p[0];
    for (int k = 1; k < t.taps; k++) sum += w[k] * p[k];
    out[x * pitch] = sum * scale + bias;
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
const PreprocessKernels preprocess_kernels = {.blend_rows = blend_rows,
                                              .colour_planes = colour_planes,
                                              .colour_pixels = colour_pixels,
                                              .colour_sum = colour_sum,
                                              .grey = grey,
                                              .to_f16 = to_f16,
                                              .to_u8 = to_u8,
                                              .to_i8 = to_i8};

}  // namespace hone::HONE_ISA
