#include "ops/pieces.h"

#include "ops/strided.h"

namespace hone {

Result<Tensor> cut(const TensorView& x, int axis, int64_t start, int64_t count, bool squeeze) {
  Shape shape;
  for (int i = 0; i < x.shape.rank(); i++)
    if (i != axis) shape.push_back(x.shape[static_cast<size_t>(i)]);
    else if (!squeeze) shape.push_back(count);
  HONE_TRY(Tensor t, Tensor::allocate(x.dtype, shape));
  const int64_t outer = x.shape.product(0, axis), inner = x.shape.product(axis + 1, x.shape.rank()),
                size = x.shape[static_cast<size_t>(axis)];
  for (int64_t o = 0; o < outer; o++)
    copy_elements(x.dtype, t.bytes(), o * count * inner, x.bytes, (o * size + start) * inner, count * inner);
  return t;
}

Status join(std::span<const Value> parts, int64_t axis, bool new_axis, const ValueType& empty,
            const Allocate& allocate) {
  if (parts.empty()) {
    Shape shape = empty.shape.ranked() ? empty.shape : Shape{0};
    for (size_t i = 0; i < shape.size(); i++)
      if (!known(shape[i])) shape[i] = 0;
    if (shape.elements() != 0)
      return error(Code::invalid_argument, "there is nothing to make a tensor %s from", shape.str().c_str());
    HONE_CHECK(allocate(empty.dtype == DType::none ? DType::f32 : empty.dtype, shape));
    return {};
  }
  for (const Value& v : parts)
    if (v.kind != Value::Kind::tensor)
      return error(Code::corrupt, "only tensors can be joined, not %s", type_of(v).str().c_str());
  const Tensor& first = parts[0].tensor;
  const int rank = first.shape().rank() + (new_axis ? 1 : 0);
  if (rank > max_rank)
    return error(Code::limit, "the result would have %d dimensions, at most %d are supported", rank,
                 max_rank);
  HONE_TRY(const int at, normalize_axis(axis, rank));
  Shape shape;
  for (int i = 0, k = 0; i < rank; i++)
    shape.push_back(new_axis && i == at ? 0 : first.shape()[static_cast<size_t>(k++)]);
  int64_t total = 0;
  for (const Value& v : parts) {
    const Tensor& t = v.tensor;
    bool fits = t.dtype() == first.dtype() && t.shape().rank() == first.shape().rank();
    for (size_t i = 0; fits && i < t.shape().size(); i++)
      fits = t.shape()[i] == first.shape()[i] || (!new_axis && static_cast<int>(i) == at);
    if (!fits)
      return error(Code::invalid_argument, "cannot join %s and %s along axis %d",
                   type_of(parts[0]).str().c_str(), type_of(v).str().c_str(), at);
    total += new_axis ? 1 : t.shape()[static_cast<size_t>(at)];
  }
  shape[static_cast<size_t>(at)] = total;
  HONE_TRY(const TensorView y, allocate(first.dtype(), shape));
  const int64_t outer = shape.product(0, at), inner = shape.product(at + 1, rank);
  int64_t done = 0;
  for (const Value& v : parts) {
    const int64_t count = new_axis ? 1 : v.tensor.shape()[static_cast<size_t>(at)];
    for (int64_t o = 0; o < outer; o++)
      copy_elements(y.dtype, y.bytes, (o * total + done) * inner, v.tensor.bytes(), o * count * inner,
                    count * inner);
    done += count;
  }
  return {};
}

ValueType either(const ValueType& a, const ValueType& b) {
  if (a.kind != b.kind) return {};
  if (a.kind == Value::Kind::tensor) {
    Shape s = a.shape.rank() == b.shape.rank() && b.shape.ranked() ? a.shape : Shape::unranked();
    for (size_t i = 0; i < s.size(); i++)
      if (s[i] != b.shape[i]) s[i] = unknown_dim;
    return {a.dtype == b.dtype ? a.dtype : DType::none, s};
  }
  if (a.kind == Value::Kind::none || !a.element || !b.element) {
    ValueType t;
    t.kind = a.kind;
    return t;
  }
  return ValueType::of(a.kind, either(*a.element, *b.element));
}

}  // namespace hone
