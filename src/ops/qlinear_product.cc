// Products of quantised tensors: QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger. Integer sums are
// kept in double, which is exact up to 2^53.
#include "ops/conv.h"
#include "ops/matmul.h"
#include "ops/quant.h"
#include "ops/widen.h"

namespace hone {
namespace {

// A scale or zero point of a matrix operand is one number, or one for each row (of A) or column (of B); more
// dimensions than one mean one row of them for each batch, which is not supported.
Status check_per_line(const char* what, const Shape& s, Dim lines) {
  if (!s.all_known() || s.elements() == 1) return {};
  if (known(lines) && s.elements() != lines)
    return error(Code::unsupported,
                 "%s has shape %s; one number, or one for each of the %lld rows or columns, is supported",
                 what, s.str().c_str(), static_cast<long long>(lines));
  return {};
}
template <class T>
T at_line(const std::vector<T>& v, int64_t line) {
  return v[v.size() == 1 ? 0 : static_cast<size_t>(line)];
}

Status check_matmul_lines(const Infer& c, size_t a_param, size_t b_param, const char* what_a,
                          const char* what_b, size_t b) {
  const Shape sa = c.shape(0), sb = c.shape(b);
  if (sa.ranked())
    HONE_CHECK(check_per_line(what_a, c.shape(a_param), sa.rank() > 1 ? sa[sa.size() - 2] : 1));
  if (sb.ranked()) HONE_CHECK(check_per_line(what_b, c.shape(b_param), sb.rank() > 1 ? sb.back() : 1));
  return {};
}

// --- convolutions ---

Status infer_qlinear_conv(Infer& c) {
  for (const size_t i : {0, 3, 2, 5, 7}) HONE_CHECK(check_type(c, i, byte_types));
  for (const size_t i : {1, 4, 6}) HONE_CHECK(check_type(c, i, TypeSet{DType::f32}));
  HONE_CHECK(check_type(c, 8, TypeSet{DType::i32}));
  HONE_TRY(const ConvShape s, conv_shape(c.attrs, c.shape(0), c.shape(3), false));
  HONE_CHECK(check_single(c, 1, "the input's scale"));
  HONE_CHECK(check_single(c, 2, "the input's zero point"));
  HONE_CHECK(check_per_line("the weights' scale", c.shape(4), s.m));
  HONE_CHECK(check_per_line("the weights' zero point", c.shape(5), s.m));
  HONE_CHECK(check_single(c, 6, "the output's scale"));
  HONE_CHECK(check_single(c, 7, "the output's zero point"));
  if (c.has(8)) HONE_CHECK(check_channels("the bias", c.shape(8), s.m));
  c.set(0, c.dtype(7), s.out);
  return {};
}

// Weights less their zero points, which may differ by output channel.
std::vector<int32_t> centred_weights(const TensorView& w, const std::vector<int32_t>& zero) {
  std::vector<int32_t> out = widen_ints(w);
  const int64_t m = w.shape[0], per_channel = m ? w.elements() / m : 0;
  for (int64_t i = 0; i < w.elements(); i++) out[static_cast<size_t>(i)] -= at_line(zero, i / per_channel);
  return out;
}

Status qlinear_conv(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView xt = c.input(0), wt = c.input(3);
  const bool last = c.attrs.flag("channels_last");
  HONE_TRY(const ConvShape s, conv_shape(c.attrs, xt.shape, wt.shape, false));
  HONE_TRY(const float x_scale, one_float(c, 1, "the input's scale"));
  HONE_TRY(const int32_t x_zero, one_int(c, 2, "the input's zero point"));
  HONE_TRY(const float y_scale, one_float(c, 6, "the output's scale"));
  HONE_TRY(const int32_t y_zero, one_int(c, 7, "the output's zero point"));
  HONE_TRY(const TensorView y, c.output(0, c.input(7).dtype, s.out));
  const std::vector<int32_t> x = widen_ints(xt, x_zero), w = centred_weights(wt, widen_ints(c.input(5)));
  std::vector<float> factor;
  HONE_TRY(factor, to_floats(c.input(4)));
  for (float& f : factor) f = x_scale * f / y_scale;
  const int32_t* bias = c.has(8) ? c.input(8).data<int32_t>() : nullptr;
  const IntRange range = int_range(y.dtype);
  convolve<double>(
      s, planes_of(xt.shape, last), planes_of(y.shape, last),
      [&](int64_t i) { return x[static_cast<size_t>(i)]; },
      [&](int64_t i) { return w[static_cast<size_t>(i)]; },
      [&](int64_t channel, int64_t i, double sum) {
        if (bias) sum += bias[channel];
        store_int(y, i, quantize(static_cast<float>(sum) * at_line(factor, channel), y_zero, range));
      });
  return {};
}

Status infer_conv_integer(Infer& c) {
  for (size_t i = 0; i < 4; i++) HONE_CHECK(check_type(c, i, byte_types));
  HONE_TRY(const ConvShape s, conv_shape(c.attrs, c.shape(0), c.shape(1), false));
  HONE_CHECK(check_single(c, 2, "the input's zero point"));
  HONE_CHECK(check_per_line("the weights' zero point", c.shape(3), s.m));
  c.set(0, DType::i32, s.out);
  return {};
}
// Sums that leave 32 bits wrap around.
int32_t wrap(double sum) { return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(sum))); }

Status conv_integer(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView xt = c.input(0), wt = c.input(1);
  const bool last = c.attrs.flag("channels_last");
  HONE_TRY(const ConvShape s, conv_shape(c.attrs, xt.shape, wt.shape, false));
  HONE_TRY(const int32_t x_zero, one_int(c, 2, "the input's zero point"));
  HONE_TRY(const TensorView y, c.output(0, DType::i32, s.out));
  const std::vector<int32_t> x = widen_ints(xt, x_zero),
                             w = centred_weights(wt,
                                                 c.has(3) ? widen_ints(c.input(3)) : std::vector<int32_t>{0});
  convolve<double>(
      s, planes_of(xt.shape, last), planes_of(y.shape, last),
      [&](int64_t i) { return x[static_cast<size_t>(i)]; },
      [&](int64_t i) { return w[static_cast<size_t>(i)]; },
      [&](int64_t, int64_t i, double sum) { y.data<int32_t>()[i] = wrap(sum); });
  return {};
}

// --- matrix products ---

// A less its zero points (by row), B less its own (by column).
std::vector<int32_t> centred_rows(const TensorView& a, const std::vector<int32_t>& zero) {
  std::vector<int32_t> out = widen_ints(a);
  const int64_t k = std::max<Dim>(a.shape.back(), 1),
                m = a.shape.rank() > 1 ? a.shape[a.shape.size() - 2] : 1;
  for (int64_t i = 0; i < a.elements(); i++) out[static_cast<size_t>(i)] -= at_line(zero, i / k % m);
  return out;
}
std::vector<int32_t> centred_columns(const TensorView& b, const std::vector<int32_t>& zero) {
  std::vector<int32_t> out = widen_ints(b);
  const int64_t n = b.shape.rank() > 1 ? b.shape.back() : 1;
  for (int64_t i = 0; i < b.elements(); i++) out[static_cast<size_t>(i)] -= at_line(zero, i % n);
  return out;
}

Status infer_qlinear_matmul(Infer& c) {
  for (const size_t i : {0, 2, 3, 5, 7}) HONE_CHECK(check_type(c, i, byte_types));
  for (const size_t i : {1, 4, 6}) HONE_CHECK(check_type(c, i, TypeSet{DType::f32, DType::f16, DType::bf16}));
  HONE_TRY(const Shape s, matmul_shape(c.shape(0), c.shape(3)));
  HONE_CHECK(check_matmul_lines(c, 1, 4, "A's scale", "B's scale", 3));
  HONE_CHECK(check_matmul_lines(c, 2, 5, "A's zero point", "B's zero point", 3));
  HONE_CHECK(check_single(c, 6, "the output's scale"));
  HONE_CHECK(check_single(c, 7, "the output's zero point"));
  c.set(0, c.dtype(7), s);
  return {};
}
Status qlinear_matmul(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView at = c.input(0), bt = c.input(3);
  HONE_TRY(const Shape shape, matmul_shape(at.shape, bt.shape));
  HONE_TRY(const std::vector<float> a_scale, to_floats(c.input(1)));
  HONE_TRY(const std::vector<float> b_scale, to_floats(c.input(4)));
  HONE_TRY(const float y_scale, one_float(c, 6, "the output's scale"));
  HONE_TRY(const int32_t y_zero, one_int(c, 7, "the output's zero point"));
  HONE_TRY(const TensorView y, c.output(0, c.input(7).dtype, shape));
  const std::vector<int32_t> a = centred_rows(at, widen_ints(c.input(2))),
                             b = centred_columns(bt, widen_ints(c.input(5)));
  const IntRange range = int_range(y.dtype);
  const MatMulPlan plan = plan_matmul(at.shape, bt.shape);
  multiply_matrices<double>(
      plan, [&](int64_t i) { return a[static_cast<size_t>(i)]; },
      [&](int64_t i) { return b[static_cast<size_t>(i)]; },
      [&](int64_t i, int64_t column, double sum) {
        const float factor = at_line(a_scale, i / plan.n % plan.m) * at_line(b_scale, column) / y_scale;
        store_int(y, i, quantize(static_cast<float>(sum) * factor, y_zero, range));
      });
  return {};
}

Status infer_matmul_integer(Infer& c) {
  for (size_t i = 0; i < 4; i++) HONE_CHECK(check_type(c, i, byte_types));
  HONE_TRY(const Shape s, matmul_shape(c.shape(0), c.shape(1)));
  HONE_CHECK(check_matmul_lines(c, 2, 3, "A's zero point", "B's zero point", 1));
  c.set(0, DType::i32, s);
  return {};
}
Status matmul_integer(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView at = c.input(0), bt = c.input(1);
  HONE_TRY(const Shape shape, matmul_shape(at.shape, bt.shape));
  HONE_TRY(const TensorView y, c.output(0, DType::i32, shape));
  const auto zero = [&](size_t i) { return c.has(i) ? widen_ints(c.input(i)) : std::vector<int32_t>{0}; };
  const std::vector<int32_t> a = centred_rows(at, zero(2)), b = centred_columns(bt, zero(3));
  multiply_matrices<double>(
      plan_matmul(at.shape, bt.shape), [&](int64_t i) { return a[static_cast<size_t>(i)]; },
      [&](int64_t i) { return b[static_cast<size_t>(i)]; },
      [&](int64_t i, int64_t, double sum) { y.data<int32_t>()[i] = wrap(sum); });
  return {};
}

constexpr AttrDef conv_attrs[] = {CONV_ATTRS};
}  // namespace

extern const OpDef op_QLinearConv{.name = "QLinearConv",
                                  .doc = "Conv of dequantised inputs, quantised",
                                  .min_inputs = 8,
                                  .max_inputs = 9,
                                  .attrs = conv_attrs,
                                  .infer = infer_qlinear_conv,
                                  .reference = qlinear_conv,
                                  .layout = Layout::spatial};
extern const OpDef op_ConvInteger{.name = "ConvInteger",
                                  .doc = "Conv of integers less their zero points, in 32 bits",
                                  .min_inputs = 2,
                                  .max_inputs = 4,
                                  .attrs = conv_attrs,
                                  .infer = infer_conv_integer,
                                  .reference = conv_integer,
                                  .layout = Layout::spatial};
extern const OpDef op_QLinearMatMul{.name = "QLinearMatMul",
                                    .doc = "MatMul of dequantised inputs, quantised",
                                    .min_inputs = 8,
                                    .max_inputs = 8,
                                    .infer = infer_qlinear_matmul,
                                    .reference = qlinear_matmul};
extern const OpDef op_MatMulInteger{.name = "MatMulInteger",
                                    .doc = "MatMul of integers less their zero points, in 32 bits",
                                    .min_inputs = 2,
                                    .max_inputs = 4,
                                    .infer = infer_matmul_integer,
                                    .reference = matmul_integer};

}  // namespace hone
