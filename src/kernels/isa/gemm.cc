// The microkernel of all matrix products: a tile of MR pixels x NR vectors of columns stays in registers over
// the whole reduction; each step loads NR vectors of B and broadcasts MR values of A.
#include "kernels/isa/gemm.h"

#include "kernels/simd/accumulate.h"

namespace hone::HONE_ISA {
namespace {

constexpr int L = lanes<float>;
// Largest tiles that need no spills: accumulators + NR + a temporary fit the registers (without fused
// multiply-add the product needs one more).
constexpr int max_rows[5] = {0,
                             vec_registers == 32 ? 14
                             : vec_bytes == 32   ? 12
                                                 : 8,
                             vec_registers == 32 ? 14
                             : vec_bytes == 32   ? 6
                                                 : 5,
                             vec_registers == 32 ? 9
                             : vec_bytes == 32   ? 4
                                                 : 3,
                             vec_registers == 32 ? 6
                             : vec_bytes == 32   ? 3
                                                 : 2};

struct Tile {
  const float* a;
  const GemmSegment* seg;
  int64_t segs, k, lda;
  const float* b;
  const float* bias;
  const float* residual;
  int64_t ldr;
  float* c;
  int64_t ldc;
  float lo, hi;
  int tail;  // lanes of the last vector, 1..L
  // Prefetched a little with every four k, two cache lines each time.
  const char* ahead;
  int64_t ahead_step;
};

template <int MR, int NR>
__attribute__((noinline)) void tile(const Tile& t) {
  // Where all vectors of B find no room, the last one is an operand in memory.
  constexpr int held = MR * NR + NR + 1 > vec_registers ? NR - 1 : NR;
  constexpr int G = (MR + 2) / 3;  // one pointer serves three pixels: [p], [p + lda], [p + 2 lda]
  f32v acc[MR][NR];
  sfor<NR>([&](auto j) HONE_LAMBDA {
    const f32v b = t.bias ? load<f32v>(t.bias + j * L) : f32v{};
    sfor<MR>([&](auto i) HONE_LAMBDA { acc[i][j] = b; });
  });
  int64_t lda = t.lda;
  const char* ahead = t.ahead;
  const int64_t ahead_step = t.ahead_step;
  for (int64_t s = 0; s < t.segs; s++) {
    const float* p[G];
    p[0] = t.a + t.seg[s].a;
    const float* b = t.b + t.seg[s].b * t.k * (NR * L);
    sfor<G - 1>([&](auto g) HONE_LAMBDA { p[g + 1] = p[g] + 3 * lda; });
    auto step = [&](auto u) HONE_LAMBDA {
      f32v bv[NR];
      sfor<held>([&](auto j) HONE_LAMBDA { bv[j] = load<f32v>(b + (u * NR + j) * L); });
      sfor<MR>([&](auto i) HONE_LAMBDA {
        const f32v x = splat<f32v>(p[i / 3][(i % 3) * lda + u]);
        sfor<held>([&](auto j) HONE_LAMBDA { add_product(acc[i][j], x, bv[j]); });
        if constexpr (held < NR) acc[i][held] += x * load<f32v>(b + (u * NR + held) * L);
      });
      opaque(b);
    };
    int64_t k = t.k;
    for (; k >= 4; k -= 4) {
      opaque(lda);
      prefetch(ahead);
      prefetch(ahead + 64);
      ahead += ahead_step;
      sfor<4>(step);
      sfor<MR>([&](auto i) HONE_LAMBDA { sfor<NR>([&](auto j) HONE_LAMBDA { keep(acc[i][j]); }); });
      sfor<G>([&](auto g) HONE_LAMBDA { p[g] += 4; });
      b += 4 * NR * L;
    }
    for (; k > 0; k--) {
      opaque(lda);
      step(Int<0>{});
      sfor<G>([&](auto g) HONE_LAMBDA { p[g] += 1; });
      b += NR * L;
    }
  }
  const f32v lo = splat<f32v>(t.lo), hi = splat<f32v>(t.hi);
  if (t.residual) {
    sfor<MR>([&](auto i) HONE_LAMBDA {
      const float* r = t.residual + i * t.ldr;
      sfor<NR - 1>([&](auto j) HONE_LAMBDA { acc[i][j] += load<f32v>(r + j * L); });
      acc[i][NR - 1] += load_n<f32v>(r + (NR - 1) * L, t.tail);
    });
  }
  sfor<MR>([&](auto i) HONE_LAMBDA {
    float* c = t.c + i * t.ldc;
    sfor<NR - 1>([&](auto j) HONE_LAMBDA { store(c + j * L, clamp(acc[i][j], lo, hi)); });
    store_n(c + (NR - 1) * L, clamp(acc[i][NR - 1], lo, hi), t.tail);
  });
}

// The panel of pairs: lane 2 j sums up column j over even k, lane 2 j + 1 over odd ones.
template <int MR>
__attribute__((noinline)) void pair_tile(const Tile& t) {
  constexpr int G = (MR + 2) / 3;
  i32v lane;
  for (int i = 0; i < L; i++) lane[i] = i;
  f32v acc[MR];
  const f32v bias = t.bias ? select((lane & 1) == 0, permute(load<f32v>(t.bias), lane >> 1), f32v{}) : f32v{};
  sfor<MR>([&](auto i) HONE_LAMBDA { acc[i] = bias; });
  int64_t lda = t.lda;
  for (int64_t s = 0; s < t.segs; s++) {
    const float* p[G];
    p[0] = t.a + t.seg[s].a;
    const float* b = t.b + t.seg[s].b * (t.k / 2) * L;
    sfor<G - 1>([&](auto g) HONE_LAMBDA { p[g + 1] = p[g] + 3 * lda; });
    auto step = [&](auto u) HONE_LAMBDA {
      const f32v bv = load<f32v>(b + u * L);
      sfor<MR>([&](auto i)
                   HONE_LAMBDA { add_product(acc[i], splat_pair(p[i / 3] + (i % 3) * lda + 2 * u), bv); });
    };
    int64_t k = t.k;
    for (; k >= 8; k -= 8) {
      opaque(lda);
      sfor<4>(step);
      sfor<MR>([&](auto i) HONE_LAMBDA { keep(acc[i]); });
      sfor<G>([&](auto g) HONE_LAMBDA { p[g] += 8; });
      b += 4 * L;
    }
    for (; k > 0; k -= 2) {
      opaque(lda);
      step(Int<0>{});
      sfor<G>([&](auto g) HONE_LAMBDA { p[g] += 2; });
      b += L;
    }
  }
  const f32v lo = splat<f32v>(t.lo), hi = splat<f32v>(t.hi);
  const i32v even = (lane << 1) & (L - 1);
  sfor<MR>([&](auto i) HONE_LAMBDA {
    f32v sum = permute(acc[i], even) + permute(acc[i], even | 1);
    if (t.residual) sum += load_n<f32v>(t.residual + i * t.ldr, t.tail);
    store_n(t.c + i * t.ldc, clamp(sum, lo, hi), t.tail);
  });
}

using TileFn = void (*)(const Tile&);
struct PairTiles {
  TileFn fn[max_rows[1]];
  constexpr PairTiles() : fn{} { fill(Count<max_rows[1]>{}); }
  template <int... I>
  constexpr void fill(Ints<I...>) {
    ((fn[I] = pair_tile<I + 1>), ...);
  }
};
constexpr PairTiles pair_tiles;
template <int NR>
struct TileRow {
  TileFn fn[max_rows[NR]];
  constexpr TileRow() : fn{} { fill(Count<max_rows[NR]>{}); }
  template <int... I>
  constexpr void fill(Ints<I...>) {
    ((fn[I] = tile<I + 1, NR>), ...);
  }
};
constexpr TileRow<1> tiles1;
constexpr TileRow<2> tiles2;
constexpr TileRow<3> tiles3;
constexpr TileRow<4> tiles4;
constexpr const TileFn* tiles[5] = {nullptr, tiles1.fn, tiles2.fn, tiles3.fn, tiles4.fn};

class Runner {
 public:
  HONE_INLINE explicit Runner(const GemmJob& job) : job_(job), vectors_((job.n + L - 1) / L - job.pairs) {
    t_.k = job.k;
    t_.lda = job.lda;
    t_.ldc = job.ldc;
    t_.ldr = job.ldr;
    t_.lo = job.lo;
    t_.hi = job.hi;
  }
  // While the tiles of a panel are computed, the next panel comes nearer: each tile asks for its share of it,
  // evenly over its own time (in bursts, the requests would hold up the loads of the tile itself).
  void fetch_panel(const GemmRow& row, int64_t panel, int64_t tile, int64_t tiles) {
    if (row.segs == 0 || panel + 1 == job_.panel_end)
      return fetch(row, job_.next, job_.next_bytes, tile, tiles);
    const int64_t next = (panel + 1) * job_.nr;
    fetch(row,
          job_.b + (next < vectors_ ? next : vectors_) * (job_.b_panel / job_.nr) +
              row.seg->b * job_.k * (job_.nr * L),
          row.segs * job_.k * job_.nr * L * 4, tile, tiles);
  }
  // Share `tile` of `tiles` of those bytes.
  void fetch(const GemmRow& row, const void* from, int64_t bytes, int64_t tile, int64_t tiles) {
    const int64_t steps = row.segs * (job_.k / 4), share = bytes / tiles;
    if (!from || steps == 0) return fetch_nothing();
    t_.ahead = static_cast<const char*>(from) + tile * share;
    t_.ahead_step = share / steps;
  }
  void fetch_nothing() {
    t_.ahead = reinterpret_cast<const char*>(job_.b);
    t_.ahead_step = 0;
  }
  HONE_INLINE void one(const GemmRow& row, int64_t x, int mr, int64_t panel) {
    const bool pairs = job_.pairs && panel * job_.nr >= vectors_;
    const int64_t v = pairs ? vectors_ : panel * job_.nr;
    const int nr = pairs ? 1 : static_cast<int>(vectors_ - v < job_.nr ? vectors_ - v : job_.nr);
    const int64_t col = v * L, tail = job_.n - (v + nr - 1) * L;
    t_.seg = row.seg;
    t_.segs = row.segs;
    t_.a = row.a + x * job_.lda;
    t_.b = job_.b + v * (job_.b_panel / job_.nr);
    t_.bias = job_.bias ? job_.bias + col : nullptr;
    t_.residual = row.residual ? row.residual + x * job_.ldr + col : nullptr;
    t_.tail = static_cast<int>(tail < L ? tail : L);
    t_.c = row.c + x * job_.ldc + col;
    (pairs ? pair_tiles.fn : tiles[nr])[mr - 1](t_);
    // One call for the whole tile, while it is in the nearest cache.
    if (job_.act) job_.act(t_.c, job_.ldc, t_.c, job_.ldc, mr, (nr - 1) * L + t_.tail, job_.alpha, job_.beta);
  }

 private:
  const GemmJob& job_;
  const int64_t vectors_;
  Tile t_;
};

void run(const GemmJob& job) {
  Runner r(job);
  const int max = max_rows[job.nr];
  static_assert(max_rows[1] >= max_rows[2] && max_rows[2] >= max_rows[3] && max_rows[3] >= max_rows[4]);
  r.fetch_nothing();
  int64_t tiles = 0, tile = 0;
  for (int64_t y = 0; y < job.row_count; y++) tiles += (job.rows[y].pixels + max - 1) / max;
  if (job.panels_outer) {
    for (int64_t p = job.panel_begin; p < job.panel_end; p++)
      for (int64_t y = tile = 0; y < job.row_count; y++) {
        const Split split(job.rows[y].pixels, max);
        for (int64_t i = 0, x = 0; i < split.count; x += split.size(i++), tile++) {
          r.fetch_panel(job.rows[y], p, tile, tiles);
          r.one(job.rows[y], x, split.size(i), p);
        }
      }
  } else {
    for (int64_t y = 0; y < job.row_count; y++) {
      const Split split(job.rows[y].pixels, max);
      for (int64_t i = 0, x = 0; i < split.count; x += split.size(i++))
        for (int64_t p = job.panel_begin; p < job.panel_end; p++) {
          r.fetch(job.rows[y], job.next, job.next_bytes, tile++, tiles * (job.panel_end - job.panel_begin));
          r.one(job.rows[y], x, split.size(i), p);
        }
    }
  }
}

}  // namespace

extern const GemmKernels gemm_kernels;
const GemmKernels gemm_kernels = {L, {0, max_rows[1], max_rows[2], max_rows[3], max_rows[4]}, run};

}  // namespace hone::HONE_ISA
