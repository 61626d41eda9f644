// Shape and Size.
#include <algorithm>

#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {
// The dimensions [first, last) that are asked for.
std::pair<int64_t, int64_t> range_of(const Attrs& attrs, int64_t rank) {
  const auto place = [rank](int64_t p) { return std::clamp<int64_t>(p < 0 ? p + rank : p, 0, rank); };
  const int64_t first = place(attrs.i("start")), last = attrs.has("end") ? place(attrs.i("end")) : rank;
  return {first, std::max(first, last)};
}

Status infer_shape(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  Dim n = unknown_dim;
  if (c.shape(0).ranked()) {
    const auto [first, last] = range_of(c.attrs, c.shape(0).rank());
    n = last - first;
  }
  c.set(0, DType::i64, Shape{n});
  return {};
}
Status infer_size(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  c.set(0, DType::i64, Shape{});
  return {};
}

Status shape(EvalContext& c) {
  const Shape s = c.input(0).shape;
  HONE_TRY(const TensorView y, infer_output(c));
  const auto [first, last] = range_of(c.attrs, s.rank());
  for (int64_t i = first; i < last; i++) y.data<int64_t>()[i - first] = s[static_cast<size_t>(i)];
  return {};
}
Status size(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  *y.data<int64_t>() = c.input(0).elements();
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::def_i("start", 0), AttrDef::opt("end", AttrType::i)};
}  // namespace

extern const OpDef op_Shape{.name = "Shape",
                            .doc = "the dimensions of the input, from start to end",
                            .attrs = attrs,
                            .infer = infer_shape,
                            .reference = shape,
                            .shape_only = true};
extern const OpDef op_Size{.name = "Size",
                           .doc = "the number of elements of the input",
                           .infer = infer_size,
                           .reference = size,
                           .shape_only = true};

}  // namespace hone
