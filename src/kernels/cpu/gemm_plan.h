// What the tactics on the GEMM microkernels (isa/gemm.h) share: choice of tiles, packing of B, the fused
// activation, and how work is divided.
#pragma once
#include <algorithm>

#include "kernels/isa/gemm.h"
#include "kernels/tactic.h"

namespace hone {

// Up to the next multiple: the pieces of a scratch begin at cache lines.
constexpr int64_t round_up(int64_t n, int64_t unit = 64) { return (n + unit - 1) / unit * unit; }

// B of k x n floats in panels of nr vectors, followed by n floats of bias padded to full vectors. Where the last half
// vector of columns or less are a panel of pairs (GemmJob::pairs), they take half the floats.
struct PanelShape {
  int64_t k = 0, n = 0;
  int lanes = 1, nr = 1;
  bool pairs = false;
  int64_t vectors() const { return (n + lanes - 1) / lanes; }
  int64_t whole() const { return vectors() - pairs; }  // those not of pairs
  int64_t panels() const { return (whole() + nr - 1) / nr + pairs; }
  int64_t panel_floats() const { return k * nr * lanes; }
  int64_t weight_floats() const { return k * whole() * lanes + (pairs ? k / 2 * lanes : 0); }
  int64_t floats() const { return weight_floats() + vectors() * lanes; }
};
// The number of vectors of a panel that suits n columns and rows of `pixels` pixels (ends of rows cut tiles). pairs: may
// the last columns be multiplied by pairs? Segments have an even number of k then.
PanelShape choose_panels(const GemmKernels&, int64_t k, int64_t n, int64_t pixels, bool pairs = false);
// B[k][n] = at(k, n) in panels [begin, end) of `packed`.
template <class At>
void pack_panels(const PanelShape& s, float* packed, At&& at, int64_t begin, int64_t end) {
  for (int64_t p = begin; p < end; p++) {
    if (s.pairs && p + 1 == s.panels()) {
      float* to = packed + s.k * s.whole() * s.lanes;
      for (int64_t k = 0; k < s.k; k += 2)
        for (int64_t n = s.whole() * s.lanes, i = 0; i < s.lanes; i++)
          *to++ = n + i / 2 < s.n ? at(k + i % 2, n + i / 2) : 0.0f;
      return;
    }
    const int64_t first = p * s.nr * s.lanes, width = std::min<int64_t>(s.nr, s.whole() - p * s.nr) * s.lanes;
    const int64_t used = std::min(width, s.n - first);
    float* to = packed + p * s.panel_floats();
    for (int64_t k = 0; k < s.k; k++) {
      for (int64_t j = 0; j < used; j++) *to++ = at(k, first + j);
      for (int64_t j = used; j < width; j++) *to++ = 0.0f;
    }
  }
}
template <class At>
void pack_panels(const PanelShape& s, float* packed, At&& at) {
  pack_panels(s, packed, at, 0, s.panels());
}
template <class At>
void pack_bias(const PanelShape& s, float* packed, At&& at) {
  float* to = packed + s.weight_floats();
  for (int64_t n = 0; n < s.vectors() * s.lanes; n++) to[n] = n < s.n ? at(n) : 0.0f;
}

// The activation as the microkernels apply it.
struct Epilogue {
  float lo = 0, hi = 0;  // clamp
  UnaryKernels::Apply act = nullptr;
  float alpha = 0, beta = 0;
};
// Reads the three activation attributes; refuses what has no kernel.
Accept find_epilogue(const Problem&, Epilogue&);

// [begin, end) is share i of `parts` of n things; shares differ by at most one.
struct Share {
  int64_t begin, end;
  Share(int64_t first, int64_t last) : begin(first), end(last) {}
  Share(int64_t n, int64_t parts, int64_t i) : begin(cut(n, parts, i)), end(cut(n, parts, i + 1)) {}

 private:
  static int64_t cut(int64_t n, int64_t parts, int64_t i) { return n / parts * i + std::min(i, n % parts); }
};

// How threads divide a product of `pixels` x panels: a grid of by_pixels x by_panels parts. Big weights that
// few pixels use are divided by columns, so that each is read once.
struct ThreadGrid {
  int by_pixels = 1, by_panels = 1;
  int parts() const { return by_pixels * by_panels; }
};
ThreadGrid choose_grid(const PanelShape&, int64_t pixels, int threads);

// A longer reduction is cut into equal blocks, so that the rows of A that a block reads stay in cache: the number of
// k of each (k itself where it has no fitting divisor). Depends on k only, as the order of summation does.
inline constexpr int64_t k_block_limit = 1536;
int64_t k_block(int64_t k);

// The job of segments [begin, end) of B's `total`, from that of all: the first block takes bias and residual, later
// ones add to what is there (the rows' residual must then be C), the last applies the epilogue; each but the last
// has the next one fetched.
GemmJob block_of(const GemmJob& whole, int64_t begin, int64_t end, int64_t total, int lanes);

// What the next step reads first, for part `part` of this one to fetch.
struct Ahead {
  const void* from = nullptr;
  int64_t bytes = 0;
  Ahead() = default;
  Ahead(const Run& r, int64_t part)
      : from(r.next ? r.next + part * r.next_step : nullptr), bytes(r.next_bytes) {}
};

// Weights up to this size stay in the nearest caches while all pixels pass; beyond, a block of pixels stays
// there while all panels pass.
inline constexpr int64_t pixels_outer_limit = 96 << 10;
int64_t block_bytes();  // how many bytes of A such a block may take

}  // namespace hone
