// Base and exponent may be of different types; the result has that of the base. Two floats of one type are
// computed in it, two integers exactly (wrapping), everything else in double.
#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
uint64_t power(uint64_t x, uint64_t n) {
  uint64_t y = 1;
  for (; n; n >>= 1, x *= x)
    if (n & 1) y *= x;
  return y;
}

template <class T, class E>
Compute<T> raise(Compute<T> x, Compute<E> n) {
  if constexpr (std::is_integral_v<T> && std::is_integral_v<E>) {
    if (n >= 0) return static_cast<T>(power(static_cast<uint64_t>(x), static_cast<uint64_t>(n)));
    const bool odd = n % 2 != 0;  // 1 / x^-n, towards zero
    return x == 1                                           ? T(1)
           : std::is_signed_v<T> && x == static_cast<T>(-1) ? static_cast<T>(odd ? -1 : 1)
                                                            : T(0);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(to_int64(std::pow(static_cast<double>(x), static_cast<double>(n))));
  } else if constexpr (std::is_same_v<T, E>) {
    return std::pow(x, n);
  } else {
    return static_cast<Compute<T>>(std::pow(static_cast<double>(x), static_cast<double>(n)));
  }
}

template <class T, class E>
void run(const TensorView& x, const TensorView& n, const TensorView& y) {
  for_each_row(
      broadcast_nest(y.shape, x.shape, n.shape), [&](const auto& at, int64_t count, const auto& stride) {
        for (int64_t i = 0; i < count; i++)
          store(y.data<T>()[at[0] + i * stride[0]], raise<T, E>(load(x.data<T>()[at[1] + i * stride[1]]),
                                                                load(n.data<E>()[at[2] + i * stride[2]])));
      });
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  TensorView n = c.input(1);
  HONE_TRY(const TensorView y, infer_output(c));
  // To keep the number of combinations small, an exponent of another type is first brought to double, or to
  // int64.
  Tensor converted;
  if (n.dtype != x.dtype) {
    HONE_TRY(converted, Tensor::allocate(is_int(n.dtype) ? DType::i64 : DType::f64, n.shape));
    for (int64_t i = 0, count = n.elements(); i < count; i++) {
      if (is_int(n.dtype)) {
        HONE_CHECK(dispatch_ints(n.dtype, [&](auto zero) {
          converted.data<int64_t>()[i] = static_cast<int64_t>(n.data<decltype(zero)>()[i]);
        }));
      } else {
        converted.data<double>()[i] = element_as_double(n, i);
      }
    }
    n = converted.view();
  }
  return dispatch_numbers(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (n.dtype == x.dtype) run<T, T>(x, n, y);
    else if (n.dtype == DType::i64) run<T, int64_t>(x, n, y);
    else run<T, double>(x, n, y);
  });
}

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  HONE_CHECK(check_type(c, 1, number_types));
  return broadcast_same_type(c);
}
}  // namespace

extern const OpDef op_Pow{.name = "Pow",
                          .doc = "x^y",
                          .min_inputs = 2,
                          .max_inputs = 2,
                          .upgrades = broadcast_upgrades,
                          .infer = infer,
                          .reference = reference,
                          .layout = Layout::elementwise};

}  // namespace hone
