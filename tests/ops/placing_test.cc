// Operators that put parts into larger tensors, and what they refuse.
#include <limits>

#include "ops/eval_op.h"

namespace hone {
namespace {
constexpr int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();

TEST(CenterCropPad, CutsAndPadsTheOddElementAtTheEnd) {
  const Tensor x = floats({5}, {1, 2, 3, 4, 5});
  EXPECT_EQ(elements<float>(eval_op("CenterCropPad", {x, ints({2})})), (std::vector<float>{2, 3}));
  EXPECT_EQ(elements<float>(eval_op("CenterCropPad", {x, ints({8})})),
            (std::vector<float>{0, 1, 2, 3, 4, 5, 0, 0}));
  EXPECT_EQ(elements<float>(eval_op("CenterCropPad", {x, ints({0})})), (std::vector<float>{}));
  const Tensor m = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(elements<float>(eval_op("CenterCropPad", {m, ints({1})}, with("axes", Ints{-1}))),
            (std::vector<float>{2, 5}));
}

TEST(CenterCropPad, RefusesWrongAxesAndSizes) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  expect_refused(eval_op("CenterCropPad", {x, ints({-1, 2})}), "-1");
  expect_refused(eval_op("CenterCropPad", {x, ints({most, most})}), "2^40");
  expect_refused(eval_op("CenterCropPad", {x, ints({1})}), "1 numbers for 2 axes");
  expect_refused(eval_op("CenterCropPad", {x, ints({1, 1})}, with("axes", Ints{0, -2})), "twice");
  expect_refused(eval_op("CenterCropPad", {x, ints({1})}, with("axes", Ints{2})), "axis 2");
}

TEST(MaxUnpool, RefusesIndicesOutsideTheMap) {
  const Tensor x = floats({1, 1, 2}, {5, 6});
  const auto run = [&](std::vector<int64_t> at, Attrs attrs, std::vector<int64_t> shape = {}) {
    std::vector<Value> in{x, ints({1, 1, 2}, at)};
    if (!shape.empty()) in.push_back(ints(shape));
    return eval_op("MaxUnpool", in, std::move(attrs));
  };
  const Attrs pair = with("kernel_shape", Ints{2}, "strides", Ints{2});
  EXPECT_EQ(elements<float>(run({1, 2}, pair)), (std::vector<float>{0, 5, 6, 0}));
  EXPECT_EQ(elements<float>(run({1, 2}, pair, {1, 1, 5})), (std::vector<float>{0, 5, 6, 0, 0}));
  for (const int64_t bad : {int64_t{4}, int64_t{-1}, least, most})
    expect_refused(run({0, bad}, pair), std::to_string(bad));
  expect_refused(run({0, 3}, pair, {1, 1, 3}), "index 3");
  expect_refused(run({0, 1}, pair, {1, 1, -3}), "-3");
  expect_refused(run({0, 1}, pair, {1, 1, most}), "2^40");
  expect_refused(run({0, 1}, with("kernel_shape", Ints{0})), "kernel_shape has 0");
  expect_refused(run({0, 1}, with("kernel_shape", Ints{2, 2})), "expected 1");
  expect_refused(run({0, 1}, with("kernel_shape", Ints{2}, "pads", Ints{9, 9})), "leave nothing");
  expect_refused(eval_op("MaxUnpool", {x, ints({1, 1, 1}, {0})}, pair), "the same");
}

TEST(Col2Im, AddsOverlapsAndRefusesWhatDoesNotFit) {
  const Tensor x = floats({1, 2, 2}, {1, 2, 3, 4});  // two taps at two places of a line of three
  EXPECT_EQ(elements<float>(eval_op("Col2Im", {x, ints({3}), ints({2})})), (std::vector<float>{1, 5, 4}));
  expect_refused(eval_op("Col2Im", {x, ints({4}), ints({2})}), "3 columns");
  expect_refused(eval_op("Col2Im", {x, ints({4}), ints({3})}), "multiple of 3");
  expect_refused(eval_op("Col2Im", {x, ints({0}), ints({2})}), "image of 0");
  expect_refused(eval_op("Col2Im", {x, ints({3}), ints({most})}), std::to_string(most));
  expect_refused(eval_op("Col2Im", {x, ints({3, 3}), ints({2})}), "as many");
  expect_refused(eval_op("Col2Im", {x, ints({3}), ints({2})}, with("strides", Ints{0})), "strides");
  expect_refused(eval_op("Col2Im", {floats({2, 2}, {1, 2, 3, 4}), ints({3}), ints({2})}), "expected [N");
}

TEST(DeformConv, IsAConvolutionWhereTheOffsetsAreZeroAndMovesWithThem) {
  Numbers numbers;
  const Tensor x = numbers.floats({2, 4, 5, 6}), w = numbers.floats({6, 2, 3, 2}), b = numbers.floats({6});
  Attrs conv = attrs_of({{"group", int64_t{2}}, {"pads", Ints{1, 0, 1, 1}}, {"strides", Ints{2, 1}}});
  const auto plain = elements<float>(eval_op("Conv", {x, w, b}, conv));
  Attrs deform = conv;
  deform.set("offset_group", int64_t{2});
  const Tensor none = tensor(DType::f32, {2, 24, 3, 6}, std::vector<float>(2 * 24 * 3 * 6, 0.0f));
  const auto same = elements<float>(eval_op("DeformConv", {x, w, none, b}, deform));
  ASSERT_EQ(same.size(), plain.size());
  for (size_t i = 0; i < same.size(); i++) ASSERT_NEAR(same[i], plain[i], 1e-4f) << i;
  // One tap of weight 1 on a 1 x 3 image, moved to the right by 1/4: between neighbours, then out of it.
  const Tensor line = floats({1, 1, 1, 3}, {0, 4, 8}), one = floats({1, 1, 1, 1}, {1});
  const Tensor move = floats({1, 2, 1, 3}, {0, 0, 0, 0.25f, 0.25f, 0.25f});
  EXPECT_EQ(elements<float>(eval_op("DeformConv", {line, one, move})), (std::vector<float>{1, 5, 6}));
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor away = floats({1, 2, 1, 3}, {0, 0, 0, inf, -inf, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(elements<float>(eval_op("DeformConv", {line, one, away})), (std::vector<float>{0, 0, 0}));
}

TEST(DeformConv, RefusesOffsetsAndGroupsThatDoNotFit) {
  const Tensor x = floats({1, 1, 2, 2}, {1, 2, 3, 4}), w = floats({1, 1, 1, 1}, {1});
  const Tensor offset = tensor(DType::f32, {1, 2, 2, 2}, std::vector<float>(8));
  EXPECT_EQ(elements<float>(eval_op("DeformConv", {x, w, offset})), (std::vector<float>{1, 2, 3, 4}));
  for (const int64_t bad : {int64_t{0}, int64_t{2}, least, most})
    expect_refused(eval_op("DeformConv", {x, w, offset}, with("offset_group", bad)), std::to_string(bad));
  expect_refused(eval_op("DeformConv", {x, w, tensor(DType::f32, {1, 2, 1, 2}, std::vector<float>(4))}),
                 "the offset has shape");
  expect_refused(eval_op("DeformConv", {x, w, offset, Value(), offset}), "the mask has shape");
  expect_refused(eval_op("DeformConv", {x, w, offset}, with("strides", Ints{0, 1})), "strides");
  expect_refused(eval_op("DeformConv", {floats({1, 1, 2}, {1, 2}), w, offset}), "images");
}

TEST(TensorScatter, WritesAtTheIndexOfEachBatchAndWrapsOnlyIfCircular) {
  const Tensor cache = floats({1, 3, 1}, {1, 2, 3}), update = floats({1, 2, 1}, {8, 9});
  EXPECT_EQ(elements<float>(eval_op("TensorScatter", {cache, update, ints({1})})),
            (std::vector<float>{1, 8, 9}));
  EXPECT_EQ(elements<float>(eval_op("TensorScatter", {cache, update})), (std::vector<float>{8, 9, 3}));
  const Attrs circular = with("mode", std::string("circular"));
  EXPECT_EQ(elements<float>(eval_op("TensorScatter", {cache, update, ints({2})}, circular)),
            (std::vector<float>{9, 2, 8}));
  for (const int64_t bad : {int64_t{2}, int64_t{-1}, least, most})
    expect_refused(eval_op("TensorScatter", {cache, update, ints({bad})}), std::to_string(bad));
  for (const int64_t bad : {int64_t{3}, int64_t{-1}, least, most})
    expect_refused(eval_op("TensorScatter", {cache, update, ints({bad})}, circular), std::to_string(bad));
  expect_refused(eval_op("TensorScatter", {cache, update, ints({0})}, with("mode", std::string("ring"))),
                 "'ring'");
  expect_refused(eval_op("TensorScatter", {cache, update}, with("axis", int64_t{0})), "batch");
  expect_refused(eval_op("TensorScatter", {update, cache}), "shorter");
  expect_refused(eval_op("TensorScatter", {cache, update, ints({0, 0})}), "one per batch");
}

}  // namespace
}  // namespace hone
