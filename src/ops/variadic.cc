// Max, Mean, Min, Sum of any number of tensors, broadcast together. A NaN in any of them is the result.
#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
template <class T>
bool is_nan(T x) {
  return x != x;
}
struct Max {
  template <class T>
  static T f(T x, T y) {
    return x < y || is_nan(y) ? y : x;
  }
};
struct Min {
  template <class T>
  static T f(T x, T y) {
    return y < x || is_nan(y) ? y : x;
  }
};
struct Plus {
  template <class T>
  static T f(T x, T y) {
    return x + y;
  }
};

// Accumulates in the compute type, in the order of the inputs, and rounds once.
template <class F, class T>
Status accumulate(EvalContext& c, const TensorView& y, bool mean) {
  using A = Compute<T>;
  A* sum = nullptr;
  Tensor wide;
  if constexpr (std::is_same_v<A, T>) {
    sum = y.data<A>();
  } else {
    HONE_TRY(wide, Tensor::allocate(DType::f32, y.shape));
    sum = wide.data<A>();
  }
  for (size_t k = 0; k < c.inputs(); k++) {
    const TensorView x = c.input(k);
    for_each_row(broadcast_nest(y.shape, x.shape), [&](const auto& at, int64_t n, const auto& stride) {
      for (int64_t i = 0; i < n; i++) {
        A& s = sum[at[0] + i * stride[0]];
        const A v = load(x.data<T>()[at[1] + i * stride[1]]);
        s = k == 0 ? v : F::template f<A>(s, v);
      }
    });
  }
  const auto count = static_cast<A>(c.inputs());
  for (int64_t i = 0, n = y.elements(); i < n; i++)
    store(y.data<T>()[i], mean ? static_cast<A>(sum[i] / count) : sum[i]);
  return {};
}

template <class F>
Status reference_numbers(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  return dispatch_numbers(y.dtype, [&](auto zero) { return accumulate<F, decltype(zero)>(c, y, false); });
}
template <bool mean>
Status reference_floats(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  return dispatch_floats(y.dtype, [&](auto zero) { return accumulate<Plus, decltype(zero)>(c, y, mean); });
}

template <const TypeSet& types>
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, types));
  HONE_CHECK(check_same_types(c));
  HONE_CHECK(broadcast_same_type(c));
  c.out[0].dtype = common_type(c);
  return {};
}
}  // namespace

#define VARIADIC_OP(op, text, types, function)              \
  extern const OpDef op_##op{.name = #op,                   \
                             .doc = text,                   \
                             .max_inputs = -1,              \
                             .infer = infer<types>,         \
                             .reference = function,         \
                             .layout = Layout::elementwise, \
                             .commutative = true};
VARIADIC_OP(Max, "greatest of the inputs", number_types, reference_numbers<Max>)
VARIADIC_OP(Mean, "mean of the inputs", float_types, reference_floats<true>)
VARIADIC_OP(Min, "least of the inputs", number_types, reference_numbers<Min>)
VARIADIC_OP(Sum, "sum of the inputs", float_types, reference_floats<false>)
#undef VARIADIC_OP

}  // namespace hone
