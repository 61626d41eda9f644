#include "kernels/isa/unary.h"

#include <cmath>
#include <cstring>

#include "harness.h"
#include "kernels/cpu/activation.h"
#include "kernels/isa_kernels.h"

namespace hone::test {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

void apply(Isa isa, Unary u, const float* x, float* y, int64_t n, float a, float b) {
  isa_kernels(isa).unary->apply[static_cast<size_t>(u)](x, 0, y, 0, 1, n, a, b);
}

// Distance in units of the last place of the rounded exact value, at least those of the smallest normal
// number / 2^23.
double ulps(float got, double exact) {
  const float rounded = static_cast<float>(exact);
  if (std::isnan(got) && std::isnan(exact)) return 0;
  if (got == rounded) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded)) return inf;
  const double unit = std::ldexp(1.0, std::max(std::ilogb(rounded == 0 ? 1e-45f : rounded), -126) - 23);
  return std::abs(got - exact) / unit;
}

// All exponents, and densely where functions bend.
std::vector<float> arguments() {
  std::vector<float> x = {0.0f,          -0.0f,         inf,    -inf,    nan,     1.0f,
                          -1.0f,         88.72f,        88.73f, -87.33f, -87.34f, -103.97f,
                          -103.98f,      0.625f,        4.0f,   1e-45f,  -1e-45f, 1.17549435e-38f,
                          3.4028235e38f, -3.4028235e38f};
  std::uniform_int_distribution<uint32_t> bits;
  for (int i = 0; i < 20000; i++) {
    const uint32_t b = bits(rng());
    float f;
    std::memcpy(&f, &b, 4);
    x.push_back(f);
  }
  for (float range : {0.01f, 1.0f, 10.0f, 105.0f}) {
    std::uniform_real_distribution<float> d(-range, range);
    for (int i = 0; i < 20000; i++) x.push_back(d(rng()));
  }
  return x;
}

struct Exact {
  Unary function;
  double (*exact)(double);
  double limit;  // ulps
};
const Exact functions[] = {
    {Unary::Exp, [](double x) { return std::exp(x); }, 2},
    {Unary::Log, [](double x) { return std::log(x); }, 2},
    {Unary::Tanh, [](double x) { return std::tanh(x); }, 3},
    {Unary::Erf, [](double x) { return std::erf(x); }, 3},
    // Beneath -88, where 1 / (1 + e^-x) is below the smallest normal number, they are 0; from -40 on, the
    // rounding of ln 2 shows.
    {Unary::Sigmoid, [](double x) { return x < -88 ? 0 : 1 / (1 + std::exp(-x)); }, 6},
    {Unary::Swish, [](double x) { return x < -88 ? 0 : x / (1 + std::exp(-x)); }, 6},
    {Unary::Sqrt, [](double x) { return std::sqrt(x); }, 0.5},
    {Unary::Reciprocal, [](double x) { return 1 / x; }, 0.5},
    {Unary::Floor, [](double x) { return std::floor(x); }, 0},
    {Unary::Ceil, [](double x) { return std::ceil(x); }, 0},
    {Unary::Round, [](double x) { return std::nearbyint(x); }, 0},
    {Unary::Abs, [](double x) { return std::fabs(x); }, 0},
    {Unary::Relu, [](double x) { return x > 0 || std::isnan(x) ? x : 0; }, 0},
};

TEST(UnaryKernels, AreWithinAFewUnitsInTheLastPlace) {
  const std::vector<float> x = arguments();
  std::vector<float> y(x.size());
  for (Isa isa : available_isas())
    for (const Exact& f : functions) {
      apply(isa, f.function, x.data(), y.data(), static_cast<int64_t>(x.size()), 1, 0);
      double worst = 0;
      float where = 0;
      for (size_t i = 0; i < x.size(); i++)
        if (const double d = ulps(y[i], f.exact(x[i])); d > worst) worst = d, where = x[i];
      EXPECT_LE(worst, f.limit) << "function " << static_cast<int>(f.function) << "@" << isa_name(isa)
                                << " at " << where;
    }
}

TEST(UnaryKernels, EluKeepsItsAccuracyNearZero) {
  for (Isa isa : available_isas())
    for (float x : {-1e-30f, -1e-8f, -1e-3f, -0.3f, -5.0f, -80.0f, -inf}) {
      float y = 0;
      apply(isa, Unary::Elu, &x, &y, 1, 1.0f, 0);
      EXPECT_LE(ulps(y, std::expm1(static_cast<double>(x))), 3) << x << "@" << isa_name(isa);
    }
}

// What is lost is a share of the argument: of the result itself in the tail, which is far below it.
TEST(UnaryKernels, GeluIsWithinAFewUnitsOfItsArgument) {
  const std::vector<float> x = arguments();
  std::vector<float> y(x.size());
  for (Isa isa : available_isas()) {
    apply(isa, Unary::Gelu, x.data(), y.data(), static_cast<int64_t>(x.size()), 0, 0);
    double worst = 0;
    for (size_t i = 0; i < x.size(); i++) {
      const double d = x[i], exact = d * 0.5 * std::erfc(d * -0.70710678118654752440);
      if (std::isfinite(x[i]) && std::abs(d) > 1e-30)
        worst = std::max(worst, std::abs(y[i] - exact) / std::abs(d));
      if (x[i] < -6 && std::isfinite(x[i])) { EXPECT_EQ(y[i], 0) << x[i] << "@" << isa_name(isa); }
      EXPECT_EQ(std::isnan(y[i]), std::isnan(exact)) << x[i] << "@" << isa_name(isa);
    }
    EXPECT_LE(worst, 2e-7) << isa_name(isa);
  }
}

TEST(UnaryKernels, SoftplusKeepsItsAccuracyInItsTail) {
  for (Isa isa : available_isas())
    for (float x : {-80.0f, -20.0f, -3.0f, 0.0f, 3.0f, 50.0f, 200.0f}) {
      float y = 0;
      apply(isa, Unary::Softplus, &x, &y, 1, 0, 0);
      EXPECT_LE(ulps(y, std::max(x, 0.0f) + std::log1p(std::exp(-std::abs(static_cast<double>(x))))), 4) << x;
    }
}

TEST(UnaryKernels, GiveTheSameBitsAtEveryPlace) {
  for (Isa isa : available_isas())
    for (int u = 0; u < static_cast<int>(Unary::count); u++) {
      const float a = 0.3f, b = 0.7f;
      float all[70], one = 0, in[70];
      for (int i = 0; i < 70; i++) in[i] = static_cast<float>(i - 35) * 0.13f;
      apply(isa, static_cast<Unary>(u), in, all, 70, a, b);
      for (int i = 0; i < 70; i++) {
        apply(isa, static_cast<Unary>(u), in + i, &one, 1, a, b);
        EXPECT_EQ(std::memcmp(&one, &all[i], 4), 0)
            << "function " << u << " at " << in[i] << "@" << isa_name(isa);
      }
    }
}

TEST(UnaryTactic, AgreesWithTheReferenceForEveryOperator) {
  static constexpr const char* names[] = {
#define UNARY(name, expression) #name,
#include "ops/unary.def"
#undef UNARY
  };
  int operators = 0;
  for (const char* name : names) {
    if (!find_op(name)) continue;  // an activation only
    operators++;
    for (int64_t n = 0; n <= 35; n++) EXPECT_GE(check({.op = name, .in = {random_f32({n})}}), 1) << name;
    EXPECT_GE(check({.op = name, .in = {random_f32({3, 5, 7})}}), 1) << name;
    EXPECT_GE(check({.op = name, .in = {random_f32({2, 9001}, -8, 8)}}), 1) << name;
    EXPECT_GE(check({.op = name, .in = {random_f32({})}}), 1) << name;
    const Tensor special = f32({8}, {0.0f, -0.0f, inf, -inf, nan, 1e-40f, 3e38f, -3e38f});
    EXPECT_GE(check({.op = name, .in = {special}}), 1) << name;
  }
  EXPECT_GT(operators, 0);
}

TEST(UnaryTactic, RefusesWhatIsNotFloat) {
  EXPECT_NE(refusal({.op = "Relu", .in = {random_ints(DType::i32, {4}, -3, 3)}}, "unary_f32"), "");
  EXPECT_EQ(refusal({.op = "Relu", .in = {random_f32({4})}}, "unary_f32"), "");
}

TEST(Activations, AreFoundByName) {
  EXPECT_EQ(find_unary("Relu"), Unary::Relu);
  EXPECT_EQ(find_unary("HardSwish"), Unary::HardSwish);
  EXPECT_FALSE(find_unary("relu"));
}

}  // namespace
}  // namespace hone::test
