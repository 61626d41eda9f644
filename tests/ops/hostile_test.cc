// Values inside tensors and attributes that a model file may hold and an operator must refuse, or survive.
#include <cmath>
#include <limits>

#include "ops/eval_op.h"

namespace hone {
namespace {
constexpr int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();

TEST(Hostile, IndicesOutsideTheDataAreNamed) {
  const Tensor x = floats({2, 3}, {0, 1, 2, 3, 4, 5});
  for (int64_t bad : {int64_t{2}, int64_t{-3}, most, least}) {
    const std::string named = std::to_string(bad);
    expect_refused(eval_op("Gather", {x, ints({bad})}), named);
    expect_refused(eval_op("GatherElements", {x, ints({1, 1}, {bad})}), named);
    expect_refused(eval_op("GatherND", {x, ints({1, 1}, {bad})}), named);
    expect_refused(eval_op("ScatterElements", {x, ints({1, 1}, {bad}), floats({1, 1}, {9})}), named);
    expect_refused(eval_op("ScatterND", {x, ints({1, 1}, {bad}), floats({1, 3}, {9, 9, 9})}), named);
  }
  EXPECT_EQ(elements<float>(eval_op("Gather", {x, ints({-1})})), (std::vector<float>{3, 4, 5}));
}

TEST(Hostile, AxesOutsideTheRankOrGivenTwiceAreRefused) {
  const Tensor x = floats({1, 1, 2}, {1, 2});
  expect_refused(eval_op("Squeeze", {x, ints({0, -3})}), "twice");
  expect_refused(eval_op("Squeeze", {x, ints({3})}), "axis 3");
  expect_refused(eval_op("Squeeze", {x, ints({2})}), "not 1");
  expect_refused(eval_op("Unsqueeze", {x, ints({0, 0})}), "twice");
  expect_refused(eval_op("Unsqueeze", {x, ints({least})}), "outside");
  expect_refused(eval_op("Unsqueeze", {x, ints(std::vector<int64_t>(12, 0))}), "at most");
  expect_refused(eval_op("ReduceSum", {x, ints({1, 1})}), "twice");
  expect_refused(eval_op("ReduceSum", {x, ints({most})}), "outside");
  expect_refused(eval_op("Softmax", {x}, with("axis", int64_t{3})), "axis 3");
  expect_refused(eval_op("Concat", {x, x}, with("axis", least)), "outside");
  expect_refused(eval_op("CumSum", {x, Tensor::scalar(DType::i64, int64_t{3})}), "axis 3");
  expect_refused(eval_op("Transpose", {x}, with("perm", std::vector<int64_t>{0, 1, 1})), "permutation");
  expect_refused(eval_op("Transpose", {x}, with("perm", std::vector<int64_t>{0, 1, 3})), "permutation");
  expect_refused(eval_op("Transpose", {x}, with("perm", std::vector<int64_t>{0, 1})), "2 entries");
}

// Each would be more memory than there is; each is refused by its size alone.
TEST(Hostile, SizesAreCheckedBeforeAnythingIsAllocated) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  const int64_t big = int64_t{1} << 39;
  expect_refused(eval_op("Pad", {x, ints({0, 0, big, 0})}), "");
  expect_refused(eval_op("Pad", {x, ints({0, 0, most, 0})}), "2^40");
  expect_refused(eval_op("Pad", {x, ints({most, 0, most, 0})}), "2^40");
  expect_refused(eval_op("Pad", {x, ints({least, 0, 0, 0})}), "2^40");
  expect_refused(eval_op("Expand", {x, ints({most, 1, 1})}), "2^40");
  expect_refused(eval_op("Expand", {x, ints({-1, 1, 1})}), "negative");
  expect_refused(eval_op("Tile", {x, ints({most, 2})}), "2^40");
  expect_refused(eval_op("Tile", {x, ints({big, big})}), "2^40");
  expect_refused(eval_op("Tile", {x, ints({-1, 1})}), "-1");
  expect_refused(eval_op("ConstantOfShape", {ints({big, big, big})}), "2^40");
  expect_refused(eval_op("ConstantOfShape", {ints({-2})}), "-2");
  expect_refused(eval_op("ConstantOfShape", {ints(std::vector<int64_t>(13, 1))}), "dimensions");
  const auto scalar = [](int64_t v) { return Tensor::scalar(DType::i64, v); };
  expect_refused(eval_op("Range", {scalar(least), scalar(most), scalar(1)}), "2^40");
  expect_refused(eval_op("Range", {scalar(0), scalar(5), scalar(0)}), "step of 0");
  expect_refused(eval_op("OneHot", {ints({1, 2}), scalar(most), floats({2}, {0, 1})}), "depth");
  expect_refused(eval_op("OneHot", {ints({1, 2}), scalar(-1), floats({2}, {0, 1})}), "depth");
  expect_refused(eval_op("DepthToSpace", {claim(DType::f32, {1, 4, 2, 2})}, with("blocksize", most)),
                 "blocksize");
  expect_refused(eval_op("DepthToSpace", {claim(DType::f32, {1, 4, 2, 2})}, with("blocksize", int64_t{0})),
                 "blocksize");
  expect_refused(eval_op("SpaceToDepth", {claim(DType::f32, {1, int64_t{1} << 39, 2, 2})},
                         with("blocksize", int64_t{2})),
                 "2^40");
  // A dimension of 2^39 beside one of 0 takes no memory, but its index tables would.
  expect_refused(
      eval_op("Pad", {claim(DType::f32, {0, 2}), ints({0, big, 0, big})}, with("mode", std::string("edge"))),
      "");
}

TEST(Hostile, ReshapeRefusesWhatHasNoAnswer) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  expect_refused(eval_op("Reshape", {x, ints({-1, -1})}), "more than one");
  expect_refused(eval_op("Reshape", {x, ints({4, -1})}), "divide");
  expect_refused(eval_op("Reshape", {x, ints({7})}), "7 elements");
  expect_refused(eval_op("Reshape", {x, ints({-2})}), "-2");
  expect_refused(eval_op("Reshape", {x, ints({2, 3, 0})}), "dimension 2");
  expect_refused(eval_op("Reshape", {x, ints({most, most})}), "2^40");
  expect_refused(eval_op("Reshape", {x, ints({most, -1})}), "2^40");
  expect_refused(eval_op("Reshape", {x, ints({0, -1})}, with("allowzero", int64_t{1})), "dimension of 0");
  expect_refused(eval_op("Reshape", {x, ints(std::vector<int64_t>(13, 1))}), "13");
}

TEST(Hostile, SplitAndConcatRefusePartsThatDoNotFit) {
  const Tensor x = floats({4}, {1, 2, 3, 4});
  expect_refused(eval_op("Split", {x, ints({1, 2})}, {}, 2), "add up to 3");
  expect_refused(eval_op("Split", {x, ints({-1, 5})}, {}, 2), "-1");
  expect_refused(eval_op("Split", {x, ints({most, most})}, {}, 2), std::to_string(most));
  expect_refused(eval_op("Split", {x, ints({4})}, {}, 2), "2 outputs");
  expect_refused(
      eval_op("Concat", {floats({1, 2}, {1, 2}), floats({1, 3}, {1, 2, 3})}, with("axis", int64_t{0})),
      "differ");
  expect_refused(eval_op("Concat", {floats({1, 2}, {1, 2}), ints({1, 2}, {1, 2})}, with("axis", int64_t{0})),
                 "type");
}

TEST(Hostile, CountsFromDataAreBounded) {
  const Tensor x = floats({3}, {1, 2, 3});
  expect_refused(eval_op("TopK", {x, ints({4})}, {}, 2), "4");
  expect_refused(eval_op("TopK", {x, ints({-1})}, {}, 2), "-1");
  expect_refused(eval_op("ReverseSequence", {floats({2, 1}, {1, 2}), ints({3})}), "3");
  expect_refused(eval_op("Compress", {x, tensor<bool8>(DType::boolean, {4}, {0, 0, 0, 1})}), "element 3");
  expect_refused(eval_op("NegativeLogLikelihoodLoss", {floats({1, 2}, {1, 2}), ints({2})}), "label 2");
  EXPECT_EQ(
      elements<float>(eval_op("Trilu", {floats({2, 2}, {1, 2, 3, 4}), Tensor::scalar(DType::i64, most)})),
      (std::vector<float>{0, 0, 0, 0}));
  EXPECT_EQ(elements<float>(eval_op("EyeLike", {floats({2, 2}, {1, 2, 3, 4})}, with("k", least))),
            (std::vector<float>{0, 0, 0, 0}));
}

TEST(Hostile, MissingAndMistypedInputsAreRefused) {
  const Tensor x = floats({2}, {1, 2});
  expect_refused(eval_op("Add", {x, Value()}), "missing");
  expect_refused(eval_op("Add", {x, ints({1, 2})}), "type");
  expect_refused(eval_op("And", {x, x}), "bool");
  expect_refused(eval_op("Max", {x, Value(), x}), "missing");
  expect_refused(eval_op("Gather", {x, x}), "i64");
  expect_refused(eval_op("Where", {x, x, x}), "bool");
  expect_refused(eval_op("Add", {Value::sequence(DType::f32, {Value(x)}), x}), "tensor");
  expect_refused(eval_op("Mod", {x, x}), "fmod");
  expect_refused(eval_op("Clip", {x, floats({2}, {0, 0})}), "scalar");
  expect_refused(eval_op("Cast", {x}, with("to", int64_t{99})), "99");
  expect_refused(eval_op("BitCast", {x}, with("to", static_cast<int64_t>(DType::i8))), "sizes");
}

TEST(Hostile, WindowsThatCannotSlideAreRefused) {
  using Ints = std::vector<int64_t>;
  const Tensor x = claim(DType::f32, {1, 2, 5, 5}), w = claim(DType::f32, {4, 2, 3, 3});
  const std::string big = std::to_string(most), small = std::to_string(least);
  const auto conv = [&](const char* name, AttrValue v) {
    return eval_op("Conv", {x, w}, with(name, std::move(v)));
  };
  expect_refused(conv("pads", Ints{most, 0, 0, 0}), "'pads' holds " + big);
  expect_refused(conv("pads", Ints{0, least, 0, 0}), "'pads' holds " + small);
  expect_refused(conv("pads", Ints{0, 0}), "2 values, expected 4");
  expect_refused(conv("strides", Ints{0, 1}), "'strides' holds 0");
  expect_refused(conv("strides", Ints{1, -1}), "'strides' holds -1");
  expect_refused(conv("dilations", Ints{0, 1}), "'dilations' holds 0");
  expect_refused(conv("dilations", Ints{-1, 1}), "'dilations' holds -1");
  expect_refused(conv("dilations", Ints{3, 1}), "spans 7");
  expect_refused(conv("group", int64_t{0}), "group is 0");
  expect_refused(conv("group", least), "group is " + small);
  expect_refused(conv("group", int64_t{3}), "group=3");
  expect_refused(conv("kernel_shape", Ints{3, most}), big);
  expect_refused(conv("auto_pad", std::string("SAME")), "'SAME'");
  const auto pool = [&](const Ints& kernel) { return eval_op("MaxPool", {x}, with("kernel_shape", kernel)); };
  expect_refused(pool({most, 1}), big);
  expect_refused(pool({0, 1}), "is 0");
  expect_refused(pool({6, 1}), "spans 6");
  expect_refused(pool({1}), "1 dimensions");
  expect_refused(
      eval_op("ConvTranspose", {x, claim(DType::f32, {2, 4, 3, 3})}, with("output_shape", Ints{0, 9})),
      "'output_shape' holds 0");
  expect_refused(eval_op("LpPool", {x}, with("kernel_shape", Ints{1, 1}, "p", int64_t{0})), "p is 0");
}

TEST(Hostile, CountsThatMakeNoPartsAreRefused) {
  const Tensor x = floats({4}, {1, 2, 3, 4});
  expect_refused(eval_op("Split", {x}, with("num_outputs", int64_t{-1}), 2), "is -1");
  expect_refused(eval_op("Split", {x}, with("num_outputs", most), 2), std::to_string(most));
  expect_refused(eval_op("LRN", {claim(DType::f32, {1, 2, 2})}, with("size", int64_t{0})), "size is 0");
  expect_refused(
      eval_op("GroupNormalization", {claim(DType::f32, {1, 4, 2}), floats({2}, {1, 1}), floats({2}, {0, 0})},
              with("num_groups", int64_t{0})),
      "num_groups is 0");
  expect_refused(eval_op("Multinomial", {floats({1, 2}, {0, 0})}, with("sample_size", most)),
                 std::to_string(most));
  expect_refused(eval_op("SequenceEmpty", {}, with("dtype", least)), std::to_string(least));
}

TEST(Hostile, RandomNumbersHaveFiniteBounds) {
  using Ints = std::vector<int64_t>;
  for (const float bad : {NAN, HUGE_VALF, -HUGE_VALF}) {
    expect_refused(eval_op("RandomUniform", {}, with("shape", Ints{2}, "low", bad)), "low");
    expect_refused(eval_op("RandomUniform", {}, with("shape", Ints{2}, "high", bad)), "high");
    expect_refused(eval_op("RandomNormal", {}, with("shape", Ints{2}, "mean", bad)), "mean");
    expect_refused(eval_op("RandomNormalLike", {floats({1}, {0})}, with("scale", bad)), "scale");
    expect_refused(eval_op("Bernoulli", {floats({1}, {bad})}), "probability");
    expect_refused(
        eval_op("Dropout", {floats({1}, {1}), floats({}, {bad}), tensor<bool8>(DType::boolean, {}, {true})}),
        "ratio");
  }
  expect_refused(eval_op("RandomUniform", {}, with("shape", Ints{most, most})), "2^40");
  expect_refused(eval_op("RandomUniform", {}, with("shape", Ints{-1})), "-1");
}

TEST(Hostile, BinarizerAndSwiGLURefuseWhatTheyCannotCompare) {
  const Tensor text = tensor<std::string>(DType::string, {1}, {"a"});
  auto r = run_op("Binarizer", {}, {text}, 1, "ai.onnx.ml");
  expect_refused(r, "string");
  expect_refused(run_op("Binarizer", with("threshold", int64_t{1}), {floats({1}, {1})}, 1, "ai.onnx.ml"),
                 "threshold");
  // Its inference alone: the importer puts other operators in its place.
  const ValueType two(DType::f32, {2}), one(DType::f32, {1}), whole(DType::i64, {2});
  EXPECT_NE(inferred("SwiGLU", {two, one}).find("[2] and [1]"), std::string::npos);
  EXPECT_NE(inferred("SwiGLU", {whole, whole}).find("i64"), std::string::npos);
  EXPECT_NE(inferred("SwiGLU", {two}).find("SwiGLU"), std::string::npos);
}

TEST(Hostile, EinsumRefusesBadEquations) {
  const Tensor m = floats({2, 2}, {1, 2, 3, 4});
  for (const char* bad :
       {"ij", "ij,jk->ik,", "i,jk->ik", "ij,jk->iz", "ij,jk->ii", "i.j,jk->ik", "......,ij->", "i1,jk"})
    EXPECT_FALSE(eval_op("Einsum", {m, m}, with("equation", std::string(bad)))) << bad;
  expect_refused(
      eval_op("Einsum", {m, floats({3, 2}, {1, 2, 3, 4, 5, 6})}, with("equation", std::string("ij,jk->ik"))),
      "sizes 2 and 3");
  EXPECT_EQ(elements<float>(eval_op("Einsum", {m}, with("equation", std::string("ii")))),
            std::vector<float>{5});
  EXPECT_EQ(elements<float>(eval_op("Einsum", {m, m}, with("equation", std::string("...j,jk->...k")))),
            (std::vector<float>{7, 10, 15, 22}));
}

}  // namespace
}  // namespace hone
