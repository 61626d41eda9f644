#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, bool_type));
  HONE_CHECK(check_same_types(c, 1));
  HONE_TRY(const Shape xy, broadcast(c.shape(1), c.shape(2)));
  HONE_TRY(const Shape s, broadcast(xy, c.shape(0)));
  c.set(0, c.dtype(1) == DType::none ? c.dtype(2) : c.dtype(1), s);
  return {};
}

Status reference(EvalContext& c) {
  const TensorView pick = c.input(0), x = c.input(1), y = c.input(2);
  HONE_TRY(const TensorView out, infer_output(c));
  return dispatch_storage(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_row(broadcast_nest(out.shape, pick.shape, x.shape, y.shape),
                 [&](const auto& at, int64_t n, const auto& stride) {
                   for (int64_t i = 0; i < n; i++)
                     out.data<T>()[at[0] + i * stride[0]] = pick.data<bool8>()[at[1] + i * stride[1]]
                                                                ? x.data<T>()[at[2] + i * stride[2]]
                                                                : y.data<T>()[at[3] + i * stride[3]];
                 });
  });
}
}  // namespace

extern const OpDef op_Where{.name = "Where",
                            .doc = "x where the condition holds, else y",
                            .min_inputs = 3,
                            .max_inputs = 3,
                            .since = 9,
                            .infer = infer,
                            .reference = reference,
                            .layout = Layout::elementwise};

}  // namespace hone
