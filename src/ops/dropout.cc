#include <cstring>

#include "ops/element.h"
#include "ops/random.h"
#include "ops/types.h"

namespace hone {
namespace {

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_type(c, 1, float_types));
  HONE_CHECK(check_type(c, 2, bool_type));
  for (size_t i = 1; i < 3; i++)
    if (const Shape s = c.shape(i); s.all_known() && s.elements() != 1)
      return error(Code::invalid_argument, "%s has shape %s, expected a scalar",
                   i == 1 ? "ratio" : "training_mode", s.str().c_str());
  c.set(0, c.dtype(0), c.shape(0));
  c.set(1, c.attrs.flag("mask_of_data") ? c.dtype(0) : DType::boolean, c.shape(0));
  return {};
}

Status reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView x = c.input(0);
  const double ratio = c.has(1) ? element_as_double(c.input(1), 0) : 0.5;
  const bool training = c.has(2) && *c.input(2).data<bool8>() && ratio != 0;
  if (training && !(ratio >= 0 && ratio < 1))
    return error(Code::invalid_argument, "ratio is %g; it must be in [0, 1)", ratio);
  const bool of_data = c.attrs.flag("mask_of_data");
  TensorView mask;
  if (c.outputs() > 1 && c.wanted(1)) {
    HONE_TRY(mask, c.output(1, of_data ? x.dtype : DType::boolean, x.shape));
  }
  HONE_TRY(const TensorView y, c.output(0, x.dtype, x.shape));
  if (!training) std::memcpy(y.bytes, x.bytes, static_cast<size_t>(x.byte_size()));
  if (!training && !mask.bytes) return {};
  Random random(static_cast<uint32_t>(c.attrs.i("seed")));
  return dispatch_floats(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const double scale = 1 / (1 - ratio);
    for (int64_t i = 0, n = x.elements(); i < n; i++) {
      const bool keep = !training || random.uniform() >= ratio;
      if (mask.bytes && of_data) store(mask.data<T>()[i], static_cast<Compute<T>>(keep ? 1 : 0));
      else if (mask.bytes) mask.data<bool8>()[i] = keep;
      if (training) store(y.data<T>()[i], static_cast<Compute<T>>(keep ? load(x.data<T>()[i]) * scale : 0.0));
    }
  });
}

// Below 7 "is_test" said whether anything is dropped.
Status from_is_test(OpsetNode& n) {
  if (n.attrs().i("is_test") == 0) {
    HONE_TRY(Tensor ratio, float_scalar(DType::f32, n.attrs().f("ratio", 0.5f)));
    n.set_constant(1, std::move(ratio));
    n.set_constant(2, Tensor::scalar(DType::boolean, bool8(true)));
  }
  n.attrs().erase("is_test");
  return {};
}
Status mask_of_data(OpsetNode& n) {
  n.attrs().set("mask_of_data", int64_t{1});
  return {};
}
// From 7 to 11 the ratio was an attribute and meant nothing in inference.
Status drop_ratio(OpsetNode& n) {
  n.attrs().erase("ratio");
  return {};
}
constexpr Upgrade upgrades[] = {{7, from_is_test}, {10, mask_of_data}, {12, drop_ratio}};
// mask_of_data: the mask is of the data's type, as it was before opset 10.
constexpr AttrDef attrs[] = {AttrDef::def_i("seed", 0), AttrDef::def_i("mask_of_data", 0).hidden()};
}  // namespace

extern const OpDef op_Dropout{.name = "Dropout",
                              .doc = "X; in training mode X * mask / (1 - ratio), the mask drawn from `seed`",
                              .max_inputs = 3,
                              .max_outputs = 2,
                              .attrs = attrs,
                              .upgrades = upgrades,
                              .infer = infer,
                              .reference = reference};

}  // namespace hone
