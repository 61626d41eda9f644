#include "kernels/cpu/gemm_plan.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "kernels/cpu/activation.h"

namespace hone {

namespace {
// Weights of so many floats are divided among threads rather than read by each, where pixels are few.
constexpr int64_t divided_weights = 256 << 10;
}  // namespace

PanelShape choose_panels(const GemmKernels& kernels, int64_t k, int64_t n, int64_t pixels, bool pairs) {
  PanelShape best{k, n, kernels.lanes, 1};
  double best_cost = std::numeric_limits<double>::infinity();
  const int64_t rest = n % kernels.lanes;
  best.pairs = pairs && rest > 0 && rest * 2 <= kernels.lanes;
  const int64_t vectors = best.whole();
  // Half cycles of a step of a tile: two multiply-adds or two loads a cycle; an accumulator is ready again
  // after four cycles.
  const auto cost = [](int64_t mr, int64_t nr) {
    return static_cast<double>(std::max({mr * nr, mr + nr, int64_t{8}})) + 0.2 * static_cast<double>(nr + mr);
  };
  // The rows of A that a tile reads should still be in the nearest cache when the next panel comes.
  constexpr int64_t near_bytes = 24 << 10;
  for (int nr = 4; nr >= 1; nr--) {
    if (nr < 4 && vectors >= 4 && kernels.max_rows[nr] * std::min(k, k_block_limit) * 4 > near_bytes)
      continue;
    const int64_t tiles = (pixels + kernels.max_rows[nr] - 1) / kernels.max_rows[nr];
    const int64_t small = pixels / tiles, larger = pixels % tiles;
    const auto row = [&](int64_t width) {
      return static_cast<double>(tiles - larger) * cost(small, width) +
             (larger ? static_cast<double>(larger) * cost(small + 1, width) : 0);
    };
    double total = static_cast<double>(vectors / nr) * row(nr) + (vectors % nr ? row(vectors % nr) : 0);
    // Threads may divide the panels of big weights: two should get as much. (Never asked how many threads there
    // are, for that would change the packing.)
    if (best.weight_floats() > divided_weights) {
      const int64_t half = std::min(vectors, ((vectors + nr - 1) / nr + 1) / 2 * nr);
      total *= 2 * static_cast<double>(half) / static_cast<double>(vectors);
    }
    if (total < best_cost * 0.999) {
      best_cost = total;
      best.nr = nr;
    }
  }
  return best;
}

Accept find_epilogue(const Problem& p, Epilogue& e) {
  const std::string_view name = p.attrs->s("activation");
  const float infinity = std::numeric_limits<float>::infinity();
  e = {.lo = -infinity, .hi = infinity};
  if (name == "Relu") {
    e.lo = 0;
  } else if (name == "Clip") {
    e.lo = p.attrs->f("activation_alpha");
    e.hi = p.attrs->f("activation_beta");
  } else {
    const auto fused = fused_activation(p);
    if (!fused) return Accept::no(fused.error().message);
    e.act = fused->apply;
    e.alpha = fused->a;
    e.beta = fused->b;
  }
  return Accept::yes();
}

ThreadGrid choose_grid(const PanelShape& s, int64_t pixels, int threads) {
  threads = std::max(threads, 1);
  const bool by_panels =
      (pixels < 2 * threads || (s.weight_floats() > divided_weights && pixels < 64 * threads)) &&
      s.panels() >= 2 * threads;
  if (by_panels) return {1, threads};
  return {static_cast<int>(std::min<int64_t>(threads, std::max<int64_t>(pixels, 1))), 1};
}

int64_t k_block(int64_t k) {
  if (k <= k_block_limit) return k;
  for (int64_t parts = (k + k_block_limit - 1) / k_block_limit; k / parts >= k_block_limit / 4; parts++)
    if (k % parts == 0) return k / parts;
  return k;
}

GemmJob block_of(const GemmJob& whole, int64_t begin, int64_t end, int64_t total, int lanes) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  GemmJob job = whole;
  if (begin > 0) job.bias = nullptr, job.ldr = whole.ldc;
  if (end < total) {
    const int64_t segment = whole.k * whole.nr * lanes;
    job.lo = -infinity, job.hi = infinity, job.act = nullptr;
    job.next = whole.b + whole.panel_begin * whole.b_panel + end * segment;
    job.next_bytes = (end - begin) * segment * 4;
  }
  return job;
}

int64_t block_bytes() {
  static const int64_t bytes = std::max<int64_t>(l2_cache_bytes() * 3 / 8, 128 << 10);
  return bytes;
}

}  // namespace hone
