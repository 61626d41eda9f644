// OneHot and NonZero.
#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer_one_hot(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  HONE_CHECK(check_type(c, 1, number_types));
  HONE_CHECK(check_tensor(c, 2));
  for (size_t i : {size_t{1}, size_t{2}}) {
    HONE_TRY(const Dim n, length_of(c, i));
    const Dim expected = static_cast<Dim>(i);
    if (known(n) && n != expected)
      return error(Code::corrupt, "input %zu of OneHot has %lld elements, expected %lld", i,
                   static_cast<long long>(n), static_cast<long long>(expected));
  }
  const Shape s = c.shape(0);
  c.set(0, c.dtype(2), Shape::unranked());
  if (!s.ranked()) return {};
  if (s.rank() == max_rank)
    return error(Code::limit, "OneHot of %s: at most %d dimensions", s.str().c_str(), max_rank);
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), s.rank() + 1));
  Dim depth = unknown_dim;
  if (c.value(1)) {
    depth = to_int64(element_as_double(c.value(1)->view(), 0));
    if (depth < 0 || depth > (int64_t{1} << 40))
      return error(Code::invalid_argument, "OneHot with a depth of %lld", static_cast<long long>(depth));
  }
  Shape out;
  for (int i = 0; i <= s.rank(); i++) {
    if (i == axis) out.push_back(depth);
    if (i < s.rank()) out.push_back(s[static_cast<size_t>(i)]);
  }
  c.set(0, c.dtype(2), out);
  return {};
}

Status one_hot(EvalContext& c) {
  const TensorView indices = c.input(0), values = c.input(2);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), y.shape.rank()));
  const int64_t depth = y.shape[static_cast<size_t>(axis)], inner = y.shape.product(axis + 1, y.shape.rank());
  fill_elements(y, values.bytes, 0);
  for (int64_t i = 0, n = indices.elements(); i < n; i++) {
    int64_t k = to_int64(element_as_double(indices, i));
    if (k < 0 && k >= -depth) k += depth;
    if (k < 0 || k >= depth) continue;  // all off
    copy_elements(y.dtype, y.bytes, ((i / inner) * depth + k) * inner + i % inner, values.bytes, 1, 1);
  }
  return {};
}

constexpr TypeSet non_zero_types = number_types | TypeSet{DType::boolean, DType::string};
Status infer_non_zero(Infer& c) {
  HONE_CHECK(check_type(c, 0, non_zero_types));
  const Shape s = c.shape(0);
  c.set(0, DType::i64, Shape{s.ranked() ? Dim{s.rank()} : unknown_dim, unknown_dim});
  return {};
}

Status non_zero(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_CHECK(infer_outputs(c));
  std::vector<int64_t> found;
  const auto collect = [&](auto is_set) {
    for (int64_t i = 0, n = x.elements(); i < n; i++)
      if (is_set(i)) found.push_back(i);
  };
  if (x.dtype == DType::boolean) collect([&](int64_t i) { return static_cast<bool>(x.data<bool8>()[i]); });
  else if (x.dtype == DType::string) collect([&](int64_t i) { return !x.data<std::string>()[i].empty(); });
  else
    HONE_CHECK(dispatch_numbers(x.dtype, [&](auto zero) {
      collect([&](int64_t i) { return load(x.data<decltype(zero)>()[i]) != 0; });
    }));
  const auto n = static_cast<int64_t>(found.size());
  HONE_TRY(const TensorView y, c.output(0, DType::i64, Shape{x.shape.rank(), n}));
  const auto strides = contiguous_strides(x.shape);
  for (int64_t k = 0; k < n; k++)
    for (size_t d = 0; d < x.shape.size(); d++)
      y.data<int64_t>()[static_cast<int64_t>(d) * n + k] =
          found[static_cast<size_t>(k)] / strides[d] % x.shape[d];
  return {};
}

constexpr AttrDef one_hot_attrs[] = {AttrDef::def_i("axis", -1)};
}  // namespace

extern const OpDef op_NonZero{.name = "NonZero",
                              .doc = "indices of the elements that are not zero, one column each",
                              .since = 9,
                              .infer = infer_non_zero,
                              .reference = non_zero,
                              .notes = "the length of its output depends on the data"};
extern const OpDef op_OneHot{.name = "OneHot",
                             .doc = "a new axis of size depth, on at the index, off elsewhere",
                             .min_inputs = 3,
                             .max_inputs = 3,
                             .attrs = one_hot_attrs,
                             .since = 9,
                             .infer = infer_one_hot,
                             .reference = one_hot};

}  // namespace hone
