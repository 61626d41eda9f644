// Normalisations over groups of elements: (x - mean) / sqrt(variance + epsilon) * scale + bias, and kin. All
// sums in double.
#include <cmath>

#include "ops/conv.h"
#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

struct Moments {
  double mean = 0, inverse = 0;  // inverse: 1 / sqrt(variance + epsilon)
};
// at(i), i in [0, n): the i-th value of the group.
template <class At>
Moments moments(int64_t n, double epsilon, At&& at) {
  Moments m;
  double squares = 0;
  for (int64_t i = 0; i < n; i++) m.mean += at(i);
  m.mean /= static_cast<double>(n);
  for (int64_t i = 0; i < n; i++) squares += (at(i) - m.mean) * (at(i) - m.mean);
  m.inverse = 1 / std::sqrt(squares / static_cast<double>(n) + epsilon);
  return m;
}

// --- InstanceNormalization and GroupNormalization: over the pixels of a channel, or of a group of channels
// ---

Result<int64_t> groups_of(const OpDef& op, const Attrs& attrs, Dim channels) {
  if (std::string_view(op.name) == "InstanceNormalization") return known(channels) ? channels : 1;
  const int64_t groups = attrs.i("num_groups");
  if (groups < 1 || (known(channels) && channels % groups))
    return error(Code::invalid_argument,
                 "num_groups is %lld; it must be at least 1 and divide the %lld channels",
                 static_cast<long long>(groups), static_cast<long long>(channels));
  return groups;
}

Status infer_grouped(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_same_types(c));
  const Shape x = c.shape(0);
  Dim channels = unknown_dim;
  if (x.ranked()) {
    if (x.rank() < 2)
      return error(Code::invalid_argument, "the input %s needs at least the dimensions N and C",
                   x.str().c_str());
    channels = x[channel_axis(x.rank(), c.attrs.flag("channels_last"))];
  }
  HONE_TRY(const int64_t groups, groups_of(c.op, c.attrs, channels));
  for (size_t i = 1; i < 3; i++) {
    // Before opset 21 GroupNormalization had one scale and one bias for each group.
    const Shape s = c.shape(i);
    if (std::string_view(c.op.name) == "GroupNormalization" && s.rank() == 1 && s[0] == groups) continue;
    HONE_CHECK(check_channels(i == 1 ? "scale" : "the bias", s, channels));
  }
  c.set(0, c.dtype(0), x);
  return {};
}

Status normalize_grouped(EvalContext& c) {
  const TensorView x = c.input(0), scale = c.input(1), bias = c.input(2);
  const Planes p = planes_of(x.shape, c.attrs.flag("channels_last"));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  if (!x.elements()) return {};
  HONE_TRY(const int64_t groups, groups_of(c.op, c.attrs, p.c));
  const int64_t size = p.c / groups, pixels = p.pixels(), step = p.c_stride == 1 && p.rank > 0 ? p.c : 1;
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t n = 0; n < p.n; n++)
      for (int64_t g = 0; g < groups; g++) {
        const int64_t origin = n * p.n_stride + g * size * p.c_stride;
        const auto at = [&](int64_t i) { return origin + i / pixels * p.c_stride + i % pixels * step; };
        const Moments m = moments(size * pixels, c.attrs.f("epsilon"),
                                  [&](int64_t i) -> double { return x.data<T>()[at(i)]; });
        for (int64_t i = 0; i < size * pixels; i++) {
          const int64_t channel = g * size + i / pixels;
          const int64_t s = scale.elements() == p.c ? channel : g, b = bias.elements() == p.c ? channel : g;
          y.data<T>()[at(i)] = static_cast<T>((x.data<T>()[at(i)] - m.mean) * m.inverse * scale.data<T>()[s] +
                                              bias.data<T>()[b]);
        }
      }
  });
}

// --- LayerNormalization and RMSNormalization: over the dimensions from axis on ---

Status infer_layer(Infer& c) {
  const Shape x = c.shape(0);
  c.set(0, c.dtype(0), x);
  const DType stash =
      c.attrs.i("stash_type", 1) == 1 ? DType::f32 : dtype_from_number(c.attrs.i("stash_type"));
  c.set(1, stash, Shape::unranked());
  c.set(2, stash, Shape::unranked());
  if (!x.ranked()) return {};
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.rank()));
  for (size_t i = 1; i < c.in.size(); i++) {
    if (!c.has(i)) continue;
    HONE_TRY(const Shape s, broadcast(x, c.shape(i)));
    if (x.all_known() && s.ranked() && s != x)
      return error(Code::invalid_argument, "%s %s does not broadcast to the input %s",
                   i == 1 ? "scale" : "the bias", c.shape(i).str().c_str(), x.str().c_str());
  }
  Shape reduced = x;
  for (size_t i = static_cast<size_t>(axis); i < x.size(); i++) reduced[i] = 1;
  c.set(1, stash, reduced);
  c.set(2, stash, reduced);
  return {};
}

// Offsets in a tensor of shape s broadcast to shape x, element by element of x.
std::vector<int64_t> broadcast_offsets(const Shape& s, const Shape& x) {
  std::vector<int64_t> offsets(static_cast<size_t>(x.elements()));
  const auto strides = contiguous_strides(s);
  Odometer at(x.rank(), x.dims());
  const size_t skip = x.size() - s.size();
  for (int64_t& offset : offsets) {
    offset = 0;
    for (size_t i = 0; i < s.size(); i++) offset += s[i] == 1 ? 0 : at[skip + i] * strides[i];
    at.next();
  }
  return offsets;
}

template <bool centered>
Status normalize_layer(EvalContext& c) {
  const TensorView x = c.input(0), scale = c.input(1);
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  const int64_t rows = x.shape.product(0, axis), size = x.shape.product(axis, x.shape.rank());
  Shape reduced = x.shape;
  for (size_t i = static_cast<size_t>(axis); i < x.shape.size(); i++) reduced[i] = 1;
  std::vector<float> means(static_cast<size_t>(rows)), inverses(static_cast<size_t>(rows));
  const double epsilon = c.attrs.f("epsilon");
  const std::vector<int64_t> scale_at = broadcast_offsets(scale.shape, x.shape),
                             bias_at = c.has(2) ? broadcast_offsets(c.input(2).shape, x.shape)
                                                : std::vector<int64_t>{};
  HONE_CHECK((dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* bias = c.has(2) ? c.input(2).data<T>() : nullptr;
    for (int64_t r = 0; r < rows; r++) {
      const T* row = x.data<T>() + r * size;
      Moments m;
      if constexpr (centered) {
        m = moments(size, epsilon, [&](int64_t i) -> double { return row[i]; });
      } else {
        double squares = 0;
        for (int64_t i = 0; i < size; i++) squares += static_cast<double>(row[i]) * row[i];
        m.inverse = 1 / std::sqrt(squares / static_cast<double>(size) + epsilon);
      }
      means[static_cast<size_t>(r)] = static_cast<float>(m.mean);
      inverses[static_cast<size_t>(r)] = static_cast<float>(m.inverse);
      for (int64_t i = r * size; i < (r + 1) * size; i++) {
        double v = (x.data<T>()[i] - m.mean) * m.inverse * scale.data<T>()[scale_at[static_cast<size_t>(i)]];
        if (bias) v += bias[bias_at[static_cast<size_t>(i)]];
        y.data<T>()[i] = static_cast<T>(v);
      }
    }
  })));
  const std::vector<float>* const statistics[] = {&means, &inverses};
  for (size_t i = 0; i < 2; i++) {
    if (i + 1 >= c.outputs()) break;
    const DType stash = dtype_from_number(c.attrs.i("stash_type"));
    HONE_TRY(const TensorView out, c.output(i + 1, stash, reduced));
    store_floats(statistics[i]->data(), out);
  }
  return {};
}

Status check_stash(const Attrs& attrs) {
  const DType d = dtype_from_number(attrs.i("stash_type"));
  if (d == DType::f32 || d == DType::f16 || d == DType::bf16 || d == DType::f64) return {};
  return error(Code::unsupported, "stash_type is %lld; it must name a float type",
               static_cast<long long>(attrs.i("stash_type")));
}
Status infer_layer_checked(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_same_types(c));
  HONE_CHECK(check_stash(c.attrs));
  return infer_layer(c);
}

// --- LRN: divided by a power of the squares of neighbouring channels ---

Status infer_lrn(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  if (const int64_t size = c.attrs.i("size"); size < 1 || size > (1 << 30))
    return error(Code::invalid_argument, "size is %lld; it must be at least 1", static_cast<long long>(size));
  if (c.shape(0).ranked() && c.shape(0).rank() < 2)
    return error(Code::invalid_argument, "the input %s needs at least the dimensions N and C",
                 c.shape(0).str().c_str());
  return same_as_first(c);
}
Status lrn(EvalContext& c) {
  const TensorView x = c.input(0);
  const Planes p = planes_of(x.shape, c.attrs.flag("channels_last"));
  const int64_t size = c.attrs.i("size"), pixels = p.pixels(), step = p.c_stride == 1 && p.rank > 0 ? p.c : 1;
  const double scale = c.attrs.f("alpha") / static_cast<double>(size), beta = c.attrs.f("beta"),
               bias = c.attrs.f("bias");
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t n = 0; n < p.n; n++)
      for (int64_t ch = 0; ch < p.c; ch++) {
        const int64_t from = std::max<int64_t>(0, ch - (size - 1) / 2), to = std::min(p.c - 1, ch + size / 2);
        for (int64_t i = 0; i < pixels; i++) {
          const int64_t pixel = n * p.n_stride + i * step;
          double squares = 0;
          for (int64_t k = from; k <= to; k++) {
            const double v = x.data<T>()[pixel + k * p.c_stride];
            squares += v * v;
          }
          const int64_t at = pixel + ch * p.c_stride;
          y.data<T>()[at] = static_cast<T>(x.data<T>()[at] / std::pow(bias + scale * squares, beta));
        }
      }
  });
}

// --- LpNormalization: divided by the norm along an axis ---

Status infer_lp(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  if (const int64_t p = c.attrs.i("p"); p != 1 && p != 2)
    return error(Code::invalid_argument, "p is %lld; it must be 1 or 2", static_cast<long long>(p));
  if (c.shape(0).ranked()) HONE_CHECK(normalize_axis(c.attrs.i("axis"), c.shape(0).rank()));
  return same_as_first(c);
}
Status lp(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  const int64_t outer = x.shape.product(0, axis), size = x.shape[static_cast<size_t>(axis)],
                step = x.shape.product(axis + 1, x.shape.rank());
  const bool squares = c.attrs.i("p") == 2;
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t o = 0; o < outer; o++)
      for (int64_t s = 0; s < step; s++) {
        const int64_t origin = o * size * step + s;
        double norm = 0;
        for (int64_t i = 0; i < size; i++) {
          const double v = x.data<T>()[origin + i * step];
          norm += squares ? v * v : std::fabs(v);
        }
        if (squares) norm = std::sqrt(norm);
        for (int64_t i = 0; i < size; i++) {
          const int64_t at = origin + i * step;
          y.data<T>()[at] = norm == 0 ? T{} : static_cast<T>(x.data<T>()[at] / norm);
        }
      }
  });
}

Status grouped_reference(EvalContext& c) { return widened(c, normalize_grouped); }
Status layer_reference(EvalContext& c) { return widened(c, normalize_layer<true>, 6); }
Status rms_reference(EvalContext& c) { return widened(c, normalize_layer<false>); }
Status lrn_reference(EvalContext& c) { return widened(c, lrn); }
Status lp_reference(EvalContext& c) { return widened(c, lp); }

constexpr AttrDef instance_attrs[] = {AttrDef::def_f("epsilon", 1e-5f),
                                      AttrDef::def_i("channels_last", 0).hidden()};
constexpr AttrDef group_attrs[] = {AttrDef::def_f("epsilon", 1e-5f), AttrDef::req("num_groups", AttrType::i),
                                   AttrDef::def_i("stash_type", 1),
                                   AttrDef::def_i("channels_last", 0).hidden()};
constexpr AttrDef layer_attrs[] = {AttrDef::def_i("axis", -1), AttrDef::def_f("epsilon", 1e-5f),
                                   AttrDef::def_i("stash_type", 1)};
constexpr AttrDef lrn_attrs[] = {AttrDef::def_f("alpha", 0.0001f), AttrDef::def_f("beta", 0.75f),
                                 AttrDef::def_f("bias", 1), AttrDef::req("size", AttrType::i),
                                 AttrDef::def_i("channels_last", 0).hidden()};
constexpr AttrDef lp_attrs[] = {AttrDef::def_i("axis", -1), AttrDef::def_i("p", 2)};

}  // namespace

extern const OpDef op_InstanceNormalization{.name = "InstanceNormalization",
                                            .doc = "normalises each channel of each image",
                                            .min_inputs = 3,
                                            .max_inputs = 3,
                                            .attrs = instance_attrs,
                                            .infer = infer_grouped,
                                            .reference = grouped_reference,
                                            .layout = Layout::spatial};
extern const OpDef op_GroupNormalization{.name = "GroupNormalization",
                                         .doc = "normalises each group of channels of each image",
                                         .min_inputs = 3,
                                         .max_inputs = 3,
                                         .attrs = group_attrs,
                                         .infer = infer_grouped,
                                         .reference = grouped_reference,
                                         .layout = Layout::spatial};
extern const OpDef op_LayerNormalization{.name = "LayerNormalization",
                                         .doc = "normalises over the dimensions from axis on",
                                         .min_inputs = 2,
                                         .max_inputs = 3,
                                         .max_outputs = 3,
                                         .attrs = layer_attrs,
                                         .infer = infer_layer_checked,
                                         .reference = layer_reference};
extern const OpDef op_RMSNormalization{.name = "RMSNormalization",
                                       .doc = "X / sqrt(mean of X^2 + epsilon) * scale, from axis on",
                                       .min_inputs = 2,
                                       .max_inputs = 2,
                                       .attrs = layer_attrs,
                                       .infer = infer_layer_checked,
                                       .reference = rms_reference};
extern const OpDef op_LRN{.name = "LRN",
                          .doc = "X / (bias + alpha/size * sum of neighbouring channels' squares)^beta",
                          .attrs = lrn_attrs,
                          .infer = infer_lrn,
                          .reference = lrn_reference,
                          .layout = Layout::spatial};
extern const OpDef op_LpNormalization{.name = "LpNormalization",
                                      .doc = "X / |X|_p along axis (0 where the norm is 0)",
                                      .attrs = lp_attrs,
                                      .infer = infer_lp,
                                      .reference = lp_reference};

}  // namespace hone
