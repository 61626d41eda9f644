// Operators that make tensors out of little: Constant, ConstantOfShape, Range.
#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
Result<Tensor> text_tensor(const Shape& s, std::span<const std::string> values) {
  HONE_TRY(Tensor t, Tensor::allocate(DType::string, s));
  for (size_t i = 0; i < values.size(); i++) t.data<std::string>()[i] = values[i];
  return t;
}

// Exactly one attribute is set.
Result<Tensor> constant_of(const Attrs& a) {
  if (a.size() != 1)
    return error(Code::corrupt, "Constant has %zu attributes, expected exactly one of its values", a.size());
  if (a.has("value")) return a.tensor("value");
  if (a.has("value_float")) return Tensor::scalar(DType::f32, a.f("value_float"));
  if (a.has("value_int")) return Tensor::scalar(DType::i64, a.i("value_int"));
  if (a.has("value_ints")) return Tensor::of_ints(a.ints("value_ints"));
  if (a.has("value_string")) return text_tensor(Shape{}, {&a.s("value_string"), 1});
  if (a.has("value_strings"))
    return text_tensor(Shape{static_cast<Dim>(a.strings("value_strings").size())},
                       a.strings("value_strings"));
  const std::vector<float>& floats = a.floats("value_floats");
  HONE_TRY(Tensor t, Tensor::allocate(DType::f32, Shape{static_cast<Dim>(floats.size())}));
  std::copy(floats.begin(), floats.end(), t.data<float>());
  return t;
}
Status infer_constant(Infer& c) {
  HONE_TRY(const Tensor t, constant_of(c.attrs));
  c.set(0, t.dtype(), t.shape());
  return {};
}
Status constant(EvalContext& c) {
  HONE_TRY(Tensor t, constant_of(c.attrs));
  return c.set_output(0, std::move(t));
}

Status infer_of_shape(Infer& c) {
  HONE_CHECK(check_type(c, 0, i64_type));
  HONE_TRY(const Dim rank, length_of(c, 0));
  DType d = DType::f32;
  if (c.attrs.has("value")) {
    const Tensor& value = c.attrs.tensor("value");
    d = value.dtype();
    if (value.elements() != 1)
      return error(Code::corrupt, "attribute 'value' of ConstantOfShape has shape %s, expected one element",
                   value.shape().str().c_str());
  }
  c.set(0, d, Shape::unranked());
  if (rank > max_rank)
    return error(Code::limit, "ConstantOfShape with %lld dimensions, at most %d are supported",
                 static_cast<long long>(rank), max_rank);
  if (const auto dims = c.ints(0)) {
    HONE_TRY(const Shape s, make_shape(*dims, "the output of ConstantOfShape"));
    c.set(0, d, s);
  } else if (known(rank)) {
    c.set(0, d, Shape::of_rank(static_cast<int>(rank)));
  }
  return {};
}
Status of_shape(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  if (c.attrs.has("value")) fill_elements(y, c.attrs.tensor("value").bytes());
  else zero_elements(y);
  return {};
}

constexpr TypeSet range_types = float_types | TypeSet{DType::i16, DType::i32, DType::i64};

// Integers are counted exactly, in 128 bits.
Result<Dim> range_length(const TensorView& start, const TensorView& limit, const TensorView& delta) {
  double n = 0;
  if (is_int(start.dtype)) {
    __int128 v[3] = {};
    HONE_CHECK(dispatch_ints(start.dtype, [&](auto zero) {
      using T = decltype(zero);
      v[0] = *start.data<T>(), v[1] = *limit.data<T>(), v[2] = *delta.data<T>();
    }));
    if (v[2] == 0) return error(Code::invalid_argument, "Range with a step of 0");
    const __int128 length = v[2] > 0 ? v[1] - v[0] : v[0] - v[1], step = v[2] > 0 ? v[2] : -v[2];
    n = length <= 0 ? 0 : static_cast<double>((length + step - 1) / step);
  } else {
    const double step = element_as_double(delta, 0);
    n = std::ceil((element_as_double(limit, 0) - element_as_double(start, 0)) / step);
    if (step == 0 || std::isnan(n))
      return error(Code::invalid_argument, "Range with a step of %g has no length", step);
  }
  if (n > 0x1p40) return error(Code::limit, "Range of %g elements, more than 2^40", n);
  return n > 0 ? static_cast<Dim>(n) : Dim{0};
}

Status infer_range(Infer& c) {
  HONE_CHECK(check_type(c, 0, range_types));
  HONE_CHECK(check_same_types(c));
  for (size_t i = 0; i < c.in.size(); i++)
    for (Dim d : c.shape(i))
      if (known(d) && d != 1)
        return error(Code::corrupt, "input %zu of Range has shape %s, expected a scalar", i,
                     c.shape(i).str().c_str());
  Dim n = unknown_dim;
  if (c.value(0) && c.value(1) && c.value(2)) {
    HONE_TRY(n, range_length(c.value(0)->view(), c.value(1)->view(), c.value(2)->view()));
  }
  c.set(0, common_type(c), Shape{n});
  return {};
}
Status range(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  return dispatch_numbers(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Compute<T> start = load(*c.input(0).data<T>()), delta = load(*c.input(2).data<T>());
    for (int64_t i = 0, n = y.elements(); i < n; i++) {
      if constexpr (std::is_integral_v<T>)
        y.data<T>()[i] = static_cast<T>(static_cast<uint64_t>(start) +
                                        static_cast<uint64_t>(i) * static_cast<uint64_t>(delta));
      else store(y.data<T>()[i], start + static_cast<Compute<T>>(i) * delta);
    }
  });
}

constexpr AttrDef constant_attrs[] = {
    AttrDef::opt("value", AttrType::tensor),         AttrDef::opt("value_float", AttrType::f),
    AttrDef::opt("value_floats", AttrType::floats),  AttrDef::opt("value_int", AttrType::i),
    AttrDef::opt("value_ints", AttrType::ints),      AttrDef::opt("value_string", AttrType::s),
    AttrDef::opt("value_strings", AttrType::strings)};
constexpr AttrDef of_shape_attrs[] = {AttrDef::opt("value", AttrType::tensor)};
}  // namespace

extern const OpDef op_Constant{.name = "Constant",
                               .doc = "the tensor given as an attribute",
                               .min_inputs = 0,
                               .max_inputs = 0,
                               .attrs = constant_attrs,
                               .infer = infer_constant,
                               .reference = constant};
extern const OpDef op_ConstantOfShape{.name = "ConstantOfShape",
                                      .doc = "a tensor of the shape given, filled with one value",
                                      .attrs = of_shape_attrs,
                                      .since = 9,
                                      .infer = infer_of_shape,
                                      .reference = of_shape};
extern const OpDef op_Range{.name = "Range",
                            .doc = "start, start + delta, ... up to limit (exclusive)",
                            .min_inputs = 3,
                            .max_inputs = 3,
                            .since = 11,
                            .infer = infer_range,
                            .reference = range};

}  // namespace hone
