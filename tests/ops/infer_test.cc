// Inference with dimensions that are symbols or not known.
#include "ops/eval_op.h"

namespace hone {
namespace {
const Dim n = symbol_dim(0), m = symbol_dim(1);

ValueType f32(const Shape& s) { return {DType::f32, s}; }
const ValueType i64_vector(int64_t size) { return {DType::i64, Shape{size}}; }

std::string reshaped(const Shape& s, const std::vector<int64_t>& target) {
  return inferred("Reshape", {f32(s), i64_vector(static_cast<int64_t>(target.size()))},
                  {Tensor(), ints(target)});
}

TEST(Infer, ReshapeKeepsSymbolsWhereTheyMustRemain) {
  EXPECT_EQ(reshaped({n, 3, 4}, {0, -1}), "f32[s0,12]");
  EXPECT_EQ(reshaped({n, 3, 4}, {-1, 12}), "f32[s0,12]");
  EXPECT_EQ(reshaped({n, 3, 4}, {-1, 4}), "f32[?,4]");
  EXPECT_EQ(reshaped({n, m, 4}, {0, 0, 2, -1}), "f32[s0,s1,2,2]");
  EXPECT_EQ(reshaped({n, m, 4}, {0, -1}), "f32[s0,?]");
  EXPECT_EQ(reshaped({n, unknown_dim, 4}, {0, 0, -1}), "f32[s0,?,?]");
  EXPECT_EQ(reshaped(Shape::unranked(), {2, 0, -1}), "f32[2,?,?]");
  EXPECT_EQ(inferred("Reshape", {f32({n}), i64_vector(3)}), "f32[?,?,?]");
}

TEST(Infer, ReshapedViewsKeepSymbols) {
  EXPECT_EQ(inferred("Flatten", {f32({n, 3, 4})}), "f32[s0,12]");
  EXPECT_EQ(inferred("Flatten", {f32({3, n, 4})}), "f32[3,?]");
  EXPECT_EQ(inferred("Flatten", {f32({n, 3, 4})}, {}, with("axis", int64_t{0})), "f32[1,?]");
  EXPECT_EQ(inferred("Squeeze", {f32({n, 1, 4}), i64_vector(1)}, {Tensor(), ints({1})}), "f32[s0,4]");
  EXPECT_EQ(inferred("Squeeze", {f32({n, 1, 4})}), "f32[*]");
  EXPECT_EQ(inferred("Unsqueeze", {f32({n, 4}), i64_vector(2)}, {Tensor(), ints({0, -1})}), "f32[1,s0,4,1]");
  EXPECT_EQ(inferred("Transpose", {f32({n, 3, m})}, {}, with("perm", std::vector<int64_t>{2, 0, 1})),
            "f32[s1,s0,3]");
}

TEST(Infer, SliceKnowsWhatItCan) {
  const auto sliced = [](const Shape& s, const std::vector<int64_t>& start, const std::vector<int64_t>& end) {
    const ValueType v = i64_vector(static_cast<int64_t>(start.size()));
    return inferred("Slice", {f32(s), v, v}, {Tensor(), ints(start), ints(end)});
  };
  EXPECT_EQ(sliced({n, 10}, {0, 2}, {INT64_MAX, -1}), "f32[s0,7]");
  EXPECT_EQ(sliced({n, 10}, {1}, {INT64_MAX}), "f32[?,10]");
  EXPECT_EQ(sliced({4, 10}, {-3, 20}, {100, 30}), "f32[3,0]");
  EXPECT_EQ(inferred("Slice", {f32({n, 10}), i64_vector(1), i64_vector(1), i64_vector(1)},
                     {Tensor(), Tensor(), Tensor(), ints({1})}),
            "f32[s0,?]");
  EXPECT_EQ(inferred("Slice", {f32({n, 10}), i64_vector(1), i64_vector(1), i64_vector(1)}), "f32[?,?]");
}

TEST(Infer, JoinsSplitsAndReductionsKeepOtherDimensions) {
  EXPECT_EQ(inferred("Concat", {f32({n, 3}), f32({n, 5})}, {}, with("axis", int64_t{1})), "f32[s0,8]");
  EXPECT_EQ(inferred("Concat", {f32({n, 3}), f32({2, unknown_dim})}, {}, with("axis", int64_t{-1})),
            "f32[2,?]");
  EXPECT_EQ(inferred("Concat", {f32({n, 3})}, {}, with("axis", int64_t{0})), "f32[s0,3]");
  EXPECT_EQ(inferred("ReduceMean", {f32({n, 3, m}), i64_vector(1)}, {Tensor(), ints({1})}), "f32[s0,1,s1]");
  EXPECT_EQ(inferred("ReduceMean", {f32({n, 3, m}), i64_vector(1)}, {Tensor(), ints({1})},
                     with("keepdims", int64_t{0})),
            "f32[s0,s1]");
  EXPECT_EQ(inferred("ReduceMean", {f32({n, 3, m}), i64_vector(1)}), "f32[?,?,?]");
  EXPECT_EQ(inferred("ArgMax", {f32({n, 3})}, {}, with("axis", int64_t{1})), "i64[s0,1]");
  EXPECT_EQ(inferred("Gather", {f32({n, 3}), {DType::i64, Shape{m, 2}}}, {}, with("axis", int64_t{1})),
            "f32[s0,s1,2]");
  EXPECT_EQ(inferred("Shape", {f32({n, 3})}), "i64[2]");
  EXPECT_EQ(inferred("Expand", {f32({n, 3}), i64_vector(3)}, {Tensor(), ints({5, 1, 1})}), "f32[5,s0,3]");
  EXPECT_EQ(inferred("Expand", {f32({n, 3}), i64_vector(3)}), "f32[?,?,3]");
  EXPECT_EQ(inferred("Einsum", {f32({n, 3}), f32({3, m})}, {}, with("equation", std::string("ij,jk->ik"))),
            "f32[s0,s1]");
  EXPECT_EQ(inferred("DepthToSpace", {f32({n, 8, m, 5})}, {}, with("blocksize", int64_t{2})),
            "f32[s0,2,?,10]");
  EXPECT_EQ(inferred("TopK", {f32({n, 8}), i64_vector(1)}, {Tensor(), ints({3})}), "f32[s0,3]");
  EXPECT_EQ(inferred("Pad", {f32({n, 8}), i64_vector(4)}, {Tensor(), ints({0, 1, 0, 2})}), "f32[s0,11]");
}

TEST(Infer, AFlattenedSoftmaxNormalisesAllAxesFromTheFirst) {
  const Tensor x = floats({1, 2, 2}, {0, 0, 0, 0});
  const auto flat = elements<float>(eval_op("Softmax", {x}, with("axis", int64_t{1}, "flatten", int64_t{1})));
  EXPECT_EQ(flat, (std::vector<float>{0.25f, 0.25f, 0.25f, 0.25f}));
  EXPECT_EQ(elements<float>(eval_op("Softmax", {x}, with("axis", int64_t{1}))),
            (std::vector<float>{0.5f, 0.5f, 0.5f, 0.5f}));
}

// The same move, told to the operator in the other layout, gives the same picture.
TEST(Infer, DepthToSpaceAgreesInBothLayouts) {
  std::vector<float> v(2 * 12 * 2 * 3);
  for (size_t i = 0; i < v.size(); i++) v[i] = static_cast<float>(i);
  const Tensor x = floats({2, 12, 2, 3}, v);
  const Attrs to_last = with("perm", std::vector<int64_t>{0, 2, 3, 1}),
              to_first = with("perm", std::vector<int64_t>{0, 3, 1, 2});
  const Tensor last = (*eval_op("Transpose", {x}, to_last))[0].tensor;
  for (const char* mode : {"DCR", "CRD"}) {
    Attrs a = with("blocksize", int64_t{2}, "mode", std::string(mode));
    const auto expected = elements<float>(eval_op("DepthToSpace", {x}, a));
    a.set("channels_last", int64_t{1});
    const auto moved = eval_op("DepthToSpace", {last}, a);
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_EQ(elements<float>(eval_op("Transpose", {(*moved)[0]}, to_first)), expected) << mode;
    if (mode == std::string("DCR")) {
      Attrs back = with("blocksize", int64_t{2}, "channels_last", int64_t{1});
      EXPECT_EQ(elements<float>(eval_op("SpaceToDepth", {(*moved)[0]}, back)),
                std::vector<float>(last.data<float>(), last.data<float>() + last.elements()));
    }
  }
}

}  // namespace
}  // namespace hone
