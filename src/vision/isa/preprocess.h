// The inner loops of preprocessing, one table per instruction set: rows of bytes are blended into a row of
// floats, its pixels into output pixels, those scaled and, where the network wants another type, converted.
#pragma once
#include <cstdint>

namespace hone {

// Output pixel x is the sum over k < taps of weight[x * taps + k] * row[start[x] + k * channels + j] for
// channel j of the picture, in floats; all taps may be read (as four floats each), whatever they weigh.
struct PixelTaps {
  const int32_t* start;
  const float* weight;
  int taps;
  int channels;  // of the row: 1, 3 or 4, the fourth is dropped
};

struct PreprocessKernels {
  // out[i] = sum over k < taps of weight[k] * in[k * stride + i], for i < n.
  void (*blend_rows)(const uint8_t* in, int64_t stride, const float* weight, int taps, int64_t n, float* out);
  // Of 3 or 4 channels: out[j][x] = pixel x of channel j * scale[j] + bias[j], for x < n.
  void (*colour_planes)(const PixelTaps&, const float* row, int64_t n, const float* scale, const float* bias,
                        float* const* out);
  // The same interleaved: out[3 * x + j] is channel j, or 2 - j if `swap`; scale and bias as `out`.
  void (*colour_pixels)(const PixelTaps&, const float* row, int64_t n, const float* scale, const float* bias,
                        bool swap, float* out);
  // out[x] = sum over channels j < 3 of pixel x * scale[j], + bias[0].
  void (*colour_sum)(const PixelTaps&, const float* row, int64_t n, const float* scale, const float* bias,
                     float* out);
  // Of one channel: out[x * pitch] = pixel x * scale + bias.
  void (*grey)(const PixelTaps&, const float* row, int64_t n, float scale, float bias, float* out,
               int64_t pitch);
  // Rounded to nearest, ties to even; f16: overflow gives infinity; integers: saturated.
  void (*to_f16)(const float* in, int64_t n, uint16_t* out);
  void (*to_u8)(const float* in, int64_t n, uint8_t* out);
  void (*to_i8)(const float* in, int64_t n, int8_t* out);
};

}  // namespace hone
