// TensorScatter: a key/value cache with new entries written from an index of its own for each batch.
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {

Result<bool> is_circular(const Attrs& attrs) {
  const std::string& mode = attrs.s("mode");
  if (mode != "linear" && mode != "circular")
    return error(Code::invalid_argument, "mode is '%s'; it must be linear or circular", mode.c_str());
  return mode == "circular";
}

Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_tensor(c, 1));
  HONE_CHECK(check_type(c, 2, i64_type));
  HONE_CHECK(is_circular(c.attrs));
  if (c.dtype(0) != DType::none && c.dtype(1) != DType::none && c.dtype(0) != c.dtype(1))
    return error(Code::corrupt, "the update is of type %s, the cache of type %s", dtype_name(c.dtype(1)),
                 dtype_name(c.dtype(0)));
  const Shape cache = c.shape(0), update = c.shape(1), at = c.shape(2);
  c.set(0, c.dtype(0), cache);
  if (!cache.ranked()) return {};
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), cache.rank()));
  if (axis == 0)
    return error(Code::invalid_argument, "axis is %lld, which is the batch; it must be another one",
                 static_cast<long long>(c.attrs.i("axis")));
  if (update.ranked()) {
    bool fits = update.rank() == cache.rank();
    for (size_t i = 0; fits && i < cache.size(); i++)
      if (known(cache[i]) && known(update[i]))
        fits = i == static_cast<size_t>(axis) ? update[i] <= cache[i] : update[i] == cache[i];
    if (!fits)
      return error(Code::invalid_argument, "an update %s for a cache %s: only axis %d may be shorter",
                   update.str().c_str(), cache.str().c_str(), axis);
  }
  if (at.ranked() && (at.rank() != 1 || (known(at[0]) && known(cache[0]) && at[0] != cache[0])))
    return error(Code::invalid_argument, "write_indices has shape %s for a cache %s; expected one per batch",
                 at.str().c_str(), cache.str().c_str());
  return {};
}

Status reference(EvalContext& c) {
  const TensorView cache = c.input(0), update = c.input(1);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const bool circular, is_circular(c.attrs));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), cache.shape.rank()));
  copy_elements(cache.dtype, y.bytes, 0, cache.bytes, 0, cache.elements());
  const auto a = static_cast<size_t>(axis);
  const int64_t length = cache.shape[a], count = update.shape[a], outer = cache.shape.product(1, axis),
                inner = cache.shape.product(axis + 1, cache.shape.rank());
  if (!update.elements()) return {};
  for (int64_t b = 0; b < cache.shape[0]; b++) {
    const int64_t first = c.has(2) ? c.input(2).data<int64_t>()[b] : 0;
    if (first < 0 || (circular ? first >= length : first > length - count))
      return error(Code::invalid_argument,
                   "write index %lld of batch %lld: %lld entries do not fit there in a cache of %lld",
                   static_cast<long long>(first), static_cast<long long>(b), static_cast<long long>(count),
                   static_cast<long long>(length));
    for (int64_t o = 0; o < outer; o++)
      for (int64_t i = 0; i < count; i++)
        copy_elements(y.dtype, y.bytes, ((b * outer + o) * length + (first + i) % length) * inner,
                      update.bytes, ((b * outer + o) * count + i) * inner, inner);
  }
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::def_i("axis", -2), AttrDef::def_s("mode", "linear")};
}  // namespace

extern const OpDef op_TensorScatter{.name = "TensorScatter",
                                    .doc = "a cache with an update written into it at an index per batch",
                                    .min_inputs = 2,
                                    .max_inputs = 3,
                                    .attrs = attrs,
                                    .since = 24,
                                    .infer = infer,
                                    .reference = reference};

}  // namespace hone
