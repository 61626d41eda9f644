// Between bytes and vectors of floats: what simd/vec.h's generic conversions make slow code of.
#pragma once
#include "kernels/simd/vec.h"

namespace hone::HONE_ISA {
namespace {

// The first bytes as floats.
HONE_INLINE f32v widen(vec<int32_t, 4> bytes) {
#if defined(__AVX512F__)
  return convert<f32v>((i32v)_mm512_cvtepu8_epi32((__m128i)bytes));
#elif defined(__AVX2__)
  return convert<f32v>((i32v)_mm256_cvtepu8_epi32((__m128i)bytes));
#elif defined(__aarch64__)
  return (f32v)vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vget_low_u8((uint8x16_t)bytes)))));
#else
  return convert<f32v>((i32v)_mm_cvtepu8_epi32((__m128i)bytes));
#endif
}

// B vectors of floats from as many bytes.
template <int B>
HONE_INLINE void load_bytes(const uint8_t* p, f32v (&v)[B]) {
#if defined(__aarch64__)
  if constexpr (B == 4) {
    const uint8x16_t x = vld1q_u8(p);
    const uint16x8_t low = vmovl_u8(vget_low_u8(x)), high = vmovl_high_u8(x);
    v[0] = (f32v)vcvtq_f32_u32(vmovl_u16(vget_low_u16(low)));
    v[1] = (f32v)vcvtq_f32_u32(vmovl_high_u16(low));
    v[2] = (f32v)vcvtq_f32_u32(vmovl_u16(vget_low_u16(high)));
    v[3] = (f32v)vcvtq_f32_u32(vmovl_high_u16(high));
    return;
  }
#endif
  sfor<B>([&](auto b) HONE_LAMBDA {
    const uint8_t* q = p + b * lanes<float>;
    // (Through memcpy to a part of a vector g++ would go by way of memory.)
#if defined(__AVX512F__)
    v[b] = widen(load<vec<int32_t, 4>>(q));
#elif defined(__AVX2__)
    v[b] = widen((vec<int32_t, 4>)_mm_loadl_epi64(reinterpret_cast<const __m128i*>(q)));
#else
    int32_t four;
    memcpy(&four, q, sizeof four);
    v[b] = widen(vec<int32_t, 4>{four});
#endif
  });
}

// The low byte of each lane.
HONE_INLINE void store_low_bytes(uint8_t* p, i32v v) {
#if defined(__AVX512F__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_maskz_cvtepi32_epi8(0xffff, (__m512i)v));
#elif defined(__aarch64__)
  const uint16x4_t half = vmovn_u32((uint32x4_t)v);
  const uint32_t four = vget_lane_u32((uint32x2_t)vmovn_u16(vcombine_u16(half, half)), 0);
  memcpy(p, &four, sizeof four);
#else
  const auto narrow = [](__m128i x) HONE_LAMBDA {
    const __m128i order = _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    return _mm_cvtsi128_si32(_mm_shuffle_epi8(x, order));
  };
#if defined(__AVX2__)
  const int32_t low = narrow(_mm256_castsi256_si128((__m256i)v)),
                high = narrow(_mm256_extracti128_si256((__m256i)v, 1));
  memcpy(p, &low, sizeof low);
  memcpy(p + 4, &high, sizeof high);
#else
  const int32_t four = narrow((__m128i)v);
  memcpy(p, &four, sizeof four);
#endif
#endif
}

// The low 16 bits of each lane.
HONE_INLINE void store_low_halves(uint16_t* p, i32v v) {
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_maskz_cvtepi32_epi16(0xffff, (__m512i)v));
#elif defined(__aarch64__)
  vst1_u16(p, vmovn_u32((uint32x4_t)v));
#elif defined(__AVX2__)
  const __m256i packed = _mm256_packus_epi32((__m256i)v, (__m256i)v);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
#else
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi32((__m128i)v, (__m128i)v));
#endif
}

// Bits of the nearest f16, in the low half of each lane; infinity beyond the range (see base/convert.h).
HONE_INLINE i32v f16_bits(f32v x) {
  const i32v u = bit_cast<i32v>(x), sign = (u >> 16) & 0x8000, m = u & 0x7fffffff;
  const i32v normal = (m - 0x38000000 + 0xfff + ((m >> 13) & 1)) >> 13;
  const i32v tiny = bit_cast<i32v>(bit_cast<f32v>(m) + splat<f32v>(0.5f)) - 0x3f000000;
  const i32v finite = select(m < splat<i32v>(0x38800000), tiny, normal);           // 2^-14
  return sign | select(m < splat<i32v>(0x477ff000), finite, splat<i32v>(0x7c00));  // 65520
}

}  // namespace
}  // namespace hone::HONE_ISA
