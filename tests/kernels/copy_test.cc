#include <algorithm>
#include <numeric>

#include "harness.h"

namespace hone::test {
namespace {

using Ints = std::vector<int64_t>;

constexpr DType types[] = {DType::u8, DType::f16, DType::f32, DType::i64};
Tensor data(DType d, const Shape& s) { return random_ints(d, s, INT64_MIN, INT64_MAX); }
// Random bits may be NaNs, which compare by bytes; so f32 is moved as u32.
Tensor bits(const Shape& s) { return data(DType::u32, s); }

Case transpose(const Tensor& x, const Ints& perm) {
  return {.op = "Transpose", .attrs = attrs({{"perm", perm}}), .in = {x}};
}

TEST(TransposeTactic, HandlesEverySizeOfEveryType) {
  for (DType d : {DType::u8, DType::u16, DType::u32, DType::i64})
    for (int64_t rows : {1, 2, 3, 4, 5, 8, 15, 16, 17, 33})
      for (int64_t columns = 1; columns <= 35; columns += columns < 6 ? 1 : 3)
        EXPECT_GE(check(transpose(data(d, {rows, columns}), {1, 0})), 1);
}

TEST(TransposeTactic, HandlesEveryPermutation) {
  Ints perm = {0, 1, 2, 3};
  do {
    EXPECT_GE(check(transpose(bits({2, 3, 5, 7}), perm)), 1);
    EXPECT_GE(check(transpose(bits({1, 17, 2, 18}), perm)), 1);
  } while (std::next_permutation(perm.begin(), perm.end()));
}

TEST(TransposeTactic, ChangesLayoutsOfImages) {
  for (int64_t c : {1, 2, 3, 4, 5, 24, 130}) {
    EXPECT_GE(check(transpose(bits({2, c, 37, 41}), {0, 2, 3, 1})), 1);
    EXPECT_GE(check(transpose(bits({2, 37, 41, c}), {0, 3, 1, 2})), 1);
  }
}

TEST(TransposeTactic, RefusesStringsAndPackedTypes) {
  EXPECT_NE(refusal(transpose(*Tensor::allocate(DType::string, {2, 2}), {1, 0}), "transpose_copy"), "");
}

TEST(ChannelShuffleTactic, HandlesEveryAxisAndGroups) {
  for (int64_t axis : {0, 1, 3})
    for (int64_t groups : {1, 2, 3, 4, 12})
      EXPECT_GE(check({.op = "ChannelShuffle",
                       .attrs = attrs({{"axis", axis}, {"groups", groups}}),
                       .in = {bits({12, 12, 7, 12})}}),
                1);
}

TEST(ConcatTactic, HandlesEveryAxisAndType) {
  for (DType d : {DType::u8, DType::u16, DType::u32, DType::i64})
    for (int64_t axis : {-1, 0, 1, 2}) {
      const auto of = [&](int64_t n) {
        Shape s{3, 4, 5};
        s[static_cast<size_t>(axis < 0 ? axis + 3 : axis)] = n;
        return data(d, s);
      };
      EXPECT_GE(
          check({.op = "Concat", .attrs = attrs({{"axis", axis}}), .in = {of(2), of(1), of(17), of(0)}}), 1);
    }
  EXPECT_GE(check({.op = "Concat",
                   .attrs = attrs({{"axis", int64_t{3}}}),
                   .in = {bits({1, 40, 40, 31}), bits({1, 40, 40, 64})}}),
            1);
}

TEST(SplitTactic, HandlesEveryAxisAndType) {
  for (DType d : {DType::u8, DType::u16, DType::u32, DType::i64})
    for (int64_t axis : {-1, 0, 1, 2})
      EXPECT_GE(check({.op = "Split",
                       .attrs = attrs({{"axis", axis}}),
                       .in = {data(d, {7, 7, 7}), i64s({2, 1, 4})},
                       .constants = {1},
                       .outputs = 3}),
                1);
  EXPECT_GE(check({.op = "Split",
                   .attrs = attrs({{"axis", int64_t{2}}, {"num_outputs", int64_t{3}}}),
                   .in = {bits({20, 30, 95})},
                   .outputs = 3}),
            1);
}

TEST(ConcatAndSplitTactics, SkipPartsThatAreInPlace) {
  Operand part{DType::u8, Shape{2, 3}, 5}, other{DType::u8, Shape{2, 2}, 2}, whole{DType::u8, Shape{2, 5}, 5};
  Attrs a = attrs({{"axis", int64_t{1}}});
  uint8_t memory[10] = {1, 2, 3, 0, 0, 4, 5, 6, 0, 0};
  const uint8_t two[4] = {7, 8, 9, 10}, want[10] = {1, 2, 3, 7, 8, 4, 5, 6, 9, 10};
  const Operand parts[] = {part, other};
  const Tactic* concat = find_tactic("Concat", "concat_copy");
  Problem p{find_op("Concat"), &a, parts, std::span(&whole, 1), available_isas().back(), 1};
  Prepared prepared;
  ASSERT_TRUE(concat->prepare(p, prepared));
  ThreadPool pool(1);
  const void* in[] = {memory, two};
  void* out[] = {memory};
  concat->run({prepared.params.data(), nullptr, in, out, nullptr, pool});
  EXPECT_TRUE(std::equal(want, want + 10, memory));
}

TEST(SliceTactic, HandlesStepsAndEnds) {
  struct Cut {
    Ints starts, ends, axes, steps;
  };
  const Cut cuts[] = {{{1}, {3}, {0}, {1}},
                      {{-3}, {100}, {2}, {1}},
                      {{0, 1}, {9, 9}, {1, 2}, {2, 3}},
                      {{-1}, {-100}, {2}, {-1}},
                      {{100, 4}, {0, -100}, {0, 1}, {-2, -1}},
                      {{3}, {2}, {1}, {1}},
                      {{0, 0, 0}, {4, 5, 19}, {0, 1, 2}, {1, 1, 4}},
                      {{2}, {3}, {2}, {-1}},
                      {{-100}, {2}, {2}, {1}}};
  for (DType d : {DType::u8, DType::u16, DType::u32, DType::i64})
    for (const Cut& c : cuts)
      EXPECT_GE(check({.op = "Slice",
                       .in = {data(d, {4, 5, 19}), i64s(c.starts), i64s(c.ends), i64s(c.axes), i64s(c.steps)},
                       .constants = {1, 2, 3, 4}}),
                1);
  EXPECT_GE(check({.op = "Slice", .in = {bits({6, 7}), i64s({1, 2}), i64s({5, 6})}, .constants = {1, 2}}), 1);
  EXPECT_NE(
      refusal({.op = "Slice", .in = {bits({6, 7}), i64s({1}), i64s({5})}, .constants = {2}}, "slice_copy"),
      "");
}

TEST(ExpandAndTileTactics, RepeatAnyAxis) {
  for (DType d : {DType::u8, DType::u16, DType::u32, DType::i64}) {
    for (const Ints& to : {Ints{2, 3, 4, 5}, Ints{3, 1, 5}, Ints{3, 17, 5}, Ints{1}})
      EXPECT_GE(check({.op = "Expand", .in = {data(d, {3, 1, 5}), i64s(to)}, .constants = {1}}), 1);
    EXPECT_GE(check({.op = "Expand", .in = {data(d, {9, 1}), i64s({9, 33})}, .constants = {1}}), 1);
    for (const Ints& n : {Ints{1, 1, 1}, Ints{2, 3, 4}, Ints{1, 1, 9}, Ints{3, 1, 1}, Ints{1, 0, 1}})
      EXPECT_GE(check({.op = "Tile", .in = {data(d, {3, 2, 5}), i64s(n)}, .constants = {1}}), 1);
  }
}

TEST(DepthTactics, HandleBothLayoutsAndModes) {
  for (int64_t last : {0, 1})
    for (int64_t b : {1, 2, 3}) {
      for (const char* mode : {"DCR", "CRD"}) {
        const Shape s = last ? Shape{2, 3, 4, 5 * b * b} : Shape{2, 5 * b * b, 3, 4};
        EXPECT_GE(
            check({.op = "DepthToSpace",
                   .attrs = attrs({{"blocksize", b}, {"mode", std::string(mode)}, {"channels_last", last}}),
                   .in = {bits(s)}}),
            1);
      }
      const Shape s = last ? Shape{2, 3 * b, 4 * b, 5} : Shape{2, 5, 3 * b, 4 * b};
      EXPECT_GE(check({.op = "SpaceToDepth",
                       .attrs = attrs({{"blocksize", b}, {"channels_last", last}}),
                       .in = {bits(s)}}),
                1);
    }
}

TEST(GatherTactic, HandlesEveryAxis) {
  for (DType d : types)
    for (int64_t axis : {-1, 0, 1}) {
      const Tensor x = random_ints(d == DType::f32 ? DType::u32 : d, {4, 5, 6}, 0, 1 << 14);
      EXPECT_GE(check({.op = "Gather",
                       .attrs = attrs({{"axis", axis}}),
                       .in = {x, i64s({0, -1, 2, 2})},
                       .constants = {1}}),
                1);
    }
  const Tensor indices = random_ints(DType::i32, {50, 3}, -300, 299);
  EXPECT_GE(check({.op = "Gather", .in = {bits({300, 19}), indices}, .constants = {1}}), 1);
}

TEST(GatherTactic, RefusesIndicesThatItCannotTrust) {
  const std::vector<Tensor> in = {bits({4, 5}), i64s({0, 3})};
  EXPECT_EQ(refusal({.op = "Gather", .in = in, .constants = {1}}, "gather_copy"), "");
  EXPECT_NE(refusal({.op = "Gather", .in = in}, "gather_copy"), "");
}

TEST(PadTactic, AddsAndCutsOnEverySide) {
  for (DType d : {DType::u8, DType::u16, DType::u32, DType::i64})
    for (const Ints& pads :
         {Ints{0, 0, 0, 0, 0, 0}, Ints{0, 1, 0, 0, 2, 0}, Ints{1, 2, 3, 4, 5, 6}, Ints{-1, 0, 2, 1, -2, 0},
          Ints{0, 0, -1, 0, 0, -3}, Ints{0, 0, 1, 0, 0, 1}, Ints{-2, 9, 0, 0, -4, 0}})
      for (bool value : {false, true}) {
        std::vector<Tensor> in = {data(d, {3, 5, 7}), i64s(pads)};
        if (value) in.push_back(data(d, {}));
        EXPECT_GE(check({.op = "Pad", .in = in, .constants = {1}}), 1);
      }
  EXPECT_GE(check({.op = "Pad",
                   .in = {bits({2, 33, 35, 8}), i64s({1, 2, 0, 1}), Tensor(), i64s({1, -2})},
                   .constants = {1, 3}}),
            1);
  EXPECT_NE(refusal({.op = "Pad",
                     .attrs = attrs({{"mode", std::string("edge")}}),
                     .in = {bits({3, 3}), i64s({1, 0, 0, 1})},
                     .constants = {1}},
                    "pad_constant"),
            "");
}

}  // namespace
}  // namespace hone::test
