// Separable resampling along one axis: which pixels of the picture an output pixel is made of, and the checks
// and roundings that placing shares with it. Private to preprocessing.
#pragma once
#include <cstdint>
#include <vector>

#include "vision/preprocess.h"

namespace hone::vision {

// Output i (of those asked for) is the sum over k < count[i] of weight[i * taps + k] * pixel[start[i] + k].
// Taps beyond its count weigh 0, and may lie beyond the last pixel; so do 16 weights behind the last.
struct AxisTaps {
  int most = 0;             // the greatest count
  int taps = 0;             // the same, rounded up to a multiple
  int first = 0, last = 0;  // pixels that are used at all: [first, last)
  std::vector<int32_t> start, count;
  std::vector<float> weight;
};

// Output pixels [from, to) of a picture side of `pixels`, resampled to pixels / step, whose first pixel would
// be output `offset`. 0 <= from - offset, to - offset <= pixels / step. Taps are a multiple of `unit`. Throws
// bad_alloc.
void make_axis(Interpolation, int pixels, double step, double offset, int from, int to, int unit, AxisTaps&);

// Pixels of the picture per pixel of the input, given a side of the picture and the placement's scale: the
// inverse of the scale, without the bit that dividing twice may take (resized sides are whole).
double step_of(int pixels, double scale);

// Types, sizes and numbers that place() and preprocessing can work with.
Status check_settings(const Preprocess&);

}  // namespace hone::vision
