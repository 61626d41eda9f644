// Depthwise convolution of one image, channels last: each channel has its own kernel.
//   out[y, x, c] = activation(bias[c] + sum over taps inside the image of w[tap, c] * in[y * s - top + ky *
//   d, ...] + residual)
// Weights are packed [channels / lanes][kh * kw][lanes], zero in surplus lanes; bias is padded likewise.
// Nothing outside the image is read, nothing outside the rectangle written. A rectangle may be computed in
// overlapping pieces, so the residual must not be the output's memory.
// The input may lie in a ring of rows: row y is at in + y * in_row, but rows from in_wrap on are in_back floats
// before that.
#pragma once
#include <cstdint>

#include "kernels/isa/unary.h"

namespace hone {

struct DepthwiseJob {
  const float* in = nullptr;  // the image
  float* out = nullptr;
  const float* residual = nullptr;
  int64_t in_row = 0, in_pixel = 0, out_row = 0, out_pixel = 0, residual_row = 0,
          residual_pixel = 0;  // strides
  int64_t in_wrap = INT64_MAX, in_back = 0;
  int64_t h = 0, w = 0, channels = 0;  // of the input
  int64_t kh = 1, kw = 1, sh = 1, sw = 1, dh = 1, dw = 1, top = 0, left = 0;
  int64_t y0 = 0, y1 = 0, x0 = 0, x1 = 0;  // of the output
  const float* weights = nullptr;
  const float* bias = nullptr;
  float lo = 0, hi = 0;
  UnaryKernels::Apply act = nullptr;
  float alpha = 0, beta = 0;
};

struct DepthwiseKernels {
  int lanes;
  void (*run)(const DepthwiseJob&);
};

}  // namespace hone
