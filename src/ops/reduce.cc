// The ten reductions. Accumulators are double for floats and 64-bit for integers (which wrap), in row-major
// order of the input.
#include <algorithm>
#include <limits>
#include <numeric>

#include "ops/element.h"
#include "ops/op.h"
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

template <class F, class T, class A, class Map>
void accumulate(const TensorView& x, const Nest<2>& nest, A* acc, Map map) {
  for_each_row(nest, [&](const auto& at, int64_t n, const auto& stride) {
    for (int64_t i = 0; i < n; i++) {
      A& a = acc[at[0] + i * stride[0]];
      a = F::template step<A>(
          a, map(static_cast<A>(load(x.data<T>()[at[1] + i * stride[1]])), at[0] + i * stride[0]));
    }
  });
}

template <class T>
using Accumulator = std::conditional_t<std::is_same_v<T, bool8> || std::is_unsigned_v<Compute<T>>, uint64_t,
                                       std::conditional_t<std::is_integral_v<Compute<T>>, int64_t, double>>;

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

template <class T, class A>
void store_as(T& y, A v) {
  if constexpr (std::is_same_v<T, bool8>) y = v != 0;
  else store(y, static_cast<Compute<T>>(v));
}

template <class F, class T>
Status reduce(EvalContext& c, const TensorView& x, const TensorView& y) {
  using A = Accumulator<T>;
  HONE_TRY(const Plan plan, plan_of(c, x, y));
  std::vector<A> acc(static_cast<size_t>(plan.outputs), F::template start<A>());
  accumulate<F, T, A>(x, plan.nest, acc.data(), [](A v, int64_t) { return v; });
  for (int64_t i = 0; i < plan.outputs; i++) {
    A v = F::template finish<A>(acc[static_cast<size_t>(i)], plan.each);
    // Of nothing: the ends of the element type, not of the accumulator.
    if constexpr (std::is_integral_v<T>) {
      if (plan.each == 0 && v == infinity<A>()) v = std::numeric_limits<T>::max();
      if (plan.each == 0 && v == minus_infinity<A>()) v = std::numeric_limits<T>::lowest();
    }
    store_as(y.data<T>()[i], v);
  }
  return {};
}

// max + log(sum(exp(x - max))): exact where exp(x) alone would overflow.
template <class T>
Status log_sum_exp(EvalContext& c, const TensorView& x, const TensorView& y) {
  HONE_TRY(const Plan plan, plan_of(c, x, y));
  std::vector<double> most(static_cast<size_t>(plan.outputs), minus_infinity<double>()),
      sum(most.size(), 0.0);
  accumulate<Max, T, double>(x, plan.nest, most.data(), [](double v, int64_t) { return v; });
  accumulate<Sum, T, double>(x, plan.nest, sum.data(), [&](double v, int64_t i) {
    const double m = most[static_cast<size_t>(i)];
    return std::exp(std::isinf(m) ? v : v - m);
  });
  for (size_t i = 0; i < sum.size(); i++) {
    const double v = std::log(sum[i]) + (std::isinf(most[i]) ? 0 : most[i]);
    store_as(y.data<T>()[i], std::is_integral_v<T> ? static_cast<double>(to_int64(v)) : v);
  }
  return {};
}

template <class F>
Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  return dispatch_numbers(x.dtype, [&](auto zero) { return reduce<F, decltype(zero)>(c, x, y); });
}
template <class F>
Status reference_ordered(EvalContext& c) {
  if (c.input(0).dtype != DType::boolean) return reference<F>(c);
  HONE_TRY(const TensorView y, infer_output(c));
  return reduce<F, bool8>(c, c.input(0), y);
}
Status reference_log_sum_exp(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  return dispatch_numbers(x.dtype, [&](auto zero) { return log_sum_exp<decltype(zero)>(c, x, y); });
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
REDUCE_OP(ReduceLogSumExp, "log of the sum of e^x along axes", number_types, reference_log_sum_exp, below_18)
REDUCE_OP(ReduceMax, "greatest along axes", ordered_types, reference_ordered<Max>, below_18)
REDUCE_OP(ReduceMean, "mean along axes", number_types, reference<Mean>, below_18)
REDUCE_OP(ReduceMin, "least along axes", ordered_types, reference_ordered<Min>, below_18)
REDUCE_OP(ReduceProd, "product along axes", number_types, reference<Prod>, below_18)
REDUCE_OP(ReduceSum, "sum along axes", number_types, reference<Sum>, below_13)
REDUCE_OP(ReduceSumSquare, "sum of x^2 along axes", number_types, reference<SumSquare>, below_18)
#undef REDUCE_OP

}  // namespace hone
