#include "ops/element.h"
#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  HONE_CHECK(check_same_types(c));
  for (size_t i = 1; i < c.in.size(); i++) {
    const Shape s = c.shape(i);
    for (Dim d : s)
      if (known(d) && d != 1)
        return error(Code::corrupt, "input %zu of Clip has shape %s, expected a scalar", i, s.str().c_str());
  }
  return same_as_first(c);
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  return dispatch_numbers(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const bool has_low = c.has(1), has_high = c.has(2);
    const Compute<T> low = has_low ? load(c.input(1).data<T>()[0]) : Compute<T>{};
    const Compute<T> high = has_high ? load(c.input(2).data<T>()[0]) : Compute<T>{};
    for (int64_t i = 0, n = x.elements(); i < n; i++) {
      Compute<T> v = load(x.data<T>()[i]);
      if (has_low && v < low) v = low;
      if (has_high && v > high) v = high;  // last: where min > max, max wins
      store(y.data<T>()[i], v);
    }
  });
}

// Below 11 the bounds are attributes.
Status bounds_to_inputs(OpsetNode& n) {
  const char* const names[] = {"min", "max"};
  for (size_t i = 0; i < 2; i++) {
    if (!n.attrs().has(names[i])) continue;
    HONE_TRY(Tensor t, float_scalar(n.type(0).dtype, n.attrs().f(names[i])));
    n.set_constant(i + 1, std::move(t));
    n.attrs().erase(names[i]);
  }
  return {};
}
constexpr Upgrade upgrades[] = {{11, bounds_to_inputs}};
}  // namespace

extern const OpDef op_Clip{.name = "Clip",
                           .doc = "min(max(x, low), high)",
                           .min_inputs = 1,
                           .max_inputs = 3,
                           .upgrades = upgrades,
                           .infer = infer,
                           .reference = reference,
                           .layout = Layout::elementwise};

}  // namespace hone
