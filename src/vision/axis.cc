#include "vision/axis.h"

#include <algorithm>
#include <cmath>

namespace hone::vision {
namespace {

// Taps of smaller weight are left out: what is left of whole numbers after a division.
constexpr double least_weight = 1e-6;

// Appends the taps of one output pixel whose centre lies at `centre`, in pixels of the picture.
int append_taps(Interpolation how, int pixels, double step, double centre, std::vector<double>& weights,
                int& start) {
  weights.clear();
  const auto clamped = [&](double x) { return static_cast<int>(std::clamp(x, 0.0, double(pixels - 1))); };
  if (how == Interpolation::nearest) {
    start = clamped(std::floor(centre));
    weights.push_back(1);
  } else if (how == Interpolation::bilinear || step <= 1) {
    const double left = std::floor(centre - 0.5), t = centre - 0.5 - left;
    start = clamped(left);
    weights.push_back(1 - t);
    if (clamped(left + 1) > start) weights.push_back(t);
    else weights[0] = 1;
  } else if (how == Interpolation::area) {
    const double from = centre - step / 2, to = centre + step / 2;
    start = clamped(std::floor(from));
    for (int j = start; j < pixels && j < to; j++)
      weights.push_back(std::min(j + 1.0, to) - std::max<double>(j, from));
  } else {
    start = clamped(std::floor(centre - step + 0.5));
    const int end = std::min(pixels, static_cast<int>(std::floor(centre + step + 0.5)));
    for (int j = start; j < end; j++)
      weights.push_back(std::max(0.0, 1 - std::fabs(j + 0.5 - centre) / step));
  }
  double sum = 0;
  for (double w : weights) sum += w;
  for (double& w : weights) w /= sum;
  while (weights.size() > 1 && weights.back() < least_weight) weights.pop_back();
  size_t skip = 0;
  while (skip + 1 < weights.size() && weights[skip] < least_weight) skip++;
  weights.erase(weights.begin(), weights.begin() + static_cast<ptrdiff_t>(skip));
  start += static_cast<int>(skip);
  return static_cast<int>(weights.size());
}

}  // namespace

void make_axis(Interpolation how, int pixels, double step, double offset, int from, int to, int unit,
               AxisTaps& axis) {
  const size_t n = static_cast<size_t>(std::max(0, to - from));
  axis.most = 1;
  axis.first = pixels;
  axis.last = 0;
  axis.start.resize(n);
  axis.count.resize(n);
  std::vector<double> weights;
  std::vector<float> packed;
  for (size_t i = 0; i < n; i++) {
    const double centre = (from + static_cast<double>(i) - offset + 0.5) * step;
    const int count = append_taps(how, pixels, step, centre, weights, axis.start[i]);
    axis.count[i] = count;
    axis.most = std::max(axis.most, count);
    axis.first = std::min(axis.first, axis.start[i]);
    axis.last = std::max(axis.last, axis.start[i] + count);
    packed.insert(packed.end(), weights.begin(), weights.end());
  }
  axis.taps = (axis.most + unit - 1) / unit * unit;
  const size_t taps = static_cast<size_t>(axis.taps);
  axis.weight.assign(n * taps + 16, 0);
  const float* next = packed.data();
  for (size_t i = 0; i < n; i++) {
    std::copy_n(next, axis.count[i], axis.weight.data() + i * taps);
    next += axis.count[i];
  }
}

}  // namespace hone::vision
