// The inner loops of preprocessing, one table per instruction set: where pixels of the input come from, and
// what becomes of them.
#pragma once
#include <cstdint>

namespace hone {

// The pixels of one row of the input, before normalisation. Taps of output pixel x begin at start[x], in
// elements (bytes or floats) of a row of the picture, and ascend with x. Three ways to get a pixel:
//   copy      channel j is byte start[x] + j of `upper`
//   bilinear  from 2 x 2 pixels of `upper` and `lower`, straight from their bytes. The two weights along the
//             row are 16-bit integers that add up to bilinear_one; as a pair in 32 bits (the left one low),
//             four times for each output pixel. Reads nothing behind the rows' `bytes`.
//   weighted  from `row`, a blended row of floats: the sum over k < taps of weight[x * taps + k] *
//             row[start[x] + k * channels + j]. taps is a multiple of PreprocessKernels::taps_unit; 16 floats
//             behind the last tap and behind the last weight are read too, and must be finite.
// Interpolated pixels are rounded to whole levels, ties to even.
struct PixelSource {
  enum Kind : uint8_t { copy, bilinear, weighted };
  Kind kind;
  int channels;  // of the picture: 3 or 4, the fourth is dropped; `weighted` also 1
  const int32_t* start;
  // copy and bilinear
  const uint8_t *upper, *lower;
  int64_t bytes;
  float upper_weight, lower_weight;  // divided by bilinear_one
  const int32_t* pairs;
  // weighted
  const float* row;
  const float* weight;
  int taps;
};
constexpr int bilinear_one = 32767;

struct PreprocessKernels {
  // taps of a `weighted` source must be a multiple of this, by its channels
  int taps_unit[5];
  // out[i] = sum over k < taps of weight[k] * in[k * stride + i], for i < n.
  void (*blend_rows)(const uint8_t* in, int64_t stride, const float* weight, int taps, int64_t n, float* out);
  // Of 3 or 4 channels, for x < n: out[j][x] = channel j of pixel x * scale[j] + bias[j].
  void (*colour_planes)(const PixelSource&, int64_t n, const float* scale, const float* bias,
                        float* const* out);
  // The same interleaved: out[3 * x + j] is channel j, or 2 - j if `swap`; scale and bias as `out`.
  void (*colour_pixels)(const PixelSource&, int64_t n, const float* scale, const float* bias, bool swap,
                        float* out);
  // out[x] = sum over channels j < 3 of pixel x * scale[j], + bias[0].
  void (*colour_sum)(const PixelSource&, int64_t n, const float* scale, const float* bias, float* out);
  // Of one channel, weighted: out[x * pitch] = pixel x * scale + bias.
  void (*grey)(const PixelSource&, int64_t n, float scale, float bias, float* out, int64_t pitch);
  // Rounded to nearest, ties to even; f16: overflow gives infinity; integers: saturated.
  void (*to_f16)(const float* in, int64_t n, uint16_t* out);
  void (*to_u8)(const float* in, int64_t n, uint8_t* out);
  void (*to_i8)(const float* in, int64_t n, int8_t* out);
};

}  // namespace hone
