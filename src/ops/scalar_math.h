// The functions that the expressions of unary.def and binary.def may use, for scalars, and the expressions
// themselves as structs: scalar_math::unary::Relu::f(x, a, b). They stand inside this namespace so that the
// names below hide those of the C library (whose round() rounds half away from zero).
#pragma once
#include <cmath>

namespace hone::scalar_math {

using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atanh, std::ceil, std::cos, std::cosh,
    std::erf, std::exp, std::expm1, std::floor, std::log, std::log1p, std::sin, std::sinh, std::sqrt,
    std::tan, std::tanh, std::pow;

template <class T>
T abs(T x) {
  return std::fabs(x);
}
template <class T>
T min(T x, T y) {
  return y < x ? y : x;
}
template <class T>
T max(T x, T y) {
  return x < y ? y : x;
}
template <class T>
T round(T x) {
  return std::nearbyint(x);
}  // the default rounding mode: half to even
template <class T>
T sign(T x) {
  return x > 0 ? T(1) : x < 0 ? T(-1) : x;
}
template <class T>
T sigmoid(T x) {
  return T(1) / (T(1) + std::exp(-x));
}
template <class T>
T normal(T x) {
  return T(0.5) * std::erfc(x * T(-0.70710678118654752440));
}
template <class T>
T gated(T x, T y) {
  const T d = T(1) + std::exp(-y);
  return std::isinf(d) ? T(0) : x / d;
}
template <class T>
T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}

namespace unary {
#define K(number) static_cast<T>(number)
#define UNARY(name, expression)                                                    \
  struct name {                                                                    \
    template <class T>                                                             \
    static T f([[maybe_unused]] T x, [[maybe_unused]] T a, [[maybe_unused]] T b) { \
      return expression;                                                           \
    }                                                                              \
  };
#include "ops/unary.def"
#undef UNARY
}  // namespace unary

namespace binary {
#define BINARY(name, result, expression)    \
  struct name {                             \
    template <class T>                      \
    static auto f(const T& x, const T& y) { \
      return expression;                    \
    }                                       \
  };
#include "ops/binary.def"
#undef BINARY
#undef K
}  // namespace binary

}  // namespace hone::scalar_math
