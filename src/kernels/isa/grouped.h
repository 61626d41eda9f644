// Grouped convolution with windows three pixels wide, for groups of few channels: as a vector holds whole groups, an
// output vector depends on the input vector of the same channels. For each channel of a group, that channel is spread
// over its group's lanes, which serves the three outputs that the pixel belongs to.
//   out[x, c] = activation(bias[c] + sum over rows r, i < group, taps t of
//                          w[r, i, t, c] * rows[r][x * stride + t, c - c % group + i] + residual)
// Input pixels lie side by side, a vector each (take()), as many as the taps reach. The order of summation is that of r,
// i, t for any number of pixels.
#pragma once
#include <cstdint>

#include "kernels/isa/unary.h"

namespace hone {

struct GroupedRow {
  const float* const* rows = nullptr;  // kh of them; null: outside the image
  int64_t kh = 0, group = 1;           // group divides the lanes
  const float* weights = nullptr;      // [kh][group][3][lanes]
  const float* bias = nullptr;         // lanes
  const float* residual = nullptr;     // null: none; may be the output
  float* out = nullptr;
  int64_t residual_pixel = 0, out_pixel = 0;
  int64_t pixels = 0;
  int channels = 0;      // 1..lanes: those of the output that exist
  float lo = 0, hi = 0;  // clamp; NaN passes
  UnaryKernels::Apply act = nullptr;
  float alpha = 0, beta = 0;
};

struct GroupedKernels {
  int lanes;
  // pixels vectors from `from`, `pixel` floats apart, of which the first `channels` floats exist; the others become 0.
  void (*take)(float* to, const float* from, int64_t pixel, int64_t pixels, int channels);
  void (*run[3])(const GroupedRow&);  // by stride, 1 or 2
};

}  // namespace hone
