// Sequences of tensors.
#include "ops/pieces.h"
#include "ops/types.h"

namespace hone {
namespace {

using Kind = Value::Kind;

Status check_sequence(const Infer& c, size_t i) {
  if (!c.has(i) || c.in[i].kind == Kind::sequence) return {};
  return error(Code::corrupt, "input %zu of %s is %s, expected a sequence", i, c.op.name,
               c.in[i].str().c_str());
}
ValueType element_of(const Infer& c, size_t i) {
  return c.has(i) && c.in[i].element ? *c.in[i].element : ValueType();
}

Status check_position(const Infer& c, size_t i) {
  HONE_CHECK(check_type(c, i, index_types));
  if (const Shape s = c.shape(i); s.all_known() && s.elements() != 1)
    return error(Code::invalid_argument, "the position has shape %s, expected one number", s.str().c_str());
  return {};
}

Result<const std::vector<Value>*> items_of(const EvalContext& c, size_t i) {
  if (c.in(i).kind != Kind::sequence)
    return error(Code::corrupt, "input %zu of %s is %s, expected a sequence", i, c.op.name,
                 type_of(c.in(i)).str().c_str());
  return c.in(i).items.get();
}
// Input i as a position in [0, size); `fallback` where it is absent.
Result<int64_t> position(const EvalContext& c, size_t i, int64_t size, int64_t fallback) {
  if (!c.has(i)) return fallback;
  HONE_TRY(const std::vector<int64_t> v, c.ints(i));
  if (v.size() != 1)
    return error(Code::invalid_argument, "the position has %zu values, expected one", v.size());
  return v[0] < 0 ? v[0] + size : v[0];
}
Status check_range(int64_t at, int64_t size, size_t items) {
  if (at >= 0 && at < size) return {};
  return error(Code::invalid_argument, "position %lld is outside of a sequence of %zu",
               static_cast<long long>(at), items);
}

// --- SequenceConstruct, SequenceEmpty ---

Status infer_construct(Infer& c) {
  HONE_CHECK(check_same_types(c));
  ValueType element = c.in[0];
  for (size_t i = 1; i < c.in.size(); i++) element = either(element, c.in[i]);
  c.out[0] = ValueType::of(Kind::sequence, ValueType(common_type(c), element.shape));
  return {};
}
Status construct(EvalContext& c) {
  std::vector<Value> items;
  for (size_t i = 0; i < c.inputs(); i++) {
    if (c.in(i).kind != Kind::tensor || c.in(i).tensor.dtype() != c.in(0).tensor.dtype())
      return error(Code::corrupt, "input %zu is %s; a sequence holds tensors of one type", i,
                   type_of(c.in(i)).str().c_str());
    items.push_back(c.in(i));
  }
  return c.set_output(0, Value::sequence(c.in(0).tensor.dtype(), std::move(items)));
}

Status infer_empty(Infer& c) {
  const DType d = dtype_from_number(c.attrs.i("dtype"));
  if (d == DType::none)
    return error(Code::corrupt, "dtype is %lld, which is no element type",
                 static_cast<long long>(c.attrs.i("dtype")));
  c.out[0] = ValueType::of(Kind::sequence, ValueType(d, Shape::unranked()));
  return {};
}
Status empty(EvalContext& c) {
  return c.set_output(0, Value::sequence(dtype_from_number(c.attrs.i("dtype")), {}));
}

// --- SequenceAt, SequenceLength ---

Status infer_at(Infer& c) {
  HONE_CHECK(check_sequence(c, 0));
  HONE_CHECK(check_position(c, 1));
  c.out[0] = element_of(c, 0);
  return {};
}
Status at(EvalContext& c) {
  HONE_TRY(const std::vector<Value>* items, items_of(c, 0));
  const auto n = static_cast<int64_t>(items->size());
  HONE_TRY(const int64_t i, position(c, 1, n, -1));
  HONE_CHECK(check_range(i, n, items->size()));
  return c.set_output(0, (*items)[static_cast<size_t>(i)]);
}

Status infer_length(Infer& c) {
  HONE_CHECK(check_sequence(c, 0));
  c.set(0, DType::i64, Shape{});
  return {};
}
Status length(EvalContext& c) {
  HONE_TRY(const std::vector<Value>* items, items_of(c, 0));
  HONE_TRY(const TensorView y, c.output(0, DType::i64, Shape{}));
  *y.data<int64_t>() = static_cast<int64_t>(items->size());
  return {};
}

// --- SequenceInsert, SequenceErase ---

Status infer_insert(Infer& c) {
  HONE_CHECK(check_sequence(c, 0));
  HONE_CHECK(check_tensor(c, 1));
  HONE_CHECK(check_position(c, 2));
  const ValueType element = element_of(c, 0);
  if (element.dtype != DType::none && c.dtype(1) != DType::none && element.dtype != c.dtype(1))
    return error(Code::corrupt, "a tensor of type %s cannot go into a sequence of %s", dtype_name(c.dtype(1)),
                 dtype_name(element.dtype));
  const DType d = element.dtype == DType::none ? c.dtype(1) : element.dtype;
  c.out[0] = ValueType::of(Kind::sequence, ValueType(d, Shape::unranked()));
  return {};
}
Status insert(EvalContext& c) {
  HONE_TRY(const std::vector<Value>* items, items_of(c, 0));
  const Value& v = c.in(1);
  const DType d = c.in(0).element;
  if (v.kind != Kind::tensor || (d != DType::none && v.tensor.dtype() != d))
    return error(Code::corrupt, "%s cannot go into a sequence of %s", type_of(v).str().c_str(),
                 dtype_name(d));
  const auto n = static_cast<int64_t>(items->size());
  HONE_TRY(const int64_t i, position(c, 2, n, n));
  HONE_CHECK(check_range(i, n + 1, items->size()));
  std::vector<Value> out = *items;
  out.insert(out.begin() + i, v);
  return c.set_output(0, Value::sequence(v.tensor.dtype(), std::move(out)));
}

Status infer_erase(Infer& c) {
  HONE_CHECK(check_sequence(c, 0));
  HONE_CHECK(check_position(c, 1));
  c.out[0] = c.in[0];
  return {};
}
Status erase(EvalContext& c) {
  HONE_TRY(const std::vector<Value>* items, items_of(c, 0));
  const auto n = static_cast<int64_t>(items->size());
  HONE_TRY(const int64_t i, position(c, 1, n, n - 1));
  HONE_CHECK(check_range(i, n, items->size()));
  std::vector<Value> out = *items;
  out.erase(out.begin() + i);
  return c.set_output(0, Value::sequence(c.in(0).element, std::move(out)));
}

// --- ConcatFromSequence, SplitToSequence ---

Status infer_concat(Infer& c) {
  HONE_CHECK(check_sequence(c, 0));
  const bool new_axis = c.attrs.flag("new_axis");
  const ValueType element = element_of(c, 0);
  Shape s = Shape::unranked();
  if (element.shape.ranked() && element.shape.rank() + new_axis <= max_rank) {
    HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), element.shape.rank() + new_axis));
    s = Shape{};
    for (int i = 0, k = 0; i < element.shape.rank() + new_axis; i++) {
      if (i == axis) {
        s.push_back(unknown_dim);
        if (!new_axis) k++;
      } else {
        s.push_back(element.shape[static_cast<size_t>(k++)]);
      }
    }
  }
  c.set(0, element.dtype, s);
  return {};
}
Status concat(EvalContext& c) {
  HONE_TRY(const std::vector<Value>* items, items_of(c, 0));
  if (items->empty())
    return error(Code::invalid_argument, "the sequence is empty: there is nothing to concatenate");
  return join(*items, c.attrs.i("axis"), c.attrs.flag("new_axis"), {},
              [&](DType d, const Shape& s) { return c.output(0, d, s); });
}

Status infer_split(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, index_types));
  Shape s = c.shape(0);
  if (s.ranked()) {
    HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), s.rank()));
    if (!c.has(1) && !c.attrs.flag("keepdims")) {
      Shape without;
      for (int i = 0; i < s.rank(); i++)
        if (i != axis) without.push_back(s[static_cast<size_t>(i)]);
      s = without;
    } else {
      s[static_cast<size_t>(axis)] = c.has(1) ? unknown_dim : 1;
    }
  }
  c.out[0] = ValueType::of(Kind::sequence, ValueType(c.dtype(0), s));
  return {};
}
Status split(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView x = c.input(0);
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  const int64_t size = x.shape[static_cast<size_t>(axis)];
  std::vector<int64_t> lengths;
  if (c.has(1)) {
    HONE_TRY(lengths, c.ints(1));
    if (c.input(1).shape.rank() == 0) {
      const int64_t n = lengths[0];
      if (n < 1)
        return error(Code::invalid_argument, "split is %lld; it must be at least 1",
                     static_cast<long long>(n));
      lengths.clear();
      for (int64_t done = 0; done < size; done += n) lengths.push_back(std::min(n, size - done));
    }
  } else {
    lengths.assign(static_cast<size_t>(size), 1);
  }
  int64_t start = 0;
  std::vector<Value> items;
  for (const int64_t n : lengths) {
    if (n < 0 || n > size - start)
      return error(Code::invalid_argument,
                   "a part of length %lld does not fit at %lld of the %lld elements of axis %d",
                   static_cast<long long>(n), static_cast<long long>(start), static_cast<long long>(size),
                   axis);
    HONE_TRY(Tensor part, cut(x, axis, start, n, !c.has(1) && !c.attrs.flag("keepdims")));
    items.push_back(std::move(part));
    start += n;
  }
  if (start != size)
    return error(Code::invalid_argument, "the parts' lengths add up to %lld, axis %d has %lld elements",
                 static_cast<long long>(start), axis, static_cast<long long>(size));
  return c.set_output(0, Value::sequence(x.dtype, std::move(items)));
}

// --- SequenceMap: the body on each item; further inputs are sequences of the same length, or tensors for
// every item ---

Status infer_map(Infer& c) {
  HONE_CHECK(check_sequence(c, 0));
  if (!c.infer_graph) return {};
  std::vector<ValueType> in;
  for (size_t i = 0; i < c.in.size(); i++)
    in.push_back(c.in[i].kind == Kind::sequence ? element_of(c, i) : c.in[i]);
  HONE_TRY(const std::vector<ValueType> out, c.infer_graph(c.attrs.graph("body"), in));
  if (out.size() != c.out.size())
    return error(Code::corrupt, "the body gives %zu values, its operator expects %zu", out.size(),
                 c.out.size());
  for (size_t i = 0; i < out.size(); i++) c.out[i] = ValueType::of(Kind::sequence, out[i]);
  return {};
}
Status map(EvalContext& c) {
  HONE_TRY(const std::vector<Value>* items, items_of(c, 0));
  std::vector<std::vector<Value>> results(c.outputs());
  for (size_t n = 0; n < items->size(); n++) {
    if (c.cancelled()) return error(Code::cancelled, "cancelled at item %zu of a sequence", n);
    std::vector<Value> in;
    for (size_t i = 0; i < c.inputs(); i++) {
      const Value& v = c.in(i);
      if (v.kind == Kind::sequence && v.items->size() != items->size())
        return error(Code::invalid_argument, "sequences of %zu and %zu items cannot be mapped together",
                     items->size(), v.items->size());
      in.push_back(v.kind == Kind::sequence ? (*v.items)[n] : v);
    }
    HONE_TRY(std::vector<Value> out, c.run_graph("body", in));
    if (out.size() != results.size())
      return error(Code::corrupt, "the body gives %zu values, its operator expects %zu", out.size(),
                   results.size());
    for (size_t i = 0; i < out.size(); i++) results[i].push_back(std::move(out[i]));
  }
  for (size_t i = 0; i < results.size(); i++) {
    const ValueType type = c.output_type(i);
    DType d = type.element ? type.element->dtype : DType::none;
    if (!results[i].empty()) d = results[i][0].tensor.dtype();
    HONE_CHECK(c.set_output(i, Value::sequence(d, std::move(results[i]))));
  }
  return {};
}

constexpr AttrDef empty_attrs[] = {AttrDef::def_i("dtype", 1)};
constexpr AttrDef concat_attrs[] = {AttrDef::req("axis", AttrType::i), AttrDef::def_i("new_axis", 0)};
constexpr AttrDef split_attrs[] = {AttrDef::def_i("axis", 0), AttrDef::def_i("keepdims", 1)};
constexpr AttrDef map_attrs[] = {AttrDef::req("body", AttrType::graph)};

}  // namespace

extern const OpDef op_SequenceConstruct{.name = "SequenceConstruct",
                                        .doc = "the sequence of its inputs",
                                        .max_inputs = -1,
                                        .infer = infer_construct,
                                        .reference = construct};
extern const OpDef op_SequenceEmpty{.name = "SequenceEmpty",
                                    .doc = "a sequence of nothing",
                                    .min_inputs = 0,
                                    .max_inputs = 0,
                                    .attrs = empty_attrs,
                                    .infer = infer_empty,
                                    .reference = empty};
extern const OpDef op_SequenceAt{.name = "SequenceAt",
                                 .doc = "one item (negative positions from the end)",
                                 .min_inputs = 2,
                                 .max_inputs = 2,
                                 .infer = infer_at,
                                 .reference = at};
extern const OpDef op_SequenceLength{
    .name = "SequenceLength", .doc = "the number of items", .infer = infer_length, .reference = length};
extern const OpDef op_SequenceInsert{.name = "SequenceInsert",
                                     .doc = "the sequence with an item more, before a position or at the end",
                                     .min_inputs = 2,
                                     .max_inputs = 3,
                                     .infer = infer_insert,
                                     .reference = insert};
extern const OpDef op_SequenceErase{.name = "SequenceErase",
                                    .doc = "the sequence without one item, the last by default",
                                    .max_inputs = 2,
                                    .infer = infer_erase,
                                    .reference = erase};
extern const OpDef op_ConcatFromSequence{.name = "ConcatFromSequence",
                                         .doc = "the items concatenated or stacked",
                                         .attrs = concat_attrs,
                                         .infer = infer_concat,
                                         .reference = concat};
extern const OpDef op_SplitToSequence{.name = "SplitToSequence",
                                      .doc = "the parts of a tensor along an axis",
                                      .max_inputs = 2,
                                      .attrs = split_attrs,
                                      .infer = infer_split,
                                      .reference = split};
extern const OpDef op_SequenceMap{.name = "SequenceMap",
                                  .doc = "a graph applied to each item",
                                  .max_inputs = -1,
                                  .max_outputs = -1,
                                  .attrs = map_attrs,
                                  .infer = infer_map,
                                  .reference = map};

}  // namespace hone
