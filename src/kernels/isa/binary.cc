#include "kernels/isa/binary.h"

#include "kernels/simd/math.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;
using u8v = vec<uint8_t, L>;

#define K(number) splat<f32v>(static_cast<float>(number))
#define BINARY(name, result, expression) BINARY_##result(name, expression)
#define BINARY_truth(name, expression)
#define BINARY_same(name, expression)                                 \
  struct name {                                                       \
    static HONE_INLINE f32v of(f32v x, f32v y) { return expression; } \
  };
#include "ops/binary.def"
#undef BINARY
#undef BINARY_truth
#undef BINARY_same
#undef K
struct Max {
  static HONE_INLINE f32v of(f32v x, f32v y) { return max_nan(x, y); }
};
struct Min {
  static HONE_INLINE f32v of(f32v x, f32v y) { return min_nan(x, y); }
};

template <bool Single>
HONE_INLINE f32v fetch(const float* p, int64_t i) {
  if constexpr (Single) return splat<f32v>(*p);
  return load<f32v>(p + i);
}
template <bool Single>
HONE_INLINE f32v fetch_n(const float* p, int64_t i, int n) {
  if constexpr (Single) return splat<f32v>(*p);
  return load_n<f32v>(p + i, n);
}

template <class F, bool XSingle, bool YSingle>
HONE_INLINE void rows(const BinaryBlock& given) {
  const BinaryBlock b = given;  // so that no store can be taken to change it
  float* out = b.out;
  const float *x = b.x, *y = b.y;
  for (int64_t r = 0; r < b.rows; r++, out += b.out_row, x += b.x_row, y += b.y_row) {
    int64_t i = 0;
    for (; i + 2 * L <= b.columns; i += 2 * L) {
      const f32v x0 = fetch<XSingle>(x, i), x1 = fetch<XSingle>(x, i + L);
      const f32v y0 = fetch<YSingle>(y, i), y1 = fetch<YSingle>(y, i + L);
      store(out + i, F::of(x0, y0));
      store(out + i + L, F::of(x1, y1));
    }
    for (; i < b.columns; i += L) {
      const int n = b.columns - i < L ? static_cast<int>(b.columns - i) : L;
      store_n(out + i, F::of(fetch_n<XSingle>(x, i, n), fetch_n<YSingle>(y, i, n)), n);
    }
  }
}

template <class F>
void apply(const BinaryBlock& b) {
  if (b.x_single) {
    if (b.y_single) rows<F, true, true>(b);
    else rows<F, true, false>(b);
  } else {
    if (b.y_single) rows<F, false, true>(b);
    else rows<F, false, false>(b);
  }
}

template <bool XSingle, bool YSingle>
HONE_INLINE void where_row(const uint8_t* c, const float* x, const float* y, float* out, int64_t columns) {
  for (int64_t i = 0; i < columns; i += L) {
    const int n = columns - i < L ? static_cast<int>(columns - i) : L;
    const auto chosen = convert<i32v>(load_n<u8v>(c + i, n)) != 0;
    store_n(out + i, select(chosen, fetch_n<XSingle>(x, i, n), fetch_n<YSingle>(y, i, n)), n);
  }
}

void where(const WhereBlock& w) {
  const BinaryBlock& b = w.of;
  const uint8_t* c = w.condition;
  float* out = b.out;
  const float *x = b.x, *y = b.y;
  for (int64_t r = 0; r < b.rows; r++, c += w.condition_row, out += b.out_row, x += b.x_row, y += b.y_row) {
    if (w.condition_single) {
      const float* from = *c ? x : y;
      const bool single = *c ? b.x_single : b.y_single;
      for (int64_t i = 0; i < b.columns; i += L) {
        const int n = b.columns - i < L ? static_cast<int>(b.columns - i) : L;
        store_n(out + i, single ? splat<f32v>(*from) : load_n<f32v>(from + i, n), n);
      }
    } else if (b.x_single) {
      if (b.y_single) where_row<true, true>(c, x, y, out, b.columns);
      else where_row<true, false>(c, x, y, out, b.columns);
    } else {
      if (b.y_single) where_row<false, true>(c, x, y, out, b.columns);
      else where_row<false, false>(c, x, y, out, b.columns);
    }
  }
}

}  // namespace

extern const BinaryKernels binary_kernels;
const BinaryKernels binary_kernels = {
    .apply =
        {
#define BINARY(name, result, expression) BINARY_##result(name)
#define BINARY_same(name) apply<name>,
#define BINARY_truth(name)
#include "ops/binary.def"
            apply<Max>, apply<Min>},
    .where = where,
};
#undef BINARY
#undef BINARY_same
#undef BINARY_truth

}  // namespace hone::HONE_ISA
