#include "ops/resize.h"

#include <cstring>

#include "ops/element.h"
#include "ops/types.h"
#include "ops/widen.h"
#include "ops/window.h"

namespace hone {
namespace {

// Values of a float input; nullopt where it is absent, not known or (as older models write "absent") empty.
std::optional<std::vector<float>> floats(const Tensor* t) {
  if (!t || !*t || t->elements() == 0) return std::nullopt;
  auto v = to_floats(t->view());
  return v ? std::optional(*std::move(v)) : std::nullopt;
}
std::optional<std::vector<int64_t>> integers(const Tensor* t) {
  if (!t || !*t || t->elements() == 0) return std::nullopt;
  auto v = t->as_ints();
  return v ? std::optional(*std::move(v)) : std::nullopt;
}
template <class T>
const T* pointer(const std::optional<T>& o) {
  return o ? &*o : nullptr;
}

Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, float_types));
  HONE_CHECK(check_type(c, 2, TypeSet{DType::f32}));
  HONE_CHECK(check_type(c, 3, i64_type));
  const Shape x = c.shape(0);
  c.set(0, c.dtype(0), Shape::unranked());
  const auto roi = floats(c.value(1)), scales = floats(c.value(2));
  const auto sizes = integers(c.value(3));
  if (scales && sizes) return error(Code::invalid_argument, "both scales and sizes are given; remove one");
  const auto missing = [&](size_t i) { return !c.has(i) || (c.value(i) && c.value(i)->elements() == 0); };
  if (missing(2) && missing(3)) return error(Code::invalid_argument, "neither scales nor sizes are given");
  const bool crop = c.attrs.s("coordinate_transformation_mode") == "tf_crop_and_resize";
  if (crop && missing(1))
    return error(Code::invalid_argument, "tf_crop_and_resize needs a region of interest (input 1)");
  if (!x.ranked()) return {};
  HONE_TRY(ResizePlan p,
           plan_resize(c.attrs, x, {crop ? pointer(roi) : nullptr, pointer(scales), pointer(sizes)}));
  if (p.mode != ResizePlan::Mode::nearest) HONE_CHECK(check_type(c, 0, number_types));
  // Scales alone do not tell the size of a cropped output.
  if (crop && !roi && !sizes)
    for (size_t i = 0; i < x.size(); i++) p.out[i] = unknown_dim;
  c.set(0, c.dtype(0), p.out);
  return {};
}

// Any element type: moves whole elements.
template <class Copy>
void gather(const ResizePlan& p, const std::vector<ResizeTaps>& taps, const Shape& x, Copy&& copy) {
  const auto strides = contiguous_strides(x);
  Odometer at(p.out.rank(), p.out.dims());
  for (int64_t o = 0, n = p.out.elements(); o < n; o++, at.next()) {
    int64_t from = 0;
    for (size_t i = 0; i < taps.size() && from >= 0; i++) {
      const auto k = static_cast<size_t>(at[i]);
      from = taps[i].outside[k] ? -1 : from + taps[i].index[k] * strides[i];
    }
    copy(o, from);
  }
}

Status nearest(const Attrs& attrs, const ResizePlan& p, const std::vector<ResizeTaps>& taps,
               const TensorView& x, const TensorView& y) {
  if (x.dtype == DType::string) {
    gather(p, taps, x.shape, [&](int64_t o, int64_t from) {
      y.data<std::string>()[o] = from < 0 ? std::string() : x.data<std::string>()[from];
    });
    return {};
  }
  if (dtype_bits(x.dtype) < 8)
    return error(Code::unsupported, "elements of type %s, which share bytes, cannot be resized",
                 dtype_name(x.dtype));
  const auto size = static_cast<size_t>(dtype_bits(x.dtype) / 8);
  // extrapolation_value as an element; types without arithmetic get zero bytes.
  std::array<std::byte, 16> outside{};
  (void)dispatch_numbers(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    T value{};
    store(value, static_cast<Compute<T>>(attrs.f("extrapolation_value")));
    std::memcpy(outside.data(), &value, sizeof value);
  });
  gather(p, taps, x.shape, [&](int64_t o, int64_t from) {
    std::memcpy(y.data<std::byte>() + static_cast<size_t>(o) * size,
                from < 0 ? outside.data() : x.data<std::byte>() + static_cast<size_t>(from) * size, size);
  });
  return {};
}

// One axis after the other, in double.
std::vector<double> interpolate(std::vector<double> data, const ResizePlan& p,
                                const std::vector<ResizeTaps>& taps, double extrapolation) {
  Shape shape = Shape::of_rank(p.out.rank());
  for (size_t i = 0; i < p.axes.size(); i++) shape[i] = p.axes[i].in;
  for (size_t axis = 0; axis < taps.size(); axis++) {
    const ResizeTaps& t = taps[axis];
    if (t.identity) continue;
    const int64_t outer = shape.product(0, static_cast<int>(axis)),
                  inner = shape.product(static_cast<int>(axis) + 1, shape.rank()), in = shape[axis],
                  out = p.axes[axis].out;
    std::vector<double> result(static_cast<size_t>(outer * out * inner));
    for (int64_t n = 0; n < outer; n++)
      for (int64_t o = 0; o < out; o++) {
        double* to = result.data() + (n * out + o) * inner;
        if (t.outside[static_cast<size_t>(o)]) {
          std::fill_n(to, inner, extrapolation);
          continue;
        }
        for (auto k = static_cast<size_t>(t.begin[static_cast<size_t>(o)]);
             k < static_cast<size_t>(t.begin[static_cast<size_t>(o) + 1]); k++) {
          const double* from = data.data() + (n * in + t.index[k]) * inner;
          for (int64_t i = 0; i < inner; i++) to[i] += from[i] * static_cast<double>(t.weight[k]);
        }
      }
    data = std::move(result);
    shape[axis] = out;
  }
  return data;
}

Status reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView x = c.input(0);
  const auto roi = floats(&c.in(1).tensor), scales = floats(&c.in(2).tensor);
  const auto sizes = integers(&c.in(3).tensor);
  HONE_TRY(const ResizePlan p,
           plan_resize(c.attrs, x.shape, {pointer(roi), pointer(scales), pointer(sizes)}));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, p.out));
  if (!y.elements()) return {};
  std::vector<ResizeTaps> taps;
  for (const ResizeAxis& a : p.axes) taps.push_back(resize_taps(c.attrs, p.mode, a));
  if (p.mode == ResizePlan::Mode::nearest) return nearest(c.attrs, p, taps, x, y);
  return dispatch_numbers(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<double> data(static_cast<size_t>(x.elements()));
    for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<double>(load(x.data<T>()[i]));
    data = interpolate(std::move(data), p, taps, c.attrs.f("extrapolation_value"));
    for (size_t i = 0; i < data.size(); i++) {
      if constexpr (std::is_integral_v<T>) {
        // Cut towards zero, within the type's range.
        constexpr auto low = static_cast<double>(std::numeric_limits<T>::min()),
                       high = static_cast<double>(std::numeric_limits<T>::max());
        y.data<T>()[i] = data[i] >= high ? std::numeric_limits<T>::max()
                         : data[i] > low ? static_cast<T>(data[i])
                                         : std::numeric_limits<T>::min();
      } else {
        store(y.data<T>()[i], static_cast<Compute<T>>(data[i]));
      }
    }
  });
}

// Opset 10 has (X, scales), and knows one way to map coordinates.
Status from_10(OpsetNode& n) {
  n.insert_absent(1);
  n.attrs().set("coordinate_transformation_mode", std::string("asymmetric"));
  n.attrs().set("nearest_mode", std::string("floor"));
  return {};
}
constexpr Upgrade upgrades[] = {{11, from_10}};

Status upsample(OpsetNode& n) {
  if (n.opset() < 7) {  // of images only
    const std::vector<float> scales{1, 1, n.attrs().f("height_scale", 1), n.attrs().f("width_scale", 1)};
    n.attrs().erase("height_scale");
    n.attrs().erase("width_scale");
    n.attrs().set("scales", scales);
  }
  // Opset 7 has the scales as an attribute.
  if (n.attrs().has("scales")) {
    const std::vector<float> scales = n.attrs().floats("scales");
    HONE_TRY(const Tensor t, Tensor::allocate(DType::f32, Shape{static_cast<Dim>(scales.size())}));
    std::copy(scales.begin(), scales.end(), t.data<float>());
    n.attrs().erase("scales");
    n.set_constant(1, t);
  }
  n.insert_absent(1);
  n.attrs().set("coordinate_transformation_mode", std::string("asymmetric"));
  n.attrs().set("nearest_mode", std::string("floor"));
  if (n.attrs().s("mode") == "bilinear") n.attrs().set("mode", std::string("linear"));
  n.rename("Resize");
  return {};
}
// Deprecated since opset 10 but still met there.
constexpr Upgrade upsample_upgrades[] = {{1 << 30, upsample}};

constexpr AttrDef attrs[] = {AttrDef::def_i("antialias", 0),
                             AttrDef::opt("axes", AttrType::ints),
                             AttrDef::def_s("coordinate_transformation_mode", "half_pixel"),
                             AttrDef::def_f("cubic_coeff_a", -0.75f),
                             AttrDef::def_i("exclude_outside", 0),
                             AttrDef::def_f("extrapolation_value", 0),
                             AttrDef::def_s("keep_aspect_ratio_policy", "stretch"),
                             AttrDef::def_s("mode", "nearest"),
                             AttrDef::def_s("nearest_mode", "round_prefer_floor"),
                             AttrDef::def_i("channels_last", 0).hidden()};
constexpr AttrDef upsample_attrs[] = {AttrDef::opt("scales", AttrType::floats),
                                      AttrDef::def_s("mode", "nearest")};

}  // namespace

extern const OpDef op_Resize{.name = "Resize",
                             .doc = "resamples X by scales or to sizes, every axis by itself",
                             .min_inputs = 1,
                             .max_inputs = 4,
                             .attrs = attrs,
                             .upgrades = upgrades,
                             .infer = infer,
                             .reference = reference,
                             .layout = Layout::spatial};
extern const OpDef op_Upsample{.name = "Upsample",
                               .doc = "Resize with asymmetric coordinates (deprecated)",
                               .min_inputs = 1,
                               .max_inputs = 2,
                               .attrs = upsample_attrs,
                               .upgrades = upsample_upgrades};

}  // namespace hone
