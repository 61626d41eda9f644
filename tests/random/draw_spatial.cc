#include <algorithm>
#include <cmath>

#include "random/draws.h"

namespace hone::test {
namespace {

using Ints = std::vector<int64_t>;

// A window over random pictures. The pictures are at least as large as it with its padding.
struct Slide {
  Ints size, kernel;  // spatial
  double taps = 1;
};
Slide slide(Draw& d, int rank, bool pooled, bool transposed = false) {
  Slide s;
  Ints strides, dilations, pads(2 * static_cast<size_t>(rank));
  const bool dilated = d.chance(20), padded = d.chance(60), strided = d.chance(40), one = d.chance(30);
  for (int i = 0; i < rank; i++) {
    const int64_t k = one ? 1 : d.pick<int64_t>({1, 2, 3, 3, 3, 5, 7}),
                  dilation = dilated ? d.between(1, 3) : 1;
    const int64_t extent = (k - 1) * dilation + 1;
    s.kernel.push_back(k);
    s.taps *= static_cast<double>(k);
    strides.push_back(strided ? d.between(1, 3) : 1);
    dilations.push_back(dilation);
    // A window of a pool must not lie in padding alone.
    const int64_t most = transposed ? extent - 1 : pooled ? k - 1 : extent;
    for (const int end : {0, 1})
      if (padded)
        pads[static_cast<size_t>(i + end * rank)] =
            d.chance(50) ? std::min<int64_t>(most, k / 2) : d.between(0, std::min<int64_t>(3, most));
    s.size.push_back(transposed ? d.between(1, 7)
                                : extent + d.between(0, rank == 1   ? 40
                                                        : rank == 2 ? 14
                                                                    : 3));
  }
  if (d.chance(20) && !(dilated && transposed))
    d.attr("auto_pad", d.pick<std::string>({"SAME_UPPER", "SAME_LOWER", "VALID"}));
  else if (padded) d.attr("pads", pads);
  if (strided || d.chance(20)) d.attr("strides", strides);
  if (dilated) d.attr("dilations", dilations);
  return s;
}
Shape with(std::initializer_list<Dim> first, const Ints& rest) {
  Shape s(first);
  for (const int64_t n : rest) s.push_back(n);
  return s;
}
int spatial_rank(Draw& d) { return static_cast<int>(d.pick<int64_t>({2, 2, 2, 2, 1, 3})); }
void weight(Draw& d, Value v) { d.chance(75) ? d.fixed(std::move(v)) : d.in(std::move(v)); }

struct ConvSizes {
  Slide slide;
  Dim n, channels, per_group, out;
};
ConvSizes conv_sizes(Draw& d) {
  ConvSizes s;
  s.slide = slide(d, spatial_rank(d), false);
  s.n = d.between(1, 2);
  const int64_t kind = d.between(0, 3);
  int64_t group = 1;
  if (kind == 0) {  // depthwise
    group = d.between(1, 40);
    s.per_group = 1;
    s.out = group * d.pick<int64_t>({1, 1, 2});
  } else {
    group = kind == 1 ? d.between(2, 4) : 1;
    s.per_group = d.pick<int64_t>({1, 3, d.between(1, 20), 16});
    s.out = group * d.pick<int64_t>({1, 8, d.between(1, 40)});
  }
  s.channels = group * s.per_group;
  if (group > 1) d.attr("group", group);
  if (d.chance(60)) d.attr("kernel_shape", s.slide.kernel);
  return s;
}

}  // namespace

void conv(Draw& d) {
  const ConvSizes s = conv_sizes(d);
  const DType t = d.chance(80) ? DType::f32 : d.type(float_types);
  d.in(d.tensor(t, with({s.n, s.channels}, s.slide.size), -1, 1));
  weight(d, d.tensor(t, with({s.out, s.per_group}, s.slide.kernel), -1, 1));
  if (d.chance(60)) weight(d, d.tensor(t, {s.out}, -1, 1));
  // Winograd's transforms lose some bits (Lavin and Gray, 2015): 4x4 outputs at a time about 10 units.
  d.judge(Judge::sums, 16 + s.slide.taps * static_cast<double>(s.per_group));
}

void conv_integer(Draw& d) {
  const ConvSizes s = conv_sizes(d);
  const TypeSet bytes{DType::u8, DType::i8};
  const DType t = d.type(bytes), w = d.type(bytes);
  d.in(d.tensor(t, with({s.n, s.channels}, s.slide.size), -128, 255));
  weight(d, d.tensor(w, with({s.out, s.per_group}, s.slide.kernel), -128, 255));
  if (d.chance(60)) {
    d.in(d.tensor(t, {}, -99, 99));
    if (d.chance(60)) d.in(d.tensor(w, d.chance(50) ? Shape{} : Shape{s.out}, -99, 99));
  }
}

void qlinear_conv(Draw& d) {
  const ConvSizes s = conv_sizes(d);
  const TypeSet bytes{DType::u8, DType::i8};
  const DType t = d.type(bytes), w = d.type(bytes), y = d.type(bytes);
  const Shape lines = d.chance(50) ? Shape{} : Shape{s.out};
  d.in(d.tensor(t, with({s.n, s.channels}, s.slide.size), -128, 255));
  d.in(d.tensor(DType::f32, {}, 0.001, 0.1));
  d.in(d.tensor(t, {}, -9, 9));
  weight(d, d.tensor(w, with({s.out, s.per_group}, s.slide.kernel), -128, 255));
  d.in(d.tensor(DType::f32, lines, 0.001, 0.1));
  d.in(d.tensor(w, lines, -2, 2));
  d.in(d.tensor(DType::f32, {}, 0.01, 1));
  d.in(d.tensor(y, {}, -9, 9));
  if (d.chance(60)) d.in(d.tensor(DType::i32, {s.out}, -999, 999));
}

void conv_transpose(Draw& d) {
  const int rank = spatial_rank(d);
  const Slide s = slide(d, rank, false, true);
  const DType t = d.chance(80) ? DType::f32 : d.type(float_types);
  const int64_t group = d.chance(70) ? 1 : d.between(2, 3), in = d.between(1, 9), out = d.between(1, 9);
  if (group > 1) d.attr("group", group);
  const auto& attrs = d.so_far().attrs;
  if (attrs.has("strides") && d.chance(40)) {
    Ints extra;
    for (const int64_t stride : attrs.ints("strides")) extra.push_back(d.between(0, stride - 1));
    d.attr("output_padding", extra);
  }
  if (d.chance(60)) d.attr("kernel_shape", s.kernel);
  d.in(d.tensor(t, with({d.between(1, 2), group * in}, s.size), -1, 1));
  weight(d, d.tensor(t, with({group * in, out}, s.kernel), -1, 1));
  if (d.chance(60)) weight(d, d.tensor(t, {group * out}, -1, 1));
  d.judge(Judge::sums, 8 + s.taps * static_cast<double>(in));
}

void deform_conv(Draw& d) {
  const DType t = d.type(float_types);
  const int64_t n = d.between(1, 2), group = d.between(1, 2), per = d.between(1, 3),
                out = group * d.between(1, 3);
  const int64_t k = d.pick<int64_t>({1, 3}), pad = d.between(0, 1), h = d.between(3, 6), w = d.between(3, 6);
  const int64_t stride = d.between(1, 2), offsets = d.chance(50) ? 1 : group * per;
  const int64_t oh = (h + 2 * pad - k) / stride + 1, ow = (w + 2 * pad - k) / stride + 1;
  d.attr("group", group);
  d.attr("offset_group", offsets);
  d.attr("pads", Ints{pad, pad, pad, pad});
  d.attr("strides", Ints{stride, stride});
  d.in(d.tensor(t, {n, group * per, h, w}, -1, 1));
  d.in(d.tensor(t, {out, per, k, k}, -1, 1));
  d.in(d.tensor(t, {n, offsets * k * k * 2, oh, ow}, -2, 2));
  if (d.chance(50)) d.in(d.tensor(t, {out}, -1, 1));
  else d.none();
  if (d.chance(50)) d.in(d.tensor(t, {n, offsets * k * k, oh, ow}, 0, 1));
  d.judge(Judge::scaled, 256);
}

void pool(Draw& d, Judge::Kind kind) {
  const Slide s = slide(d, spatial_rank(d), true);
  const std::string_view name = d.op().name;
  d.attr("kernel_shape", s.kernel);
  if (d.chance(30)) d.attr("ceil_mode", int64_t{1});
  if (name == "AveragePool") d.flag("count_include_pad");
  if (name == "LpPool") d.maybe<int64_t>("p", {1, 2, 3});
  const bool two = name == "MaxPool" && d.chance(30);
  if (two) {
    d.outputs(2);
    d.flag("storage_order");
  }
  const DType t = d.type(name == "MaxPool" ? float_types | TypeSet{DType::u8, DType::i8} : float_types);
  d.in(d.tensor(t, with({d.between(1, 2), d.between(1, 20)}, s.size), -3, 3));
  if (kind != Judge::exact) d.judge(kind, 8 + s.taps);
}

void global_pool(Draw& d, Judge::Kind kind) {
  const Shape s = d.shape(2, 5, false);
  if (std::string_view(d.op().name) == "GlobalLpPool") d.maybe<int64_t>("p", {1, 2, 3});
  d.in(d.tensor(d.type(float_types), s));
  if (kind != Judge::exact) d.judge(kind, 8 + static_cast<double>(s.elements()));
}

void max_unpool(Draw& d) {
  const int64_t k = d.between(1, 3), n = d.between(1, 2), c = d.between(1, 3), h = d.between(1, 4),
                w = d.between(1, 4);
  const Shape x{n, c, h, w};
  d.attr("kernel_shape", Ints{k, k});
  d.attr("strides", Ints{k, k});
  Tensor indices = d.zeros(DType::i64, x);
  for (int64_t i = 0; i < indices.elements(); i++) {  // the corner of its window: no place twice
    const int64_t col = i % w * k + d.between(0, k - 1), row = i / w % h * k + d.between(0, k - 1);
    indices.data<int64_t>()[i] = (i / (h * w) * h * k + row) * w * k + col;
  }
  d.in(d.tensor(d.type(float_types), x));
  d.in(indices);
  if (d.chance(30)) d.ints({n, c, h * k + d.between(0, 2), w * k + d.between(0, 2)});
}

void resize(Draw& d) {
  const std::string mode = d.pick<std::string>({"nearest", "linear", "linear", "cubic"});
  const int rank = static_cast<int>(d.between(2, 5)),
            n = mode == "cubic" ? 2 : static_cast<int>(d.between(1, std::min(3, rank)));
  Shape s = d.shape(rank, rank, false);
  std::vector<int64_t> axes;
  for (int i = rank - n; i < rank; i++) axes.push_back(i);
  d.attr("mode", mode);
  const std::string transform =
      d.pick<std::string>({"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel",
                           "half_pixel_symmetric", "tf_crop_and_resize"});
  d.attr("coordinate_transformation_mode", transform);
  if (mode == "nearest")
    d.maybe<std::string>("nearest_mode", {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  if (mode == "cubic") {
    d.maybe<float>("cubic_coeff_a", {-0.75f, -0.5f});
    d.flag("exclude_outside");
  }
  if (mode != "nearest" && transform != "tf_crop_and_resize" && d.chance(20)) d.attr("antialias", int64_t{1});
  const bool listed = d.chance(30);
  if (listed) d.attr("axes", axes);
  const DType t = d.type(mode == "nearest" ? number_types | bool_type : float_types);
  d.in(d.tensor(t, s));
  const auto count = listed ? static_cast<size_t>(n) : static_cast<size_t>(rank);
  if (transform == "tf_crop_and_resize") {
    Tensor roi = d.zeros(DType::f32, {static_cast<Dim>(2 * count)});
    for (size_t i = 0; i < count; i++) {
      const bool resized = listed || i >= static_cast<size_t>(rank - n);
      roi.data<float>()[i] = resized ? static_cast<float>(d.real(0, 0.4)) : 0;
      roi.data<float>()[count + i] = resized ? static_cast<float>(d.real(0.5, 1)) : 1;
    }
    d.in(roi);
  } else {
    d.none();
  }
  if (d.chance(50)) {
    Tensor scales = d.zeros(DType::f32, {static_cast<Dim>(count)});
    for (size_t i = 0; i < count; i++)
      scales.data<float>()[i] =
          listed || i >= static_cast<size_t>(rank - n) ? d.pick({1.0f, 2.0f, 0.5f, 1.5f, 3.0f, 0.7f}) : 1;
    d.in(scales);
  } else {
    std::vector<int64_t> sizes;
    for (size_t i = 0; i < static_cast<size_t>(rank); i++) {
      const bool resized = i >= static_cast<size_t>(rank - n);
      if (resized || !listed) sizes.push_back(resized ? d.between(1, 14) : s[i]);
    }
    d.none();
    d.ints(sizes);
  }
  if (mode != "nearest") d.judge(Judge::sums, mode == "cubic" ? 512 : 256);
}

void grid_sample(Draw& d) {
  const DType t = d.type(float_types);
  const bool volume = d.chance(25);
  d.maybe<std::string>("mode", volume ? std::initializer_list<std::string>{"linear", "nearest"}
                                      : std::initializer_list<std::string>{"linear", "nearest", "cubic"});
  d.maybe<std::string>("padding_mode", {"zeros", "border", "reflection"});
  d.flag("align_corners");
  const Dim n = d.between(1, 2);
  d.in(d.tensor(t, volume ? Shape{n, d.between(1, 3), d.between(1, 4), d.between(1, 4), d.between(1, 4)}
                          : Shape{n, d.between(1, 3), d.between(1, 5), d.between(1, 5)}));
  d.in(d.tensor(t,
                volume ? Shape{n, d.between(1, 3), d.between(1, 3), d.between(1, 3), 3}
                       : Shape{n, d.between(1, 4), d.between(1, 4), 2},
                -1.3, 1.3));
  d.judge(Judge::scaled, 64);
}

void affine_grid(Draw& d) {
  const DType t = d.type(float_types);
  const bool volume = d.chance(40);
  const int64_t n = d.between(1, 2);
  d.flag("align_corners");
  d.in(d.tensor(t, volume ? Shape{n, 3, 4} : Shape{n, 2, 3}, -1, 1));
  Ints size{n, d.between(1, 3), d.between(1, 4), d.between(1, 4)};
  if (volume) size.push_back(d.between(1, 4));
  d.ints(size);
  d.judge(Judge::scaled, 16);
}

namespace {
Tensor regions(Draw& d, DType t, int64_t count, int64_t images) {
  const bool leading = images > 0;
  Tensor r = d.zeros(t, {count, leading ? 5 : 4});
  for (int64_t i = 0, at = 0; i < count; i++) {
    if (leading) set_number(r, at++, static_cast<double>(d.between(0, images - 1)));
    const double x = d.real(0, 4), y = d.real(0, 4);
    for (const double v : {x, y, x + d.real(0.5, 5), y + d.real(0.5, 5)}) set_number(r, at++, v);
  }
  return r;
}
}  // namespace

void roi_align(Draw& d) {
  const DType t = d.type(float_types);
  const int64_t n = d.between(1, 2), count = d.between(0, 4);
  d.maybe<std::string>("coordinate_transformation_mode", {"half_pixel", "output_half_pixel"});
  d.maybe<std::string>("mode", {"avg", "max"});
  d.attr("output_height", d.between(1, 4));
  d.attr("output_width", d.between(1, 4));
  d.maybe<int64_t>("sampling_ratio", {0, 1, 2});
  d.maybe<float>("spatial_scale", {1.0f, 0.5f});
  d.in(d.tensor(t, {n, d.between(1, 3), d.between(4, 9), d.between(4, 9)}));
  d.in(regions(d, t, count, 0));
  d.in(d.whole(DType::i64, {count}, 0, n - 1));
  d.judge(Judge::scaled, 64);
}

void max_roi_pool(Draw& d) {
  const DType t = d.type(float_types);
  const int64_t n = d.between(1, 2);
  d.attr("pooled_shape", Ints{d.between(1, 4), d.between(1, 4)});
  d.maybe<float>("spatial_scale", {1.0f, 0.5f});
  d.in(d.tensor(t, {n, d.between(1, 3), d.between(4, 9), d.between(4, 9)}));
  d.in(regions(d, t, d.between(0, 4), n));
}

void non_max_suppression(Draw& d) {
  const int64_t batch = d.between(1, 2), boxes = d.between(0, 20), classes = d.between(1, 3);
  d.flag("center_point_box");
  Tensor b = d.zeros(DType::f32, {batch, boxes, 4});
  for (int64_t i = 0; i < b.elements(); i += 4) {
    const double x = d.real(0, 4), y = d.real(0, 4);
    const double v[] = {x, y, x + d.real(0.1, 3), y + d.real(0.1, 3)};
    for (int64_t k = 0; k < 4; k++) b.data<float>()[i + k] = static_cast<float>(v[k]);
  }
  d.in(b);
  d.in(d.tensor(DType::f32, {batch, classes, boxes}, 0, 1));
  const int64_t more = d.between(0, 3);
  if (more > 0) d.in(d.whole(DType::i64, d.chance(50) ? Shape{} : Shape{1}, 0, 9));
  if (more > 1) d.in(d.tensor(DType::f32, {}, 0, 1));
  if (more > 2) d.in(d.tensor(DType::f32, {1}, 0, 0.5));
}

}  // namespace hone::test
