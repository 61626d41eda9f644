#include <algorithm>
#include <cmath>

#include "ops/resize.h"
#include "ops/types.h"

namespace hone {
namespace {

// Where dimension `axis` of N, C, spatial... lies in memory.
size_t position(int axis, int rank, bool channels_last) {
  if (!channels_last || axis == 0) return static_cast<size_t>(axis);
  return static_cast<size_t>(axis == 1 ? rank - 1 : axis - 1);
}

bool one_of(const std::string& s, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* n) { return s == n; });
}

Status check_modes(const Attrs& attrs) {
  const auto check = [&](const char* attr, std::initializer_list<const char*> names) -> Status {
    if (one_of(attrs.s(attr), names)) return {};
    return error(Code::unsupported, "%s is '%s', which is not one of the known ones", attr,
                 attrs.s(attr).c_str());
  };
  HONE_CHECK(check("mode", {"nearest", "linear", "cubic"}));
  HONE_CHECK(check("coordinate_transformation_mode",
                   {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                    "tf_half_pixel_for_nn", "tf_crop_and_resize"}));
  HONE_CHECK(check("nearest_mode", {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}));
  return check("keep_aspect_ratio_policy", {"stretch", "not_larger", "not_smaller"});
}

constexpr int64_t size_limit = int64_t{1} << 31;

}  // namespace

Result<ResizePlan> plan_resize(const Attrs& attrs, const Shape& x, const ResizeInputs& in) {
  ResizePlan p;
  HONE_CHECK(check_modes(attrs));
  p.mode = attrs.s("mode") == "nearest"  ? ResizePlan::Mode::nearest
           : attrs.s("mode") == "linear" ? ResizePlan::Mode::linear
                                         : ResizePlan::Mode::cubic;
  const bool last = attrs.flag("channels_last"),
             crop = attrs.s("coordinate_transformation_mode") == "tf_crop_and_resize";
  const int rank = x.rank();
  if (last && rank < 3)
    return error(Code::invalid_argument, "channels_last needs a spatial dimension, the input is %s",
                 x.str().c_str());
  std::vector<int> axes;
  if (const std::vector<int64_t>& given = attrs.ints("axes"); !given.empty()) {
    HONE_CHECK(normalize_axes(given, rank));  // refuses repetition
    for (const int64_t a : given) axes.push_back(static_cast<int>(a < 0 ? a + rank : a));
  } else {
    for (int i = 0; i < rank; i++) axes.push_back(i);
  }
  const auto check_count = [&](const char* what, size_t have, size_t want) -> Status {
    if (have == want) return {};
    return error(Code::invalid_argument, "%s has %zu values for %zu resized axes of %s, expected %zu", what,
                 have, axes.size(), x.str().c_str(), want);
  };
  if (in.roi) HONE_CHECK(check_count("roi", in.roi->size(), 2 * axes.size()));
  if (in.scales) HONE_CHECK(check_count("scales", in.scales->size(), axes.size()));
  if (in.sizes) HONE_CHECK(check_count("sizes", in.sizes->size(), axes.size()));

  p.out = x;
  p.axes.resize(x.size());
  for (size_t i = 0; i < x.size(); i++) p.axes[i].in = p.axes[i].out = x[i];
  // With a policy other than "stretch" one scale serves all axes.
  double common = 0;
  const std::string& policy = attrs.s("keep_aspect_ratio_policy");
  bool inputs_known = true;
  for (size_t k = 0; k < axes.size(); k++) {
    const Dim d = x[position(axes[k], rank, last)];
    inputs_known = inputs_known && known(d);
    if (!in.sizes || !known(d) || policy == "stretch") continue;
    const double s = static_cast<double>((*in.sizes)[k]) / static_cast<double>(std::max<int64_t>(d, 1));
    if (k == 0) common = s;
    else common = policy == "not_larger" ? std::min(common, s) : std::max(common, s);
  }
  for (size_t k = 0; k < axes.size(); k++) {
    const size_t at = position(axes[k], rank, last);
    ResizeAxis& a = p.axes[at];
    if (crop && in.roi) {
      a.start = (*in.roi)[k];
      a.end = (*in.roi)[axes.size() + k];
      if (!(std::fabs(a.start) < 1e6 && std::fabs(a.end) < 1e6))
        return error(Code::invalid_argument,
                     "roi holds %g and %g for axis %d; values of that size are not supported", a.start, a.end,
                     axes[k]);
    }
    Dim& d = p.out[at];
    if (in.sizes) {
      const int64_t size = (*in.sizes)[k];
      if (size < 0 || size > size_limit)
        return error(Code::invalid_argument, "sizes holds %lld; values from 0 to 2^31 are supported",
                     static_cast<long long>(size));
      if (policy == "stretch") {
        d = size;
        if (known(a.in))
          a.scale = static_cast<double>(size) / static_cast<double>(std::max<int64_t>(a.in, 1));
      } else {
        d = inputs_known ? static_cast<Dim>(std::floor(common * static_cast<double>(a.in) + 0.5))
                         : unknown_dim;
        a.scale = common;
      }
    } else if (in.scales) {
      const float scale = (*in.scales)[k];
      if (!(scale > 0 && scale <= 65536.0f))
        return error(Code::invalid_argument, "scales holds %g; it must be positive and at most 65536",
                     static_cast<double>(scale));
      a.scale = scale;
      // In float, as everybody else does: 10 * 0.7f is 7 only there.
      const float cropped = crop && in.roi ? static_cast<float>(a.end - a.start) : 1.0f;
      if (known(a.in))
        d = static_cast<Dim>(std::floor(static_cast<float>(a.in) * std::max(cropped, 0.0f) * scale));
      else if (scale != 1.0f) d = unknown_dim;
    } else {
      d = unknown_dim;
    }
    if (d > size_limit)
      return error(Code::limit, "axis %d would have %lld elements, above 2^31", axes[k],
                   static_cast<long long>(d));
    if (known(d) && d > 0 && a.in == 0)
      return error(Code::invalid_argument, "axis %d has no elements to make %lld from", axes[k],
                   static_cast<long long>(d));
    a.out = d;
  }
  return p;
}

namespace {

struct Filter {
  bool cubic;
  double a;  // cubic_coeff_a
  double radius() const { return cubic ? 2 : 1; }
  double operator()(double x) const {
    x = std::fabs(x);
    if (!cubic) return std::max(0.0, 1 - x);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;  // Keys, "Cubic convolution interpolation", 1981
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
  }
};

// The input coordinate that output coordinate o looks at.
double source(const std::string& mode, const ResizeAxis& axis, int64_t o) {
  const auto x = static_cast<double>(o), n = static_cast<double>(axis.in);
  const double length = axis.scale * n;  // of the output before rounding
  if (mode == "align_corners") return length == 1 ? 0 : x * (n - 1) / (length - 1);
  if (mode == "asymmetric") return x / axis.scale;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5) / axis.scale;
  if (mode == "tf_crop_and_resize") {
    const double step = length == 1 ? 0.5 : x / (length - 1);
    return (axis.start + step * (axis.end - axis.start)) * (n - 1);
  }
  if (mode == "pytorch_half_pixel" && length == 1) return -0.5;
  const double half = (x + 0.5) / axis.scale - 0.5;
  // Keeps the centre where it was although the output's size was rounded.
  if (mode == "half_pixel_symmetric") return n / 2 * (1 - static_cast<double>(axis.out) / length) + half;
  return half;
}

}  // namespace

ResizeTaps resize_taps(const Attrs& attrs, ResizePlan::Mode mode, const ResizeAxis& axis) {
  ResizeTaps t;
  const std::string &coordinates = attrs.s("coordinate_transformation_mode"),
                    &nearest = attrs.s("nearest_mode");
  const bool crop = coordinates == "tf_crop_and_resize", exclude = attrs.flag("exclude_outside");
  const Filter filter{mode == ResizePlan::Mode::cubic, attrs.f("cubic_coeff_a")};
  const double shrink = attrs.flag("antialias") ? std::min(axis.scale, 1.0) : 1.0;
  const auto add = [&](int64_t index, double weight) {
    t.index.push_back(std::clamp<int64_t>(index, 0, axis.in - 1));
    t.weight.push_back(static_cast<float>(weight));
  };
  t.identity = axis.in == axis.out;
  std::vector<double> weights;
  for (int64_t o = 0; o < axis.out; o++) {
    t.begin.push_back(static_cast<int64_t>(t.index.size()));
    // Beyond this every neighbour is the edge; it keeps the conversion to integers defined.
    const double x = std::clamp(source(coordinates, axis, o), -4294967296.0, 4294967296.0);
    t.outside.push_back(crop && (x < 0 || x > static_cast<double>(axis.in - 1)));
    if (mode == ResizePlan::Mode::nearest) {
      const double rounded = nearest == "floor"               ? std::floor(x)
                             : nearest == "ceil"              ? std::ceil(x)
                             : nearest == "round_prefer_ceil" ? std::floor(x + 0.5)
                                                              : std::ceil(x - 0.5);
      add(static_cast<int64_t>(rounded), 1);
    } else {
      // Neighbours out to the filter's radius, which shrinking by antialias widens.
      const double reach = filter.radius() / shrink;
      int64_t first = static_cast<int64_t>(std::floor(x - reach)) + 1,
              past = static_cast<int64_t>(std::ceil(x + reach));
      if (exclude) {
        first = std::max<int64_t>(first, 0);
        past = std::min(past, axis.in);
      }
      weights.clear();
      double sum = 0;
      for (int64_t i = first; i < past; i++) {
        weights.push_back(filter((static_cast<double>(i) - x) * shrink));
        sum += weights.back();
      }
      // Without antialias or exclusion the weights add up to one by themselves.
      const double norm = (exclude || shrink < 1) && sum != 0 ? 1 / sum : 1;
      for (int64_t i = first; i < past; i++) add(i, weights[static_cast<size_t>(i - first)] * norm);
    }
    const auto from = static_cast<size_t>(t.begin.back());
    bool same = !t.outside.back();
    for (size_t k = from; k < t.index.size(); k++)
      same = same && t.weight[k] == (t.index[k] == o ? 1.0f : 0.0f);
    t.identity = t.identity && same && t.index.size() > from;
  }
  t.begin.push_back(static_cast<int64_t>(t.index.size()));
  return t;
}

}  // namespace hone
