// Elementary functions over float vectors, within about 2 units in the last place of the exact value, right
// at NaN, infinities, zeros, subnormal numbers and where the result overflows. Polynomials are minimax fits
// of relative error below 0.1 ulp on their intervals; arguments are reduced in two steps (Cody and Waite), so
// that sets without fused multiply-add lose nothing.
#pragma once
#include "kernels/simd/vec.h"

namespace hone::HONE_ISA {
namespace {

// c0 + c1 x + c2 x^2 + ...
template <class V>
HONE_INLINE V poly(V, float c0) {
  return splat<V>(c0);
}
template <class V, class... C>
HONE_INLINE V poly(V x, float c0, C... c) {
  return poly(x, c...) * x + splat<V>(c0);
}

constexpr float ln2_high = 0.693359375f,
                ln2_low = -2.12194440e-4f;  // their sum is ln 2; n * high is exact for |n| < 2^15
constexpr float inf = __builtin_inff();

// For x = n ln 2 + r with |r| <= ln 2 / 2: n, and e^r - 1.
template <class V>
struct ExpParts {
  V n, q;
};
template <class V>
HONE_INLINE ExpParts<V> exp_parts(V x) {
  const V n = round<Round::nearest>(x * splat<V>(1.44269504f));
  const V r = (x - n * splat<V>(ln2_high)) - n * splat<V>(ln2_low);
  return {
      n, poly(r, 0.5f, 0.166666659f, 0.0416662936f, 0.00833349767f, 0.00139447586f, 0.000197902438f) * r * r +
             r};
}
// 2^n for integers n of float's normal range. Unsigned: the integer of a NaN, whose result is not used, may
// wrap around.
template <class V>
HONE_INLINE V power_of_two(mask_of<V> n) {
  using U = vec<uint32_t, lanes_of<V>>;
  return bit_cast<V>((bit_cast<U>(n) + 127u) << 23);
}

template <class V>
HONE_INLINE V exp(V x) {
  x = clamp(x, splat<V>(-104), splat<V>(89));  // where the result is 0 and infinity
  const auto [n, q] = exp_parts(x);
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64)
    return (V)_mm512_maskz_scalef_ps(0xffff, (__m512)(q + splat<V>(1)), (__m512)n);
#endif
  // In two steps, since 2^n may be below or above the range where e^x is not.
  const mask_of<V> i = convert<mask_of<V>>(n), half = i >> 1;
  return (q + splat<V>(1)) * power_of_two<V>(half) * power_of_two<V>(i - half);
}

// e^x - 1 without cancellation near 0.
template <class V>
HONE_INLINE V expm1(V x) {
  x = clamp(x, splat<V>(-30), splat<V>(89));  // -1 and infinity
  const auto [n, q] = exp_parts(x);
  const V half = power_of_two<V>(convert<mask_of<V>>(n - splat<V>(1)));
  return (half * q + (half - splat<V>(0.5f))) * splat<V>(2);
}

template <class V>
HONE_INLINE V log(V x) {
  using M = mask_of<V>;
  const M tiny = x < splat<V>(1.17549435e-38f);  // subnormal (or outside the domain: replaced below)
  const M bits = bit_cast<M>(select(tiny, x * splat<V>(8388608.f), x));
  // x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2))
  using U = vec<uint32_t, lanes_of<V>>;  // x below zero, whose result is not used, may wrap around
  const M e = bit_cast<M>(bit_cast<U>(bits) - 0x3f3504f3u) >> 23;
  const V f = bit_cast<V>(bit_cast<U>(bits) - (bit_cast<U>(e) << 23)) - splat<V>(1);
  const V n = convert<V>(e) - select(tiny, splat<V>(23), V{});
  const V tail = poly(f, 0.333333126f, -0.250000096f, 0.200021187f, -0.166679959f, 0.142195524f,
                      -0.124055889f, 0.118881623f, -0.116756518f, 0.0674664034f);
  const V f2 = f * f;
  const V y = (f2 * f * tail + n * splat<V>(ln2_low) - f2 * splat<V>(0.5f)) + f + n * splat<V>(ln2_high);
  const V outside = select(x == V{}, splat<V>(-inf), splat<V>(__builtin_nanf("")));
  return select(x > V{}, select(x < splat<V>(inf), y, x), outside);
}

// log(1 + x) for x > -1, finite. What rounding 1 + x lost is put back to first order.
template <class V>
HONE_INLINE V log1p(V x) {
  const V w = x + splat<V>(1);
  return log(w) + (x - (w - splat<V>(1))) / w;
}

template <class V>
HONE_INLINE V with_sign_of(V magnitude, V x) {
  using M = mask_of<V>;
  return bit_cast<V>(bit_cast<M>(magnitude) | (bit_cast<M>(x) & bit_cast<M>(splat<V>(-0.0f))));
}

template <class V>
HONE_INLINE V tanh(V x) {
  const V t = abs(x), z = x * x;
  const V small =
      poly(z, -0.333332819f, 0.133314422f, -0.053739715f, 0.020639087f, -0.00570498677f) * z * x + x;
  const V large = splat<V>(1) - splat<V>(2) / (exp(t + t) + splat<V>(1));
  return select(t < splat<V>(0.625f), small, with_sign_of(large, x));
}

template <class V>
HONE_INLINE V erf(V x) {
  const V t = abs(x), z = x * x;
  const V small = poly(z, 0.128379166f, -0.376126258f, 0.112835851f, -0.0268538119f, 0.00518832768f,
                       -0.000801019356f, 7.85386113e-05f) *
                      x +
                  x;
  // log(1 - erf(t)) / t; beyond 4, erf is 1 in float
  const V u = min(splat<V>(4), t);
  const V large = splat<V>(1) - exp(poly(u, -1.12851191f, -0.635726552f, -0.105251036f, 0.0228830602f,
                                         -0.00321280933f, 0.000213725284f) *
                                    u);
  return select(t < splat<V>(1), small, with_sign_of(large, x));
}

#if defined(__AVX2__)
// e^z is 2^(n / N) e^r with as many n to a power of two as a vector has lanes, so that a permutation looks 2^(n / N) up.
// Relative error beneath 4e-8 for |z| <= 88, besides that of the last rounding.
struct Power {
  f32v p;  // 2^(n / N)
  f32v q;  // (e^r - 1) 2^(n / N)
};
constexpr int power_bits = vec_bytes == 64 ? 4 : 3;
// The bits of 2^(i / N), less i << (23 - power_bits).
alignas(64) constexpr uint32_t power_table[1 << power_bits] = {
#if defined(__AVX512F__)
    0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532,
    0x3f75fed7, 0x3f75583f, 0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c,
    0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d
#else
    0x3f800000, 0x3f7b95c2, 0x3f7837f0, 0x3f75fed7, 0x3f7504f3,
    0x3f75672a, 0x3f7744fd, 0x3f7ac0c7
#endif
};
HONE_INLINE Power power_of_e(f32v z) {
  using U = vec<uint32_t, lanes<float>>;
  // The addition leaves n in the last bits of m.
  const f32v magic = splat<f32v>(1.5f * (1 << (23 - power_bits)));
  const f32v m = z * splat<f32v>(1.44269504f) + magic, n = m - magic;
  const f32v r = z - n * splat<f32v>(0.693147182f);
  const U fraction = (U)permute(load<f32v>(power_table), (i32v)m);
  const f32v p = (f32v)(fraction + ((U)m << (23 - power_bits)));
  // e^r - 1 = r + r^2 / 2 + r^3 / 6 + ...; with eighths, the second factor makes up for what the fourth power leaves.
  constexpr float half = vec_bytes == 64 ? 0.5f : 0.500064796f;
  return {p, (r * p) * poly(r, 1.0f, half, 0.166666667f)};
}
#endif

// y / (1 + e^-x), 0 where 1 / (1 + e^-x) is below the smallest normal number. Within 3 ulp, 6 beneath x = -40:
// not by exp(), as of e^-x less need be right for a sum with 1.
template <class V>
HONE_INLINE V gated(V y, V x) {
  const V least = splat<V>(-88), z = clamp(x, least, splat<V>(87));
#if defined(__AVX2__)
  if constexpr (is_same<V, f32v>) {
    const Power e = power_of_e(-z);
    const f32v d = e.q + (e.p + splat<f32v>(1));
#if defined(__AVX512F__)
    const __mmask16 normal = _mm512_cmp_ps_mask((__m512)x, (__m512)least, _CMP_NLT_UQ);
    return (V)_mm512_maskz_div_ps(normal, (__m512)y, (__m512)d);
#else
    return select(x < least, V{}, y / d);
#endif
  }
#endif
  using M = mask_of<V>;
  using U = vec<uint32_t, lanes_of<V>>;
  const V n = round<Round::nearest>(z * splat<V>(-1.44269504f));
  const V r = (-z - n * splat<V>(ln2_high)) - n * splat<V>(ln2_low);
  const V p = poly(r, 1.0f, 1.0f, 0.5f, 0.166665159f, 0.0416664553f, 0.00836915716f, 0.00139357851f);
  const V e = bit_cast<V>(bit_cast<U>(p) + (bit_cast<U>(convert<M>(n)) << 23));
  return select(x < least, V{}, y / (e + splat<V>(1)));
}
// e^x for x <= 0; 0 beneath -87, where e^x leaves the normal numbers. The two ways of gated().
template <class V>
HONE_INLINE V exp_below_zero(V x) {
  const V least = splat<V>(-87), z = max(least, x);
#if defined(__AVX2__)
  if constexpr (is_same<V, f32v>) {
    const Power e = power_of_e(z);
#if defined(__AVX512F__)
    const __mmask16 normal = _mm512_cmp_ps_mask((__m512)x, (__m512)least, _CMP_NLT_UQ);
    return (V)_mm512_maskz_add_ps(normal, (__m512)e.q, (__m512)e.p);
#else
    return select(x < least, V{}, e.q + e.p);
#endif
  }
#endif
  using M = mask_of<V>;
  using U = vec<uint32_t, lanes_of<V>>;
  const V n = round<Round::nearest>(z * splat<V>(1.44269504f));
  const V r = (z - n * splat<V>(ln2_high)) - n * splat<V>(ln2_low);
  const V p = poly(r, 1.0f, 1.0f, 0.5f, 0.166665159f, 0.0416664553f, 0.00836915716f, 0.00139357851f);
  return select(x < least, V{}, bit_cast<V>(bit_cast<U>(p) + (bit_cast<U>(convert<M>(n)) << 23)));
}

#if defined(__AVX512F__)
// normal(u) - 1/2 about u = i * normal_step, i < 16: the coefficients of r^0 to r^4, interpolated at Chebyshev's nodes
// with errors beneath 7.2e-8.
constexpr float normal_step = 0.34375f;
alignas(64) constexpr float normal_table[5][16] = {
    {0, 0.134482846f, 0.254116148f, 0.348788202f, 0.415434271f, 0.457170039f, 0.480419934f, 0.491941392f,
     0.497020245f, 0.499011785f, 0.499706447f, 0.499921978f, 0.499981463f, 0.499996066f, 0.499999255f,
     0.499999881f},
    {0.398941457f, 0.376052767f, 0.314973265f, 0.234412774f, 0.155013934f, 0.091083765f, 0.04755437f,
     0.022060601f, 0.00909325853f, 0.00333038485f, 0.00108377519f, 0.000313365046f, 8.05053787e-05f,
     1.83763041e-05f, 3.72688442e-06f, 6.715577e-07f},
    {3.90422865e-05f, -0.0646337345f, -0.108271293f, -0.120867968f, -0.106570959f, -0.0782743916f,
     -0.0490402989f, -0.0265419539f, -0.0125036817f, -0.00515208161f, -0.00186299114f, -0.000592585886f,
     -0.000166097729f, -4.107942e-05f, -8.97389145e-06f, -1.73295587e-06f},
    {-0.0671276301f, -0.0550038368f, -0.0276454613f, 0.00231851474f, 0.0227829143f, 0.0294962283f,
     0.0257243402f, 0.0176237375f, 0.00998734776f, 0.00479606539f, 0.00197801972f, 0.000706472143f,
     0.000219727299f, 5.97434264e-05f, 1.42414392e-05f, 2.98273198e-06f},
    {0.00425267499f, 0.0154307662f, 0.0226871874f, 0.0194373485f, 0.00985574257f, 0.000345868291f,
     -0.00507689267f, -0.00614551175f, -0.00474953419f, -0.00282705878f, -0.00137573155f, -0.000562592526f,
     -0.000196311084f, -5.90074524e-05f, -1.53760611e-05f, -3.48915273e-06f},
};
#endif

// The share of the standard normal distribution below x, (1 + erf(x / sqrt(2))) / 2, within 1.2e-7; 0 beneath
// -5.3, where it is below 6e-8. Where a permutation finds coefficients for 16 intervals, a short polynomial for each;
// else the odd part, over x, is a polynomial of x^2, taken to [-1, 1].
template <class V>
HONE_INLINE V normal(V x) {
  constexpr float end = 5.3f;
#if defined(__AVX512F__)
  if constexpr (is_same<V, f32v>) {
    const f32v magic = splat<f32v>(1.5f * (1 << 23)), u = min(splat<f32v>(end), abs(x));
    const f32v m = u * splat<f32v>(1 / normal_step) + magic, r = u - (m - magic) * splat<f32v>(normal_step);
    const auto c = [&](int i) HONE_LAMBDA { return permute(load<f32v>(normal_table[i]), (i32v)m); };
    const f32v odd = (((c(4) * r + c(3)) * r + c(2)) * r + c(1)) * r + c(0);
    return select(x < splat<f32v>(-end), f32v{}, with_sign_of(odd, x) + splat<f32v>(0.5f));
  }
#endif
  const V u = clamp(x, splat<V>(-end), splat<V>(end)), t = u * u * splat<V>(2 / (end * end)) - splat<V>(1);
  const V odd = poly(t, 0.133392558f, -0.0665185079f, 0.0492641628f, -0.0395889319f, 0.0320795216f,
                     -0.0252983011f, 0.0189258363f, -0.0131854741f, 0.00882816967f, -0.00584955094f,
                     0.00313493051f, -0.00109594734f, 0.000732078741f, -0.000764565892f, 0.000283630216f);
  return select(x < splat<V>(-end), V{}, odd * u + splat<V>(0.5f));
}

template <class V>
HONE_INLINE V sigmoid(V x) {
  return gated(splat<V>(1), x);
}

// The greater and the smaller; NaN where either is NaN.
template <class V>
HONE_INLINE V max_nan(V a, V b) {
  return select(a != a, a, max(a, b));
}
template <class V>
HONE_INLINE V min_nan(V a, V b) {
  return select(a != a, a, min(a, b));
}

}  // namespace
}  // namespace hone::HONE_ISA
