#include <cmath>

#include "ops/conv.h"
#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

// Rank 1 (no channels) is one channel.
Dim channels_of(const Shape& x, bool last) {
  if (!x.ranked()) return unknown_dim;
  return x.rank() < 2 ? 1 : x[channel_axis(x.rank(), last)];
}

Status infer(Infer& c) {
  const Shape x = c.shape(0);
  for (size_t i = 0; i < 5; i++) {
    HONE_CHECK(check_type(c, i, float_types));
    const DType d = c.dtype(i), of_x = c.dtype(0);
    if (d != DType::none && of_x != DType::none && d != of_x && d != DType::f32)
      return error(Code::corrupt, "input %zu is of type %s; it must be that of the data, %s, or f32", i,
                   dtype_name(d), dtype_name(of_x));
  }
  HONE_CHECK(check_same_types(c, 3));
  if (x.ranked() && x.rank() < 1)
    return error(Code::invalid_argument, "the input is a scalar; it must have a batch dimension");
  Dim channels = channels_of(x, c.attrs.flag("channels_last"));
  static const char* const names[] = {"", "scale", "B", "the mean", "the variance"};
  for (size_t i = 1; i < 5; i++) {
    HONE_CHECK(check_channels(names[i], c.shape(i), channels));
    if (!known(channels) && c.shape(i).rank() == 1) channels = c.shape(i)[0];
  }
  if (c.out.size() > 1 && !c.attrs.flag("training_mode"))
    return error(Code::unsupported,
                 "outputs 1 and 2 exist in training mode only; set training_mode=1 or remove them");
  c.set(0, c.dtype(0), x);
  c.set(1, c.dtype(3), Shape{channels});
  c.set(2, c.dtype(4), Shape{channels});
  return {};
}

Status normalize(EvalContext& c) {
  const TensorView x = c.input(0);
  const bool last = c.attrs.flag("channels_last"), training = c.attrs.flag("training_mode");
  const double epsilon = c.attrs.f("epsilon"), momentum = c.attrs.f("momentum");
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  const int64_t channels = channels_of(x.shape, last), elements = x.elements();
  // Element i belongs to channel i / step % channels.
  const int64_t step = last || x.shape.rank() < 2 ? 1 : x.shape.product(2, x.shape.rank());
  std::vector<double> factor(static_cast<size_t>(channels)), offset(factor.size()), mean(factor.size()),
      variance(factor.size());
  return dispatch<float, double>(x.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    const auto channel = [&](int64_t i) { return static_cast<size_t>(i / step % channels); };
    const auto get = [&](size_t input, size_t i) {
      const TensorView t = c.input(input);
      return t.dtype == DType::f64 ? t.data<double>()[i] : static_cast<double>(t.data<float>()[i]);
    };
    for (size_t k = 0; k < mean.size(); k++) {
      mean[k] = get(3, k);
      variance[k] = get(4, k);
    }
    if (training) {
      const double count = static_cast<double>(elements) / static_cast<double>(channels);
      std::vector<double> sum(mean.size()), squares(mean.size());
      for (int64_t i = 0; i < elements; i++) sum[channel(i)] += x.data<T>()[i];
      for (double& s : sum) s /= count;
      for (int64_t i = 0; i < elements; i++) {
        const double d = x.data<T>()[i] - sum[channel(i)];
        squares[channel(i)] += d * d;
      }
      for (double& s : squares) s /= count;
      for (size_t output = 1; output < 3; output++) {
        if (output >= c.outputs()) break;
        std::vector<float> running(mean.size());
        for (size_t k = 0; k < running.size(); k++)
          running[k] = static_cast<float>((output == 1 ? mean : variance)[k] * momentum +
                                          (output == 1 ? sum : squares)[k] * (1 - momentum));
        HONE_TRY(const TensorView out, c.output(output, c.input(2 + output).dtype, Shape{channels}));
        store_floats(running.data(), out);
      }
      mean = sum;
      variance = squares;
    }
    for (size_t k = 0; k < factor.size(); k++) {
      factor[k] = get(1, k) / std::sqrt(variance[k] + epsilon);
      offset[k] = get(2, k) - mean[k] * factor[k];
    }
    for (int64_t i = 0; i < elements; i++)
      y.data<T>()[i] = static_cast<T>(x.data<T>()[i] * factor[channel(i)] + offset[channel(i)]);
    return {};
  });
}
Status reference(EvalContext& c) {
  const bool float_statistics = c.has(3) && c.input(3).dtype == DType::f32;
  return widened(c, normalize, float_statistics ? 6 : 0);
}

// Until opset 8 "spatial=0" meant one statistic for each position.
Status drop_spatial(OpsetNode& n) {
  if (n.attrs().i("spatial", 1) != 1)
    return error(Code::unsupported,
                 "BatchNormalization with spatial=0 (statistics for each position) is not supported; use "
                 "opset 9 or later");
  n.attrs().erase("spatial");
  return {};
}

// Below 7 "is_test" said whether the statistics given are used (1) or those of the batch (0).
Status from_is_test(OpsetNode& n) {
  if (n.attrs().i("is_test") == 0) n.attrs().set("training_mode", int64_t{1});
  n.attrs().erase("is_test");
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::def_f("epsilon", 1e-5f), AttrDef::def_f("momentum", 0.9f),
                             AttrDef::def_i("training_mode", 0), AttrDef::def_i("channels_last", 0).hidden()};
constexpr Upgrade upgrades[] = {{7, from_is_test}, {9, drop_spatial}};
}  // namespace

extern const OpDef op_BatchNormalization{.name = "BatchNormalization",
                                         .doc = "scale * (X - mean) / sqrt(var + epsilon) + B, per channel",
                                         .min_inputs = 5,
                                         .max_inputs = 5,
                                         .max_outputs = 3,
                                         .attrs = attrs,
                                         .upgrades = upgrades,
                                         .infer = infer,
                                         .reference = reference,
                                         .layout = Layout::spatial,
                                         .notes = "not spatial=0 of opsets below 9"};

}  // namespace hone
