// The functions that the expressions of unary.def may use, for scalars. The expressions are compiled inside a
// namespace or function that says `using namespace scalar_math`.
#pragma once
#include <cmath>

namespace hone::scalar_math {

using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atanh, std::ceil, std::cos, std::cosh,
    std::erf, std::exp, std::expm1, std::floor, std::log, std::log1p, std::sin, std::sinh, std::sqrt,
    std::tan, std::tanh;

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
T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}

}  // namespace hone::scalar_math
