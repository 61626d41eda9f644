#include "kernels/isa/grouped.h"

#include "kernels/simd/accumulate.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;
// Sums, three weights, the index and what it spreads fit the registers. (Fewer where a vector is narrow, and at stride
// 2, to save code.)
constexpr int max_pixels(int stride) {
  if (vec_bytes == 16) return 6;
  return vec_registers == 16 ? 9 : stride == 1 ? 14 : 10;
}

struct Tile {
  const GroupedRow* row;
  int64_t x;
  i32v first;  // of each lane, the first channel of its group
};

template <int P, int S>
__attribute__((noinline)) void tile(const Tile& t) {
  const GroupedRow& r = *t.row;
  f32v acc[P];
  const f32v bias = load<f32v>(r.bias);
  sfor<P>([&](auto p) HONE_LAMBDA { acc[p] = bias; });
  const float* w = r.weights;
  for (int64_t y = 0; y < r.kh; y++) {
    const float* in = r.rows[y];
    if (!in) {
      w += r.group * 3 * L;
      continue;
    }
    in += t.x * S * L;
    i32v index = t.first;
    for (int64_t i = 0; i < r.group; i++) {
      opaque(in);
      const f32v tap[3] = {load<f32v>(w), load<f32v>(w + L), load<f32v>(w + 2 * L)};
      sfor<(P - 1) * S + 3>([&](auto q) HONE_LAMBDA {
        const f32v x = permute(load<f32v>(in + q * L), index);
        sfor<P>([&](auto p) HONE_LAMBDA {
          constexpr int k = q.value - p.value * S;
          if constexpr (k >= 0 && k < 3) add_product(acc[p], x, tap[k]);
        });
      });
      sfor<P>([&](auto p) HONE_LAMBDA { keep(acc[p]); });
      index += 1;
      w += 3 * L;
    }
  }
  const f32v lo = splat<f32v>(r.lo), hi = splat<f32v>(r.hi);
  float* const out = r.out + t.x * r.out_pixel;
  if (r.residual)
    sfor<P>([&](auto p) HONE_LAMBDA {
      acc[p] += load_n<f32v>(r.residual + (t.x + p) * r.residual_pixel, r.channels);
    });
  sfor<P>([&](auto p) HONE_LAMBDA { store_n(out + p * r.out_pixel, clamp(acc[p], lo, hi), r.channels); });
  if (r.act) r.act(out, r.out_pixel, out, r.out_pixel, P, r.channels, r.alpha, r.beta);
}

using TileFn = void (*)(const Tile&);
template <int S>
struct Tiles {
  TileFn fn[max_pixels(S)];
  constexpr Tiles() : fn{} { fill(Count<max_pixels(S)>{}); }
  template <int... I>
  constexpr void fill(Ints<I...>) {
    ((fn[I] = tile<I + 1, S>), ...);
  }
};
template <int S>
constexpr Tiles<S> tiles;

template <int S>
void run(const GroupedRow& row) {
  Tile t{&row, 0, {}};
  const int group = static_cast<int>(row.group);
  for (int l = 0; l < L; l += group)
    for (int i = 0; i < group; i++) t.first[l + i] = l;
  const Split split(row.pixels, max_pixels(S));
  for (int64_t i = 0; i < split.count; t.x += split.size(i++)) tiles<S>.fn[split.size(i) - 1](t);
}

void take(float* to, const float* from, int64_t pixel, int64_t pixels, int channels) {
  if (channels == L)
    for (int64_t i = 0; i < pixels; i++) store(to + i * L, load<f32v>(from + i * pixel));
  else
    for (int64_t i = 0; i < pixels; i++) store(to + i * L, load_n<f32v>(from + i * pixel, channels));
}

}  // namespace

extern const GroupedKernels grouped_kernels;
const GroupedKernels grouped_kernels = {L, take, {nullptr, run<1>, run<2>}};

}  // namespace hone::HONE_ISA
