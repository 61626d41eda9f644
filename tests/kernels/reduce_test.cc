#include <limits>

#include "harness.h"

namespace hone::test {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr const char* reductions[] = {"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"};

Case reduction(const char* op, const Shape& s, std::vector<int64_t> axes, int64_t keepdims = 1) {
  return {.op = op,
          .attrs = attrs({{"keepdims", keepdims}}),
          .in = {random_f32(s), axes.empty() ? Tensor() : i64s(axes)},
          .constants = {1},
          .absolute = 1e-5f};
}

TEST(ReduceTactics, HandleEveryLength) {
  for (const char* op : reductions)
    for (int64_t n = 1; n <= 70; n += n < 36 ? 1 : 7) {
      EXPECT_GE(check(reduction(op, {3, n}, {1})), 1);
      EXPECT_GE(check(reduction(op, {n, 3}, {0})), 1);
      EXPECT_GE(check(reduction(op, {5, n}, {0})), 1);
    }
}

TEST(ReduceTactics, HandleEverySetOfAxes) {
  for (const char* op : reductions)
    for (int set = 0; set < 16; set++)
      for (int64_t keepdims : {0, 1}) {
        std::vector<int64_t> axes;
        for (int i = 0; i < 4; i++)
          if (set >> i & 1) axes.push_back(i % 2 ? i : i - 4);  // some from the end
        EXPECT_GE(check(reduction(op, {2, 3, 5, 7}, axes, keepdims)), 1);
        EXPECT_GE(check(reduction(op, {3, 1, 4, 1}, axes, keepdims)), 1);
      }
}

TEST(ReduceTactics, CutLongReductionsAlikeForAnyNumberOfThreads) {
  const std::pair<Shape, std::vector<int64_t>> cases[] = {{{200000}, {0}},           {{2, 90001}, {1}},
                                                          {{30000, 3}, {0}},         {{80, 1000}, {0}},
                                                          {{1, 70, 70, 17}, {1, 2}}, {{30, 40, 30}, {0, 2}}};
  for (const char* op : reductions)
    for (const auto& [shape, axes] : cases) {
      Case c = reduction(op, shape, axes);
      c.absolute = op == std::string("ReduceSum") ? 1e-2f : 1e-5f;
      EXPECT_GE(check(c), 1);
    }
}

TEST(ReduceTactics, KeepNaNsAndInfinities) {
  std::vector<float> v(60, 1.0f);
  v[3] = nan;
  v[17] = inf;
  v[25] = -inf;
  for (const char* op : reductions)
    for (int64_t axis : {0, 1}) {
      Case c = reduction(op, {5, 12}, {axis});
      c.in[0] = f32({5, 12}, v);
      EXPECT_GE(check(c), 1);
    }
}

TEST(ReduceTactics, RefuseAxesThatAreNotConstant) {
  Case c = reduction("ReduceSum", {2, 3}, {1});
  EXPECT_EQ(refusal(c, "reduce_sum_f32"), "");
  c.constants.clear();
  EXPECT_NE(refusal(c, "reduce_sum_f32"), "");
}

TEST(SoftmaxTactics, HandleEveryAxisAndLength) {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    for (int64_t n = 1; n <= 35; n++)
      for (int64_t axis : {0, 1, 2})
        EXPECT_GE(check({.op = op, .attrs = attrs({{"axis", axis}}), .in = {random_f32({3, n, 5}, -9, 9)}}),
                  1);
    for (int64_t axis : {-1, 1, 2})
      EXPECT_GE(
          check({.op = op, .attrs = attrs({{"axis", axis}}), .in = {random_f32({2, 16, 4, 700}, -9, 9)}}), 1);
    EXPECT_GE(check({.op = op, .in = {random_f32({3, 5000}, -50, 50)}}), 1);
  }
}

// The meaning that Softmax had below opset 13.
TEST(SoftmaxTactics, LeaveSeveralAxesAsOneToTheReference) {
  for (const int64_t axis : {int64_t{0}, int64_t{1}, int64_t{2}}) {
    const Case c{.op = "Softmax",
                 .attrs = attrs({{"axis", axis}, {"flatten", int64_t{1}}}),
                 .in = {random_f32({2, 3, 4})}};
    EXPECT_EQ(check(c), 0) << axis;
  }
}

TEST(SoftmaxTactics, TreatSpecialValuesAsTheReferenceDoes) {
  for (const char* op : {"Softmax", "LogSoftmax"})
    for (int64_t axis : {0, 1}) {
      const Tensor x =
          f32({4, 4}, {0, 1, -inf, 1e30f, nan, 0, 1, 2, 100, 200, 300, 400, 0, -0.0f, 1e-40f, -1e30f});
      EXPECT_GE(check({.op = op, .attrs = attrs({{"axis", axis}}), .in = {x}}), 1);
    }
}

TEST(NormTactics, LayerNormalizationHandlesEveryLength) {
  for (int64_t n = 1; n <= 35; n++)
    for (bool bias : {false, true}) {
      std::vector<Tensor> in = {random_f32({3, 2, n}, -5, 20), random_f32({n})};
      if (bias) in.push_back(random_f32({n}));
      EXPECT_GE(check({.op = "LayerNormalization", .in = in, .absolute = 2e-5f}), 1);
    }
  EXPECT_GE(check({.op = "LayerNormalization",
                   .attrs = attrs({{"axis", int64_t{1}}}),
                   .in = {random_f32({20, 7, 30}), random_f32({7, 30}), random_f32({7, 30})},
                   .outputs = 3,
                   .absolute = 2e-5f}),
            1);
}

TEST(NormTactics, BatchNormalizationHandlesBothLayouts) {
  for (int64_t last : {0, 1})
    for (const Shape& s : {Shape{2, 3, 5, 4}, Shape{1, 17, 6}, Shape{4, 9}, Shape{2, 40, 30, 33}}) {
      const int64_t c = last || s.rank() == 2 ? s.back() : s[1];
      EXPECT_GE(check({.op = "BatchNormalization",
                       .attrs = attrs({{"channels_last", last}}),
                       .in = {random_f32(s), random_f32({c}), random_f32({c}), random_f32({c}),
                              random_f32({c}, 0.1f, 2)},
                       .absolute = 1e-5f}),
                1);
    }
}

TEST(NormTactics, InstanceNormalizationHandlesBothLayouts) {
  for (int64_t last : {0, 1})
    for (int64_t n : {1, 2, 5, 16, 33, 70, 131}) {
      const int64_t c = last ? n : 3;
      EXPECT_GE(check({.op = "InstanceNormalization",
                       .attrs = attrs({{"channels_last", last}}),
                       .in = {random_f32({2, 3, 6, n}, -3, 7), random_f32({c}), random_f32({c})},
                       .absolute = 2e-5f}),
                1);
    }
}

}  // namespace
}  // namespace hone::test
