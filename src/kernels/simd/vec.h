// vec<T, N>: N lanes of T, on GNU vector extensions (g++ and clang), plus the few intrinsics that those
// cannot express. The one source of every kernel; the files in kernels/isa/ and vision/isa/ that include it
// are compiled once per instruction set.
//
// Everything here lives in an unnamed namespace inside hone::<isa>: no symbol leaves the object, so code of
// one instruction set can never be linked into another (the nm test checks it). Kernel files do the same with
// all that they define except their table. For the same reason: no header of the standard library with
// functions in it, of ours only plain structs.
//
// Vectors are ordinary values: + - * / & | ^ ~ << >> and comparisons work lane by lane (a comparison yields 0
// / -1 integers of the same width, for select()); x * y + z is contracted to a fused multiply-add where the
// set has one. Lane counts:
//   lanes<float> = 4 (SSE4.2, NEON), 8 (AVX2), 16 (AVX-512);  lanes<T> likewise for other widths.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef HONE_ISA
#error "simd/vec.h belongs in files of kernels/isa/ and vision/isa/ only"
#endif
#define HONE_INLINE __attribute__((always_inline)) inline
#define HONE_LAMBDA __attribute__((always_inline))  // [&](auto i) HONE_LAMBDA { ... }

namespace hone::HONE_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int vec_bytes = 64, vec_registers = 32;
#elif defined(__AVX2__)
constexpr int vec_bytes = 32, vec_registers = 16;
#elif defined(__aarch64__)
constexpr int vec_bytes = 16, vec_registers = 32;
#else
constexpr int vec_bytes = 16, vec_registers = 16;
#endif
template <class T>
constexpr int lanes = vec_bytes / static_cast<int>(sizeof(T));

template <class T, int N>
struct VecOf {
  typedef T type __attribute__((vector_size(sizeof(T) * N)));
  typedef T unaligned __attribute__((vector_size(sizeof(T) * N), aligned(1), may_alias));
};
template <class T, int N = lanes<T>>
using vec = typename VecOf<T, N>::type;
using f32v = vec<float>;
using i32v = vec<int32_t>;

// --- loops unrolled by construction: sfor<4>([&](auto i) HONE_LAMBDA { a[i] += b; }), i usable in constant
// expressions ---
template <int V>
struct Int {
  static constexpr int value = V;
  HONE_INLINE constexpr operator int() const { return V; }
};
template <int... I>
struct Ints {};
#if defined(__clang__)
template <class, int... I>
using IntsFrom = Ints<I...>;
template <int N>
using Count = __make_integer_seq<IntsFrom, int, N>;
#else
template <int N>
struct CountOf {
  typedef Ints<__integer_pack(N)...> type;
};
template <int N>
using Count = typename CountOf<N>::type;
#endif
template <class F, int... I>
HONE_INLINE void sfor_each(F& f, Ints<I...>) {
  (f(Int<I>{}), ...);
}
template <int N, class F>
HONE_INLINE void sfor(F&& f) {
  sfor_each(f, Count<N>{});
}

// --- lane type and count of a vector type ---
template <class A, class B>
constexpr bool is_same = false;
template <class A>
constexpr bool is_same<A, A> = true;
template <class T>
struct StripRef {
  typedef T type;
};
template <class T>
struct StripRef<T&> {
  typedef T type;
};
template <class V>
HONE_INLINE auto lane0(V v) {
  return v[0];
}
template <class V>
using lane_t = decltype(lane0(V{}));
template <class V>
constexpr int lanes_of = static_cast<int>(sizeof(V) / sizeof(lane_t<V>));
template <class V>
constexpr bool is_f32 = is_same<lane_t<V>, float>;
template <class V>
constexpr bool is_f64 = is_same<lane_t<V>, double>;
// Integers as wide as the lanes: what comparisons yield.
template <class V>
using mask_of = decltype(V{} < V{});

// --- making, loading, storing ---
// x - 0 keeps every x, -0 included, and costs nothing; 0 + x would turn -0 into 0, so the compiler had to
// keep the addition.
template <class V>
HONE_INLINE V splat(lane_t<V> x) {
  return x - V{};
}
// No alignment is needed anywhere.
template <class V>
HONE_INLINE V load(const void* p) {
  return *static_cast<const typename VecOf<lane_t<V>, lanes_of<V>>::unaligned*>(p);
}
template <class V>
HONE_INLINE void store(void* p, V v) {
  *static_cast<typename VecOf<lane_t<V>, lanes_of<V>>::unaligned*>(p) = v;
}

// p[i] for each lane i of the index.
HONE_INLINE f32v gather(const float* p, i32v index) {
#if defined(__AVX512F__)
  return (f32v)_mm512_i32gather_ps((__m512i)index, p, 4);
#elif defined(__AVX2__)
  return (f32v)_mm256_i32gather_ps(p, (__m256i)index, 4);
#else
  f32v v{};
  sfor<lanes<float>>([&](auto i) HONE_LAMBDA { v[i.value] = p[index[i.value]]; });
  return v;
#endif
}

// p[0], p[1], p[0], p[1], ...
HONE_INLINE f32v splat_pair(const float* p) {
  double both;
  memcpy(&both, p, sizeof both);
  const vec<double> v = both - vec<double>{};  // as splat() does
  f32v pairs;
  memcpy(&pairs, &v, sizeof v);
  return pairs;
}

// v[index[i]] in each lane i; 0 <= index < N.
HONE_INLINE f32v permute(f32v v, i32v index) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_permutexvar_ps(0xffff, (__m512i)index, (__m512)v);
#elif defined(__AVX2__)
  return (f32v)_mm256_permutevar8x32_ps((__m256)v, (__m256i)index);
#else
  const i32v bytes = index * 0x04040404 + 0x03020100;
#if defined(__x86_64__)
  return (f32v)_mm_shuffle_epi8((__m128i)v, (__m128i)bytes);
#else
  return (f32v)vqtbl1q_u8((uint8x16_t)v, (uint8x16_t)bytes);
#endif
#endif
}

template <int Bytes>
HONE_INLINE void copy_part(void* to, const void* from, size_t n) {
  // n < 2 * Bytes: powers of two, largest first.
  if constexpr (Bytes >= 1) {
    if (n & Bytes) {
      memcpy(to, from, Bytes);
      to = static_cast<char*>(to) + Bytes;
      from = static_cast<const char*>(from) + Bytes;
    }
    copy_part<Bytes / 2>(to, from, n);
  }
}
#if defined(__AVX2__) && !defined(__AVX512F__)
// 8 ones, then 8 zeros: 32-bit lane masks for the first n lanes start at 8 - n.
alignas(64) constexpr int32_t lane_masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
#endif
// The first n lanes, 0 <= n <= N, the others 0. Memory beyond the n lanes is not touched.
template <class V>
HONE_INLINE V load_n(const void* p, int n) {
  constexpr int size = sizeof(lane_t<V>);
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) {
    const uint64_t m = _bzhi_u64(~0ull, static_cast<unsigned>(n));
    if constexpr (size == 1) return (V)_mm512_maskz_loadu_epi8(m, p);
    if constexpr (size == 2) return (V)_mm512_maskz_loadu_epi16(static_cast<__mmask32>(m), p);
    if constexpr (size == 4) return (V)_mm512_maskz_loadu_epi32(static_cast<__mmask16>(m), p);
    if constexpr (size == 8) return (V)_mm512_maskz_loadu_epi64(static_cast<__mmask8>(m), p);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(V) == 32 && size == 4)
    return (V)_mm256_maskload_epi32(static_cast<const int*>(p),
                                    _mm256_loadu_si256((const __m256i*)(lane_masks + 8 - n)));
#endif
  if (n == lanes_of<V>) return load<V>(p);
  V v{};
  copy_part<sizeof(V) / 2>(&v, p, static_cast<size_t>(n) * size);
  return v;
}
template <class V>
HONE_INLINE void store_n(void* p, V v, int n) {
  constexpr int size = sizeof(lane_t<V>);
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) {
    const uint64_t m = _bzhi_u64(~0ull, static_cast<unsigned>(n));
    if constexpr (size == 1) return _mm512_mask_storeu_epi8(p, m, (__m512i)v);
    if constexpr (size == 2) return _mm512_mask_storeu_epi16(p, static_cast<__mmask32>(m), (__m512i)v);
    if constexpr (size == 4) return _mm512_mask_storeu_epi32(p, static_cast<__mmask16>(m), (__m512i)v);
    if constexpr (size == 8) return _mm512_mask_storeu_epi64(p, static_cast<__mmask8>(m), (__m512i)v);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(V) == 32 && size == 4)
    return _mm256_maskstore_epi32(static_cast<int*>(p),
                                  _mm256_loadu_si256((const __m256i*)(lane_masks + 8 - n)), (__m256i)v);
#endif
  if (n == lanes_of<V>) return store(p, v);
  copy_part<sizeof(V) / 2>(p, &v, static_cast<size_t>(n) * size);
}
HONE_INLINE void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }

// --- lane-wise functions. The same names work on plain float and int32_t, so that one expression serves both
// ---
template <class To, class From>
HONE_INLINE To bit_cast(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &v, sizeof(to));
  return to;
}
// Value conversion between vectors of as many lanes (float -> int truncates).
template <class To, class From>
HONE_INLINE To convert(From v) {
  return __builtin_convertvector(v, To);
}
template <class M, class V>
HONE_INLINE V select(M mask, V a, V b) {
  return mask ? a : b;
}

// (The maskz forms with a full mask are the plain instructions; g++ 12 warns of its own headers' undefined
// operands else.) Where b is NaN the result is NaN; where only a is NaN it is b on x86 and NaN on Arm. So
// clamp as min(splat(hi), max(splat(lo), x)): a NaN in x passes.
template <class V>
HONE_INLINE V min(V a, V b) {
#if defined(__AVX512F__)
  if constexpr (is_f32<V> && sizeof(V) == 64) return (V)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b);
#endif
#if defined(__AVX__)
  if constexpr (is_f32<V> && sizeof(V) == 32) return (V)_mm256_min_ps((__m256)a, (__m256)b);
#endif
#if defined(__x86_64__)
  if constexpr (is_f32<V> && sizeof(V) == 16) return (V)_mm_min_ps((__m128)a, (__m128)b);
#elif defined(__aarch64__)
  if constexpr (is_f32<V> && sizeof(V) == 16) return (V)vminq_f32((float32x4_t)a, (float32x4_t)b);
#endif
  return a < b ? a : b;
}
template <class V>
HONE_INLINE V max(V a, V b) {
#if defined(__AVX512F__)
  if constexpr (is_f32<V> && sizeof(V) == 64) return (V)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);
#endif
#if defined(__AVX__)
  if constexpr (is_f32<V> && sizeof(V) == 32) return (V)_mm256_max_ps((__m256)a, (__m256)b);
#endif
#if defined(__x86_64__)
  if constexpr (is_f32<V> && sizeof(V) == 16) return (V)_mm_max_ps((__m128)a, (__m128)b);
#elif defined(__aarch64__)
  if constexpr (is_f32<V> && sizeof(V) == 16) return (V)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
#endif
  return a > b ? a : b;
}
template <>
HONE_INLINE float min(float a, float b) {
  return a < b ? a : b;
}
template <>
HONE_INLINE float max(float a, float b) {
  return a > b ? a : b;
}
template <class V>
HONE_INLINE V clamp(V x, V lo, V hi) {
  return min(hi, max(lo, x));
}

template <class V>
HONE_INLINE V sqrt(V x) {
  static_assert(is_f32<V>);
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) return (V)_mm512_maskz_sqrt_ps(0xffff, (__m512)x);
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32) return (V)_mm256_sqrt_ps((__m256)x);
#endif
#if defined(__x86_64__)
  if constexpr (sizeof(V) == 16) return (V)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
  if constexpr (sizeof(V) == 16) return (V)vsqrtq_f32((float32x4_t)x);
#endif
}
// Rounding to integers, in float: to nearest with ties to even, down, up, towards zero.
enum class Round { nearest, down, up, zero };
template <Round R, class V>
HONE_INLINE V round(V x) {
  static_assert(is_f32<V>);
#if defined(__x86_64__)
  constexpr int mode = (R == Round::nearest ? 0 : R == Round::down ? 1 : R == Round::up ? 2 : 3) | 8;
#endif
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) return (V)_mm512_maskz_roundscale_ps(0xffff, (__m512)x, mode);
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32) return (V)_mm256_round_ps((__m256)x, mode);
#endif
#if defined(__x86_64__)
  if constexpr (sizeof(V) == 16) return (V)_mm_round_ps((__m128)x, mode);
#elif defined(__aarch64__)
  if constexpr (R == Round::nearest) return (V)vrndnq_f32((float32x4_t)x);
  if constexpr (R == Round::down) return (V)vrndmq_f32((float32x4_t)x);
  if constexpr (R == Round::up) return (V)vrndpq_f32((float32x4_t)x);
  if constexpr (R == Round::zero) return (V)vrndq_f32((float32x4_t)x);
#endif
}
template <class V>
HONE_INLINE V abs(V x) {
  if constexpr (is_f32<V> || is_f64<V>) {
    using M = mask_of<V>;
    return bit_cast<V>(bit_cast<M>(x) & ~bit_cast<M>(splat<V>(-0.0f)));
  } else {
    return x < 0 ? -x : x;
  }
}

// --- reductions over lanes, always in the same order: halves are combined until one lane is left ---
template <class V, class F>
HONE_INLINE lane_t<V> fold(V v, F&& f) {
  constexpr int n = lanes_of<V>;
  if constexpr (n == 2) {
    return f(v[0], v[1]);
  } else {
    using H = vec<lane_t<V>, n / 2>;
    H a, b;
    memcpy(&a, &v, sizeof(H));
    memcpy(&b, reinterpret_cast<const char*>(&v) + sizeof(H), sizeof(H));
    return fold(f(a, b), f);
  }
}
template <class V>
HONE_INLINE lane_t<V> sum_lanes(V v) {
  return fold(v, [](auto a, auto b) HONE_LAMBDA { return a + b; });
}
template <class V>
HONE_INLINE lane_t<V> max_lanes(V v) {
  return fold(v, [](auto a, auto b) HONE_LAMBDA { return max(a, b); });
}
template <class V>
HONE_INLINE lane_t<V> min_lanes(V v) {
  return fold(v, [](auto a, auto b) HONE_LAMBDA { return min(a, b); });
}

}  // namespace
}  // namespace hone::HONE_ISA
