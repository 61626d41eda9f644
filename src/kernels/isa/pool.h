// Pooling of channels-last maps, one row of output pixels at a time.
#pragma once
#include <cstdint>

namespace hone {

// The window's taps along one dimension that lie in the input: `count` of them, `step` elements apart.
struct PoolTaps {
  int64_t count, step;
};
struct PoolRow {
  const float* x;          // channel 0 of the first pixel of the first tapped input row
  PoolTaps depth, height;  // for this output row
  int64_t width, kernel, stride, dilation, begin, end;  // along the row; begin, end: padding in pixels
  int64_t in_pitch, out_pitch;                          // elements from pixel to pixel
  int64_t out_width, channels;
  float* y;
  // Averages only: what the taps of depth and height count in the divisor, and whether padding counts along
  // the row.
  int64_t divisor;
  bool count_padding;
};

struct PoolKernels {
  void (*max)(const PoolRow&);      // NaN where the window has one; -infinity where it is empty
  void (*average)(const PoolRow&);  // 0 where the divisor is 0
};

}  // namespace hone
