// Weighted sums of rows and of pixels, for separable resizing. A sum has the taps index[k], weight[k], k in
// [from, to).
#pragma once
#include <cstdint>

namespace hone {

struct ResizeTable {
  const int32_t* begin;  // taps of output o: [begin[o], begin[o + 1])
  const int32_t* index;
  const float* weight;
  // Not 0: each output has so many, and tap j of output o of `count` is at j * count + o.
  int32_t taps = 0;
};

struct ResizeKernels {
  int lanes;
  // out[i] = sum of weight[k] * in[index[k] * row + i] over the taps of output o, for i < n.
  void (*blend_rows)(const ResizeTable&, int64_t o, const float* in, int64_t row, int64_t n, float* out);
  // The same for pixels of n channels: output o < count at out + o * pitch. Tables ordered by taps are for
  // n = pitch = 1.
  void (*blend_pixels)(const ResizeTable&, int64_t count, const float* in, int64_t n, float* out,
                       int64_t pitch);
};

}  // namespace hone
