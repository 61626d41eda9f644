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
  const Shape bias = c.shape(2), residual = c.shape(3);
  if (c.has(2) && bias.ranked()) {
    const Shape& b = c.shape(1);
    const Dim n = !b.ranked() ? unknown_dim : b.rank() > 1 ? b.back() : 1;
    if (bias.rank() != 1 || (known(n) && known(bias[0]) && bias[0] != n))
      return error(Code::invalid_argument, "the bias has shape %s, the product %s", bias.str().c_str(),
                   s.str().c_str());
  }
  if (c.has(3) && s.all_known() && residual.all_known() && residual != s)
    return error(Code::invalid_argument, "the residual has shape %s, the product %s", residual.str().c_str(),
                 s.str().c_str());
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
    const T *bias = c.has(2) ? c.input(2).data<T>() : nullptr,
            *residual = c.has(3) ? c.input(3).data<T>() : nullptr;
    multiply_matrices<Acc>(
        plan, [&](int64_t i) { return a.data<T>()[i]; }, [&](int64_t i) { return b.data<T>()[i]; },
        [&](int64_t i, int64_t column, Acc sum) {
          if (bias) sum += static_cast<Acc>(bias[column]);
          if (residual) sum += static_cast<Acc>(residual[i]);
          y.data<T>()[i] =
              activation ? static_cast<T>(activation(static_cast<float>(sum))) : static_cast<T>(sum);
        });
  });
}
Status reference(EvalContext& c) { return widened(c, multiply); }

constexpr AttrDef attrs[] = {ACTIVATION_ATTRS};
}  // namespace

// Inputs 2 and 3 are internal: C, a number for each column, and Z, a residual of the product's shape.
extern const OpDef op_MatMul{.name = "MatMul",
                             .doc = "activation(numpy.matmul(A, B) + C + Z)",
                             .min_inputs = 2,
                             .max_inputs = 4,
                             .max_model_inputs = 2,
                             .attrs = attrs,
                             .infer = infer,
                             .reference = reference};

}  // namespace hone
