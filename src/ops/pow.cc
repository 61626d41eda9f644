// Base and exponent may be of different types; the result has that of the base. Two floats of one type are
// computed in it (f16 and bf16 in float), two integers exactly (wrapping), everything else in double.
#include <cmath>

#include "ops/op.h"
#include "ops/rows.h"
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

int64_t power(int64_t x, int64_t n, bool) {
  if (n >= 0) return static_cast<int64_t>(power(static_cast<uint64_t>(x), static_cast<uint64_t>(n)));
  return x == 1 ? 1 : x == -1 ? (n % 2 != 0 ? -1 : 1) : 0;  // 1 / x^-n, towards zero
}
double power(double x, double n, bool in_float) {
  return in_float ? static_cast<double>(std::pow(static_cast<float>(x), static_cast<float>(n)))
                  : std::pow(x, n);
}

template <class A>
void run(const TensorView& x, const TensorView& n, const TensorView& y) {
  const ReadRow<A> base = read_row<A>(x.dtype), exponent = read_row<A>(n.dtype);
  const WriteRow<A> write = write_row<A>(y.dtype);
  const bool in_float = x.dtype == n.dtype && x.dtype != DType::f64;
  for_each_row(broadcast_nest(y.shape, x.shape, n.shape),
               [&](const auto& at, int64_t count, const auto& stride) {
                 for (int64_t i = 0; i < count; i++) {
                   A v{}, e{};
                   base(x.bytes, at[1] + i * stride[1], 1, 1, &v);
                   exponent(n.bytes, at[2] + i * stride[2], 1, 1, &e);
                   v = power(v, e, in_float);
                   write(&v, 1, y.bytes, at[0] + i * stride[0], 1);
                 }
               });
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0), n = c.input(1);
  HONE_TRY(const TensorView y, infer_output(c));
  if (is_int(x.dtype) && is_int(n.dtype)) run<int64_t>(x, n, y);
  else run<double>(x, n, y);
  return {};
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
