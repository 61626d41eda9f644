// Geometry shared by everything that slides a window over spatial dimensions (convolutions, pools): where
// tensors of either layout keep their dimensions, and how kernel, strides, dilations, padding and rounding
// give the output's size.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ops/op.h"

namespace hone {

// N, C and the spatial dimensions of a data tensor of rank >= 2, with strides in elements, for either layout.
struct Planes {
  int64_t n = 0, c = 0;
  int rank = 0;  // of the spatial part
  std::array<int64_t, max_rank> size{};
  int64_t n_stride = 0, c_stride = 0;
  std::array<int64_t, max_rank> stride{};
  int64_t pixels() const;
};
Planes planes_of(const Shape&, bool channels_last);

// Index of the channel axis, and of the first spatial axis, in a shape of `rank` dimensions.
inline size_t channel_axis(int rank, bool channels_last) {
  return channels_last ? static_cast<size_t>(rank) - 1 : 1;
}
inline size_t spatial_axis(bool channels_last) { return channels_last ? 1 : 2; }
// A data shape from its parts.
Shape data_shape(Dim n, Dim c, std::span<const Dim> spatial, bool channels_last);

struct Window {
  int rank = 0;
  std::array<Dim, max_rank> in{}, out{};  // may be unknown or symbolic during inference
  std::array<int64_t, max_rank> kernel{}, stride{}, dilation{}, begin{}, end{};
  int64_t taps() const;    // positions in the kernel
  int64_t pixels() const;  // positions in the output
};

enum class Rounding : uint8_t { floor, ceil };

// Reads strides, dilations, pads and auto_pad of `attrs` (absent: 1, 1, 0, NOTSET). `kernel` may hold unknown
// dimensions. Errors name the attribute and its value: wrong lengths, values below 1 (pads: below 0) or above
// 2^30, an unknown auto_pad, a dilated kernel larger than the padded input.
Result<Window> slide(const Attrs& attrs, std::span<const Dim> in, std::span<const Dim> kernel, Rounding);
// The transposed form: `in` is the smaller map, attributes output_padding and output_shape count too.
Result<Window> slide_transposed(const Attrs& attrs, std::span<const Dim> in, std::span<const Dim> kernel);

// Counts through the positions of a box, last dimension fastest.
class Odometer {
 public:
  Odometer(int rank, std::span<const int64_t> size) : rank_(rank) {
    for (int i = 0; i < rank; i++) size_[static_cast<size_t>(i)] = size[static_cast<size_t>(i)];
  }
  int64_t operator[](size_t i) const { return at_[i]; }
  void next() {
    for (int i = rank_ - 1; i >= 0; i--) {
      const auto k = static_cast<size_t>(i);
      if (++at_[k] < size_[k]) return;
      at_[k] = 0;
    }
  }

 private:
  int rank_;
  std::array<int64_t, max_rank> size_{}, at_{};
};

// Calls f(pixel, inside, padded) for each output position in row-major order: `inside` are the offsets (in
// elements, from the plane's start) of the window's elements that lie in the input; `padded` counts those in
// the input or its padding.
template <class F>
void for_each_window(const Window& w, const Planes& x, F&& f) {
  std::vector<int64_t> inside;
  Odometer pixel(w.rank, w.out);
  for (int64_t p = 0, pixels = w.pixels(); p < pixels; p++, pixel.next()) {
    // Taps [first, first + count) of each dimension hit the input: a kernel may be far larger than it.
    std::array<int64_t, max_rank> count{};
    int64_t origin = 0, taps = 1, padded = 1;
    for (size_t r = 0; r < static_cast<size_t>(w.rank); r++) {
      const int64_t i = pixel[r] * w.stride[r] - w.begin[r], d = w.dilation[r];
      const int64_t first = i < 0 ? (-i + d - 1) / d : 0;
      const auto taps_below = [&](int64_t size) {
        return i < size ? std::min(w.kernel[r], (size - i + d - 1) / d) : 0;
      };
      count[r] = std::max<int64_t>(0, taps_below(x.size[r]) - first);
      taps *= count[r];
      padded *= taps_below(x.size[r] + w.end[r]);
      origin += (i + first * d) * x.stride[r];
    }
    inside.clear();
    Odometer tap(w.rank, count);
    for (int64_t t = 0; t < taps; t++, tap.next()) {
      int64_t offset = origin;
      for (size_t r = 0; r < static_cast<size_t>(w.rank); r++) offset += tap[r] * w.dilation[r] * x.stride[r];
      inside.push_back(offset);
    }
    f(p, std::span<const int64_t>(inside), padded);
  }
}

}  // namespace hone
