#include "ops/work.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

double count(const char* name, std::vector<Shape> in, std::vector<Shape> out, Attrs attrs = {}) {
  const OpDef& op = *find_op(name);
  EXPECT_TRUE(bind_attrs(op, attrs, true));
  std::vector<ValueType> from, to;
  for (const Shape& s : in) from.push_back(s.ranked() ? ValueType(DType::f32, s) : ValueType());
  for (const Shape& s : out) to.emplace_back(DType::f32, s);
  return multiply_adds(op, from, to, attrs);
}

TEST(Work, ConvolutionsCountEveryTapOfEveryOutput) {
  EXPECT_EQ(count("Conv", {{1, 3, 8, 8}, {16, 3, 5, 5}, {16}}, {{1, 16, 4, 4}}), 16.0 * 4 * 4 * 3 * 5 * 5);
  EXPECT_EQ(count("Conv", {{2, 6, 9}, {6, 1, 3}}, {{2, 6, 7}}), 2.0 * 6 * 7 * 3);  // depthwise
}

TEST(Work, TransposedConvolutionsCountEveryTapOfEveryInput) {
  EXPECT_EQ(count("ConvTranspose", {{1, 8, 5, 5}, {8, 3, 2, 2}}, {{1, 3, 10, 10}}), 8.0 * 5 * 5 * 3 * 2 * 2);
}

TEST(Work, ProductsCountTheirCommonDimension) {
  EXPECT_EQ(count("MatMul", {{7, 2, 3}, {3, 5}}, {{7, 2, 5}}), 7.0 * 2 * 3 * 5);
  EXPECT_EQ(count("MatMul", {{3}, {3}}, {Shape{}}), 3);
  Attrs attrs;
  attrs.set("transA", int64_t{1});
  EXPECT_EQ(count("Gemm", {{3, 2}, {3, 5}, {5}}, {{2, 5}}, attrs), 2.0 * 3 * 5);
  EXPECT_EQ(count("Gemm", {{2, 3}, {3, 5}}, {{2, 5}}), 2.0 * 3 * 5);
}

TEST(Work, AttentionCountsBothProductsAndTheCache) {
  // batch 2, 3 heads, 4 queries and 6 keys of size 5, values of size 7
  const std::vector<Shape> in = {{2, 3, 4, 5}, {2, 3, 6, 5}, {2, 3, 6, 7}};
  EXPECT_EQ(count("Attention", in, {{2, 3, 4, 7}}), 2.0 * 3 * 4 * 6 * (5 + 7));
  std::vector<Shape> cached = in;
  cached.insert(cached.end(), {Shape::unranked(), {2, 3, 10, 5}, {2, 3, 10, 7}});
  EXPECT_EQ(count("Attention", cached, {{2, 3, 4, 7}}), 2.0 * 3 * 4 * 16 * (5 + 7));
}

TEST(Work, RecurrentCellsCountAllWeightsForEachStep) {
  // 5 steps, batch 2, 3 inputs, hidden 4, two directions
  EXPECT_EQ(count("LSTM", {{5, 2, 3}, {2, 16, 3}, {2, 16, 4}}, {{5, 2, 2, 4}}), 5.0 * 2 * 2 * 16 * (3 + 4));
  EXPECT_EQ(count("GRU", {{5, 2, 3}, {1, 12, 3}, {1, 12, 4}}, {{5, 1, 2, 4}}), 5.0 * 2 * 12 * (3 + 4));
}

TEST(Work, OtherOperatorsAndOpenShapesCountNothing) {
  EXPECT_EQ(count("Relu", {{8, 8}}, {{8, 8}}), 0);
  EXPECT_EQ(count("MatMul", {{unknown_dim, 3}, {3, 5}}, {{unknown_dim, 5}}), 0);
}

}  // namespace
}  // namespace hone
