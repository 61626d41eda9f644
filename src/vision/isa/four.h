// Four pixels in vectors: one in each 128 bits (red, green, blue, and whatever follows), so one vector of
// AVX-512, two of AVX2, four of SSE and NEON.
#pragma once
#include "vision/isa/bytes.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;
constexpr int vectors = 16 / L, per_vector = L / 4;
using f32x4 = vec<float, 4>;
struct Four {
  f32v v[vectors];
};

// Lanes of a and b, those of b counted on from those of a. (Functions below are templates of the number of
// lanes, so that what is meant for other vectors is not compiled.)
template <int... I, class V>
HONE_INLINE auto shuffle(V a, V b) {
  return __builtin_shufflevector(a, b, I...);
}

// The same four lanes in every 128 bits.
template <int W = L>
HONE_INLINE vec<float, W> repeat(f32x4 x) {
  if constexpr (W == 16) return shuffle<0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3>(x, x);
  else if constexpr (W == 8) return shuffle<0, 1, 2, 3, 0, 1, 2, 3>(x, x);
  else return x;
}

template <int I, int W = L>
HONE_INLINE f32x4 pixel(const Four& f) {
  const vec<float, W> v = f.v[I / per_vector];
  constexpr int at = I % per_vector * 4;
  if constexpr (W == 4) return v;
  else return shuffle<at, at + 1, at + 2, at + 3>(v, v);
}

// Channels 0 and 2 of each pixel exchanged.
template <int W = L>
HONE_INLINE vec<float, W> swap_ends(vec<float, W> v) {
  if constexpr (W == 16) return shuffle<2, 1, 0, 3, 6, 5, 4, 7, 10, 9, 8, 11, 14, 13, 12, 15>(v, v);
  else if constexpr (W == 8) return shuffle<2, 1, 0, 3, 6, 5, 4, 7>(v, v);
  else return shuffle<2, 1, 0, 3>(v, v);
}

// The first three channels, each in a vector.
template <int W = L>
HONE_INLINE void transpose(const Four& f, f32x4 (&channel)[3]) {
  if constexpr (W == 16) {
    const vec<float, W> all = f.v[0],
                        v = shuffle<0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15>(all, all);
    sfor<3>([&](auto j) HONE_LAMBDA { channel[j] = shuffle<4 * j, 4 * j + 1, 4 * j + 2, 4 * j + 3>(v, v); });
  } else {
    const f32x4 a = shuffle<0, 4, 1, 5>(pixel<0>(f), pixel<1>(f)),
                b = shuffle<0, 4, 1, 5>(pixel<2>(f), pixel<3>(f)),
                c = shuffle<2, 6, 3, 7>(pixel<0>(f), pixel<1>(f)),
                d = shuffle<2, 6, 3, 7>(pixel<2>(f), pixel<3>(f));
    channel[0] = shuffle<0, 1, 4, 5>(a, b);
    channel[1] = shuffle<2, 3, 6, 7>(a, b);
    channel[2] = shuffle<0, 1, 4, 5>(c, d);
  }
}

// --- from bytes ---

// A vector of the 128 bits at each of p[0 .. per_vector).
HONE_INLINE i32v load_blocks(const uint8_t* const* p) {
#if defined(__AVX2__)
  const auto block = [&](int i) HONE_LAMBDA { return load<__m128i>(p[i]); };
  const auto two = [&](int i) HONE_LAMBDA {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(block(i)), block(i + 1), 1);
  };
#if defined(__AVX512F__)
  return (i32v)_mm512_maskz_inserti64x4(0xff, _mm512_castsi256_si512(two(0)), two(2), 1);
#else
  return (i32v)two(0);
#endif
#else
  return load<i32v>(p[0]);
#endif
}

// Of pixels beside each other in 128 bits: each channel's two bytes as a pair of 16-bit numbers.
template <int C>
HONE_INLINE i32v pair_up(i32v v) {
  constexpr int8_t o = -128;
  alignas(16) static constexpr int8_t order[16] = {0, o, C, o, 1, o, C + 1, o, 2, o, C + 2, o, o, o, o, o};
#if defined(__aarch64__)
  return (i32v)vqtbl1q_u8((uint8x16_t)v, vreinterpretq_u8_s8(vld1q_s8(order)));
#else
  const __m128i one = _mm_load_si128(reinterpret_cast<const __m128i*>(order));
#if defined(__AVX512F__)
  return (i32v)_mm512_shuffle_epi8((__m512i)v, _mm512_maskz_broadcast_i32x4(0xffff, one));
#elif defined(__AVX2__)
  return (i32v)_mm256_shuffle_epi8((__m256i)v, _mm256_broadcastsi128_si256(one));
#else
  return (i32v)_mm_shuffle_epi8((__m128i)v, one);
#endif
#endif
}

// Pairs of 16-bit numbers multiplied and added.
HONE_INLINE i32v multiply_pairs(i32v a, i32v b) {
#if defined(__AVX512F__)
  return (i32v)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (i32v)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__aarch64__)
  const int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
  return (i32v)vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
#else
  return (i32v)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
}

// The four bytes at each of p[0 .. per_vector).
HONE_INLINE f32v load_pixels(const uint8_t* const* p) {
  int32_t four[per_vector];
  sfor<per_vector>([&](auto i) HONE_LAMBDA { memcpy(&four[i], p[i], 4); });
#if defined(__AVX512F__)
  return widen(vec<int32_t, 4>{four[0], four[1], four[2], four[3]});
#elif defined(__AVX2__)
  return widen(vec<int32_t, 4>{four[0], four[1]});
#else
  return widen(vec<int32_t, 4>{four[0]});
#endif
}

// --- from floats: several taps share a vector, as many pixels of C channels as fit into it ---

template <int C>
constexpr int taps_per_vector = L / C;

// weight[0 .. taps_per_vector), each as often as a pixel has channels.
template <int C, int W = L>
HONE_INLINE vec<float, W> spread_weights(const float* weight) {
  if constexpr (W == 4) {
    return splat<vec<float, W>>(*weight);
  } else {
    const auto w = load<vec<float, W>>(weight);
    if constexpr (W == 16 && C == 3) return shuffle<0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4>(w, w);
    else if constexpr (W == 16) return shuffle<0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3>(w, w);
    else if constexpr (C == 3) return shuffle<0, 0, 0, 1, 1, 1, 1, 1>(w, w);
    else return shuffle<0, 0, 0, 0, 1, 1, 1, 1>(w, w);
  }
}

// Adds up the taps within each vector.
template <int C, int W = L>
HONE_INLINE Four add_taps(const f32v (&s)[4]) {
  using V = vec<float, W>;
  Four f;
  if constexpr (W == 4) {
    sfor<4>([&](auto i) HONE_LAMBDA { f.v[i] = s[i]; });
  } else if constexpr (W == 8) {
    sfor<2>([&](auto i) HONE_LAMBDA {
      const V a = s[2 * i], b = s[2 * i + 1];
      const V low = shuffle<0, 1, 2, 3, 8, 9, 10, 11>(a, b), high = shuffle<4, 5, 6, 7, 12, 13, 14, 15>(a, b);
      if constexpr (C == 3) f.v[i] = low + shuffle<3, 8, 9, 10, 7, 12, 13, 14>(low, high);
      else f.v[i] = low + high;
    });
  } else {
    V two[2];  // of two pixels a, b: a b a b, still to be added
    sfor<2>([&](auto i) HONE_LAMBDA {
      const V a = s[2 * i], b = s[2 * i + 1];
      if constexpr (C == 3) {
        const V zero{};
        const V rest = shuffle<12, 13, 14, 15, 28, 29, 30, 31, 15, 15, 15, 15, 15, 15, 15, 15>(a, b);
        two[i] = shuffle<0, 1, 2, 3, 16, 17, 18, 19, 3, 4, 5, 6, 19, 20, 21, 22>(a, b) +
                 shuffle<6, 7, 8, 9, 22, 23, 24, 25, 9, 10, 11, 12, 25, 26, 27, 28>(a, b) +
                 shuffle<0, 1, 2, 3, 4, 5, 6, 7, 16, 16, 16, 16, 16, 16, 16, 16>(rest, zero);
      } else {
        two[i] = shuffle<0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23>(a, b) +
                 shuffle<8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31>(a, b);
      }
    });
    f.v[0] = shuffle<0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23>(two[0], two[1]) +
             shuffle<8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31>(two[0], two[1]);
  }
  return f;
}

}  // namespace
}  // namespace hone::HONE_ISA
