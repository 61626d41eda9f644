// Operators that pick along an axis by data: Compress, ReverseSequence, Unique.
#include <algorithm>
#include <numeric>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/rows.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer_compress(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, bool_type));
  HONE_TRY([[maybe_unused]] const Dim n, length_of(c, 1));
  Shape s = c.shape(0);
  if (!c.attrs.has("axis")) {
    s = Shape{unknown_dim};
  } else if (s.ranked()) {
    HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), s.rank()));
    s[static_cast<size_t>(axis)] = unknown_dim;
  }
  c.set(0, c.dtype(0), s);
  return {};
}
// Slices along an axis (or, without one, elements) whose condition holds; conditions that are missing do not.
Status compress(EvalContext& c) {
  const TensorView x = c.input(0), condition = c.input(1);
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  int64_t outer = 1, dim = x.elements(), inner = 1;
  Shape shape = types[0].shape;
  size_t a = 0;
  if (c.attrs.has("axis")) {
    HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
    a = static_cast<size_t>(axis);
    outer = x.shape.product(0, axis), dim = x.shape[a], inner = x.shape.product(axis + 1, x.shape.rank());
  }
  const int64_t count = condition.elements();
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < count; i++) {
    if (!condition.data<bool8>()[i]) continue;
    if (i >= dim)
      return error(Code::invalid_argument, "Compress keeps element %lld of an axis of %lld",
                   static_cast<long long>(i), static_cast<long long>(dim));
    kept.push_back(i);
  }
  const auto n = static_cast<int64_t>(kept.size());
  shape[a] = n;
  HONE_TRY(const TensorView y, c.output(0, x.dtype, shape));
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < n; i++)
      copy_elements(x.dtype, y.bytes, (o * n + i) * inner, x.bytes,
                    (o * dim + kept[static_cast<size_t>(i)]) * inner, inner);
  return {};
}

Status infer_reverse(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_TRY(const Dim n, length_of(c, 1));
  const int64_t time = c.attrs.i("time_axis"), batch = c.attrs.i("batch_axis");
  if (time < 0 || time > 1 || batch < 0 || batch > 1 || time == batch)
    return error(Code::corrupt,
                 "ReverseSequence has time_axis = %lld and batch_axis = %lld, expected 0 and 1",
                 static_cast<long long>(time), static_cast<long long>(batch));
  const Shape s = c.shape(0);
  if (s.ranked() && s.rank() < 2)
    return error(Code::invalid_argument, "ReverseSequence of %s, expected at least two dimensions",
                 s.str().c_str());
  if (s.ranked() && known(n) && known(s[static_cast<size_t>(batch)]) && n != s[static_cast<size_t>(batch)])
    return error(Code::invalid_argument, "ReverseSequence has %lld lengths for %s", static_cast<long long>(n),
                 s.str().c_str());
  return same_as_first(c);
}
Status reverse_sequence(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const std::vector<int64_t> lengths, c.ints(1));
  const auto time = static_cast<size_t>(c.attrs.i("time_axis")),
             batch = static_cast<size_t>(c.attrs.i("batch_axis"));
  const int64_t steps = x.shape[time], inner = x.shape.product(2, x.shape.rank());
  const auto strides = contiguous_strides(x.shape);
  for (int64_t b = 0; b < x.shape[batch]; b++) {
    const int64_t length = lengths[static_cast<size_t>(b)];
    if (length < 0 || length > steps)
      return error(Code::invalid_argument, "ReverseSequence has a length of %lld for %lld steps",
                   static_cast<long long>(length), static_cast<long long>(steps));
    for (int64_t t = 0; t < steps; t++) {
      const int64_t from = t < length ? length - 1 - t : t;
      copy_elements(x.dtype, y.bytes, b * strides[batch] + t * strides[time], x.bytes,
                    b * strides[batch] + from * strides[time], inner);
    }
  }
  return {};
}

constexpr TypeSet unique_types = number_types | TypeSet{DType::boolean, DType::string};
Status infer_unique(Infer& c) {
  HONE_CHECK(check_type(c, 0, unique_types));
  Shape s = c.shape(0);
  if (!c.attrs.has("axis")) {
    s = Shape{unknown_dim};
  } else if (s.ranked()) {
    HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), s.rank()));
    s[static_cast<size_t>(axis)] = unknown_dim;
  }
  c.set(0, c.dtype(0), s);
  for (size_t i = 1; i < 4; i++) c.set(i, DType::i64, Shape{unknown_dim});
  return {};
}
// Slices along an axis (or, without one, elements) without repetition. A NaN equals itself and comes last.
Status unique(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  int64_t outer = 1, dim = x.elements(), inner = 1;
  Shape shape = types[0].shape;
  size_t a = 0;
  if (c.attrs.has("axis")) {
    HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
    a = static_cast<size_t>(axis);
    outer = x.shape.product(0, axis), dim = x.shape[a], inner = x.shape.product(axis + 1, x.shape.rank());
  }
  std::vector<int64_t> order(static_cast<size_t>(dim));
  std::iota(order.begin(), order.end(), 0);
  std::vector<int64_t> group(static_cast<size_t>(dim));  // of each slice, numbered in sorted order
  std::vector<int64_t> first, counts;                    // of each group
  const auto classify = [&](auto compare) {              // compare: -1, 0, 1 of two elements by offset
    const auto slices = [&](int64_t l, int64_t r) {
      for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
          if (const int k = compare((o * dim + l) * inner + i, (o * dim + r) * inner + i)) return k;
      return 0;
    };
    std::stable_sort(order.begin(), order.end(), [&](int64_t l, int64_t r) { return slices(l, r) < 0; });
    for (size_t i = 0; i < order.size(); i++) {
      if (i == 0 || slices(order[i - 1], order[i]) != 0) {
        first.push_back(order[i]);
        counts.push_back(0);
      }
      counts.back()++;
      group[static_cast<size_t>(order[i])] = static_cast<int64_t>(first.size()) - 1;
    }
  };
  if (x.dtype == DType::string) {
    const std::string* p = x.data<std::string>();
    classify([p](int64_t l, int64_t r) { return p[l] < p[r] ? -1 : p[r] < p[l] ? 1 : 0; });
  } else {
    const std::vector<uint64_t> keys = order_keys(x);
    classify([&](int64_t l, int64_t r) {
      const uint64_t v = keys[static_cast<size_t>(l)], w = keys[static_cast<size_t>(r)];
      return v < w ? -1 : v > w ? 1 : 0;
    });
  }
  const size_t n = first.size();
  std::vector<size_t> rank(n);  // the groups in the order of the output
  std::iota(rank.begin(), rank.end(), 0);
  if (!c.attrs.flag("sorted"))
    std::sort(rank.begin(), rank.end(), [&](size_t l, size_t r) { return first[l] < first[r]; });
  std::vector<int64_t> place(n);
  for (size_t i = 0; i < n; i++) place[rank[i]] = static_cast<int64_t>(i);

  shape[a] = static_cast<Dim>(n);
  HONE_TRY(const TensorView y, c.output(0, x.dtype, shape));
  for (int64_t o = 0; o < outer; o++)
    for (size_t i = 0; i < n; i++)
      copy_elements(x.dtype, y.bytes, (o * static_cast<int64_t>(n) + static_cast<int64_t>(i)) * inner,
                    x.bytes, (o * dim + first[rank[i]]) * inner, inner);
  const auto give = [&](size_t output, size_t size, auto value) -> Status {
    if (!c.wanted(output)) return {};
    HONE_TRY(const TensorView v, c.output(output, DType::i64, Shape{static_cast<Dim>(size)}));
    for (size_t i = 0; i < size; i++) v.data<int64_t>()[i] = value(i);
    return {};
  };
  HONE_CHECK(give(1, n, [&](size_t i) { return first[rank[i]]; }));
  HONE_CHECK(give(2, group.size(), [&](size_t i) { return place[static_cast<size_t>(group[i])]; }));
  return give(3, n, [&](size_t i) { return counts[rank[i]]; });
}

constexpr AttrDef compress_attrs[] = {AttrDef::opt("axis", AttrType::i)};
constexpr AttrDef reverse_attrs[] = {AttrDef::def_i("batch_axis", 1), AttrDef::def_i("time_axis", 0)};
constexpr AttrDef unique_attrs[] = {AttrDef::opt("axis", AttrType::i), AttrDef::def_i("sorted", 1)};
}  // namespace

extern const OpDef op_Compress{.name = "Compress",
                               .doc = "the slices along an axis whose condition holds",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .attrs = compress_attrs,
                               .since = 9,
                               .infer = infer_compress,
                               .reference = compress,
                               .notes = "the length of its output depends on the data"};
extern const OpDef op_ReverseSequence{.name = "ReverseSequence",
                                      .doc = "the first length[b] time steps of each batch in reverse",
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .attrs = reverse_attrs,
                                      .since = 10,
                                      .infer = infer_reverse,
                                      .reference = reverse_sequence};
extern const OpDef op_Unique{.name = "Unique",
                             .doc = "distinct slices along an axis, with first index, inverse and counts",
                             .min_outputs = 1,
                             .max_outputs = 4,
                             .attrs = unique_attrs,
                             .since = 11,
                             .infer = infer_unique,
                             .reference = unique,
                             .notes = "the length of its outputs depends on the data"};

}  // namespace hone
