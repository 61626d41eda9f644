#include <cmath>

#include "ops/activation.h"
#include "ops/dispatch.h"
#include "ops/matmul.h"
#include "ops/widen.h"

namespace hone {
namespace {

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, product_types));
  HONE_CHECK(check_same_types(c));
  HONE_CHECK(parse_activation(c.attrs));
  const Shape a = c.shape(0), b = c.shape(1);
  for (const Shape& s : {a, b})
    if (s.ranked() && s.rank() != 2)
      return error(Code::invalid_argument, "A and B must be matrices, not %s and %s", a.str().c_str(),
                   b.str().c_str());
  const bool ta = c.attrs.flag("transA"), tb = c.attrs.flag("transB");
  const auto dim = [](const Shape& s, bool second) { return s.ranked() ? s[second] : unknown_dim; };
  const Dim ka = dim(a, !ta), kb = dim(b, tb);
  if (known(ka) && known(kb) && ka != kb)
    return error(Code::invalid_argument,
                 "A %s and B %s with transA=%d, transB=%d: inner sizes %lld and %lld differ", a.str().c_str(),
                 b.str().c_str(), ta, tb, static_cast<long long>(ka), static_cast<long long>(kb));
  const Shape y{dim(a, ta), dim(b, !tb)};
  if (c.has(2)) {
    HONE_TRY(const Shape with_c, broadcast(y, c.shape(2)));
    if (with_c.ranked() && (with_c.rank() != 2 || (y.all_known() && with_c != y)))
      return error(Code::invalid_argument, "C %s does not broadcast to %s", c.shape(2).str().c_str(),
                   y.str().c_str());
  }
  c.set(0, c.dtype(0), y);
  return {};
}

Status multiply(EvalContext& c) {
  const TensorView a = c.input(0), b = c.input(1);
  const bool ta = c.attrs.flag("transA"), tb = c.attrs.flag("transB");
  const int64_t m = a.shape[ta], k = a.shape[!ta], n = b.shape[!tb];
  HONE_TRY(const Activation activation, parse_activation(c.attrs));
  HONE_TRY(const TensorView y, c.output(0, a.dtype, Shape{m, n}));
  int64_t row_step = 0, column_step = 0;  // of C under broadcasting
  if (c.has(2)) {
    const Shape& s = c.input(2).shape;
    const Dim columns = s.rank() > 0 ? s.back() : 1;
    if (s.rank() > 1 && s[0] != 1) row_step = columns;
    if (columns != 1) column_step = 1;
  }
  return dispatch<float, double, int32_t, uint32_t, int64_t, uint64_t>(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    using Acc = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;  // integers wrap around
    const T *pa = a.data<T>(), *pb = b.data<T>(), *pc = c.has(2) ? c.input(2).data<T>() : nullptr;
    std::vector<Acc> left(static_cast<size_t>(k)), row(static_cast<size_t>(n));
    const auto scaled = [](float factor, Acc v) -> Acc {
      if constexpr (std::is_floating_point_v<T>) return factor * v;
      if (factor == 1) return v;
      // A fractional factor of integers: computed in double, cut towards zero; outside of int64 there is no
      // answer.
      const double product = factor * static_cast<double>(static_cast<T>(v));
      return std::fabs(product) < 0x1p63 ? static_cast<Acc>(static_cast<int64_t>(product)) : Acc{};
    };
    for (int64_t i = 0; i < m; i++) {
      for (int64_t x = 0; x < k; x++)
        left[static_cast<size_t>(x)] = static_cast<Acc>(ta ? pa[x * m + i] : pa[i * k + x]);
      std::fill(row.begin(), row.end(), Acc{});
      if (tb) {
        for (int64_t j = 0; j < n; j++)
          for (int64_t x = 0; x < k; x++)
            row[static_cast<size_t>(j)] += left[static_cast<size_t>(x)] * static_cast<Acc>(pb[j * k + x]);
      } else {
        for (int64_t x = 0; x < k; x++)
          for (int64_t j = 0; j < n; j++)
            row[static_cast<size_t>(j)] += left[static_cast<size_t>(x)] * static_cast<Acc>(pb[x * n + j]);
      }
      for (int64_t j = 0; j < n; j++) {
        Acc sum = scaled(c.attrs.f("alpha"), row[static_cast<size_t>(j)]);
        if (pc) sum += scaled(c.attrs.f("beta"), static_cast<Acc>(pc[i * row_step + j * column_step]));
        y.data<T>()[i * n + j] =
            activation ? static_cast<T>(activation(static_cast<float>(sum))) : static_cast<T>(sum);
      }
    }
  });
}
Status reference(EvalContext& c) { return widened(c, multiply); }

constexpr AttrDef attrs[] = {AttrDef::def_f("alpha", 1), AttrDef::def_f("beta", 1),
                             AttrDef::def_i("transA", 0), AttrDef::def_i("transB", 0), ACTIVATION_ATTRS};
}  // namespace

extern const OpDef op_Gemm{.name = "Gemm",
                           .doc = "activation(alpha * A' * B' + beta * C)",
                           .min_inputs = 2,
                           .max_inputs = 3,
                           .attrs = attrs,
                           .upgrades = broadcast_upgrades,
                           .infer = infer,
                           .reference = reference};

}  // namespace hone
