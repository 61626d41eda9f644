// Pools: a function of the window's elements, for each channel by itself.
#include <cmath>
#include <limits>

#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"
#include "ops/window.h"

namespace hone {
namespace {

struct PoolShape {
  Window window;
  Shape out = Shape::unranked();
};

Result<PoolShape> pool_shape(const Attrs& attrs, const Shape& x) {
  PoolShape s;
  if (!x.ranked()) return s;
  const bool last = attrs.flag("channels_last");
  if (x.rank() < 3)
    return error(Code::invalid_argument, "the input %s needs at least one spatial dimension after N and C",
                 x.str().c_str());
  const std::span<const Dim> in = x.dims().subspan(spatial_axis(last), x.size() - 2);
  const Rounding rounding = attrs.flag("ceil_mode") ? Rounding::ceil : Rounding::floor;
  HONE_TRY(s.window, slide(attrs, in, attrs.ints("kernel_shape"), rounding));
  s.out = data_shape(x[0], x[channel_axis(x.rank(), last)],
                     std::span<const Dim>(s.window.out.data(), in.size()), last);
  return s;
}

Status infer(Infer& c) {
  const bool max = std::string_view(c.op.name) == "MaxPool";
  HONE_CHECK(check_type(c, 0, max ? float_types | TypeSet{DType::i8, DType::u8} : float_types));
  HONE_TRY(const PoolShape s, pool_shape(c.attrs, c.shape(0)));
  c.set(0, c.dtype(0), s.out);
  c.set(1, DType::i64, s.out);
  if (c.out.size() > 1 && c.attrs.flag("channels_last"))
    return error(Code::unsupported, "indices of %s are defined for channels-first data only", c.op.name);
  return {};
}

// Σ|x|^p for Lp pools.
double power_sum(double sum, double x, double p) {
  const double a = std::fabs(x);
  return sum + (p == 1 ? a : p == 2 ? a * a : std::pow(a, p));
}
double root(double sum, double p) { return p == 1 ? sum : p == 2 ? std::sqrt(sum) : std::pow(sum, 1 / p); }

Status check_p(const Attrs& attrs) {
  if (attrs.i("p") < 1)
    return error(Code::invalid_argument, "p is %lld; it must be at least 1",
                 static_cast<long long>(attrs.i("p")));
  return {};
}

Status max_pool(EvalContext& c) {
  const TensorView x = c.input(0);
  const bool last = c.attrs.flag("channels_last"), column_major = c.attrs.i("storage_order") == 1;
  HONE_TRY(const PoolShape s, pool_shape(c.attrs, x.shape));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, s.out));
  int64_t* indices = nullptr;
  if (c.outputs() > 1 && c.wanted(1)) {
    HONE_TRY(const TensorView i, c.output(1, DType::i64, s.out));
    indices = i.data<int64_t>();
  }
  const Planes px = planes_of(x.shape, last), py = planes_of(y.shape, last);
  // Offset within a plane -> index as storage_order counts it.
  const auto index = [&](int64_t offset) {
    if (!column_major) return offset;
    int64_t result = 0, scale = 1;
    for (size_t r = 0; r < static_cast<size_t>(px.rank); r++) {
      result += offset / px.stride[r] % px.size[r] * scale;
      scale *= px.size[r];
    }
    return result;
  };
  return dispatch<float, double, int8_t, uint8_t>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr T lowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                              : std::numeric_limits<T>::lowest();
    Odometer at(py.rank, py.size);
    for_each_window(s.window, px, [&](int64_t, std::span<const int64_t> inside, int64_t) {
      int64_t to = 0;
      for (size_t r = 0; r < static_cast<size_t>(py.rank); r++) to += at[r] * py.stride[r];
      at.next();
      for (int64_t n = 0; n < px.n; n++)
        for (int64_t ch = 0; ch < px.c; ch++) {
          const int64_t plane = n * px.n_stride + ch * px.c_stride;
          T best = lowest;
          int64_t best_at = inside.empty() ? 0 : inside[0];
          for (const int64_t offset : inside) {
            const T v = x.data<T>()[plane + offset];
            if (v > best || v != v) {  // a NaN stays: nothing is greater than it
              best = v;
              best_at = offset;
              if (v != v) break;
            }
          }
          const int64_t i = to + n * py.n_stride + ch * py.c_stride;
          y.data<T>()[i] = best;
          if (indices) indices[i] = plane + index(best_at);
        }
    });
  });
}

// f(values' plane, offsets inside the input, count with padding) -> the pooled value.
template <class F>
Status pool_sums(EvalContext& c, F&& f) {
  const TensorView x = c.input(0);
  const bool last = c.attrs.flag("channels_last");
  HONE_TRY(const PoolShape s, pool_shape(c.attrs, x.shape));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, s.out));
  const Planes px = planes_of(x.shape, last), py = planes_of(y.shape, last);
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    Odometer at(py.rank, py.size);
    for_each_window(s.window, px, [&](int64_t, std::span<const int64_t> inside, int64_t padded) {
      int64_t to = 0;
      for (size_t r = 0; r < static_cast<size_t>(py.rank); r++) to += at[r] * py.stride[r];
      at.next();
      for (int64_t n = 0; n < px.n; n++)
        for (int64_t ch = 0; ch < px.c; ch++)
          y.data<T>()[to + n * py.n_stride + ch * py.c_stride] =
              static_cast<T>(f(x.data<T>() + n * px.n_stride + ch * px.c_stride, inside, padded));
    });
  });
}

Status average_pool(EvalContext& c) {
  const bool include_pad = c.attrs.flag("count_include_pad");
  return pool_sums(c, [&](const auto* plane, std::span<const int64_t> inside, int64_t padded) {
    double sum = 0;
    for (const int64_t offset : inside) sum += plane[offset];
    const auto count = static_cast<double>(include_pad ? padded : static_cast<int64_t>(inside.size()));
    return count > 0 ? sum / count : 0.0;
  });
}

Status lp_pool(EvalContext& c) {
  const auto p = static_cast<double>(c.attrs.i("p"));
  return pool_sums(c, [&](const auto* plane, std::span<const int64_t> inside, int64_t) {
    double sum = 0;
    for (const int64_t offset : inside) sum = power_sum(sum, plane[offset], p);
    return root(sum, p);
  });
}

// --- global pools ---

Status infer_global(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  Shape s = c.shape(0);
  if (s.ranked() && s.rank() < 2)
    return error(Code::invalid_argument, "the input %s needs at least the dimensions N and C",
                 s.str().c_str());
  const size_t first = spatial_axis(c.attrs.flag("channels_last"));
  for (size_t i = first; s.ranked() && i < first + s.size() - 2; i++) s[i] = 1;
  c.set(0, c.dtype(0), s);
  return {};
}

// f(range of a plane's values as a visitor) -> the pooled value.
template <class F>
Status global_pool(EvalContext& c, F&& f) {
  const TensorView x = c.input(0);
  const bool last = c.attrs.flag("channels_last");
  const Planes p = planes_of(x.shape, last);
  std::vector<Dim> ones(x.shape.size() - 2, 1);
  HONE_TRY(const TensorView y, c.output(0, x.dtype, data_shape(p.n, p.c, ones, last)));
  // The spatial dimensions of a plane are contiguous among themselves in both layouts.
  const int64_t pixels = p.pixels(), step = last ? p.c : 1;
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t n = 0; n < p.n; n++)
      for (int64_t ch = 0; ch < p.c; ch++)
        y.data<T>()[n * p.c + ch] =
            static_cast<T>(f(x.data<T>() + n * p.n_stride + ch * p.c_stride, pixels, step));
  });
}

Status global_average(EvalContext& c) {
  return global_pool(c, [](const auto* v, int64_t n, int64_t step) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[i * step];
    return sum / static_cast<double>(n);
  });
}
Status global_max(EvalContext& c) {
  return global_pool(c, [](const auto* v, int64_t n, int64_t step) {
    double best = -std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < n; i++)
      if (v[i * step] > best || v[i * step] != v[i * step]) best = v[i * step];
    return best;
  });
}
Status global_lp(EvalContext& c) {
  const auto p = static_cast<double>(c.attrs.i("p"));
  return global_pool(c, [p](const auto* v, int64_t n, int64_t step) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum = power_sum(sum, v[i * step], p);
    return root(sum, p);
  });
}

Status infer_max(Infer& c) {
  if (const int64_t order = c.attrs.i("storage_order"); order != 0 && order != 1)
    return error(Code::invalid_argument, "storage_order is %lld; it must be 0 or 1",
                 static_cast<long long>(order));
  return infer(c);
}
Status infer_lp(Infer& c) {
  HONE_CHECK(check_p(c.attrs));
  return infer(c);
}
Status infer_global_lp(Infer& c) {
  HONE_CHECK(check_p(c.attrs));
  return infer_global(c);
}

Status max_reference(EvalContext& c) { return widened(c, max_pool); }
Status average_reference(EvalContext& c) { return widened(c, average_pool); }
Status lp_reference(EvalContext& c) { return widened(c, lp_pool); }
Status global_average_reference(EvalContext& c) { return widened(c, global_average); }
Status global_max_reference(EvalContext& c) { return widened(c, global_max); }
Status global_lp_reference(EvalContext& c) { return widened(c, global_lp); }

// Opset 1 had p as a number with a fraction.
Status whole_p(OpsetNode& n) {
  const AttrValue* given = n.attrs().find("p");
  const float* p = given ? std::get_if<float>(given) : nullptr;
  if (!p) return {};
  if (!(*p >= 1 && *p <= 64 && *p == std::floor(*p)))
    return error(Code::unsupported, "p is %g; whole numbers from 1 to 64 are supported",
                 static_cast<double>(*p));
  n.attrs().set("p", static_cast<int64_t>(*p));
  return {};
}
constexpr Upgrade lp_upgrades[] = {{2, whole_p}};

#define POOL_ATTRS                                                                             \
  AttrDef::def_s("auto_pad", "NOTSET"), AttrDef::def_i("ceil_mode", 0),                        \
      AttrDef::opt("dilations", AttrType::ints), AttrDef::req("kernel_shape", AttrType::ints), \
      AttrDef::opt("pads", AttrType::ints), AttrDef::opt("strides", AttrType::ints),           \
      AttrDef::def_i("channels_last", 0).hidden()
constexpr AttrDef max_attrs[] = {POOL_ATTRS, AttrDef::def_i("storage_order", 0)};
constexpr AttrDef average_attrs[] = {POOL_ATTRS, AttrDef::def_i("count_include_pad", 0)};
constexpr AttrDef lp_attrs[] = {POOL_ATTRS, AttrDef::def_i("p", 2)};
constexpr AttrDef global_attrs[] = {AttrDef::def_i("channels_last", 0).hidden()};
constexpr AttrDef global_lp_attrs[] = {AttrDef::def_i("p", 2), AttrDef::def_i("channels_last", 0).hidden()};

}  // namespace

extern const OpDef op_MaxPool{.name = "MaxPool",
                              .doc = "the greatest element of each window, and its index",
                              .max_outputs = 2,
                              .attrs = max_attrs,
                              .infer = infer_max,
                              .reference = max_reference,
                              .layout = Layout::spatial};
extern const OpDef op_AveragePool{.name = "AveragePool",
                                  .doc = "the mean of each window",
                                  .attrs = average_attrs,
                                  .infer = infer,
                                  .reference = average_reference,
                                  .layout = Layout::spatial};
extern const OpDef op_LpPool{.name = "LpPool",
                             .doc = "(sum of |x|^p)^(1/p) of each window",
                             .attrs = lp_attrs,
                             .upgrades = lp_upgrades,
                             .infer = infer_lp,
                             .reference = lp_reference,
                             .layout = Layout::spatial};
extern const OpDef op_GlobalAveragePool{.name = "GlobalAveragePool",
                                        .doc = "the mean of each channel",
                                        .attrs = global_attrs,
                                        .infer = infer_global,
                                        .reference = global_average_reference,
                                        .layout = Layout::spatial};
extern const OpDef op_GlobalMaxPool{.name = "GlobalMaxPool",
                                    .doc = "the greatest element of each channel",
                                    .attrs = global_attrs,
                                    .infer = infer_global,
                                    .reference = global_max_reference,
                                    .layout = Layout::spatial};
extern const OpDef op_GlobalLpPool{.name = "GlobalLpPool",
                                   .doc = "(sum of |x|^p)^(1/p) of each channel",
                                   .attrs = global_lp_attrs,
                                   .upgrades = lp_upgrades,
                                   .infer = infer_global_lp,
                                   .reference = global_lp_reference,
                                   .layout = Layout::spatial};

}  // namespace hone
