#include <algorithm>
#include <numeric>

#include "ops/op.h"
#include "ops/rows.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_TRY(const Dim count, length_of(c, 1));
  if (known(count) && count != 1)
    return error(Code::corrupt, "input 1 of TopK has %lld elements, expected 1",
                 static_cast<long long>(count));
  Shape s = c.shape(0);
  if (s.ranked()) {
    HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), s.rank()));
    Dim& d = s[static_cast<size_t>(axis)];
    if (const auto k = c.ints(1)) {
      if (k->front() < 0 || (known(d) && k->front() > d))
        return error(Code::invalid_argument, "TopK asks for %lld elements of axis %d of %s",
                     static_cast<long long>(k->front()), axis, s.str().c_str());
      d = k->front();
    } else {
      d = unknown_dim;
    }
  }
  c.set(0, c.dtype(0), s);
  c.set(1, DType::i64, s);
  return {};
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  HONE_TRY(const TensorView values, c.output(0, x.dtype, types[0].shape));
  HONE_TRY(const TensorView indices, c.output(1, DType::i64, types[0].shape));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  const auto a = static_cast<size_t>(axis);
  const int64_t outer = x.shape.product(0, axis), n = x.shape[a],
                inner = x.shape.product(axis + 1, x.shape.rank()), k = values.shape[a];
  if (values.elements() == 0) return {};
  const bool largest = c.attrs.flag("largest");
  std::vector<int64_t> order(static_cast<size_t>(k));
  const std::vector<uint64_t> keys = order_keys(x);
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i++) {
      const int64_t first = o * n * inner + i;
      const auto key = [&](int64_t j) {
        const uint64_t v = keys[static_cast<size_t>(first + j * inner)];
        return largest ? v : ~v;
      };
      // Equal elements go by index. The best k so far are a heap whose front is the worst of them, which most elements
      // do not beat.
      const auto before = [&](int64_t l, int64_t r) {
        const uint64_t v = key(l), w = key(r);
        return v == w ? l < r : v > w;
      };
      std::iota(order.begin(), order.end(), 0);
      std::make_heap(order.begin(), order.end(), before);
      uint64_t worst = key(order.front());
      for (int64_t j = k; j < n; j++) {
        if (key(j) <= worst) continue;
        std::pop_heap(order.begin(), order.end(), before);
        order.back() = j;
        std::push_heap(order.begin(), order.end(), before);
        worst = key(order.front());
      }
      std::sort_heap(order.begin(), order.end(), before);
      for (int64_t j = 0; j < k; j++) {
        const int64_t to = (o * k + j) * inner + i, from = order[static_cast<size_t>(j)];
        copy_elements(x.dtype, values.bytes, to, x.bytes, first + from * inner, 1);
        indices.data<int64_t>()[to] = from;
      }
    }
  return {};
}

// Below 10 the count is an attribute.
Status count_to_input(OpsetNode& n) {
  if (!n.attrs().has("k")) return error(Code::corrupt, "TopK lacks its required attribute 'k'");
  n.set_constant(1, Tensor::of_ints(std::vector<int64_t>{n.attrs().i("k")}));
  n.attrs().erase("k");
  return {};
}
constexpr Upgrade upgrades[] = {{10, count_to_input}};
constexpr AttrDef attrs[] = {AttrDef::def_i("axis", -1), AttrDef::def_i("largest", 1),
                             AttrDef::def_i("sorted", 1)};
}  // namespace

extern const OpDef op_TopK{
    .name = "TopK",
    .doc = "the k greatest (or least) elements along an axis, in order, and their indices",
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 2,
    .attrs = attrs,
    .upgrades = upgrades,
    .infer = infer,
    .reference = reference};

}  // namespace hone
