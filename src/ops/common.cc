#include <algorithm>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/types.h"

namespace hone {

Status same_as_first(Infer& c) {
  for (size_t i = 0; i < c.out.size(); i++) c.out[i] = c.in[0];
  return {};
}

namespace {
Status broadcast_all(Infer& c, DType d) {
  Shape s = c.shape(0);
  for (size_t i = 1; i < c.in.size(); i++) { HONE_TRY(s, broadcast(s, c.shape(i))); }
  c.set(0, d, s);
  return {};
}
}  // namespace

Status broadcast_same_type(Infer& c) { return broadcast_all(c, c.dtype(0)); }
Status broadcast_to_bool(Infer& c) { return broadcast_all(c, DType::boolean); }

std::string TypeSet::str() const {
  std::vector<const char*> names;
  for (int i = 1; i < 32; i++)
    if (bits_ >> i & 1) names.push_back(dtype_name(static_cast<DType>(i)));
  std::string s;
  for (size_t i = 0; i < names.size(); i++) {
    if (i) s += i + 1 == names.size() ? " or " : ", ";
    s += names[i];
  }
  return s;
}

Status check_tensor(const Infer& c, size_t i) {
  if (c.has(i) && c.in[i].kind != Value::Kind::tensor)
    return error(Code::corrupt, "input %zu of %s is %s, expected a tensor", i, c.op.name,
                 c.in[i].str().c_str());
  return {};
}

Status check_type(const Infer& c, size_t i, TypeSet set) {
  HONE_CHECK(check_tensor(c, i));
  const DType d = c.dtype(i);
  if (d != DType::none && !set.has(d))
    return error(Code::corrupt, "input %zu of %s is of type %s, expected %s", i, c.op.name, dtype_name(d),
                 set.str().c_str());
  return {};
}

Status check_same_types(const Infer& c, size_t first) {
  DType seen = DType::none;
  size_t at = 0;
  for (size_t i = first; i < c.in.size(); i++) {
    HONE_CHECK(check_tensor(c, i));
    const DType d = c.dtype(i);
    if (d == DType::none) continue;
    if (seen != DType::none && d != seen)
      return error(Code::corrupt, "inputs %zu and %zu of %s are of types %s and %s, expected the same type",
                   at, i, c.op.name, dtype_name(seen), dtype_name(d));
    seen = d;
    at = i;
  }
  return {};
}

DType common_type(const Infer& c) {
  for (size_t i = 0; i < c.in.size(); i++)
    if (c.dtype(i) != DType::none) return c.dtype(i);
  return DType::none;
}

Result<Shape> make_shape(std::span<const int64_t> dims, const char* what) {
  if (dims.size() > static_cast<size_t>(max_rank))
    return error(Code::limit, "%s has %zu dimensions, at most %d are supported", what, dims.size(), max_rank);
  for (size_t i = 0; i < dims.size(); i++)
    if (dims[i] < 0)
      return error(Code::invalid_argument, "%s has %lld as dimension %zu, which must not be negative", what,
                   static_cast<long long>(dims[i]), i);
  return Shape(dims);
}

Result<std::vector<int>> normalize_axes(std::span<const int64_t> axes, int rank) {
  std::vector<int> out;
  if (axes.size() > static_cast<size_t>(rank))
    return error(Code::invalid_argument, "%zu axes for a tensor of rank %d", axes.size(), rank);
  for (int64_t a : axes) {
    HONE_TRY(const int axis, normalize_axis(a, rank));
    if (std::find(out.begin(), out.end(), axis) != out.end())
      return error(Code::invalid_argument, "axis %lld is given twice", static_cast<long long>(a));
    out.push_back(axis);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<Dim> length_of(const Infer& c, size_t i) {
  const Shape s = c.shape(i);
  if (!s.ranked()) return unknown_dim;
  if (s.rank() == 0) return Dim{1};
  if (s.rank() != 1)
    return error(Code::corrupt, "input %zu of %s has shape %s, expected one dimension", i, c.op.name,
                 s.str().c_str());
  return known(s[0]) ? s[0] : unknown_dim;
}

Status upgrade_broadcast(OpsetNode& n) {
  const bool has_axis = n.attrs().has("axis");
  const int64_t given = n.attrs().i("axis");
  for (const char* name : {"axis", "broadcast"}) n.attrs().erase(name);
  if (!has_axis || !n.has(1)) return {};
  const Shape a = n.type(0).shape;
  Shape b = n.type(1).shape;
  if (!a.ranked() || !b.ranked())
    return error(Code::unsupported, "attribute 'axis' with inputs of unknown rank");
  if (b.rank() == 0) return {};
  const int64_t axis = given < 0 ? given + a.rank() : given;
  if (axis < 0 || axis + b.rank() > a.rank())
    return error(Code::corrupt, "attribute 'axis' is %lld for inputs %s and %s",
                 static_cast<long long>(given), a.str().c_str(), b.str().c_str());
  if (axis + b.rank() == a.rank()) return {};
  const Tensor t = n.constant(1);
  if (!t)
    return error(Code::unsupported,
                 "input 1 of shape %s lies along axis %lld of %s: convert the model to opset 7 or newer",
                 b.str().c_str(), static_cast<long long>(axis), a.str().c_str());
  while (axis + b.rank() < a.rank()) b.push_back(1);
  n.set_constant(1, t.reshaped(b));
  return {};
}

Result<Tensor> float_scalar(DType d, float value) {
  HONE_TRY(const Tensor t, Tensor::allocate(d == DType::none ? DType::f32 : d, Shape{}));
  HONE_CHECK(dispatch_floats(t.dtype(), [&](auto zero) {
    using T = decltype(zero);
    store(*t.data<T>(), static_cast<Compute<T>>(value));
  }));
  return t;
}

Result<std::vector<ValueType>> infer_outputs(EvalContext& c) {
  const size_t n = c.inputs();
  std::vector<ValueType> types;
  std::vector<Tensor> values;
  types.reserve(n);
  values.reserve(n);
  for (size_t i = 0; i < n; i++) {
    const Value& v = c.in(i);
    if (!v && (c.op.max_inputs < 0 || static_cast<int>(i) < c.op.min_inputs))
      return error(Code::corrupt, "input %zu of %s is missing", i, c.op.name);
    types.push_back(type_of(v));
    values.push_back(v.tensor);
  }
  Infer infer{c.op, c.attrs, types, values, std::vector<ValueType>(c.outputs())};
  HONE_CHECK(infer_types(infer));
  return std::move(infer.out);
}

Result<TensorView> infer_output(EvalContext& c) {
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  return c.output(0, types[0].dtype, types[0].shape);
}

double element_as_double(const TensorView& t, int64_t i) {
  double value = 0;
  (void)dispatch_numbers(t.dtype, [&](auto zero) {
    using T = decltype(zero);
    value = static_cast<double>(load(t.data<T>()[i]));
  });
  return value;
}

}  // namespace hone
