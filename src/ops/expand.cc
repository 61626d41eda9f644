// Expand and Tile.
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer_expand(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_TRY(const Dim rank, length_of(c, 1));
  const Shape s = c.shape(0);
  c.set(0, c.dtype(0), Shape::unranked());
  if (rank > max_rank)
    return error(Code::limit, "Expand to %lld dimensions, at most %d are supported",
                 static_cast<long long>(rank), max_rank);
  if (const auto dims = c.ints(1)) {
    HONE_TRY(const Shape target, make_shape(*dims, "the shape given to Expand"));
    HONE_TRY(const Shape out, broadcast(s, target));
    c.set(0, c.dtype(0), out);
  } else if (known(rank) && s.ranked()) {
    // A dimension other than 1 stays; the others may become anything.
    Shape out = Shape::of_rank(std::max(static_cast<int>(rank), s.rank()));
    for (size_t i = 0; i < s.size(); i++)
      if (known(s[i]) && s[i] != 1) out[i + out.size() - s.size()] = s[i];
    c.set(0, c.dtype(0), out);
  }
  return {};
}
Status expand(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  copy_strided(x.dtype, broadcast_nest(y.shape, x.shape), y.bytes, 0, x.bytes, 0);
  return {};
}

Status infer_tile(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_TRY(const Dim n, length_of(c, 1));
  const Shape s = c.shape(0);
  if (s.ranked() && known(n) && n != s.rank())
    return error(Code::invalid_argument, "Tile has %lld repeats for a tensor of rank %d",
                 static_cast<long long>(n), s.rank());
  const auto repeats = c.ints(1);
  if (!s.ranked() || !repeats) {
    c.set(0, c.dtype(0), s.ranked() ? Shape::of_rank(s.rank()) : s);
    return {};
  }
  Shape out = s;
  for (size_t i = 0; i < s.size(); i++) {
    const int64_t r = (*repeats)[i];
    if (r < 0)
      return error(Code::invalid_argument, "Tile repeats axis %zu %lld times", i, static_cast<long long>(r));
    if (r == 1) continue;
    if (known(s[i]) && s[i] > 0 && r > (int64_t{1} << 40) / s[i])
      return error(Code::limit, "Tile repeats axis %zu of %s %lld times: more than 2^40 elements", i,
                   s.str().c_str(), static_cast<long long>(r));
    out[i] = r == 0 ? 0 : known(s[i]) ? s[i] * r : unknown_dim;
  }
  c.set(0, c.dtype(0), out);
  return {};
}
Status tile(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const std::vector<int64_t> repeats, c.ints(1));
  const auto from = contiguous_strides(x.shape), to = contiguous_strides(y.shape);
  Nest<2> nest;
  for (size_t i = 0; i < x.shape.size(); i++) {
    nest.add(repeats[i], {to[i] * x.shape[i], 0});
    nest.add(x.shape[i], {to[i], from[i]});
  }
  copy_strided(x.dtype, nest, y.bytes, 0, x.bytes, 0);
  return {};
}
}  // namespace

extern const OpDef op_Expand{.name = "Expand",
                             .doc = "the input broadcast to a shape (or the shape to the input)",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .since = 8,
                             .infer = infer_expand,
                             .reference = expand};
extern const OpDef op_Tile{.name = "Tile",
                           .doc = "the input repeated along each axis",
                           .min_inputs = 2,
                           .max_inputs = 2,
                           .since = 6,
                           .infer = infer_tile,
                           .reference = tile};

}  // namespace hone
