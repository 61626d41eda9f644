#include "ops/matmul.h"

#include <algorithm>

#include "ops/activation.h"
#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

// Batch dimensions of a matrix operand; those of a vector are none.
Shape batch_of(const Shape& s) { return Shape(s.dims().first(s.size() > 2 ? s.size() - 2 : 0)); }

}  // namespace

Result<Shape> matmul_shape(const Shape& a, const Shape& b) {
  if (!a.ranked() || !b.ranked()) return Shape::unranked();
  if (a.rank() == 0 || b.rank() == 0)
    return error(Code::invalid_argument, "%s times %s: scalars cannot be multiplied as matrices",
                 a.str().c_str(), b.str().c_str());
  const Dim ka = a.back(), kb = b.rank() == 1 ? b[0] : b[b.size() - 2];
  if (known(ka) && known(kb) && ka != kb)
    return error(Code::invalid_argument, "%s times %s: %lld columns against %lld rows", a.str().c_str(),
                 b.str().c_str(), static_cast<long long>(ka), static_cast<long long>(kb));
  HONE_TRY(Shape s, broadcast(batch_of(a), batch_of(b)));
  if (a.rank() > 1) s.push_back(a[a.size() - 2]);
  if (b.rank() > 1) s.push_back(b.back());
  return s;
}

MatMulPlan plan_matmul(const Shape& a, const Shape& b) {
  MatMulPlan p;
  p.k = a.back();
  if (a.rank() > 1) p.m = a[a.size() - 2];
  if (b.rank() > 1) p.n = b.back();
  const Shape ba = batch_of(a), bb = batch_of(b), batch = *broadcast(ba, bb);
  std::array<int64_t, max_rank> at{};
  // Offset of batch `at` in an operand whose batch dimensions are `s` and whose matrices have `size`
  // elements.
  const auto offset = [&](const Shape& s, int64_t size) {
    int64_t i = 0;
    for (size_t d = 0; d < s.size(); d++) i = i * s[d] + (s[d] == 1 ? 0 : at[batch.size() - s.size() + d]);
    return i * size;
  };
  const int64_t count = p.m > 0 && p.n > 0 ? batch.elements() : 0;
  p.batches.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; i++) {
    p.batches.push_back({offset(ba, p.m * p.k), offset(bb, p.k * p.n), i * p.m * p.n});
    for (size_t d = batch.size(); d-- > 0;) {
      if (++at[d] < batch[d]) break;
      at[d] = 0;
    }
  }
  return p;
}

namespace {

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, product_types));
  HONE_CHECK(check_same_types(c));
  HONE_CHECK(parse_activation(c.attrs));
  HONE_TRY(const Shape s, matmul_shape(c.shape(0), c.shape(1)));
  c.set(0, c.dtype(0), s);
  return {};
}

Status multiply(EvalContext& c) {
  const TensorView a = c.input(0), b = c.input(1);
  HONE_TRY(const Shape shape, matmul_shape(a.shape, b.shape));
  HONE_TRY(const Activation activation, parse_activation(c.attrs));
  HONE_TRY(const TensorView y, c.output(0, a.dtype, shape));
  const MatMulPlan plan = plan_matmul(a.shape, b.shape);
  return dispatch<float, double, int32_t, uint32_t, int64_t, uint64_t>(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    // Integers wrap around, as their unsigned counterparts do.
    using Acc = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
    multiply_matrices<Acc>(
        plan, [&](int64_t i) { return a.data<T>()[i]; }, [&](int64_t i) { return b.data<T>()[i]; },
        [&](int64_t i, int64_t, Acc sum) {
          y.data<T>()[i] =
              activation ? static_cast<T>(activation(static_cast<float>(sum))) : static_cast<T>(sum);
        });
  });
}
Status reference(EvalContext& c) { return widened(c, multiply); }

constexpr AttrDef attrs[] = {ACTIVATION_ATTRS};
}  // namespace

extern const OpDef op_MatMul{.name = "MatMul",
                             .doc = "numpy.matmul(A, B)",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .attrs = attrs,
                             .infer = infer,
                             .reference = reference};

}  // namespace hone
