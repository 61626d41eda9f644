// What the convolutions (Conv, ConvTranspose, ConvInteger, QLinearConv) have in common: attributes, shapes,
// and the sum itself. Weights are [M, C/group, kernel...] (transposed: [C, M/group, kernel...]) in either
// layout of the data.
#pragma once
#include "ops/window.h"

namespace hone {

#define CONV_ATTRS                                                                   \
  AttrDef::def_s("auto_pad", "NOTSET"), AttrDef::opt("dilations", AttrType::ints),   \
      AttrDef::def_i("group", 1), AttrDef::opt("kernel_shape", AttrType::ints),      \
      AttrDef::opt("pads", AttrType::ints), AttrDef::opt("strides", AttrType::ints), \
      AttrDef::def_i("channels_last", 0).hidden()

// Whether the channels of the input are last. The attribute planar_input of Conv says that they are first all
// the same, as in images.
inline bool channels_last_input(const Attrs& a) { return a.flag("channels_last") && !a.flag("planar_input"); }

struct ConvShape {
  Window window;
  bool transposed = false;
  int64_t groups = 1;
  Dim m = unknown_dim;            // output channels
  Shape out = Shape::unranked();  // of the output; as precise as x and w allow
};
// Checks everything that shapes and attributes can get wrong. Unknown dimensions pass.
Result<ConvShape> conv_shape(const Attrs&, const Shape& x, const Shape& w, bool transposed);
// Checks that `s`, a per-channel operand, has shape [m] (anything unknown passes).
Status check_channels(const char* what, const Shape& s, Dim m);

// Calls store(channel, offset in y, sum) for every element of the output, where sum = Σ x(offset in x) *
// w(offset in w) over the window and the group's channels, in Acc. Elements in the padding count as zero.
//
// Output positions are taken in blocks: their windows are gathered once into a matrix of K rows, one column
// for each position, which then serves all output channels; so both layouts, padding, strides and groups end
// in the same inner loop.
template <class Acc, class X, class W, class Store>
void convolve(const ConvShape& s, const Planes& x, const Planes& y, X&& load_x, W&& load_w, Store&& store) {
  const Window& win = s.window;
  const int64_t taps = win.taps(), pixels = win.pixels();
  const int64_t cg = x.c / s.groups, mg = y.c / s.groups, depth = cg * taps;
  if (!y.n || !mg || !pixels) return;
  constexpr int64_t max_block = 64, channels_at_once = 4;
  const int64_t block = std::clamp<int64_t>((1 << 16) / std::max<int64_t>(depth, 1), 8, max_block);
  std::vector<Acc> patch(static_cast<size_t>(depth * block)),
      rows(static_cast<size_t>(depth * channels_at_once));
  std::array<std::array<int64_t, max_rank>, max_block> at{};
  std::array<int64_t, max_block> y_offset{};
  const auto spatial = static_cast<size_t>(win.rank);
  for (int64_t n = 0; n < y.n; n++)
    for (int64_t g = 0; g < s.groups; g++) {
      Odometer pixel(win.rank, win.out);
      for (int64_t first = 0; first < pixels; first += block) {
        const int64_t count = std::min(block, pixels - first);
        for (int64_t b = 0; b < count; b++, pixel.next()) {
          const auto i = static_cast<size_t>(b);
          y_offset[i] = n * y.n_stride;
          for (size_t r = 0; r < spatial; r++) {
            at[i][r] = s.transposed ? pixel[r] + win.begin[r] : pixel[r] * win.stride[r] - win.begin[r];
            y_offset[i] += pixel[r] * y.stride[r];
          }
        }
        Odometer tap(win.rank, win.kernel);
        for (int64_t t = 0; t < taps; t++, tap.next())
          for (int64_t b = 0; b < count; b++) {
            int64_t offset = n * x.n_stride + g * cg * x.c_stride;
            bool inside = true;
            for (size_t r = 0; r < spatial; r++) {
              const int64_t d = tap[r] * win.dilation[r];
              int64_t i =
                  s.transposed ? at[static_cast<size_t>(b)][r] - d : at[static_cast<size_t>(b)][r] + d;
              if (s.transposed) {
                inside = inside && i >= 0 && i % win.stride[r] == 0;
                i /= win.stride[r];
              }
              inside = inside && i >= 0 && i < x.size[r];
              offset += i * x.stride[r];
            }
            Acc* to = patch.data() + t * block + b;
            for (int64_t c = 0; c < cg; c++, offset += x.c_stride, to += taps * block)
              *to = inside ? static_cast<Acc>(load_x(offset)) : Acc{};
          }
        for (int64_t m = 0; m < mg; m += channels_at_once) {
          const int64_t channels = std::min(channels_at_once, mg - m);
          // rows[k * 4 + j]: weight k of channel m + j; missing channels are zero.
          for (int64_t j = 0; j < channels_at_once; j++)
            for (int64_t k = 0; k < depth; k++) {
              const int64_t offset = s.transposed ? ((g * cg + k / taps) * mg + m + j) * taps + k % taps
                                                  : (g * mg + m + j) * depth + k;
              rows[static_cast<size_t>(k * channels_at_once + j)] =
                  j < channels ? static_cast<Acc>(load_w(offset)) : Acc{};
            }
          Acc sum[channels_at_once][max_block] = {};
          for (int64_t k = 0; k < depth; k++) {
            const Acc* p = patch.data() + k * block;
            const Acc* w = rows.data() + k * channels_at_once;
            for (int64_t b = 0; b < block; b++) {
              sum[0][b] += w[0] * p[b];
              sum[1][b] += w[1] * p[b];
              sum[2][b] += w[2] * p[b];
              sum[3][b] += w[3] * p[b];
            }
          }
          for (int64_t j = 0; j < channels; j++)
            for (int64_t b = 0; b < count; b++) {
              const int64_t channel = g * mg + m + j;
              store(channel, y_offset[static_cast<size_t>(b)] + channel * y.c_stride, sum[j][b]);
            }
        }
      }
    }
}

}  // namespace hone
