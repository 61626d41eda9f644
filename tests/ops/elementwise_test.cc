// Elementwise operators where ONNX's cases do not reach: edges of the integer types, NaN, odd broadcasts,
// fused activations.
#include <cmath>
#include <limits>

#include "ops/eval_op.h"

namespace hone {
namespace {
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

template <class T>
Tensor one(DType d, T v) {
  return tensor<T>(d, {1}, {v});
}

TEST(Elementwise, IntegerArithmeticHasNoUndefinedCases) {
  constexpr int32_t least = std::numeric_limits<int32_t>::min(), most = std::numeric_limits<int32_t>::max();
  const auto i32 = [](const char* op, int32_t x, int32_t y, Attrs attrs = {}) {
    return elements<int32_t>(eval_op(op, {one(DType::i32, x), one(DType::i32, y)}, attrs)).at(0);
  };
  EXPECT_EQ(i32("Add", most, 1), least);
  EXPECT_EQ(i32("Sub", least, 1), most);
  EXPECT_EQ(i32("Mul", least, -1), least);
  EXPECT_EQ(i32("Div", least, -1), least);
  EXPECT_EQ(i32("Div", -7, 2), -3);
  EXPECT_EQ(i32("Div", 5, 0), 0);
  EXPECT_EQ(i32("Mod", least, -1), 0);
  EXPECT_EQ(i32("Mod", 5, 0), 0);
  EXPECT_EQ(i32("Mod", -7, 3), 2);
  EXPECT_EQ(i32("Mod", 7, -3), -2);
  EXPECT_EQ(i32("Mod", -7, 3, with("fmod", int64_t{1})), -1);
  EXPECT_EQ(i32("Pow", 3, -1), 0);
  EXPECT_EQ(i32("Pow", -1, -3), -1);
  EXPECT_EQ(i32("Pow", -2, 31), least);
  const auto neg = [](const char* op, int8_t x) {
    return elements<int8_t>(eval_op(op, {one(DType::i8, x)})).at(0);
  };
  EXPECT_EQ(neg("Neg", -128), -128);
  EXPECT_EQ(neg("Abs", -128), -128);
  EXPECT_EQ(neg("Sign", -128), -1);
  EXPECT_EQ(
      elements<uint16_t>(eval_op("Mul", {one<uint16_t>(DType::u16, 65535), one<uint16_t>(DType::u16, 65535)}))
          .at(0),
      1);
}

TEST(Elementwise, ShiftsByTheWidthOrMoreGiveZero) {
  for (const char* direction : {"LEFT", "RIGHT"})
    for (uint8_t by : {8, 9, 255})
      EXPECT_EQ(elements<uint8_t>(eval_op("BitShift", {one<uint8_t>(DType::u8, 255), one(DType::u8, by)},
                                          with("direction", std::string(direction))))
                    .at(0),
                0);
  EXPECT_EQ(elements<uint8_t>(eval_op("BitShift", {one<uint8_t>(DType::u8, 255), one<uint8_t>(DType::u8, 4)},
                                      with("direction", std::string("LEFT"))))
                .at(0),
            0xf0);
}

TEST(Elementwise, NaNIsNotLost) {
  const Tensor x = floats({2}, {nan, 1}), y = floats({2}, {1, nan});
  for (const char* op : {"Max", "Min", "Add", "Mean"})
    for (float v : elements<float>(eval_op(op, {x, y}))) EXPECT_TRUE(std::isnan(v)) << op;
  for (const char* op : {"Relu", "Clip", "Sigmoid", "Sign", "HardSigmoid", "Elu", "Celu", "Gelu", "Softplus"})
    EXPECT_TRUE(std::isnan(elements<float>(eval_op(op, {x})).at(0))) << op;
  for (const char* op : {"ReduceMax", "ReduceMin", "ReduceSum", "ReduceLogSumExp"})
    EXPECT_TRUE(std::isnan(elements<float>(eval_op(op, {floats({3}, {1, nan, 2})})).at(0))) << op;
  EXPECT_EQ(elements<int64_t>(eval_op("ArgMax", {floats({3}, {1, nan, 2})})).at(0), 1);
  EXPECT_EQ(elements<int64_t>(eval_op("TopK", {floats({4}, {1, nan, 3, nan}), ints({4})}, {}, 2), 1),
            (std::vector<int64_t>{1, 3, 2, 0}));
  EXPECT_EQ(elements<int64_t>(eval_op("Unique", {floats({4}, {nan, 2, nan, 1})}, {}, 4), 3),
            (std::vector<int64_t>{1, 1, 2}));
}

// Every element by its own index arithmetic, on random shapes with dimensions of 0, 1 and more.
TEST(Elementwise, BroadcastsLikeNumpyOnRandomShapes) {
  Numbers random;
  const auto upto = [&](int n) { return random.upto(n); };
  for (int round = 0; round < 200; round++) {
    const int rank = upto(5);
    Shape full = Shape::of_rank(rank);
    for (Dim& d : std::span<Dim>(&full[0], full.size())) d = upto(9) == 0 ? 0 : 1 + upto(3);
    const auto operand = [&] {
      const int skip = upto(rank);
      Shape s;
      for (int i = skip; i < rank; i++) s.push_back(upto(2) == 0 ? 1 : full[static_cast<size_t>(i)]);
      std::vector<float> v(static_cast<size_t>(s.elements()));
      for (float& f : v) f = static_cast<float>(upto(1000));
      return floats(s, v);
    };
    const Tensor a = operand(), b = operand();
    const auto expected = broadcast(a.shape(), b.shape());
    ASSERT_TRUE(expected);
    const auto r = eval_op("Sub", {a, b});
    ASSERT_TRUE(r) << r.error().message;
    const Tensor& y = (*r)[0].tensor;
    ASSERT_EQ(y.shape(), *expected);
    const auto strides = contiguous_strides(y.shape());
    for (int64_t i = 0; i < y.elements(); i++) {
      const auto read = [&](const Tensor& t) {
        const auto own = contiguous_strides(t.shape());
        int64_t at = 0;
        for (size_t k = 0; k < t.shape().size(); k++) {
          const size_t full_axis = k + y.shape().size() - t.shape().size();
          const int64_t index = i / strides[full_axis] % y.shape()[full_axis];
          at += (t.shape()[k] == 1 ? 0 : index) * own[k];
        }
        return t.data<float>()[at];
      };
      ASSERT_EQ(y.data<float>()[i], read(a) - read(b)) << a.shape().str() << b.shape().str();
    }
  }
}

TEST(Elementwise, AFusedActivationIsAppliedToTheSum) {
  const Tensor x = floats({3}, {-3, 0.5f, 5}), y = floats({1}, {1});
  Attrs clip = with("activation", std::string("Clip"), "activation_alpha", 0.0f);
  clip.set("activation_beta", 4.0f);
  EXPECT_EQ(elements<float>(eval_op("Add", {x, y}, clip)), (std::vector<float>{0, 1.5f, 4}));
  expect_refused(eval_op("Add", {x, y}, with("activation", std::string("Nonsense"))), "Nonsense");
}

TEST(Elementwise, AttributesOutsideTheirChoicesAreRefused) {
  const Tensor x = floats({1, 4}, {1, 2, 3, 4});
  expect_refused(eval_op("Gelu", {x}, with("approximate", std::string("often"))), "often");
  expect_refused(eval_op("Pad", {x, ints({0, 0, 0, 0})}, with("mode", std::string("mirror"))), "mirror");
  expect_refused(eval_op("ScatterND", {x, ints({1, 1}, {0}), x}, with("reduction", std::string("avg"))),
                 "avg");
}

}  // namespace
}  // namespace hone
