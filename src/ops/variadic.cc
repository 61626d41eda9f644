// Max, Mean, Min, Sum of any number of tensors, broadcast together. A NaN in any of them is the result.
#include <algorithm>

#include "ops/op.h"
#include "ops/rows.h"
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

// In the order of the inputs; floats in double, rounded once.
template <class F, class A>
void accumulate(EvalContext& c, const TensorView& y, bool mean) {
  std::vector<A> sum(static_cast<size_t>(y.elements()));
  constexpr int64_t block = 256;
  A values[block];
  for (size_t k = 0; k < c.inputs(); k++) {
    const TensorView x = c.input(k);
    const ReadRow<A> read = read_row<A>(x.dtype);
    for_each_row(broadcast_nest(y.shape, x.shape), [&](const auto& at, int64_t n, const auto& stride) {
      for (int64_t from = 0; from < n; from += block) {
        const int64_t count = std::min(block, n - from);
        read(x.bytes, at[1] + from * stride[1], stride[1], count, values);
        for (int64_t i = 0; i < count; i++) {
          A& s = sum[static_cast<size_t>(at[0] + (from + i) * stride[0])];
          s = k == 0 ? values[i] : F::template f<A>(s, values[i]);
        }
      }
    });
  }
  if (mean)
    for (A& s : sum) s /= static_cast<A>(c.inputs());
  write_row<A>(y.dtype)(sum.data(), y.elements(), y.bytes, 0, 1);
}

template <class F>
Status extreme(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  if (is_float(y.dtype)) accumulate<F, double>(c, y, false);
  else if (dtype_kind(y.dtype) == DKind::sint) accumulate<F, int64_t>(c, y, false);
  else accumulate<F, uint64_t>(c, y, false);
  return {};
}
template <bool mean>
Status sum(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  accumulate<Plus, double>(c, y, mean);
  return {};
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
VARIADIC_OP(Max, "greatest of the inputs", number_types, extreme<Max>)
VARIADIC_OP(Mean, "mean of the inputs", float_types, sum<true>)
VARIADIC_OP(Min, "least of the inputs", number_types, extreme<Min>)
VARIADIC_OP(Sum, "sum of the inputs", float_types, sum<false>)
#undef VARIADIC_OP

}  // namespace hone
