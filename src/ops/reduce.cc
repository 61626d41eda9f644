// The ten reductions. Accumulators are double for floats and 64-bit for integers (which wrap), in row-major
// order of the input.
#include <algorithm>
#include <limits>
#include <numeric>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/rows.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
// Axes that are reduced; absent: they are not known.
Result<std::optional<std::vector<int>>> axes_of(const Infer& c, int rank) {
  HONE_CHECK(check_type(c, 1, i64_type));
  std::vector<int> all(static_cast<size_t>(rank));
  std::iota(all.begin(), all.end(), 0);
  const bool given = c.in.size() > 1 && c.has(1);
  const auto axes = c.ints(1);
  if (given && !axes) return std::optional<std::vector<int>>();
  if (!given || axes->empty())
    return std::optional(c.attrs.flag("noop_with_empty_axes") ? std::vector<int>() : std::move(all));
  HONE_TRY(std::vector<int> chosen, normalize_axes(*axes, rank));
  return std::optional(std::move(chosen));
}

template <const TypeSet& types>
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, types));
  const Shape s = c.shape(0);
  c.set(0, c.dtype(0), Shape::unranked());
  if (!s.ranked()) return {};
  const bool keep = c.attrs.flag("keepdims");
  HONE_TRY(const auto axes, axes_of(c, s.rank()));
  if (!axes) {
    HONE_TRY(const Dim count, length_of(c, 1));
    // No axes at all may mean every axis, so the rank is certain only where it is kept, or some axes are
    // given.
    if (keep) c.set(0, c.dtype(0), Shape::of_rank(s.rank()));
    else if (count > 0 && count <= s.rank())
      c.set(0, c.dtype(0), Shape::of_rank(s.rank() - static_cast<int>(count)));
    return {};
  }
  Shape out;
  for (int i = 0; i < s.rank(); i++) {
    if (!std::binary_search(axes->begin(), axes->end(), i)) out.push_back(s[static_cast<size_t>(i)]);
    else if (keep) out.push_back(1);
  }
  c.set(0, c.dtype(0), out);
  return {};
}

// Each has start (the value of nothing), step, and finish, which sees the number of elements.
template <class A>
A plus(A x, A y) {
  if constexpr (std::is_integral_v<A>)
    return static_cast<A>(static_cast<uint64_t>(x) + static_cast<uint64_t>(y));
  else return x + y;
}
template <class A>
A times(A x, A y) {
  if constexpr (std::is_integral_v<A>)
    return static_cast<A>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
  else return x * y;
}
template <class A, class F>
A through_double(A x, F f) {
  if constexpr (std::is_integral_v<A>) return static_cast<A>(to_int64(f(static_cast<double>(x))));
  else return f(x);
}
template <class A>
constexpr A infinity() {
  if constexpr (std::is_integral_v<A>) return std::numeric_limits<A>::max();
  else return std::numeric_limits<A>::infinity();
}
template <class A>
constexpr A minus_infinity() {
  if constexpr (std::is_integral_v<A>) return std::numeric_limits<A>::lowest();
  else return -std::numeric_limits<A>::infinity();
}

struct Sum {
  template <class A>
  static A start() {
    return 0;
  }
  template <class A>
  static A step(A acc, A x) {
    return plus(acc, x);
  }
  template <class A>
  static A finish(A acc, int64_t) {
    return acc;
  }
};
struct Mean : Sum {
  template <class A>
  static A finish(A acc, int64_t n) {
    if constexpr (std::is_integral_v<A>) return n == 0 ? A(0) : static_cast<A>(acc / static_cast<A>(n));
    else return acc / static_cast<double>(n);
  }
};
struct Prod : Sum {
  template <class A>
  static A start() {
    return 1;
  }
  template <class A>
  static A step(A acc, A x) {
    return times(acc, x);
  }
};
struct L1 : Sum {
  template <class A>
  static A step(A acc, A x) {
    return plus(acc, x < 0 ? times(x, static_cast<A>(-1)) : x);
  }
};
struct SumSquare : Sum {
  template <class A>
  static A step(A acc, A x) {
    return plus(acc, times(x, x));
  }
};
struct L2 : SumSquare {
  template <class A>
  static A finish(A acc, int64_t) {
    return through_double(acc, [](double v) { return std::sqrt(v); });
  }
};
struct LogSum : Sum {
  template <class A>
  static A finish(A acc, int64_t) {
    return through_double(acc, [](double v) { return std::log(v); });
  }
};
// NaN wins.
struct Max : Sum {
  template <class A>
  static A start() {
    return minus_infinity<A>();
  }
  template <class A>
  static A step(A acc, A x) {
    return acc < x || x != x ? x : acc;
  }
};
struct Min : Sum {
  template <class A>
  static A start() {
    return infinity<A>();
  }
  template <class A>
  static A step(A acc, A x) {
    return x < acc || x != x ? x : acc;
  }
};

// Operand 0: where the result of a reduction stands; operand 1: the input.
Nest<2> nest_of(const Shape& in, const std::vector<int>& axes) {
  Shape kept = in;
  for (int a : axes) kept[static_cast<size_t>(a)] = 1;
  const auto from = contiguous_strides(in), to = broadcast_strides(kept, in);
  Nest<2> nest;
  for (size_t i = 0; i < in.size(); i++) nest.add(in[i], {to[i], from[i]});
  return nest;
}

// map(value, index of the result) comes before the step.
template <class F, class A, class Map>
void accumulate(const TensorView& x, const Nest<2>& nest, A* acc, Map map) {
  constexpr int64_t block = 256;
  A values[block];
  const ReadRow<A> read = read_row<A>(x.dtype);
  for_each_row(nest, [&](const auto& at, int64_t n, const auto& stride) {
    for (int64_t from = 0; from < n; from += block) {
      const int64_t count = std::min(block, n - from);
      read(x.bytes, at[1] + from * stride[1], stride[1], count, values);
      for (int64_t i = 0; i < count; i++) {
        const int64_t to = at[0] + (from + i) * stride[0];
        acc[to] = F::template step<A>(acc[to], map(values[i], to));
      }
    }
  });
}

struct Plan {
  Nest<2> nest;
  int64_t outputs, each;  // results, and input elements of each
};
Result<Plan> plan_of(EvalContext& c, const TensorView& x, const TensorView& y) {
  const std::vector<ValueType> types = {type_of(c.in(0)), type_of(c.in(1))};
  const std::vector<Tensor> values = {c.in(0).tensor, c.in(1).tensor};
  const Infer actual{c.op, c.attrs, types, values, {}};
  HONE_TRY(const auto axes, axes_of(actual, x.shape.rank()));
  int64_t each = 1;
  for (int a : *axes) each *= x.shape[static_cast<size_t>(a)];
  return Plan{nest_of(x.shape, *axes), y.elements(), each};
}

// The greatest and the least value of an integer type.
std::pair<int64_t, uint64_t> limits_of(DType d) {
  const bool is_signed = dtype_kind(d) == DKind::sint;
  const int bits = d == DType::boolean ? 1 : dtype_bits(d) - is_signed;
  const uint64_t most = ~uint64_t{0} >> (64 - bits);
  return {is_signed ? -static_cast<int64_t>(most) - 1 : 0, most};
}

template <class F, class A>
Status reduce(EvalContext& c, const TensorView& x, const TensorView& y) {
  HONE_TRY(const Plan plan, plan_of(c, x, y));
  std::vector<A> acc(static_cast<size_t>(plan.outputs), F::template start<A>());
  accumulate<F, A>(x, plan.nest, acc.data(), [](A v, int64_t) { return v; });
  for (A& v : acc) {
    v = F::template finish<A>(v, plan.each);
    // Of nothing: the ends of the element type, not of the accumulator.
    if constexpr (std::is_integral_v<A>) {
      const auto [least, most] = limits_of(x.dtype);
      if (plan.each == 0 && v == infinity<A>()) v = static_cast<A>(most);
      if (plan.each == 0 && v == minus_infinity<A>()) v = static_cast<A>(least);
    }
  }
  write_row<A>(y.dtype)(acc.data(), plan.outputs, y.bytes, 0, 1);
  return {};
}

// max + log(sum(exp(x - max))): exact where exp(x) alone would overflow.
Status log_sum_exp(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const Plan plan, plan_of(c, x, y));
  std::vector<double> most(static_cast<size_t>(plan.outputs), minus_infinity<double>()),
      sum(most.size(), 0.0);
  accumulate<Max, double>(x, plan.nest, most.data(), [](double v, int64_t) { return v; });
  accumulate<Sum, double>(x, plan.nest, sum.data(), [&](double v, int64_t i) {
    const double m = most[static_cast<size_t>(i)];
    return std::exp(std::isinf(m) ? v : v - m);
  });
  for (size_t i = 0; i < sum.size(); i++) sum[i] = std::log(sum[i]) + (std::isinf(most[i]) ? 0 : most[i]);
  write_row<double>(y.dtype)(sum.data(), plan.outputs, y.bytes, 0, 1);
  return {};
}

template <class F>
Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  if (is_float(x.dtype)) return reduce<F, double>(c, x, y);
  return dtype_kind(x.dtype) == DKind::sint ? reduce<F, int64_t>(c, x, y) : reduce<F, uint64_t>(c, x, y);
}

constexpr TypeSet ordered_types = number_types | bool_type;
constexpr AttrDef attrs[] = {AttrDef::def_i("keepdims", 1), AttrDef::def_i("noop_with_empty_axes", 0)};

// Before the axes became an input they were an attribute.
Status axes_to_input(OpsetNode& n) {
  if (!n.attrs().has("axes")) return {};
  n.set_constant(1, Tensor::of_ints(n.attrs().ints("axes")));
  n.attrs().erase("axes");
  return {};
}
constexpr Upgrade below_13[] = {{13, axes_to_input}};
constexpr Upgrade below_18[] = {{18, axes_to_input}};
}  // namespace

#define REDUCE_OP(op, text, types, function, older) \
  extern const OpDef op_##op{.name = #op,           \
                             .doc = text,           \
                             .max_inputs = 2,       \
                             .attrs = attrs,        \
                             .upgrades = older,     \
                             .infer = infer<types>, \
                             .reference = function};
REDUCE_OP(ReduceL1, "sum of |x| along axes", number_types, reference<L1>, below_18)
REDUCE_OP(ReduceL2, "square root of the sum of x^2 along axes", number_types, reference<L2>, below_18)
REDUCE_OP(ReduceLogSum, "log of the sum along axes", number_types, reference<LogSum>, below_18)
REDUCE_OP(ReduceLogSumExp, "log of the sum of e^x along axes", number_types, log_sum_exp, below_18)
REDUCE_OP(ReduceMax, "greatest along axes", ordered_types, reference<Max>, below_18)
REDUCE_OP(ReduceMean, "mean along axes", number_types, reference<Mean>, below_18)
REDUCE_OP(ReduceMin, "least along axes", ordered_types, reference<Min>, below_18)
REDUCE_OP(ReduceProd, "product along axes", number_types, reference<Prod>, below_18)
REDUCE_OP(ReduceSum, "sum along axes", number_types, reference<Sum>, below_13)
REDUCE_OP(ReduceSumSquare, "sum of x^2 along axes", number_types, reference<SumSquare>, below_18)
#undef REDUCE_OP

}  // namespace hone
