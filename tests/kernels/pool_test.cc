#include <limits>

#include "harness.h"

namespace hone::test {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

using Ints = std::vector<int64_t>;

Attrs pool(const Ints& kernel, const Ints& strides, const Ints& pads, std::vector<Attrs::Item> more = {}) {
  Attrs a = attrs(std::move(more));
  a.set("channels_last", int64_t{1});
  a.set("kernel_shape", kernel);
  if (!strides.empty()) a.set("strides", strides);
  if (!pads.empty()) a.set("pads", pads);
  return a;
}

TEST(PoolTactics, HandleEveryNumberOfChannels) {
  for (const char* op : {"MaxPool", "AveragePool"})
    for (int64_t c = 1; c <= 35; c++)
      EXPECT_GE(
          check({.op = op, .attrs = pool({2, 3}, {2, 1}, {0, 1, 1, 0}), .in = {random_f32({1, 5, 4, c})}}),
          1);
  for (const char* op : {"MaxPool", "AveragePool"})
    EXPECT_GE(
        check({.op = op, .attrs = pool({3, 3}, {2, 2}, {1, 1, 1, 1}), .in = {random_f32({2, 9, 11, 131})}}),
        1);
}

TEST(PoolTactics, HandleEveryKindOfWindow) {
  const Attrs::Item ceil = {"ceil_mode", int64_t{1}};
  for (const char* op : {"MaxPool", "AveragePool"})
    for (int64_t size = 5; size <= 9; size++) {
      const std::vector<Tensor> in = {random_f32({2, size, size + 1, 5})};
      EXPECT_GE(check({.op = op, .attrs = pool({3, 3}, {2, 2}, {1, 1, 1, 1}), .in = in}), 1);
      EXPECT_GE(check({.op = op, .attrs = pool({3, 3}, {2, 2}, {1, 0, 0, 1}, {ceil}), .in = in}), 1);
      EXPECT_GE(check({.op = op, .attrs = pool({2, 2}, {3, 2}, {}, {ceil}), .in = in}), 1);
      EXPECT_GE(check({.op = op, .attrs = pool({5, 5}, {}, {2, 2, 2, 2}), .in = in}), 1);
      EXPECT_GE(check({.op = op, .attrs = pool({2, 2}, {1, 1}, {}, {{"dilations", Ints{2, 3}}}), .in = in}),
                1);
      EXPECT_GE(check({.op = op,
                       .attrs = pool({3, 2}, {2, 2}, {}, {{"auto_pad", std::string("SAME_UPPER")}}),
                       .in = in}),
                1);
      EXPECT_GE(
          check(
              {.op = op, .attrs = pool({4, 1}, {}, {}, {{"auto_pad", std::string("SAME_LOWER")}}), .in = in}),
          1);
    }
}

TEST(PoolTactics, CountPaddingWhereAsked) {
  for (const int64_t ceil : {0, 1})
    EXPECT_GE(check({.op = "AveragePool",
                     .attrs = pool({3, 3}, {2, 2}, {1, 1, 1, 1},
                                   {{"count_include_pad", int64_t{1}}, {"ceil_mode", ceil}}),
                     .in = {random_f32({1, 6, 8, 3})}}),
              1);
}

TEST(PoolTactics, HandleOneAndThreeDimensions) {
  for (const char* op : {"MaxPool", "AveragePool"}) {
    EXPECT_GE(check({.op = op, .attrs = pool({3}, {2}, {1, 1}), .in = {random_f32({2, 9, 5})}}), 1);
    EXPECT_GE(check({.op = op,
                     .attrs = pool({3, 2, 2}, {2, 1, 2}, {1, 0, 1, 1, 1, 0}),
                     .in = {random_f32({2, 5, 4, 6, 3})}}),
              1);
  }
}

TEST(PoolTactics, KeepNaNsAndInfinities) {
  std::vector<float> v(36, -inf);
  v[7] = nan;
  v[20] = inf;
  v[35] = 2;
  for (const char* op : {"MaxPool", "AveragePool"})
    EXPECT_GE(check({.op = op, .attrs = pool({2, 2}, {1, 1}, {1, 1, 1, 1}), .in = {f32({1, 6, 6, 1}, v)}}),
              1);
}

TEST(PoolTactics, RefuseWhatTheyCannotDo) {
  Attrs a = pool({2, 2}, {}, {});
  a.set("channels_last", int64_t{0});
  EXPECT_NE(refusal({.op = "MaxPool", .attrs = a, .in = {random_f32({1, 2, 4, 4})}}, "max_pool_f32"), "");
  EXPECT_NE(
      refusal({.op = "MaxPool", .attrs = a, .in = {random_f32({1, 2, 4, 4})}, .outputs = 2}, "max_pool_f32"),
      "");
}

TEST(GlobalPoolTactics, HandleBothLayoutsAndEverySize) {
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
    for (int64_t c = 1; c <= 35; c++)
      for (int64_t last : {0, 1})
        EXPECT_GE(
            check({.op = op, .attrs = attrs({{"channels_last", last}}), .in = {random_f32({2, c, 3, 5})}}),
            1);
    for (const Shape& s : {Shape{1, 7, 7, 1280}, Shape{1, 61, 60, 24}, Shape{3, 150, 160, 2},
                           Shape{2, 1, 1, 9}, Shape{2, 5, 9}})
      for (int64_t last : {0, 1})
        EXPECT_GE(check({.op = op, .attrs = attrs({{"channels_last", last}}), .in = {random_f32(s)}}), 1);
  }
}

}  // namespace
}  // namespace hone::test
