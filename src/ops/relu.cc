#include "ops/dispatch.h"
#include "ops/op.h"

namespace hone {
namespace {
Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  return dispatch<float, double, int8_t, int16_t, int32_t, int64_t>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0, n = x.elements(); i < n; i++) y.data<T>()[i] = x.data<T>()[i] > zero ? x.data<T>()[i] : zero;
  });
}
}  // namespace

extern const OpDef op_Relu{.name = "Relu", .doc = "max(x, 0)", .infer = same_as_first, .reference = reference,
                           .layout = Layout::elementwise};

}  // namespace hone
