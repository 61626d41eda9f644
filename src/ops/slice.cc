#include <algorithm>
#include <numeric>

#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
// What is taken of one axis: n elements, from `first` on, `step` apart.
struct Cut {
  int64_t first = 0, step = 1, n = 0;
};

// ONNX and numpy: negative positions count from the end, everything is clamped to the axis.
Cut cut_of(int64_t start, int64_t end, int64_t step, int64_t dim) {
  const int64_t least = step > 0 ? 0 : -1, most = step > 0 ? dim : dim - 1;
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  start = std::clamp(start, std::min<int64_t>(least + (step < 0), most), most);
  end = std::clamp(end, least, most);
  step = std::clamp(step, -dim - 1,
                    dim + 1);  // no more than one element either way; keeps the sums below in range
  const int64_t length = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
  return {start, step, dim == 0 || length <= 0 ? 0 : (length + stride - 1) / stride};
}

struct Request {
  std::vector<int> axes;
  std::optional<std::vector<int64_t>> starts, ends, steps;  // absent: not known
  Cut cut(size_t i, int64_t dim) const { return cut_of((*starts)[i], (*ends)[i], (*steps)[i], dim); }
};

// Absent: the axes are not known.
Result<std::optional<Request>> read_request(const Infer& c, int rank) {
  Dim count = unknown_dim;
  for (size_t i = 1; i < c.in.size(); i++) {
    HONE_CHECK(check_type(c, i, index_types));
    HONE_TRY(const Dim n, length_of(c, i));
    if (known(n) && known(count) && n != count)
      return error(Code::invalid_argument, "input %zu of Slice has %lld entries, the inputs before it %lld",
                   i, static_cast<long long>(n), static_cast<long long>(count));
    if (known(n)) count = n;
  }
  Request r;
  r.starts = c.ints(1);
  r.ends = c.ints(2);
  r.steps = c.ints(4);
  if (!known(count)) return std::optional<Request>();
  if (count > rank)
    return error(Code::invalid_argument, "Slice of %lld axes of a tensor of rank %d",
                 static_cast<long long>(count), rank);
  if (!c.has(4)) r.steps.emplace(static_cast<size_t>(count), 1);
  if (c.has(3)) {
    const auto axes = c.ints(3);
    if (!axes) return std::optional<Request>();
    for (int64_t a : *axes) {
      HONE_TRY(const int axis, normalize_axis(a, rank));
      if (std::find(r.axes.begin(), r.axes.end(), axis) != r.axes.end())
        return error(Code::invalid_argument, "Slice has axis %d twice", axis);
      r.axes.push_back(axis);
    }
  } else {
    r.axes.resize(static_cast<size_t>(count));
    std::iota(r.axes.begin(), r.axes.end(), 0);
  }
  if (r.steps)
    for (int64_t s : *r.steps)
      if (s == 0) return error(Code::invalid_argument, "Slice with a step of 0");
  return std::optional(std::move(r));
}

Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  const Shape s = c.shape(0);
  c.set(0, c.dtype(0), s);
  if (!s.ranked()) return {};
  HONE_TRY(const std::optional<Request> r, read_request(c, s.rank()));
  if (!r) {
    c.set(0, c.dtype(0), Shape::of_rank(s.rank()));
    return {};
  }
  Shape out = s;
  for (size_t i = 0; i < r->axes.size(); i++) {
    const auto axis = static_cast<size_t>(r->axes[i]);
    Dim& d = out[axis];
    if (!r->starts || !r->ends || !r->steps) d = d == 0 ? 0 : unknown_dim;
    else if (known(s[axis])) d = r->cut(i, s[axis]).n;
    // The whole of an axis is as long as the axis, however long that is.
    else if ((*r->starts)[i] != 0 || (*r->steps)[i] != 1 ||
             (*r->ends)[i] < std::numeric_limits<int32_t>::max())
      d = unknown_dim;
  }
  c.set(0, c.dtype(0), out);
  return {};
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  std::vector<ValueType> types;
  std::vector<Tensor> values;
  for (size_t i = 0; i < c.inputs(); i++) {
    types.push_back(type_of(c.in(i)));
    values.push_back(c.in(i).tensor);
  }
  const Infer actual{c.op, c.attrs, types, values, {}};
  HONE_TRY(const std::optional<Request> r, read_request(actual, x.shape.rank()));
  auto from = contiguous_strides(x.shape);
  const auto to = contiguous_strides(y.shape);
  int64_t first = 0;
  for (size_t i = 0; i < r->axes.size(); i++) {
    const auto axis = static_cast<size_t>(r->axes[i]);
    const Cut cut = r->cut(i, x.shape[axis]);
    first += cut.first * from[axis];
    from[axis] *= cut.step;
  }
  if (y.elements() == 0) return {};
  Nest<2> nest;
  for (size_t i = 0; i < y.shape.size(); i++) nest.add(y.shape[i], {to[i], from[i]});
  copy_strided(x.dtype, nest, y.bytes, 0, x.bytes, first);
  return {};
}

// Below 10 starts, ends and axes are attributes.
Status attributes_to_inputs(OpsetNode& n) {
  const char* const names[] = {"starts", "ends", "axes"};
  for (size_t i = 0; i < 3; i++) {
    if (!n.attrs().has(names[i])) continue;
    n.set_constant(i + 1, Tensor::of_ints(n.attrs().ints(names[i])));
    n.attrs().erase(names[i]);
  }
  return {};
}
constexpr Upgrade upgrades[] = {{10, attributes_to_inputs}};
}  // namespace

extern const OpDef op_Slice{.name = "Slice",
                            .doc = "elements from start to end, step apart, along some axes",
                            .min_inputs = 3,
                            .max_inputs = 5,
                            .upgrades = upgrades,
                            .infer = infer,
                            .reference = reference};

}  // namespace hone
