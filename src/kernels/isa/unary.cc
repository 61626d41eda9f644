#include "kernels/isa/unary.h"

#include "kernels/simd/math.h"

namespace hone::HONE_ISA {
namespace {

// What the expressions of unary.def see. There min and max keep a NaN in their first argument, those of vec.h
// in the second.
namespace expressions {

template <class V>
HONE_INLINE V min(V x, V y) {
  return HONE_ISA::min(y, x);
}
template <class V>
HONE_INLINE V max(V x, V y) {
  return HONE_ISA::max(y, x);
}
template <class V>
HONE_INLINE V floor(V x) {
  return HONE_ISA::round<Round::down>(x);
}
template <class V>
HONE_INLINE V ceil(V x) {
  return HONE_ISA::round<Round::up>(x);
}
template <class V>
HONE_INLINE V round(V x) {
  return HONE_ISA::round<Round::nearest>(x);
}
template <class V>
HONE_INLINE V sign(V x) {
  return select(x > V{}, splat<V>(1), select(x < V{}, splat<V>(-1), x));
}
// Too rare in networks to be worth vectors: the C library's, lane by lane.
#define LANE_BY_LANE(name)                                                  \
  template <class V>                                                        \
  HONE_INLINE V name(V x) {                                                 \
    for (int i = 0; i < lanes_of<V>; i++) x[i] = __builtin_##name##f(x[i]); \
    return x;                                                               \
  }
LANE_BY_LANE(sin)
LANE_BY_LANE(cos)
LANE_BY_LANE(tan)
LANE_BY_LANE(asin)
LANE_BY_LANE(acos)
LANE_BY_LANE(atan)
LANE_BY_LANE(sinh)
LANE_BY_LANE(cosh)
LANE_BY_LANE(asinh)
LANE_BY_LANE(acosh)
LANE_BY_LANE(atanh)
#undef LANE_BY_LANE

#define K(number) splat<f32v>(static_cast<float>(number))
#define UNARY(name, expression)                                                                             \
  struct name {                                                                                             \
    static HONE_INLINE f32v of([[maybe_unused]] f32v x, [[maybe_unused]] f32v a, [[maybe_unused]] f32v b) { \
      return expression;                                                                                    \
    }                                                                                                       \
  };
#include "ops/unary.def"
#undef UNARY
#undef K

}  // namespace expressions

template <class F>
void apply(const float* in, int64_t in_row, float* out, int64_t out_row, int64_t rows, int64_t n, float a,
           float b) {
  constexpr int L = lanes<float>;
  const f32v va = splat<f32v>(a), vb = splat<f32v>(b);
  // One loop over the full vectors of all rows, which may be short (tiles of products): what the function keeps in
  // registers is loaded once.
  const int64_t full = n / L * L;
  int64_t row = 0, i = 0;
  for (int64_t left = full / L * rows; left > 0; left--) {
    store(out + row * out_row + i, F::of(load<f32v>(in + row * in_row + i), va, vb));
    i += L;
    if (i == full) i = 0, row++;
  }
  if (const int m = static_cast<int>(n - full))
    for (row = 0; row < rows; row++)
      store_n(out + row * out_row + full, F::of(load_n<f32v>(in + row * in_row + full, m), va, vb), m);
}

}  // namespace

extern const UnaryKernels unary_kernels;
const UnaryKernels unary_kernels = {{
#define UNARY(name, expression) apply<expressions::name>,
#include "ops/unary.def"
#undef UNARY
}};

}  // namespace hone::HONE_ISA
