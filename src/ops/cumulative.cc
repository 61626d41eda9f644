// CumSum and CumProd. Half types accumulate in float; integers wrap.
#include "ops/element.h"
#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  HONE_CHECK(check_type(c, 1, index_types));
  HONE_TRY(const Dim n, length_of(c, 1));
  if (known(n) && n != 1)
    return error(Code::corrupt, "the axis of %s has %lld elements, expected 1", c.op.name,
                 static_cast<long long>(n));
  if (const auto axis = c.ints(1); axis && c.shape(0).ranked())
    HONE_CHECK(normalize_axis(axis->front(), c.shape(0).rank()));
  return same_as_first(c);
}

template <bool product, class A>
A combine(A x, A y) {
  if constexpr (std::is_integral_v<A>) {
    const auto u = static_cast<uint64_t>(x), v = static_cast<uint64_t>(y);
    return static_cast<A>(product ? u * v : u + v);
  } else {
    return product ? x * y : x + y;
  }
}

template <bool product>
Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const std::vector<int64_t> given, c.ints(1));
  HONE_TRY(const int axis, normalize_axis(given.front(), x.shape.rank()));
  const int64_t outer = x.shape.product(0, axis), n = x.shape[static_cast<size_t>(axis)],
                inner = x.shape.product(axis + 1, x.shape.rank());
  const bool exclusive = c.attrs.flag("exclusive"), reverse = c.attrs.flag("reverse");
  if (x.elements() == 0) return {};
  return dispatch_numbers(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t o = 0; o < outer; o++)
      for (int64_t i = 0; i < inner; i++) {
        Compute<T> sum = product ? 1 : 0;
        for (int64_t k = 0; k < n; k++) {
          const int64_t at = (o * n + (reverse ? n - 1 - k : k)) * inner + i;
          const Compute<T> next = combine<product>(sum, load(x.data<T>()[at]));
          store(y.data<T>()[at], exclusive ? sum : next);
          sum = next;
        }
      }
  });
}

constexpr AttrDef attrs[] = {AttrDef::def_i("exclusive", 0), AttrDef::def_i("reverse", 0)};
}  // namespace

extern const OpDef op_CumProd{.name = "CumProd",
                              .doc = "products of the elements up to each along an axis",
                              .min_inputs = 2,
                              .max_inputs = 2,
                              .attrs = attrs,
                              .since = 26,
                              .infer = infer,
                              .reference = reference<true>};
extern const OpDef op_CumSum{.name = "CumSum",
                             .doc = "sums of the elements up to each along an axis",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .attrs = attrs,
                             .since = 11,
                             .infer = infer,
                             .reference = reference<false>};

}  // namespace hone
