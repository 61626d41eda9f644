// QuantizeLinear and DequantizeLinear.
#include "base/convert.h"
#include "ops/element.h"
#include "ops/quant.h"
#include "ops/widen.h"

namespace hone {
namespace {

enum class Granularity : uint8_t { tensor, axis, block };

struct Blocks {
  Granularity granularity = Granularity::tensor;
  int axis = 0;
  int64_t block = 1;
};

// How the scale's shape divides the data. Unknown dimensions pass.
Result<Blocks> blocks_of(const Attrs& attrs, const Shape& x, const Shape& scale) {
  Blocks b;
  b.block = attrs.i("block_size");
  if (b.block < 0)
    return error(Code::invalid_argument, "block_size is %lld; it must not be negative",
                 static_cast<long long>(b.block));
  if (!scale.ranked() || !x.ranked()) return b;
  if (scale.rank() == 0 || (scale.rank() == 1 && scale[0] == 1 && !b.block)) return b;
  HONE_TRY(b.axis, normalize_axis(attrs.i("axis"), x.rank()));
  const Dim d = x[static_cast<size_t>(b.axis)];
  if (!b.block) {
    b.granularity = Granularity::axis;
    if (scale.rank() != 1 || (known(scale[0]) && known(d) && scale[0] != d))
      return error(Code::invalid_argument,
                   "the scale has shape %s, expected [%lld], the size of axis %d of %s", scale.str().c_str(),
                   static_cast<long long>(d), b.axis, x.str().c_str());
    return b;
  }
  b.granularity = Granularity::block;
  bool fits = scale.rank() == x.rank();
  for (size_t i = 0; fits && i < x.size(); i++) {
    if (!known(x[i]) || !known(scale[i])) continue;
    fits = scale[i] == (static_cast<int>(i) == b.axis ? x[i] / b.block + (x[i] % b.block != 0) : x[i]);
  }
  if (!fits)
    return error(Code::invalid_argument,
                 "the scale has shape %s, which does not divide axis %d of %s into blocks of %lld",
                 scale.str().c_str(), b.axis, x.str().c_str(), static_cast<long long>(b.block));
  return b;
}

// f(element, index of its scale), for all elements in order.
template <class F>
void for_each_scale(const Blocks& b, const Shape& x, F&& f) {
  const int64_t outer = b.granularity == Granularity::tensor ? 1 : x.product(0, b.axis);
  const int64_t size = b.granularity == Granularity::tensor ? 1 : x[static_cast<size_t>(b.axis)];
  const int64_t inner = b.granularity == Granularity::tensor ? x.elements() : x.product(b.axis + 1, x.rank());
  const int64_t blocks = b.granularity == Granularity::block ? size / b.block + (size % b.block != 0) : size;
  for (int64_t o = 0, i = 0; o < outer; o++)
    for (int64_t a = 0; a < size; a++)
      for (int64_t k = 0; k < inner; k++, i++) {
        if (b.granularity == Granularity::tensor) f(i, 0);
        else if (b.granularity == Granularity::axis) f(i, a);
        else f(i, (o * blocks + a / b.block) * inner + k);
      }
}

Status check_zero_point(const Infer& c) {
  const Shape scale = c.shape(1), zero = c.shape(2);
  if (!c.has(2) || !scale.all_known() || !zero.all_known() || scale == zero) return {};
  if (scale.elements() == 1 && zero.elements() == 1) return {};
  return error(Code::invalid_argument, "the zero point has shape %s, the scale %s; they must be the same",
               zero.str().c_str(), scale.str().c_str());
}

// The type that attribute `name` names; `fallback` where it is 0.
Result<DType> type_attr(const Attrs& attrs, const char* name, DType fallback) {
  const int64_t number = attrs.i(name);
  if (!number) return fallback;
  const DType d = dtype_from_number(number);
  if (d == DType::none)
    return error(Code::corrupt, "%s is %lld, which is no element type", name, static_cast<long long>(number));
  return d;
}

constexpr TypeSet scale_types = float_types | TypeSet{DType::i32, DType::f8e8m0};

Status infer_quantize(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types | TypeSet{DType::i32}));
  HONE_CHECK(check_type(c, 1, scale_types));
  HONE_CHECK(check_type(c, 2, small_int_types | small_float_types));
  HONE_CHECK(blocks_of(c.attrs, c.shape(0), c.shape(1)));
  HONE_CHECK(check_zero_point(c));
  HONE_TRY(DType d, type_attr(c.attrs, "output_dtype", DType::none));
  if (c.has(2)) {
    if (d != DType::none && d != c.dtype(2))
      return error(Code::corrupt, "output_dtype is %s, but the zero point is of type %s", dtype_name(d),
                   dtype_name(c.dtype(2)));
    d = c.dtype(2);
  } else if (d == DType::none && c.in.size() < 3) {
    d = DType::u8;
  }
  if (d != DType::none && !(small_int_types | small_float_types).has(d))
    return error(Code::unsupported, "cannot quantise to %s", dtype_name(d));
  c.set(0, d, c.shape(0));
  return {};
}

// Stores x in a small float type.
void store_small_float(const TensorView& y, int64_t i, float x, bool saturate) {
  switch (y.dtype) {
    case DType::f8e4m3fn:
      y.data<uint8_t>()[i] = static_cast<uint8_t>(to_small_float(x, small_float<f8e4m3fn_t>, saturate));
      break;
    case DType::f8e4m3fnuz:
      y.data<uint8_t>()[i] = static_cast<uint8_t>(to_small_float(x, small_float<f8e4m3fnuz_t>, saturate));
      break;
    case DType::f8e5m2:
      y.data<uint8_t>()[i] = static_cast<uint8_t>(to_small_float(x, small_float<f8e5m2_t>, saturate));
      break;
    case DType::f8e5m2fnuz:
      y.data<uint8_t>()[i] = static_cast<uint8_t>(to_small_float(x, small_float<f8e5m2fnuz_t>, saturate));
      break;
    default:
      set_packed(y.bytes, i, 4, static_cast<uint8_t>(to_small_float(x, f4e2m1_format, true)));
      break;
  }
}

Status quantize_reference(EvalContext& c) {
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  const TensorView x = c.input(0), s = c.input(1);
  HONE_TRY(const Blocks blocks, blocks_of(c.attrs, x.shape, s.shape));
  const DType d = types[0].dtype == DType::none ? DType::u8 : types[0].dtype;
  HONE_TRY(const TensorView y, c.output(0, d, x.shape));
  HONE_TRY(const std::vector<float> scale, to_floats(s));
  HONE_TRY(const std::vector<float> values, to_floats(x));
  if (dtype_bits(d) < 8 && y.byte_size())
    y.data<uint8_t>()[y.byte_size() - 1] = 0;  // its last bits may be nobody's
  if (small_float_types.has(d)) {
    std::vector<float> zero(scale.size());
    if (c.has(2)) { HONE_TRY(zero, to_floats(c.input(2))); }
    const bool saturate = c.attrs.flag("saturate");
    for_each_scale(blocks, x.shape, [&](int64_t i, int64_t k) {
      const auto at = static_cast<size_t>(k);
      store_small_float(y, i, values[static_cast<size_t>(i)] / scale[at] + zero[at], saturate);
    });
    return {};
  }
  const std::vector<int32_t> zero = c.has(2) ? widen_ints(c.input(2)) : std::vector<int32_t>(scale.size());
  const IntRange range = int_range(d);
  for_each_scale(blocks, x.shape, [&](int64_t i, int64_t k) {
    const auto at = static_cast<size_t>(k);
    store_int(y, i, quantize(values[static_cast<size_t>(i)] / scale[at], zero[at], range));
  });
  return {};
}

Status infer_dequantize(Infer& c) {
  HONE_CHECK(check_type(c, 0, small_int_types | small_float_types | TypeSet{DType::i32}));
  HONE_CHECK(check_type(c, 1, TypeSet{DType::f32, DType::f16, DType::bf16, DType::f8e8m0}));
  if (c.has(2) && c.dtype(0) != DType::none && c.dtype(2) != DType::none && c.dtype(2) != c.dtype(0))
    return error(Code::corrupt, "the zero point is of type %s, the data of type %s", dtype_name(c.dtype(2)),
                 dtype_name(c.dtype(0)));
  HONE_CHECK(check_type(c, 2, small_int_types | small_float_types | TypeSet{DType::i32}));
  HONE_CHECK(blocks_of(c.attrs, c.shape(0), c.shape(1)));
  HONE_CHECK(check_zero_point(c));
  HONE_TRY(const DType d, type_attr(c.attrs, "output_dtype", c.dtype(1)));
  if (d != DType::none && d != DType::f32 && d != DType::f16 && d != DType::bf16)
    return error(Code::unsupported, "cannot dequantise to %s; set output_dtype to f32, f16 or bf16",
                 dtype_name(d));
  c.set(0, d, c.shape(0));
  return {};
}

Status dequantize_reference(EvalContext& c) {
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  const TensorView x = c.input(0), s = c.input(1);
  HONE_TRY(const Blocks blocks, blocks_of(c.attrs, x.shape, s.shape));
  HONE_TRY(const TensorView y, c.output(0, types[0].dtype, x.shape));
  HONE_TRY(const std::vector<float> scale, to_floats(s));
  std::vector<float> result(static_cast<size_t>(x.elements()));
  if (is_int(x.dtype)) {
    const std::vector<int32_t> values = widen_ints(x);
    const std::vector<int32_t> zero = c.has(2) ? widen_ints(c.input(2)) : std::vector<int32_t>(scale.size());
    for_each_scale(blocks, x.shape, [&](int64_t i, int64_t k) {
      const auto at = static_cast<size_t>(k);
      const int64_t v = static_cast<int64_t>(values[static_cast<size_t>(i)]) - zero[at];
      result[static_cast<size_t>(i)] =
          static_cast<float>(static_cast<double>(v) * static_cast<double>(scale[at]));
    });
  } else {
    HONE_TRY(const std::vector<float> values, to_floats(x));
    std::vector<float> zero(scale.size());
    if (c.has(2)) { HONE_TRY(zero, to_floats(c.input(2))); }
    for_each_scale(blocks, x.shape, [&](int64_t i, int64_t k) {
      const auto at = static_cast<size_t>(k);
      result[static_cast<size_t>(i)] = (values[static_cast<size_t>(i)] - zero[at]) * scale[at];
    });
  }
  store_floats(result.data(), y);
  return {};
}

constexpr AttrDef quantize_attrs[] = {AttrDef::def_i("axis", 1), AttrDef::def_i("block_size", 0),
                                      AttrDef::def_i("output_dtype", 0), AttrDef::def_i("precision", 0),
                                      AttrDef::def_i("saturate", 1)};
constexpr AttrDef dequantize_attrs[] = {AttrDef::def_i("axis", 1), AttrDef::def_i("block_size", 0),
                                        AttrDef::def_i("output_dtype", 0)};

// --- DynamicQuantizeLinear ---

Status infer_dynamic(Infer& c) {
  HONE_CHECK(check_type(c, 0, TypeSet{DType::f32}));
  c.set(0, DType::u8, c.shape(0));
  c.set(1, DType::f32, Shape{});
  c.set(2, DType::u8, Shape{});
  return {};
}
Status dynamic_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView x = c.input(0);
  float low = 0, high = 0;  // the range always holds 0
  const int64_t n = x.elements();
  for (int64_t i = 0; i < n; i++) {
    low = std::min(low, x.data<float>()[i]);
    high = std::max(high, x.data<float>()[i]);
  }
  const float scale = (high - low) / 255.0f;
  const int64_t zero = scale == 0 ? 0 : quantize(-low / scale, 0, {0, 255});
  HONE_TRY(const TensorView y, c.output(0, DType::u8, x.shape));
  HONE_TRY(const TensorView y_scale, c.output(1, DType::f32, Shape{}));
  HONE_TRY(const TensorView y_zero, c.output(2, DType::u8, Shape{}));
  *y_scale.data<float>() = scale;
  *y_zero.data<uint8_t>() = static_cast<uint8_t>(zero);
  for (int64_t i = 0; i < n; i++)
    y.data<uint8_t>()[i] =
        static_cast<uint8_t>(quantize(scale == 0 ? 0 : x.data<float>()[i] / scale, zero, {0, 255}));
  return {};
}

}  // namespace

extern const OpDef op_QuantizeLinear{.name = "QuantizeLinear",
                                     .doc = "saturate(round(x / y_scale) + y_zero_point)",
                                     .min_inputs = 2,
                                     .max_inputs = 3,
                                     .attrs = quantize_attrs,
                                     .infer = infer_quantize,
                                     .reference = quantize_reference};
extern const OpDef op_DequantizeLinear{.name = "DequantizeLinear",
                                       .doc = "(x - x_zero_point) * x_scale",
                                       .min_inputs = 2,
                                       .max_inputs = 3,
                                       .attrs = dequantize_attrs,
                                       .infer = infer_dequantize,
                                       .reference = dequantize_reference};
extern const OpDef op_DynamicQuantizeLinear{.name = "DynamicQuantizeLinear",
                                            .doc = "x as u8, with a scale and zero point made from its range",
                                            .max_outputs = 3,
                                            .infer = infer_dynamic,
                                            .reference = dynamic_reference};

}  // namespace hone
