#include <limits>

#include "harness.h"

namespace hone::test {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

constexpr const char* operators[] = {"Add", "Div", "Max", "Min", "Mul", "PRelu", "Sub"};

TEST(BinaryTactic, HandlesEveryLength) {
  for (const char* op : operators)
    for (int64_t n = 0; n <= 35; n++) {
      EXPECT_GE(check({.op = op, .in = {random_f32({n}), random_f32({n})}}), 1);
      EXPECT_GE(check({.op = op, .in = {random_f32({2, n}), random_f32({})}}), 1);
    }
}

TEST(BinaryTactic, HandlesEveryKindOfBroadcasting) {
  const std::pair<Shape, Shape> shapes[] = {{{2, 3, 4, 5}, {2, 3, 4, 5}},
                                            {{2, 3, 4, 5}, {5}},
                                            {{2, 3, 4, 5}, {2, 1, 1, 5}},
                                            {{2, 3, 4, 5}, {3, 1, 1}},
                                            {{2, 3, 4, 5}, {2, 1, 4, 1}},
                                            {{2, 3, 4, 5}, {1}},
                                            {{2, 3, 4, 1}, {2, 3, 4, 1}},
                                            {{3, 1}, {3, 1}},
                                            {{2, 3, 1, 5}, {4, 1}},
                                            {{4, 1, 1, 37}, {1, 3, 2, 1}},
                                            {{1, 9000}, {1, 9000}},
                                            {{3, 17000}, {17000}},
                                            {{700, 16}, {16}},
                                            {{2, 60, 60, 8}, {2, 1, 1, 8}}};
  for (const char* op : operators)
    for (const auto& [x, y] : shapes) {
      // The slope of PRelu is broadcast to x, but x not to it.
      if (op != std::string("PRelu") || *broadcast(x, y) == x) {
        EXPECT_GE(check({.op = op, .in = {random_f32(x), random_f32(y, 0.5f, 2)}}), 1);
      }
      if (op != std::string("PRelu")) {
        EXPECT_GE(check({.op = op, .in = {random_f32(y), random_f32(x, 0.5f, 2)}}), 1);
      }
    }
}

TEST(BinaryTactic, TreatsSpecialValuesAsTheReferenceDoes) {
  const std::vector<float> v = {0.0f, -0.0f, 1.0f, inf, -inf, nan, 1e-40f, 3e38f};
  std::vector<float> x, y;
  for (float a : v)
    for (float b : v) {
      x.push_back(a);
      y.push_back(b);
    }
  const Shape s{static_cast<Dim>(x.size())};
  for (const char* op : operators) EXPECT_GE(check({.op = op, .in = {f32(s, x), f32(s, y)}}), 1);
}

TEST(BinaryTactic, FusesTheActivationOfAdd) {
  for (const char* name : {"Relu", "Clip", "HardSwish"})
    for (const Shape& y : {Shape{2, 9, 5}, Shape{5}}) {
      EXPECT_GE(check({.op = "Add",
                       .attrs = attrs({{"activation", std::string(name)},
                                       {"activation_alpha", -0.5f},
                                       {"activation_beta", 0.7f}}),
                       .in = {random_f32({2, 9, 5}), random_f32(y)}}),
                1);
    }
}

TEST(BinaryTactic, RefusesOtherTypesAndCounts) {
  EXPECT_NE(
      refusal({.op = "Add", .in = {random_ints(DType::i64, {3}, 0, 9), random_ints(DType::i64, {3}, 0, 9)}},
              "binary_f32"),
      "");
  EXPECT_NE(refusal({.op = "Max", .in = {random_f32({3}), random_f32({3}), random_f32({3})}}, "binary_f32"),
            "");
}

TEST(PowTactic, SquaresAndCubes) {
  for (float e : {2.0f, 3.0f})
    for (int64_t n : {1, 5, 17, 20000})
      EXPECT_GE(check({.op = "Pow", .in = {random_f32({n, 2}), scalar_f32(e)}, .constants = {1}}), 1);
  EXPECT_NE(
      refusal({.op = "Pow", .in = {random_f32({2}), scalar_f32(2.5f)}, .constants = {1}}, "pow_constant_f32"),
      "");
  EXPECT_NE(refusal({.op = "Pow", .in = {random_f32({2}), scalar_f32(2)}}, "pow_constant_f32"), "");
}

TEST(WhereTactic, HandlesEveryKindOfBroadcasting) {
  const Shape kinds[] = {{2, 3, 21}, {21}, {3, 1}, {}};
  for (const Shape& c : kinds)
    for (const Shape& x : kinds)
      for (const Shape& y : kinds)
        EXPECT_GE(check({.op = "Where",
                         .in = {random_ints(DType::boolean, c, 0, 1), random_f32(x), random_f32(y)}}),
                  1);
}

}  // namespace
}  // namespace hone::test
