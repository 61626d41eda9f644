// RoiAlign and MaxRoiPool: pooling over regions of interest.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

Status check_output(int64_t h, int64_t w, float scale) {
  if (h < 1 || w < 1 || h > 65536 || w > 65536)
    return error(Code::invalid_argument, "the output is %lld x %lld; each must be from 1 to 65536",
                 static_cast<long long>(h), static_cast<long long>(w));
  if (!(scale > 0 && scale < 1e6f))
    return error(Code::invalid_argument, "spatial_scale is %g; it must be positive",
                 static_cast<double>(scale));
  return {};
}

Status check_shapes(const Shape& x, const Shape& rois, Dim columns) {
  if (x.ranked() && x.rank() != 4)
    return error(Code::invalid_argument, "the input has shape %s, expected [N,C,H,W]", x.str().c_str());
  if (rois.ranked() && (rois.rank() != 2 || (known(rois[1]) && rois[1] != columns)))
    return error(Code::invalid_argument, "the regions have shape %s, expected [regions,%lld]",
                 rois.str().c_str(), static_cast<long long>(columns));
  return {};
}
Shape result_shape(const Shape& x, const Shape& rois, int64_t h, int64_t w) {
  return {rois.ranked() ? rois[0] : unknown_dim, x.ranked() ? x[1] : unknown_dim, h, w};
}

// --- RoiAlign ---

bool known_transformation(const std::string& s) { return s == "half_pixel" || s == "output_half_pixel"; }

Status infer_align(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_type(c, 1, float_types));
  HONE_CHECK(check_type(c, 2, i64_type));
  if (c.dtype(0) != DType::none && c.dtype(1) != DType::none && c.dtype(0) != c.dtype(1))
    return error(Code::corrupt, "the regions are of type %s, the input of type %s", dtype_name(c.dtype(1)),
                 dtype_name(c.dtype(0)));
  const int64_t h = c.attrs.i("output_height"), w = c.attrs.i("output_width");
  HONE_CHECK(check_output(h, w, c.attrs.f("spatial_scale")));
  if (const int64_t ratio = c.attrs.i("sampling_ratio"); ratio < 0 || ratio > 1024)
    return error(Code::invalid_argument, "sampling_ratio is %lld; it must be from 0 to 1024",
                 static_cast<long long>(ratio));
  if (const std::string& mode = c.attrs.s("mode"); mode != "avg" && mode != "max")
    return error(Code::invalid_argument, "mode is '%s'; it must be avg or max", mode.c_str());
  if (const std::string& t = c.attrs.s("coordinate_transformation_mode"); !known_transformation(t))
    return error(Code::invalid_argument,
                 "coordinate_transformation_mode is '%s'; it must be half_pixel or output_half_pixel",
                 t.c_str());
  const Shape x = c.shape(0), rois = c.shape(1), batch = c.shape(2);
  HONE_CHECK(check_shapes(x, rois, 4));
  if (batch.ranked() &&
      (batch.rank() != 1 || (rois.ranked() && known(batch[0]) && known(rois[0]) && batch[0] != rois[0])))
    return error(Code::invalid_argument, "batch_indices has shape %s for regions %s", batch.str().c_str(),
                 rois.str().c_str());
  c.set(0, c.dtype(0), result_shape(x, rois, h, w));
  return {};
}

// The four pixels around (y, x) and their weights (bilinear); none where the point lies off the map by more
// than a pixel.
template <class T, class F>
void around(double y, double x, int64_t h, int64_t w, const T* map, F&& f) {
  if (!(y >= -1 && y <= static_cast<double>(h) && x >= -1 && x <= static_cast<double>(w))) return;
  y = std::max(y, 0.0);
  x = std::max(x, 0.0);
  const int64_t y0 = std::min(static_cast<int64_t>(y), h - 1), x0 = std::min(static_cast<int64_t>(x), w - 1);
  const int64_t y1 = std::min(y0 + 1, h - 1), x1 = std::min(x0 + 1, w - 1);
  const double fy = y0 == h - 1 ? 0 : y - static_cast<double>(y0),
               fx = x0 == w - 1 ? 0 : x - static_cast<double>(x0);
  f((1 - fy) * (1 - fx) * map[y0 * w + x0]);
  f((1 - fy) * fx * map[y0 * w + x1]);
  f(fy * (1 - fx) * map[y1 * w + x0]);
  f(fy * fx * map[y1 * w + x1]);
}

Status align(EvalContext& c) {
  const TensorView x = c.input(0), rois = c.input(1);
  const int64_t n = x.shape[0], channels = x.shape[1], h = x.shape[2], w = x.shape[3];
  const int64_t oh = c.attrs.i("output_height"), ow = c.attrs.i("output_width"),
                ratio = c.attrs.i("sampling_ratio");
  const double scale = c.attrs.f("spatial_scale");
  const bool half = c.attrs.s("coordinate_transformation_mode") == "half_pixel",
             average = c.attrs.s("mode") == "avg";
  const int64_t* batch = c.input(2).data<int64_t>();
  HONE_TRY(const TensorView y, c.output(0, x.dtype, result_shape(x.shape, rois.shape, oh, ow)));
  if (y.elements() && (h == 0 || w == 0))
    return error(Code::invalid_argument, "the input %s has no pixels", x.shape.str().c_str());
  return dispatch<float, double>(x.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    for (int64_t r = 0; r < rois.shape[0]; r++) {
      if (batch[r] < 0 || batch[r] >= n)
        return error(Code::invalid_argument, "region %lld names image %lld of %lld",
                     static_cast<long long>(r), static_cast<long long>(batch[r]), static_cast<long long>(n));
      const T* roi = rois.data<T>() + r * 4;
      const double offset = half ? 0.5 : 0;
      const double x1 = roi[0] * scale - offset, y1 = roi[1] * scale - offset;
      double width = roi[2] * scale - offset - x1, height = roi[3] * scale - offset - y1;
      if (!half) {
        width = std::max(width, 1.0);
        height = std::max(height, 1.0);
      }
      const double bin_h = height / static_cast<double>(oh), bin_w = width / static_cast<double>(ow);
      const double wanted_y = std::ceil(bin_h), wanted_x = std::ceil(bin_w);
      if (!(std::fabs(wanted_y) < 1e6 && std::fabs(wanted_x) < 1e6))
        return error(Code::invalid_argument, "region %lld is %g x %g pixels large", static_cast<long long>(r),
                     width, height);
      const int64_t ny = ratio > 0 ? ratio : std::max<int64_t>(0, static_cast<int64_t>(wanted_y)),
                    nx = ratio > 0 ? ratio : std::max<int64_t>(0, static_cast<int64_t>(wanted_x));
      if (ny > 4096 || nx > 4096)
        return error(
            Code::limit,
            "region %lld needs %lld x %lld samples for each output, at most 4096 x 4096 are supported",
            static_cast<long long>(r), static_cast<long long>(ny), static_cast<long long>(nx));
      for (int64_t ch = 0; ch < channels; ch++) {
        const T* map = x.data<T>() + (batch[r] * channels + ch) * h * w;
        for (int64_t i = 0; i < oh * ow; i++) {
          double sum = 0, best = 0;
          bool any = false;
          for (int64_t s = 0; s < ny * nx; s++) {
            const double py = y1 + (static_cast<double>(i / ow) +
                                    (static_cast<double>(s / nx) + 0.5) / static_cast<double>(ny)) *
                                       bin_h;
            const double px = x1 + (static_cast<double>(i % ow) +
                                    (static_cast<double>(s % nx) + 0.5) / static_cast<double>(nx)) *
                                       bin_w;
            // "max" takes the greatest weighted pixel, as the definition's own tests do.
            around(py, px, h, w, map, [&](double v) {
              sum += v;
              best = any ? std::max(best, v) : v;
              any = true;
            });
          }
          const double count = static_cast<double>(std::max<int64_t>(ny * nx, 1));
          y.data<T>()[(r * channels + ch) * oh * ow + i] = static_cast<T>(average ? sum / count : best);
        }
      }
    }
    return {};
  });
}

// --- MaxRoiPool: regions are (image, x1, y1, x2, y2), all inclusive ---

Status infer_max(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_same_types(c));
  const std::vector<int64_t>& size = c.attrs.ints("pooled_shape");
  if (size.size() != 2) return error(Code::corrupt, "pooled_shape has %zu values, expected 2", size.size());
  HONE_CHECK(check_output(size[0], size[1], c.attrs.f("spatial_scale")));
  HONE_CHECK(check_shapes(c.shape(0), c.shape(1), 5));
  c.set(0, c.dtype(0), result_shape(c.shape(0), c.shape(1), size[0], size[1]));
  return {};
}
Status max_pool(EvalContext& c) {
  const TensorView x = c.input(0), rois = c.input(1);
  const int64_t n = x.shape[0], channels = x.shape[1], h = x.shape[2], w = x.shape[3];
  const int64_t oh = c.attrs.ints("pooled_shape")[0], ow = c.attrs.ints("pooled_shape")[1];
  const double scale = c.attrs.f("spatial_scale");
  HONE_TRY(const TensorView y, c.output(0, x.dtype, result_shape(x.shape, rois.shape, oh, ow)));
  return dispatch<float, double>(x.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    for (int64_t r = 0; r < rois.shape[0]; r++) {
      const T* roi = rois.data<T>() + r * 5;
      if (!(roi[0] >= 0 && roi[0] < static_cast<T>(n)))
        return error(Code::invalid_argument, "region %lld names image %g of %lld", static_cast<long long>(r),
                     static_cast<double>(roi[0]), static_cast<long long>(n));
      double at[4];
      for (int k = 0; k < 4; k++) {
        at[k] = std::round(roi[1 + k] * scale);
        if (!(std::fabs(at[k]) < 1e9))
          return error(Code::invalid_argument, "region %lld lies at %g", static_cast<long long>(r), at[k]);
      }
      const double width = std::max(at[2] - at[0] + 1, 1.0), height = std::max(at[3] - at[1] + 1, 1.0);
      const auto range = [](int64_t i, double origin, double size, int64_t parts, int64_t limit) {
        const double part = size / static_cast<double>(parts), index = static_cast<double>(i);
        return std::pair{
            std::clamp<int64_t>(static_cast<int64_t>(std::floor(index * part) + origin), 0, limit),
            std::clamp<int64_t>(static_cast<int64_t>(std::ceil((index + 1) * part) + origin), 0, limit)};
      };
      for (int64_t ch = 0; ch < channels; ch++) {
        const T* map = x.data<T>() + (static_cast<int64_t>(roi[0]) * channels + ch) * h * w;
        for (int64_t i = 0; i < oh * ow; i++) {
          const auto [y1, y2] = range(i / ow, at[1], height, oh, h);
          const auto [x1, x2] = range(i % ow, at[0], width, ow, w);
          T best = y1 < y2 && x1 < x2 ? std::numeric_limits<T>::lowest() : T{};
          for (int64_t py = y1; py < y2; py++)
            for (int64_t px = x1; px < x2; px++) best = std::max(best, map[py * w + px]);
          y.data<T>()[(r * channels + ch) * oh * ow + i] = best;
        }
      }
    }
    return {};
  });
}

Status align_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, align);
}
Status max_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, max_pool);
}

// Until opset 15 there was one transformation only, today's "output_half_pixel".
Status from_10(OpsetNode& n) {
  n.attrs().set("coordinate_transformation_mode", std::string("output_half_pixel"));
  return {};
}
constexpr Upgrade upgrades[] = {{16, from_10}};
constexpr AttrDef align_attrs[] = {AttrDef::def_s("coordinate_transformation_mode", "half_pixel"),
                                   AttrDef::def_s("mode", "avg"),
                                   AttrDef::def_i("output_height", 1),
                                   AttrDef::def_i("output_width", 1),
                                   AttrDef::def_i("sampling_ratio", 0),
                                   AttrDef::def_f("spatial_scale", 1)};
constexpr AttrDef max_attrs[] = {AttrDef::req("pooled_shape", AttrType::ints),
                                 AttrDef::def_f("spatial_scale", 1)};

}  // namespace

extern const OpDef op_RoiAlign{.name = "RoiAlign",
                               .doc = "regions of a map, sampled bilinearly and pooled to one size",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .attrs = align_attrs,
                               .since = 10,
                               .upgrades = upgrades,
                               .infer = infer_align,
                               .reference = align_reference};
extern const OpDef op_MaxRoiPool{.name = "MaxRoiPool",
                                 .doc = "regions of a map, max-pooled to one size",
                                 .min_inputs = 2,
                                 .max_inputs = 2,
                                 .attrs = max_attrs,
                                 .infer = infer_max,
                                 .reference = max_reference};

}  // namespace hone
