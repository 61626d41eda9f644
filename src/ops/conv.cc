#include "ops/conv.h"

#include "ops/activation.h"
#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {

Status check_channels(const char* what, const Shape& s, Dim m) {
  if (!s.ranked()) return {};
  if (s.rank() != 1 || (known(s[0]) && known(m) && s[0] != m))
    return error(Code::invalid_argument, "%s has shape %s, expected [%lld]", what, s.str().c_str(),
                 static_cast<long long>(m));
  return {};
}

Result<ConvShape> conv_shape(const Attrs& attrs, const Shape& x, const Shape& w, bool transposed) {
  ConvShape s;
  s.transposed = transposed;
  s.groups = attrs.i("group", 1);
  const bool last = attrs.flag("channels_last"), input_last = channels_last_input(attrs);
  if (s.groups < 1 || s.groups > (1 << 30))
    return error(Code::invalid_argument, "group is %lld; it must be at least 1",
                 static_cast<long long>(s.groups));
  if (!x.ranked() && !w.ranked()) return s;
  const int rank = x.ranked() ? x.rank() : w.rank();
  if (rank < 3 || rank > max_rank - 1 || (w.ranked() && w.rank() != rank))
    return error(Code::invalid_argument, "input %s and weights %s must have the same rank of at least 3",
                 x.str().c_str(), w.str().c_str());
  const auto dim = [](const Shape& t, size_t i) { return t.ranked() ? t[i] : unknown_dim; };
  const size_t spatial = static_cast<size_t>(rank) - 2;
  const Dim c = dim(x, channel_axis(rank, input_last)), w0 = dim(w, 0), w1 = dim(w, 1);
  const Dim weights_c = transposed ? w0 : known(w1) ? w1 * s.groups : unknown_dim;
  if (known(c) && known(weights_c) && c != weights_c)
    return error(Code::invalid_argument,
                 "input %s has %lld channels, but weights %s with group=%lld are for %lld", x.str().c_str(),
                 static_cast<long long>(c), w.str().c_str(), static_cast<long long>(s.groups),
                 static_cast<long long>(weights_c));
  if (transposed) s.m = known(w1) ? w1 * s.groups : unknown_dim;
  else s.m = w0;
  for (const Dim channels : {transposed ? c : s.m, transposed ? w0 : c})
    if (known(channels) && channels % s.groups)
      return error(Code::invalid_argument, "%lld channels are not divisible by group=%lld",
                   static_cast<long long>(channels), static_cast<long long>(s.groups));
  std::vector<Dim> in, kernel;
  const std::vector<int64_t>& stated = attrs.ints("kernel_shape");
  if (!stated.empty() && stated.size() != spatial)
    return error(Code::invalid_argument, "kernel_shape has %zu values, expected %zu", stated.size(), spatial);
  for (size_t r = 0; r < spatial; r++) {
    in.push_back(dim(x, spatial_axis(input_last) + r));
    kernel.push_back(dim(w, 2 + r));
    if (stated.empty()) continue;
    if (known(kernel[r]) && kernel[r] != stated[r])
      return error(Code::invalid_argument, "kernel_shape says %lld where the weights %s have %lld",
                   static_cast<long long>(stated[r]), w.str().c_str(), static_cast<long long>(kernel[r]));
    kernel[r] = stated[r];
  }
  HONE_TRY(s.window,
           transposed ? slide_transposed(attrs, in, kernel) : slide(attrs, in, kernel, Rounding::floor));
  s.out = data_shape(dim(x, 0), s.m, std::span<const Dim>(s.window.out.data(), spatial), last);
  return s;
}

namespace {

Status infer_conv(Infer& c, bool transposed) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_same_types(c));
  HONE_CHECK(parse_activation(c.attrs));
  HONE_TRY(ConvShape s, conv_shape(c.attrs, c.shape(0), c.shape(1), transposed));
  if (c.has(2)) HONE_CHECK(check_channels("the bias", c.shape(2), s.m));
  if (c.has(3) && s.out.all_known() && c.shape(3).all_known() && c.shape(3) != s.out)
    return error(Code::invalid_argument, "the residual has shape %s, the output %s", c.shape(3).str().c_str(),
                 s.out.str().c_str());
  c.set(0, c.dtype(0), s.out);
  return {};
}
Status infer_plain(Infer& c) { return infer_conv(c, false); }
Status infer_transposed(Infer& c) { return infer_conv(c, true); }

// float or double; sums in double.
Status convolve_floats(EvalContext& c) {
  const TensorView x = c.input(0), w = c.input(1);
  const bool last = c.attrs.flag("channels_last"),
             transposed = std::string_view(c.op.name) == "ConvTranspose";
  HONE_TRY(const ConvShape s, conv_shape(c.attrs, x.shape, w.shape, transposed));
  HONE_TRY(const Activation activation, parse_activation(c.attrs));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, s.out));
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *from = x.data<T>(), *weights = w.data<T>(), *bias = c.has(2) ? c.input(2).data<T>() : nullptr,
            *residual = c.has(3) ? c.input(3).data<T>() : nullptr;
    convolve<double>(
        s, planes_of(x.shape, channels_last_input(c.attrs)), planes_of(y.shape, last),
        [&](int64_t i) { return from[i]; }, [&](int64_t i) { return weights[i]; },
        [&](int64_t channel, int64_t i, double sum) {
          if (bias) sum += bias[channel];
          if (residual) sum += residual[i];
          y.data<T>()[i] =
              activation ? static_cast<T>(activation(static_cast<float>(sum))) : static_cast<T>(sum);
        });
  });
}
Status reference(EvalContext& c) { return widened(c, convolve_floats); }

constexpr AttrDef conv_attrs[] = {CONV_ATTRS, AttrDef::def_i("planar_input", 0).hidden(), ACTIVATION_ATTRS};
constexpr AttrDef transpose_attrs[] = {CONV_ATTRS, ACTIVATION_ATTRS,
                                       AttrDef::opt("output_padding", AttrType::ints),
                                       AttrDef::opt("output_shape", AttrType::ints)};
}  // namespace

// Input 3 is internal: Z, a residual of the output's shape.
extern const OpDef op_Conv{.name = "Conv",
                           .doc = "activation(W * X + B + Z), * the sliding product over C and the kernel",
                           .min_inputs = 2,
                           .max_inputs = 4,
                           .max_model_inputs = 3,
                           .attrs = conv_attrs,
                           .infer = infer_plain,
                           .reference = reference,
                           .layout = Layout::spatial};
extern const OpDef op_ConvTranspose{.name = "ConvTranspose",
                                    .doc = "the transpose of Conv's linear map, plus B",
                                    .min_inputs = 2,
                                    .max_inputs = 3,
                                    .attrs = transpose_attrs,
                                    .infer = infer_transposed,
                                    .reference = reference,
                                    .layout = Layout::spatial};

}  // namespace hone
