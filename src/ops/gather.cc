#include "ops/gather.h"

#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {

Result<std::vector<int64_t>> checked_indices(const TensorView& indices, int64_t dim, const char* op) {
  const int64_t n = indices.elements();
  std::vector<int64_t> out(static_cast<size_t>(n));
  HONE_CHECK((dispatch<int64_t, int32_t>(indices.dtype, [&](auto zero) {
    for (int64_t i = 0; i < n; i++) out[static_cast<size_t>(i)] = indices.data<decltype(zero)>()[i];
  })));
  for (int64_t& i : out) {
    if (i < -dim || i >= dim)
      return error(Code::invalid_argument, "%s has index %lld, outside [%lld, %lld]", op,
                   static_cast<long long>(i), static_cast<long long>(-dim), static_cast<long long>(dim - 1));
    if (i < 0) i += dim;
  }
  return out;
}

namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, index_types));
  const Shape data = c.shape(0), indices = c.shape(1);
  c.set(0, c.dtype(0), Shape::unranked());
  if (!data.ranked()) return {};
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), data.rank()));
  if (!indices.ranked()) return {};
  if (data.rank() - 1 + indices.rank() > max_rank)
    return error(Code::limit, "Gather of %s by indices %s: at most %d dimensions are supported",
                 data.str().c_str(), indices.str().c_str(), max_rank);
  Shape out;
  for (int i = 0; i < data.rank(); i++) {
    if (i != axis) out.push_back(data[static_cast<size_t>(i)]);
    else
      for (Dim d : indices) out.push_back(d);
  }
  c.set(0, c.dtype(0), out);
  return {};
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0), indices = c.input(1);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  const int64_t dim = x.shape[static_cast<size_t>(axis)];
  HONE_TRY(const std::vector<int64_t> at, checked_indices(indices, dim, "Gather"));
  const int64_t outer = x.shape.product(0, axis), inner = x.shape.product(axis + 1, x.shape.rank());
  const auto n = static_cast<int64_t>(at.size());
  for (int64_t i = 0; i < n; i++) {
    Nest<2> nest;
    nest.add(outer, {n * inner, dim * inner});
    nest.add(inner, {1, 1});
    copy_strided(x.dtype, nest, y.bytes, i * inner, x.bytes, at[static_cast<size_t>(i)] * inner);
  }
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::def_i("axis", 0)};
}  // namespace

extern const OpDef op_Gather{.name = "Gather",
                             .doc = "slices of the data along an axis, chosen by index",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .attrs = attrs,
                             .infer = infer,
                             .reference = reference};

}  // namespace hone
