// The unary operators whose floating form is a line of unary.def. Integers, where the operator allows them,
// have a form here.
#include <algorithm>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/rows.h"
#include "ops/scalar_math.h"
#include "ops/types.h"

namespace hone {
namespace {
namespace unary = scalar_math::unary;

// Negation wraps, as two's complement does.
template <class T>
T negated(T x) {
  return static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x));
}
struct NoInteger {};
struct IntAbs {
  template <class T>
  static T f(T x, float, float) {
    return x < T(0) ? negated(x) : x;
  }
};
struct IntNeg {
  template <class T>
  static T f(T x, float, float) {
    return negated(x);
  }
};
struct IntRelu {
  template <class T>
  static T f(T x, float, float) {
    return x < T(0) ? T(0) : x;
  }
};
struct IntSign {
  template <class T>
  static T f(T x, float, float) {
    return static_cast<T>((x > T(0)) - (x < T(0)));
  }
};
struct IntShrink {
  template <class T>
  static T f(T x, float lambd, float bias) {
    const double v = static_cast<double>(x);
    if (v < -lambd) return static_cast<T>(to_int64(v + bias));
    return v > lambd ? static_cast<T>(to_int64(v - bias)) : T(0);
  }
};

constexpr TypeSet signed_types = float_types | TypeSet{DType::i8, DType::i16, DType::i32, DType::i64};

template <const TypeSet& types>
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, types));
  return same_as_first(c);
}

// In blocks, so that f16 and bf16 share the code of float.
template <class F, class A>
void map(const TensorView& x, const TensorView& y, A a, A b) {
  constexpr int64_t block = 256;
  A values[block];
  const ReadRow<A> read = read_row<A>(x.dtype);
  const WriteRow<A> write = write_row<A>(x.dtype);
  for (int64_t at = 0, n = x.elements(); at < n; at += block) {
    const int64_t count = std::min(block, n - at);
    read(x.bytes, at, 1, count, values);
    for (int64_t i = 0; i < count; i++) values[i] = F::template f<A>(values[i], a, b);
    write(values, count, y.bytes, at, 1);
  }
}

// a, b: the first and second attribute of the operator, if they are floats.
template <class Float, class Int = NoInteger>
Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  float a = 0, b = 0;
  if (c.op.attrs.size() > 0) a = c.attrs.f(c.op.attrs[0].name);
  if (c.op.attrs.size() > 1) b = c.attrs.f(c.op.attrs[1].name);
  if constexpr (!std::is_same_v<Int, NoInteger>) {
    if (is_int(x.dtype))
      return dispatch_ints(x.dtype, [&](auto zero) {
        using T = decltype(zero);
        for (int64_t i = 0, n = x.elements(); i < n; i++)
          y.data<T>()[i] = Int::template f<T>(x.data<T>()[i], a, b);
      });
  }
  if (x.dtype == DType::f64) map<Float, double>(x, y, static_cast<double>(a), static_cast<double>(b));
  else map<Float, float>(x, y, a, b);
  return {};
}

Status gelu(EvalContext& c) {
  return c.attrs.s("approximate") == "tanh" ? reference<unary::GeluTanh>(c) : reference<unary::Gelu>(c);
}
Status infer_gelu(Infer& c) {
  const std::string& how = c.attrs.s("approximate");
  if (how != "none" && how != "tanh")
    return error(Code::corrupt, "attribute 'approximate' of Gelu is '%s', expected 'none' or 'tanh'",
                 how.c_str());
  return infer<float_types>(c);
}

constexpr AttrDef alpha_1[] = {AttrDef::def_f("alpha", 1)};
constexpr AttrDef leaky[] = {AttrDef::def_f("alpha", 0.01f)};
// Opset 1 had fewer digits.
Status selu_from_1(OpsetNode& n) {
  if (!n.attrs().has("alpha")) n.attrs().set("alpha", 1.6732f);
  if (!n.attrs().has("gamma")) n.attrs().set("gamma", 1.0507f);
  return {};
}
constexpr Upgrade selu_upgrades[] = {{6, selu_from_1}};
constexpr AttrDef selu[] = {AttrDef::def_f("alpha", 1.67326319217681884765625f),
                            AttrDef::def_f("gamma", 1.05070102214813232421875f)};
constexpr AttrDef hard_sigmoid[] = {AttrDef::def_f("alpha", 0.2f), AttrDef::def_f("beta", 0.5f)};
constexpr AttrDef shrink[] = {AttrDef::def_f("lambd", 0.5f), AttrDef::def_f("bias", 0)};
constexpr AttrDef gelu_attrs[] = {AttrDef::def_s("approximate", "none")};
}  // namespace

#define FLOAT_OP(op, text, ...)                                      \
  extern const OpDef op_##op{.name = #op,                            \
                             .doc = text,                            \
                             __VA_ARGS__.infer = infer<float_types>, \
                             .reference = reference<unary::op>,      \
                             .layout = Layout::elementwise};
#define NUMBER_OP(op, types, text, ...)                                  \
  extern const OpDef op_##op{.name = #op,                                \
                             .doc = text,                                \
                             __VA_ARGS__.infer = infer<types>,           \
                             .reference = reference<unary::op, Int##op>, \
                             .layout = Layout::elementwise};
#define WITH(list) .attrs = list,

NUMBER_OP(Abs, number_types, "|x|")
FLOAT_OP(Acos, "arc cosine")
FLOAT_OP(Acosh, "inverse hyperbolic cosine")
FLOAT_OP(Asin, "arc sine")
FLOAT_OP(Asinh, "inverse hyperbolic sine")
FLOAT_OP(Atan, "arc tangent")
FLOAT_OP(Atanh, "inverse hyperbolic tangent")
FLOAT_OP(Ceil, "least integer not below x")
FLOAT_OP(Celu, "max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))", WITH(alpha_1))
FLOAT_OP(Cos, "cosine")
FLOAT_OP(Cosh, "hyperbolic cosine")
FLOAT_OP(Elu, "x where x >= 0, else alpha * (exp(x) - 1)", WITH(alpha_1))
FLOAT_OP(Erf, "error function")
FLOAT_OP(Exp, "e^x")
FLOAT_OP(Floor, "greatest integer not above x")
extern const OpDef op_Gelu{.name = "Gelu",
                           .doc = "x/2 * (1 + erf(x / sqrt(2))), or its approximation by tanh",
                           .attrs = gelu_attrs,
                           .infer = infer_gelu,
                           .reference = gelu,
                           .layout = Layout::elementwise};
FLOAT_OP(HardSigmoid, "clamp(alpha * x + beta, 0, 1)", WITH(hard_sigmoid))
FLOAT_OP(HardSwish, "x * clamp(x / 6 + 1/2, 0, 1)")
FLOAT_OP(LeakyRelu, "x where x >= 0, else alpha * x", WITH(leaky))
FLOAT_OP(Log, "natural logarithm")
FLOAT_OP(Mish, "x * tanh(log(1 + e^x))")
NUMBER_OP(Neg, signed_types, "-x")
FLOAT_OP(Reciprocal, "1 / x")
NUMBER_OP(Relu, signed_types, "max(x, 0)")
FLOAT_OP(Round, "nearest integer, half to even")
FLOAT_OP(Selu, "gamma * (x where x > 0, else alpha * (exp(x) - 1))", WITH(selu).upgrades = selu_upgrades, )
NUMBER_OP(Shrink, number_types, "x + bias where x < -lambd, x - bias where x > lambd, else 0", WITH(shrink))
FLOAT_OP(Sigmoid, "1 / (1 + e^-x)")
NUMBER_OP(Sign, number_types, "-1, 0 or 1")
FLOAT_OP(Sin, "sine")
FLOAT_OP(Sinh, "hyperbolic sine")
FLOAT_OP(Softplus, "log(1 + e^x)")
FLOAT_OP(Softsign, "x / (1 + |x|)")
FLOAT_OP(Sqrt, "square root")
FLOAT_OP(Swish, "x / (1 + e^(-alpha * x))", WITH(alpha_1))
FLOAT_OP(Tan, "tangent")
FLOAT_OP(Tanh, "hyperbolic tangent")
FLOAT_OP(ThresholdedRelu, "x where x > alpha, else 0", WITH(alpha_1))
#undef WITH
#undef NUMBER_OP
#undef FLOAT_OP

}  // namespace hone
