// Operators that give the same elements another shape: Flatten, Identity, Reshape, Squeeze, Unsqueeze.
#include <algorithm>

#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
// Passes the value on under its new shape, without a copy.
Status reference(EvalContext& c) {
  if (c.in(0).kind != Value::Kind::tensor) return c.set_output(0, c.in(0));  // Identity of a sequence
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  return c.set_output(0, c.in(0).tensor.reshaped(types[0].shape));
}

// The dimension d for which product(rest) * d = product(in), as far as can be said: known factors are
// divided, symbols that stand on both sides are dropped.
Result<Dim> missing_dim(const Shape& in, std::span<const Dim> rest) {
  if (!in.ranked()) return unknown_dim;
  std::vector<Dim> left(in.begin(), in.end());
  int64_t numerator = 1, denominator = 1;
  for (Dim d : rest) {
    if (known(d)) continue;
    auto it = symbolic(d) ? std::find(left.begin(), left.end(), d) : left.end();
    if (it == left.end()) return unknown_dim;
    left.erase(it);
  }
  HONE_TRY(denominator, checked_elements([&] {
             Shape s;
             for (Dim d : rest)
               if (known(d)) s.push_back(d);
             return s;
           }()));
  Dim symbol = 1;
  int others = 0;
  Shape factors;
  for (Dim d : left) {
    if (known(d)) factors.push_back(d);
    else {
      symbol = d;
      others++;
    }
  }
  HONE_TRY(numerator, checked_elements(factors));
  if (denominator == 0)
    return error(Code::invalid_argument, "a dimension of -1 beside a dimension of 0 has no size");
  if (others == 0) {
    if (numerator % denominator != 0)
      return error(Code::invalid_argument, "%lld elements do not divide by %lld",
                   static_cast<long long>(numerator), static_cast<long long>(denominator));
    return numerator / denominator;
  }
  return others == 1 && symbolic(symbol) && numerator == denominator ? symbol : unknown_dim;
}

Status infer_reshape(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_TRY(const Dim rank, length_of(c, 1));
  const Shape in = c.shape(0);
  const auto target = c.ints(1);
  if (rank > max_rank)
    return error(Code::limit, "Reshape to %lld dimensions, at most %d are supported",
                 static_cast<long long>(rank), max_rank);
  if (!target) {
    c.set(0, c.dtype(0), known(rank) ? Shape::of_rank(static_cast<int>(rank)) : Shape::unranked());
    return {};
  }
  const bool zero_is_zero = c.attrs.flag("allowzero");
  Shape out;
  int missing = -1;
  for (size_t i = 0; i < target->size(); i++) {
    const int64_t d = (*target)[i];
    if (d < -1)
      return error(Code::invalid_argument, "Reshape to a dimension of %lld", static_cast<long long>(d));
    if (d == -1 && missing >= 0)
      return error(Code::invalid_argument, "Reshape with more than one dimension of -1");
    if (d == -1) missing = static_cast<int>(i);
    if (d == 0 && !zero_is_zero) {  // copied from the input
      if (in.ranked() && i >= in.size())
        return error(Code::invalid_argument, "Reshape copies dimension %zu, which the input %s does not have",
                     i, in.str().c_str());
      out.push_back(in.ranked() ? in[i] : unknown_dim);
    } else {
      out.push_back(d == -1 ? unknown_dim : d);
    }
  }
  if (missing >= 0) {
    std::vector<Dim> rest(out.begin(), out.end());
    rest.erase(rest.begin() + missing);
    auto d = missing_dim(in, rest);
    if (!d) return hone::in("Reshape of " + in.str() + " to " + out.str(), d.take_error());
    out[static_cast<size_t>(missing)] = *d;
  }
  if (in.all_known() && out.all_known()) {
    HONE_TRY(const int64_t before, checked_elements(in));
    HONE_TRY(const int64_t after, checked_elements(out));
    if (before != after)
      return error(Code::invalid_argument, "Reshape of %s (%lld elements) to %s (%lld elements)",
                   in.str().c_str(), static_cast<long long>(before), out.str().c_str(),
                   static_cast<long long>(after));
  }
  c.set(0, c.dtype(0), out);
  return {};
}

// The product of some dimensions: exact where they are known, a symbol where all others are 1.
Dim product_of(std::span<const Dim> dims) {
  int64_t n = 1;
  Dim symbol = 1;
  int others = 0;
  for (Dim d : dims) {
    if (d == 0) return 0;
    if (known(d) && n <= (int64_t{1} << 40) / d) n *= d;
    else {
      symbol = known(d) ? unknown_dim : d;
      others++;
    }
  }
  if (others == 0) return n;
  return others == 1 && n == 1 ? symbol : unknown_dim;
}

Status infer_flatten(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  const Shape s = c.shape(0);
  if (!s.ranked()) {
    c.set(0, c.dtype(0), Shape::of_rank(2));
    return {};
  }
  const int64_t given = c.attrs.i("axis"), rank = s.rank();
  if (given < -rank || given > rank)
    return error(Code::invalid_argument, "attribute 'axis' of Flatten is %lld, outside [%lld, %lld]",
                 static_cast<long long>(given), static_cast<long long>(-rank), static_cast<long long>(rank));
  const auto axis = static_cast<size_t>(given < 0 ? given + rank : given);
  c.set(0, c.dtype(0), Shape{product_of(s.dims().first(axis)), product_of(s.dims().subspan(axis))});
  return {};
}

// The axes given by input 1, if it is there and known.
struct Axes {
  bool given = false, known = false;
  std::vector<int64_t> values = {};
};
Result<Axes> axes_of(Infer& c) {
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_TRY([[maybe_unused]] const Dim count, length_of(c, 1));
  Axes a;
  a.given = c.in.size() > 1 && c.has(1);
  if (auto v = c.ints(1)) {
    a.known = true;
    a.values = std::move(*v);
  }
  return a;
}

Status infer_squeeze(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_TRY(const Axes axes, axes_of(c));
  const Shape s = c.shape(0);
  c.set(0, c.dtype(0), Shape::unranked());
  if (!s.ranked()) return {};
  std::vector<int> drop;
  if (axes.given) {
    if (!axes.known) {
      HONE_TRY(const Dim count, length_of(c, 1));
      if (known(count) && count <= s.rank())
        c.set(0, c.dtype(0), Shape::of_rank(s.rank() - static_cast<int>(count)));
      return {};
    }
    HONE_TRY(drop, normalize_axes(axes.values, s.rank()));
    for (int a : drop) {
      const Dim d = s[static_cast<size_t>(a)];
      if (known(d) && d != 1)
        return error(Code::invalid_argument, "Squeeze of axis %d of %s, whose size is not 1", a,
                     s.str().c_str());
    }
  } else {
    for (int a = 0; a < s.rank(); a++) {
      if (!known(s[static_cast<size_t>(a)])) return {};  // may turn out to be 1
      if (s[static_cast<size_t>(a)] == 1) drop.push_back(a);
    }
  }
  Shape out;
  for (int a = 0; a < s.rank(); a++)
    if (!std::binary_search(drop.begin(), drop.end(), a)) out.push_back(s[static_cast<size_t>(a)]);
  c.set(0, c.dtype(0), out);
  return {};
}

Status infer_unsqueeze(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_TRY(const Axes axes, axes_of(c));
  HONE_TRY(const Dim count, length_of(c, 1));
  const Shape s = c.shape(0);
  c.set(0, c.dtype(0), Shape::unranked());
  if (!s.ranked() || !known(count)) return {};
  if (count > max_rank - s.rank())
    return error(Code::limit, "Unsqueeze of %s by %lld axes: at most %d dimensions are supported",
                 s.str().c_str(), static_cast<long long>(count), max_rank);
  const int rank = s.rank() + static_cast<int>(count);
  if (!axes.known) {
    c.set(0, c.dtype(0), Shape::of_rank(rank));
    return {};
  }
  HONE_TRY(const std::vector<int> added, normalize_axes(axes.values, rank));
  Shape out;
  size_t from = 0;
  for (int a = 0; a < rank; a++)
    out.push_back(std::binary_search(added.begin(), added.end(), a) ? 1 : s[from++]);
  c.set(0, c.dtype(0), out);
  return {};
}

Status infer_identity(Infer& c) { return same_as_first(c); }

// Below 13 the axes of Squeeze and Unsqueeze are an attribute.
Status axes_to_input(OpsetNode& n) {
  if (!n.attrs().has("axes")) return {};
  n.set_constant(1, Tensor::of_ints(n.attrs().ints("axes")));
  n.attrs().erase("axes");
  return {};
}
constexpr Upgrade axes_upgrades[] = {{13, axes_to_input}};
// Below 5 the shape was an attribute.
Status shape_to_input(OpsetNode& n) {
  n.set_constant(1, Tensor::of_ints(n.attrs().ints("shape")));
  n.attrs().erase("shape");
  return {};
}
constexpr Upgrade reshape_upgrades[] = {{5, shape_to_input}};
constexpr AttrDef flatten_attrs[] = {AttrDef::def_i("axis", 1)};
constexpr AttrDef reshape_attrs[] = {AttrDef::def_i("allowzero", 0)};
}  // namespace

extern const OpDef op_Flatten{.name = "Flatten",
                              .doc = "a matrix: the axes before `axis` as rows, the others as columns",
                              .attrs = flatten_attrs,
                              .infer = infer_flatten,
                              .reference = reference,
                              .view = true};
extern const OpDef op_Identity{.name = "Identity",
                               .doc = "the input as it is",
                               .infer = infer_identity,
                               .reference = reference,
                               .layout = Layout::elementwise,
                               .view = true};
extern const OpDef op_Reshape{
    .name = "Reshape",
    .doc = "the same elements in another shape; 0 copies a dimension, -1 is computed",
    .min_inputs = 2,
    .max_inputs = 2,
    .attrs = reshape_attrs,
    .upgrades = reshape_upgrades,
    .infer = infer_reshape,
    .reference = reference,
    .view = true};
extern const OpDef op_Squeeze{.name = "Squeeze",
                              .doc = "without the axes given (or all) that have size 1",
                              .max_inputs = 2,
                              .upgrades = axes_upgrades,
                              .infer = infer_squeeze,
                              .reference = reference,
                              .view = true};
extern const OpDef op_Unsqueeze{.name = "Unsqueeze",
                                .doc = "with axes of size 1 put in",
                                .min_inputs = 2,
                                .max_inputs = 2,
                                .upgrades = axes_upgrades,
                                .infer = infer_unsqueeze,
                                .reference = reference,
                                .view = true};

}  // namespace hone
