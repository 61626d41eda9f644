// C[pixel, column] = activation(bias[column] + sum over segments s and k of A[pixel, s, k] * B[s, k, column]
// + residual).
//
// A "row" is a run of pixels that lie `lda` floats apart; pixel i of a row reads, for each of its segments, k
// contiguous floats at a + i * lda + seg[s].a, and multiplies them by the k rows of B that begin at row
// seg[s].b * k. That covers a plain matrix (one row, one segment) and any convolution (a row of output pixels,
// a segment for each kernel row or tap; taps outside the image are left out). B is packed in panels of nr
// vectors of columns: [panel][s * k][nr * lanes]; the last panel holds only the vectors that it needs, its
// surplus lanes are zero. Nothing outside the n columns of C is touched.
//
// With `pairs`, the last columns, half a vector of them at most, are a panel of their own, in which a vector holds two rows
// of B in turn, column by column: [s * k / 2][column][2]. A vector then multiplies two values of A at once, no lane of it in
// vain; sums of even and odd k are added in the end. k is even.
//
// The order of summation of an output is that of s and k, whatever the tile: results depend neither on the
// partition among threads nor on loop order.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/isa/unary.h"

namespace hone {

struct GemmSegment {
  int64_t a = 0, b = 0;
};

struct GemmRow {
  const float* a = nullptr;
  float* c = nullptr;
  const float* residual = nullptr;  // null: none; pixels lie ldr apart
  const GemmSegment* seg = nullptr;
  int64_t segs = 1;
  int64_t pixels = 0;
};

struct GemmJob {
  const GemmRow* rows = nullptr;
  int64_t row_count = 0;
  int64_t lda = 0, ldc = 0, ldr = 0;
  int64_t k = 0;             // floats of a segment
  const float* b = nullptr;  // panel 0
  int64_t b_panel = 0;       // floats from a panel to the next
  int nr = 1;                // vectors of a full panel, 1..4
  int64_t n = 0;             // columns of C
  bool pairs = false;        // the last panel is one of pairs
  int64_t panel_begin = 0, panel_end = 0;
  const float* bias = nullptr;  // null: none; padded to full vectors
  float lo = 0, hi = 0;         // the result is clamped to [lo, hi]; NaN passes
  // Applied last, with alpha and beta; null: none.
  UnaryKernels::Apply act = nullptr;
  float alpha = 0, beta = 0;
  bool panels_outer =
      false;  // loop order: all pixels for a panel (big weights), or all panels for a tile of pixels
  const void* next = nullptr;  // what will be read after the last panel, to be fetched by then
  int64_t next_bytes = 0;
};

struct GemmKernels {
  int lanes;
  int max_rows[5];  // pixels of the largest tile for nr = 1..4; [0] unused
  void (*run)(const GemmJob&);
};

}  // namespace hone
