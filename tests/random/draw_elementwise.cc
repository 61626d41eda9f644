#include "random/draws.h"

namespace hone::test {
namespace {

// Attributes of functions: each near its default.
void function_attrs(Draw& d) {
  for (const AttrDef& a : d.op().attrs) {
    if (a.internal) continue;
    if (a.type == AttrType::f && d.chance(60)) d.attr(a.name, static_cast<float>(d.real(0.1, 2)));
    if (a.type == AttrType::i) d.flag(a.name);
  }
}

}  // namespace

void unary(Draw& d, TypeSet types, double ulps, double low, double high) {
  const DType t = d.type(types);
  function_attrs(d);
  if (std::string_view(d.op().name) == "Gelu") d.maybe<std::string>("approximate", {"none", "tanh"});
  d.in(d.tensor(t, d.shape(0, 5), low, high, d.chance(20)));
  d.judge(Judge::gated, ulps);
}

void predicate(Draw& d, TypeSet types) {
  function_attrs(d);
  const DType t = d.type(types);
  d.in(d.tensor(t, d.shape(0, 5), -4, 4, d.chance(30)));
}

void binary(Draw& d, TypeSet types, double ulps) {
  const DType t = d.type(types);
  const Shape s = d.shape(0, 5);
  Shape a = s, b = s;
  if (d.chance(60)) (d.chance(50) ? a : b) = d.broadcastable(s);
  if (d.chance(15)) a = d.broadcastable(s), b = d.broadcastable(s);
  const bool special = d.chance(15);
  // Integers by 0 have no quotient.
  const double low = std::string_view(d.op().name) == "Div" && is_int(t) ? 1 : -4;
  d.in(d.tensor(t, a, -4, 4, special));
  d.in(d.tensor(t, b, low, 4, special && low < 0));
  d.judge(Judge::ulps, ulps);
}

void variadic(Draw& d, TypeSet types, double n) {
  const DType t = d.type(types);
  const Shape s = d.shape(0, 4);
  const int64_t count = d.between(1, 5);
  for (int64_t i = 0; i < count; i++) d.in(d.tensor(t, d.chance(50) ? s : d.broadcastable(s)));
  if (n > 0) d.judge(Judge::sums, n);
}

void prelu(Draw& d) {
  const DType t = d.type(float_types | TypeSet{DType::i32, DType::i64, DType::u32, DType::u64});
  const Shape s = d.shape(0, 4);
  d.in(d.tensor(t, s));
  d.in(d.tensor(t, d.broadcastable(s)));
  d.judge(Judge::ulps, 1);
}

void pow(Draw& d) {
  const TypeSet bases = float_types | TypeSet{DType::i32, DType::i64};
  const Shape s = d.shape(0, 4);
  const DType t = d.type(bases), e = d.chance(70) ? t : d.type(number_types);
  const bool whole = d.chance(50);
  d.in(d.tensor(t, s, whole ? -3 : 0.1, 3));
  Tensor exponent = d.tensor(e, d.broadcastable(s), 0, 4);
  if (d.chance(40)) {  // one exponent, which the optimiser may know a cheaper way for
    exponent = d.zeros(e, {});
    set_number(exponent, 0, d.pick({2.0, 3.0, 0.5, 1.0, 0.0, -1.0}));
    d.fixed(exponent);
  } else if (whole) {
    for (int64_t i = 0; i < exponent.elements(); i++)
      set_number(exponent, i, static_cast<double>(d.between(0, 4)));
    d.in(exponent);
  } else {
    d.in(exponent);
  }
  d.judge(Judge::ulps, 8);
}

void mod(Draw& d) {
  const DType t = d.type(number_types);
  if (is_float(t)) d.attr("fmod", int64_t{1});
  else d.flag("fmod");
  const Shape s = d.shape(0, 4);
  d.in(d.tensor(t, s, -9, 9));
  d.in(d.tensor(t, d.broadcastable(s), 1, 5));
}

void bit_shift(Draw& d) {
  const DType t = d.type(TypeSet{DType::u8, DType::u16, DType::u32, DType::u64});
  const Shape s = d.shape(0, 4);
  d.attr("direction", d.pick<std::string>({"LEFT", "RIGHT"}));
  d.in(d.tensor(t, s, 0, 99));
  d.in(d.tensor(t, d.broadcastable(s), 0, 12));
}

void clip(Draw& d) {
  const DType t = d.type(number_types);
  d.in(d.tensor(t, d.shape(0, 4), -4, 4, d.chance(20)));
  if (d.chance(80)) {
    if (d.chance(70)) d.in(d.tensor(t, {}, -2, 1));
    else d.none();
    if (d.chance(70)) d.in(d.tensor(t, {}, 0, 3));
  }
}

void where(Draw& d) {
  const DType t = d.type(whole_types);
  const Shape s = d.shape(0, 4);
  const int64_t full = d.between(0, 2);
  d.in(d.tensor(DType::boolean, full == 0 ? s : d.broadcastable(s)));
  d.in(d.tensor(t, full == 1 ? s : d.broadcastable(s)));
  d.in(d.tensor(t, full == 2 ? s : d.broadcastable(s)));
}

void cast(Draw& d, bool like) {
  const TypeSet types = number_types | bool_type | small_floats | small_ints | TypeSet{DType::f4e2m1};
  const DType from = d.type(types), to = d.chance(10) ? DType::string : d.type(types);
  d.in(d.tensor(from, d.shape(0, 3), -9, 9));
  if (like) d.in(d.tensor(to, d.shape(0, 1)));
  else d.attr("to", static_cast<int64_t>(to));
  d.flag("saturate");
}

void bit_cast(Draw& d) {
  const DType from = d.type(number_types);
  DType to = from;
  while (dtype_bits(to = d.type(number_types)) != dtype_bits(from)) {}
  d.attr("to", static_cast<int64_t>(to));
  d.in(d.tensor(from, d.shape(0, 4)));
}

void swiglu(Draw& d) {
  const DType t = d.type(float_types);
  const Shape s = d.shape(0, 4);
  d.maybe<float>("alpha", {1.0f, 0.5f, 1.7f});
  d.in(d.tensor(t, s));
  d.in(d.tensor(t, s));
  d.judge(Judge::scaled, 16);
}

}  // namespace hone::test
