// com.microsoft: operators on quantised tensors, as ONNX Runtime's quantiser writes them. Each dequantises,
// computes in float and quantises.
#include "ops/dispatch.h"
#include "ops/quant.h"
#include "ops/widen.h"
#include "ops/window.h"

namespace hone {
namespace {

constexpr TypeSet f32_type{DType::f32};

// Inputs [first, first + 2] are data (if any), scale and zero point.
struct Affine {
  float scale = 1;
  int32_t zero = 0;
};
Status check_affine(const Infer& c, size_t scale, const char* whose) {
  HONE_CHECK(check_type(c, scale, f32_type));
  HONE_CHECK(check_type(c, scale + 1, byte_types));
  HONE_CHECK(check_single(c, scale, (std::string(whose) + " scale").c_str()));
  return check_single(c, scale + 1, (std::string(whose) + " zero point").c_str());
}
Result<Affine> affine(const EvalContext& c, size_t scale) {
  Affine a;
  HONE_TRY(a.scale, one_float(c, scale, "a scale"));
  HONE_TRY(a.zero, one_int(c, scale + 1, "a zero point"));
  return a;
}
// A data input as floats.
Result<std::vector<float>> dequantized(const EvalContext& c, size_t data, size_t scale) {
  HONE_TRY(const Affine a, affine(c, scale));
  const std::vector<int32_t> q = widen_ints(c.input(data), a.zero);
  std::vector<float> out(q.size());
  for (size_t i = 0; i < q.size(); i++) out[i] = static_cast<float>(q[i]) * a.scale;
  return out;
}

// --- QLinearAdd, QLinearMul: A, scale, zero, B, scale, zero, C's scale, C's zero ---

Status infer_binary(Infer& c) {
  HONE_CHECK(check_type(c, 0, byte_types));
  HONE_CHECK(check_type(c, 3, byte_types));
  if (c.dtype(0) != DType::none && c.dtype(3) != DType::none && c.dtype(0) != c.dtype(3))
    return error(Code::corrupt, "A is of type %s, B of type %s; they must be the same",
                 dtype_name(c.dtype(0)), dtype_name(c.dtype(3)));
  HONE_CHECK(check_affine(c, 1, "A's"));
  HONE_CHECK(check_affine(c, 4, "B's"));
  HONE_CHECK(check_affine(c, 6, "C's"));
  HONE_TRY(const Shape s, broadcast(c.shape(0), c.shape(3)));
  c.set(0, c.dtype(0), s);
  return {};
}

template <class F>
Status binary(EvalContext& c, F&& f) {
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  const Shape& shape = types[0].shape;
  HONE_TRY(const std::vector<float> a, dequantized(c, 0, 1));
  HONE_TRY(const std::vector<float> b, dequantized(c, 3, 4));
  HONE_TRY(const Affine to, affine(c, 6));
  HONE_TRY(const TensorView y, c.output(0, types[0].dtype, shape));
  const IntRange range = int_range(y.dtype);
  const Shape sa = c.input(0).shape, sb = c.input(3).shape;
  const auto ta = contiguous_strides(sa), tb = contiguous_strides(sb);
  Odometer at(shape.rank(), shape.dims());
  const auto offset = [&](const Shape& s, const std::array<int64_t, max_rank>& strides) {
    int64_t i = 0;
    for (size_t d = 0; d < s.size(); d++) i += s[d] == 1 ? 0 : at[shape.size() - s.size() + d] * strides[d];
    return static_cast<size_t>(i);
  };
  for (int64_t i = 0, n = shape.elements(); i < n; i++, at.next())
    store_int(y, i, quantize(f(a[offset(sa, ta)], b[offset(sb, tb)]) / to.scale, to.zero, range));
  return {};
}
Status add(EvalContext& c) {
  return binary(c, [](float a, float b) { return a + b; });
}
Status multiply(EvalContext& c) {
  return binary(c, [](float a, float b) { return a * b; });
}

// --- QLinearSigmoid, QLinearLeakyRelu: X, scale, zero (may be absent), Y's scale, Y's zero (may be absent)
// ---

Status infer_unary(Infer& c) {
  HONE_CHECK(check_type(c, 0, byte_types));
  HONE_CHECK(check_affine(c, 1, "X's"));
  HONE_CHECK(check_affine(c, 3, "Y's"));
  c.set(0, c.dtype(0), c.shape(0));
  return {};
}
template <class F>
Status unary(EvalContext& c, F&& f) {
  HONE_CHECK(infer_outputs(c));
  const TensorView x = c.input(0);
  HONE_TRY(const std::vector<float> values, dequantized(c, 0, 1));
  HONE_TRY(const Affine to, affine(c, 3));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  const IntRange range = int_range(y.dtype);
  for (size_t i = 0; i < values.size(); i++)
    store_int(y, static_cast<int64_t>(i), quantize(f(values[i]) / to.scale, to.zero, range));
  return {};
}
Status sigmoid(EvalContext& c) {
  return unary(c, [](float x) { return 1 / (1 + std::exp(-x)); });
}
Status leaky_relu(EvalContext& c) {
  const float alpha = c.attrs.f("alpha");
  return unary(c, [alpha](float x) { return x < 0 ? alpha * x : x; });
}

// --- QLinearGlobalAveragePool: X, scale, zero, Y's scale, Y's zero; "channels_last" is an attribute of its
// own ---

Status infer_global_average(Infer& c) {
  HONE_CHECK(infer_unary(c));
  Shape s = c.shape(0);
  if (s.ranked() && s.rank() < 2)
    return error(Code::invalid_argument, "the input %s needs at least the dimensions N and C",
                 s.str().c_str());
  const size_t first = spatial_axis(c.attrs.flag("channels_last"));
  for (size_t i = first; s.ranked() && i < first + s.size() - 2; i++) s[i] = 1;
  c.set(0, c.dtype(0), s);
  return {};
}
Status global_average(EvalContext& c) {
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  const TensorView x = c.input(0);
  const bool last = c.attrs.flag("channels_last");
  const Planes p = planes_of(x.shape, last);
  HONE_TRY(const Affine from, affine(c, 1));
  HONE_TRY(const Affine to, affine(c, 3));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, types[0].shape));
  const std::vector<int32_t> q = widen_ints(x, from.zero);
  const IntRange range = int_range(y.dtype);
  const int64_t pixels = p.pixels(), step = last ? p.c : 1;
  for (int64_t n = 0; n < p.n; n++)
    for (int64_t ch = 0; ch < p.c; ch++) {
      int64_t sum = 0;
      for (int64_t i = 0; i < pixels; i++)
        sum += q[static_cast<size_t>(n * p.n_stride + ch * p.c_stride + i * step)];
      const float mean = static_cast<float>(sum) * (from.scale / (static_cast<float>(pixels) * to.scale));
      store_int(y, n * p.c + ch, quantize(mean, to.zero, range));
    }
  return {};
}

// --- QLinearConcat: Y's scale, Y's zero, then data, scale, zero for each part ---

Status infer_concat(Infer& c) {
  if (c.in.size() % 3 != 2)
    return error(Code::corrupt, "QLinearConcat has %zu inputs, expected two and then three for each part",
                 c.in.size());
  HONE_CHECK(check_affine(c, 0, "Y's"));
  const DType d = c.dtype(1);
  c.set(0, d, Shape::unranked());
  Shape out = Shape::unranked();
  int axis = 0;
  for (size_t i = 2; i < c.in.size(); i += 3) {
    HONE_CHECK(check_type(c, i, byte_types));
    HONE_CHECK(check_affine(c, i + 1, "a part's"));
    const Shape s = c.shape(i);
    if (!s.ranked()) return {};
    if (i == 2) {
      HONE_TRY(axis, normalize_axis(c.attrs.i("axis"), s.rank()));
      out = s;
      continue;
    }
    if (s.rank() != out.rank())
      return error(Code::invalid_argument, "cannot concatenate %s and %s", out.str().c_str(),
                   s.str().c_str());
    for (size_t k = 0; k < s.size(); k++) {
      if (static_cast<int>(k) == axis) {
        out[k] = known(out[k]) && known(s[k]) ? out[k] + s[k] : unknown_dim;
        continue;
      }
      if (known(out[k]) && known(s[k]) && out[k] != s[k])
        return error(Code::invalid_argument, "cannot concatenate %s and %s along axis %d", out.str().c_str(),
                     s.str().c_str(), axis);
      if (!known(out[k])) out[k] = s[k];
    }
  }
  c.set(0, d, out);
  return {};
}
Status concat(EvalContext& c) {
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  const Shape& shape = types[0].shape;
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), shape.rank()));
  HONE_TRY(const Affine to, affine(c, 0));
  HONE_TRY(const TensorView y, c.output(0, types[0].dtype, shape));
  const IntRange range = int_range(y.dtype);
  const int64_t outer = shape.product(0, axis), inner = shape.product(axis + 1, shape.rank());
  int64_t before = 0;
  for (size_t i = 2; i < c.inputs(); i += 3) {
    HONE_TRY(const std::vector<float> part, dequantized(c, i, i + 1));
    const int64_t size = c.input(i).shape[static_cast<size_t>(axis)] * inner;
    for (int64_t o = 0; o < outer; o++)
      for (int64_t k = 0; k < size; k++)
        store_int(y, o * shape[static_cast<size_t>(axis)] * inner + before + k,
                  quantize(part[static_cast<size_t>(o * size + k)] / to.scale, to.zero, range));
    before += size;
  }
  return {};
}

constexpr AttrDef alpha_attrs[] = {AttrDef::def_f("alpha", 0.01f)};
constexpr AttrDef pool_attrs[] = {AttrDef::def_i("channels_last", 0)};
constexpr AttrDef concat_attrs[] = {AttrDef::req("axis", AttrType::i)};
constexpr const char* microsoft = "com.microsoft";

}  // namespace

extern const OpDef op_QLinearAdd{.name = "QLinearAdd",
                                 .domain = microsoft,
                                 .doc = "A + B of dequantised inputs, quantised",
                                 .min_inputs = 7,
                                 .max_inputs = 8,
                                 .infer = infer_binary,
                                 .reference = add};
extern const OpDef op_QLinearMul{.name = "QLinearMul",
                                 .domain = microsoft,
                                 .doc = "A * B of dequantised inputs, quantised",
                                 .min_inputs = 7,
                                 .max_inputs = 8,
                                 .infer = infer_binary,
                                 .reference = multiply};
extern const OpDef op_QLinearSigmoid{.name = "QLinearSigmoid",
                                     .domain = microsoft,
                                     .doc = "Sigmoid of the dequantised input, quantised",
                                     .min_inputs = 4,
                                     .max_inputs = 5,
                                     .infer = infer_unary,
                                     .reference = sigmoid};
extern const OpDef op_QLinearLeakyRelu{.name = "QLinearLeakyRelu",
                                       .domain = microsoft,
                                       .doc = "LeakyRelu of the dequantised input, quantised",
                                       .min_inputs = 4,
                                       .max_inputs = 5,
                                       .attrs = alpha_attrs,
                                       .infer = infer_unary,
                                       .reference = leaky_relu};
extern const OpDef op_QLinearGlobalAveragePool{
    .name = "QLinearGlobalAveragePool",
    .domain = microsoft,
    .doc = "the mean of each channel of the dequantised input, quantised",
    .min_inputs = 5,
    .max_inputs = 5,
    .attrs = pool_attrs,
    .infer = infer_global_average,
    .reference = global_average};
extern const OpDef op_QLinearConcat{.name = "QLinearConcat",
                                    .domain = microsoft,
                                    .doc = "Concat of dequantised inputs, quantised",
                                    .min_inputs = 5,
                                    .max_inputs = -1,
                                    .attrs = concat_attrs,
                                    .infer = infer_concat,
                                    .reference = concat};

}  // namespace hone
