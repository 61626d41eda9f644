// Unary operators on truth values and bits: Not, IsNaN, IsInf, BitwiseNot.
#include "ops/element.h"
#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {
constexpr TypeSet any_float = float_types | TypeSet{DType::f8e4m3fn, DType::f8e4m3fnuz, DType::f8e5m2,
                                                    DType::f8e5m2fnuz, DType::f8e8m0};

template <const TypeSet& types>
Status infer_same(Infer& c) {
  HONE_CHECK(check_type(c, 0, types));
  return same_as_first(c);
}
Status infer_test(Infer& c) {
  HONE_CHECK(check_type(c, 0, any_float));
  return broadcast_to_bool(c);
}

Status logical_not(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  for (int64_t i = 0, n = x.elements(); i < n; i++) y.data<bool8>()[i] = !x.data<bool8>()[i];
  return {};
}

Status bitwise_not(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  return dispatch_ints(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0, n = x.elements(); i < n; i++) y.data<T>()[i] = static_cast<T>(~x.data<T>()[i]);
  });
}

template <class Test>
Status test_each(EvalContext& c, Test test) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  return dispatch<float, double, f16_t, bf16_t, f8e4m3fn_t, f8e4m3fnuz_t, f8e5m2_t, f8e5m2fnuz_t, f8e8m0_t>(
      x.dtype, [&](auto zero) {
        using T = decltype(zero);
        for (int64_t i = 0, n = x.elements(); i < n; i++) {
          double v = 0;
          if constexpr (requires { to_float(x.data<T>()[i]); })
            v = static_cast<double>(to_float(x.data<T>()[i]));
          else v = static_cast<double>(x.data<T>()[i]);
          y.data<bool8>()[i] = test(v);
        }
      });
}

Status is_nan(EvalContext& c) {
  return test_each(c, [](double v) { return std::isnan(v); });
}
Status is_inf(EvalContext& c) {
  const bool negative = c.attrs.flag("detect_negative"), positive = c.attrs.flag("detect_positive");
  return test_each(c, [=](double v) { return std::isinf(v) && (v < 0 ? negative : positive); });
}

constexpr AttrDef inf_attrs[] = {AttrDef::def_i("detect_negative", 1), AttrDef::def_i("detect_positive", 1)};
}  // namespace

extern const OpDef op_BitwiseNot{.name = "BitwiseNot",
                                 .doc = "every bit of an integer inverted",
                                 .infer = infer_same<int_types>,
                                 .reference = bitwise_not,
                                 .layout = Layout::elementwise};
extern const OpDef op_IsInf{.name = "IsInf",
                            .doc = "whether x is an infinity of a sign asked for",
                            .attrs = inf_attrs,
                            .infer = infer_test,
                            .reference = is_inf,
                            .layout = Layout::elementwise};
extern const OpDef op_IsNaN{.name = "IsNaN",
                            .doc = "whether x is not a number",
                            .infer = infer_test,
                            .reference = is_nan,
                            .layout = Layout::elementwise};
extern const OpDef op_Not{.name = "Not",
                          .doc = "logical negation",
                          .infer = infer_same<bool_type>,
                          .reference = logical_not,
                          .layout = Layout::elementwise};

}  // namespace hone
