// CenterCropPad: the middle of the data, or the data in the middle of zeros.
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {

Result<std::vector<int>> axes_of(const Attrs& attrs, int rank) {
  std::vector<int> axes;
  if (!attrs.has("axes"))
    for (int i = 0; i < rank; i++) axes.push_back(i);
  for (const int64_t a : attrs.ints("axes")) {
    HONE_TRY(const int axis, normalize_axis(a, rank));
    for (const int seen : axes)
      if (seen == axis)
        return error(Code::invalid_argument, "axes has axis %lld twice; name each once",
                     static_cast<long long>(a));
    axes.push_back(axis);
  }
  return axes;
}

Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, index_types));
  const Shape x = c.shape(0);
  c.set(0, c.dtype(0), Shape::unranked());
  if (!x.ranked()) return {};
  HONE_TRY(const std::vector<int> axes, axes_of(c.attrs, x.rank()));
  HONE_TRY(const Dim n, length_of(c, 1));
  if (known(n) && n != static_cast<Dim>(axes.size()))
    return error(Code::invalid_argument, "the shape has %lld numbers for %zu axes, expected one for each",
                 static_cast<long long>(n), axes.size());
  const auto wanted = c.ints(1);
  Shape y = x;
  for (size_t i = 0; i < axes.size(); i++)
    y[static_cast<size_t>(axes[i])] = wanted ? (*wanted)[i] : unknown_dim;
  if (wanted) {
    for (const int64_t d : *wanted)
      if (d < 0)
        return error(Code::invalid_argument, "the shape asks for %lld elements; none may be negative",
                     static_cast<long long>(d));
    if (y.all_known()) HONE_CHECK(checked_elements(y));
  }
  c.set(0, c.dtype(0), y);
  return {};
}

// Where sizes differ by an odd number, the odd element is cut from or added to the end.
Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  zero_elements(y);
  const auto from = contiguous_strides(x.shape), to = contiguous_strides(y.shape);
  int64_t first_from = 0, first_to = 0;
  Nest<2> nest;
  for (size_t i = 0; i < y.shape.size(); i++) {
    const int64_t have = x.shape[i], want = y.shape[i];
    if (have > want) first_from += (have - want) / 2 * from[i];
    else first_to += (want - have) / 2 * to[i];
    nest.add(std::min(have, want), {to[i], from[i]});
  }
  if (!nest.empty()) copy_strided(x.dtype, nest, y.bytes, first_to, x.bytes, first_from);
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::opt("axes", AttrType::ints)};
}  // namespace

extern const OpDef op_CenterCropPad{.name = "CenterCropPad",
                                    .doc = "the data cut or padded with zeros around its centre",
                                    .min_inputs = 2,
                                    .max_inputs = 2,
                                    .attrs = attrs,
                                    .since = 18,
                                    .infer = infer,
                                    .reference = reference};

}  // namespace hone
