// Softmax, LogSoftmax, Hardmax along one axis; below 13 along all axes from `axis` on, seen as one (internal
// attribute "flatten"). Rows are computed in double.
#include <algorithm>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  const Shape s = c.shape(0);
  if (s.ranked()) HONE_CHECK(normalize_axis(c.attrs.i("axis"), s.rank()));
  return same_as_first(c);
}

// Each gets a row of n doubles whose greatest element is known, and overwrites it.
void softmax(double* row, int64_t n, double greatest, int64_t) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += row[i] = std::exp(row[i] - greatest);
  for (int64_t i = 0; i < n; i++) row[i] /= sum;
}
void log_softmax(double* row, int64_t n, double greatest, int64_t) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += std::exp(row[i] - greatest);
  const double log_sum = std::log(sum) + greatest;
  for (int64_t i = 0; i < n; i++) row[i] -= log_sum;
}
void hardmax(double* row, int64_t n, double, int64_t at) {
  std::fill(row, row + n, 0.0);
  row[at] = 1;
}

template <auto F>
Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  const int rank = x.shape.rank();
  const bool flatten = c.attrs.flag("flatten");
  const int64_t outer = x.shape.product(0, axis), n = x.shape.product(axis, flatten ? rank : axis + 1),
                inner = flatten ? 1 : x.shape.product(axis + 1, rank);
  if (x.elements() == 0) return {};
  std::vector<double> row(static_cast<size_t>(n));
  return dispatch_floats(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t o = 0; o < outer; o++)
      for (int64_t i = 0; i < inner; i++) {
        const int64_t first = o * n * inner + i;
        int64_t at = 0;
        for (int64_t k = 0; k < n; k++) {
          const double v = row[static_cast<size_t>(k)] =
              static_cast<double>(load(x.data<T>()[first + k * inner]));
          if (v > row[static_cast<size_t>(at)] ||
              (std::isnan(v) && !std::isnan(row[static_cast<size_t>(at)])))
            at = k;
        }
        F(row.data(), n, row[static_cast<size_t>(at)], at);
        for (int64_t k = 0; k < n; k++)
          store(y.data<T>()[first + k * inner], static_cast<Compute<T>>(row[static_cast<size_t>(k)]));
      }
  });
}

// Below 13 the default axis is 1 and the axes from it on are one. That is the new meaning where only one of
// them is not 1 and it comes first, as it nearly always does.
Status flatten_axes(OpsetNode& n) {
  const int64_t axis = n.attrs().i("axis", 1);
  n.attrs().set("axis", axis);
  const Shape s = n.type(0).shape;
  bool flat = true;
  if (s.ranked()) {
    HONE_TRY(const int first, normalize_axis(axis, s.rank()));
    flat = std::any_of(s.begin() + first + 1, s.end(), [](Dim d) { return d != 1; });
  }
  if (flat) n.attrs().set("flatten", int64_t{1});
  return {};
}
constexpr Upgrade upgrades[] = {{13, flatten_axes}};
constexpr AttrDef attrs[] = {AttrDef::def_i("axis", -1), AttrDef::def_i("flatten", 0).hidden()};
}  // namespace

#define SOFTMAX_OP(op, text, function)                         \
  extern const OpDef op_##op{.name = #op,                      \
                             .doc = text,                      \
                             .attrs = attrs,                   \
                             .upgrades = upgrades,             \
                             .infer = infer,                   \
                             .reference = reference<function>, \
                             .layout = Layout::axis};
SOFTMAX_OP(Hardmax, "1 at the first greatest element along an axis, else 0", hardmax)
SOFTMAX_OP(LogSoftmax, "log(softmax(x))", log_softmax)
SOFTMAX_OP(Softmax, "e^x / sum(e^x) along an axis", softmax)
#undef SOFTMAX_OP

}  // namespace hone
