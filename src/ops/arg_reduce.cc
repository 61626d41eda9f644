// ArgMax and ArgMin. A NaN counts as the extreme, as in numpy.
#include "ops/op.h"
#include "ops/rows.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  const Shape s = c.shape(0);
  c.set(0, DType::i64, Shape::unranked());
  if (!s.ranked()) return {};
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), s.rank()));
  Shape out;
  for (int i = 0; i < s.rank(); i++) {
    if (i != axis) out.push_back(s[static_cast<size_t>(i)]);
    else if (c.attrs.flag("keepdims")) out.push_back(1);
  }
  if (s[static_cast<size_t>(axis)] == 0)
    return error(Code::invalid_argument, "%s along axis %d of %s, which is empty", c.op.name, axis,
                 s.str().c_str());
  c.set(0, DType::i64, out);
  return {};
}

template <bool greatest>
Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  const int64_t outer = x.shape.product(0, axis), n = x.shape[static_cast<size_t>(axis)],
                inner = x.shape.product(axis + 1, x.shape.rank());
  const bool last = c.attrs.flag("select_last_index");
  // A NaN has the greatest key: ArgMin must put it first as well.
  std::vector<uint64_t> keys = order_keys(x);
  constexpr uint64_t nan = ~uint64_t{0};
  if (!greatest)
    for (uint64_t& k : keys) k = k == nan && is_float(x.dtype) ? nan : ~k;
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i++) {
      const uint64_t* const p = keys.data() + o * n * inner + i;
      int64_t best = 0;
      for (int64_t k = 1; k < n; k++)
        if (p[k * inner] > p[best * inner] || (last && p[k * inner] == p[best * inner])) best = k;
      y.data<int64_t>()[o * inner + i] = best;
    }
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::def_i("axis", 0), AttrDef::def_i("keepdims", 1),
                             AttrDef::def_i("select_last_index", 0)};
}  // namespace

extern const OpDef op_ArgMax{.name = "ArgMax",
                             .doc = "index of the greatest element along an axis",
                             .attrs = attrs,
                             .infer = infer,
                             .reference = reference<true>};
extern const OpDef op_ArgMin{.name = "ArgMin",
                             .doc = "index of the least element along an axis",
                             .attrs = attrs,
                             .infer = infer,
                             .reference = reference<false>};

}  // namespace hone
