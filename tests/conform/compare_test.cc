#include "conform/compare.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/convert.h"

namespace hone::conform {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();

Value floats(std::initializer_list<float> list) { return Tensor::of<float>(DType::f32, list); }
Value halves(std::initializer_list<float> list) {
  auto t = *Tensor::allocate(DType::f16, Shape{static_cast<Dim>(list.size())});
  std::transform(list.begin(), list.end(), t.data<f16_t>(), [](float x) { return to_f16(x); });
  return t;
}

TEST(Compare, FloatsMayDifferByAThousandth) {
  EXPECT_EQ(difference(floats({1.0009f, 5e-8f}), floats({1, 0})), "");
  EXPECT_EQ(difference(floats({1, 2.5f}), floats({1, 2})), "element [1] is 2.5, expected 2 (1 of 2 differ)");
  EXPECT_EQ(difference(floats({2e-7f}), floats({0})),
            "element [0] is 2.00000002e-07, expected 0 (1 of 1 differ)");
}

TEST(Compare, HalvesMayDifferByAHundredth) {
  EXPECT_EQ(difference(halves({1.009f, 0.0009f}), halves({1, 0})), "");
  EXPECT_NE(difference(halves({1.02f}), halves({1})), "");
}

TEST(Compare, NanEqualsNanAndInfinityItself) {
  EXPECT_EQ(difference(floats({nan, inf, -inf}), floats({nan, inf, -inf})), "");
  EXPECT_NE(difference(floats({nan}), floats({0})), "");
  EXPECT_NE(difference(floats({0}), floats({nan})), "");
  EXPECT_NE(difference(floats({inf}), floats({-inf})), "");
  EXPECT_NE(difference(floats({1e30f}), floats({inf})), "");
}

TEST(Compare, NoiseIsAPartOfTheGreatestFloat) {
  EXPECT_EQ(difference(floats({1000, 9e-4f}), floats({1000, 0}), 1e-6), "");
  EXPECT_NE(difference(floats({1000, 2e-3f}), floats({1000, 0}), 1e-6), "");
  EXPECT_NE(difference(floats({1000, 9e-4f}), floats({1000, 0})), "");
  const auto doubles = [](double x, double y) { return Value(Tensor::of<double>(DType::f64, {x, y})); };
  EXPECT_NE(difference(doubles(1000, 9e-4), doubles(1000, 0), 1e-6), "");
}

TEST(Compare, IntegersAreExact) {
  const auto longs = [](int64_t x) { return Value(Tensor::of_ints({{x}})); };
  constexpr int64_t big = (int64_t{1} << 60) + 1;
  EXPECT_EQ(difference(longs(big), longs(big)), "");
  EXPECT_EQ(difference(longs(big), longs(big - 1)),
            "element [0] is 1152921504606846977, expected 1152921504606846976 (1 of 1 differ)");
  const auto u64 = Tensor::of<uint64_t>(DType::u64, {~uint64_t{0}}),
             zero = Tensor::of<uint64_t>(DType::u64, {0});
  EXPECT_EQ(difference(u64, zero), "element [0] is 18446744073709551615, expected 0 (1 of 1 differ)");
}

TEST(Compare, ElementsBelowAByteAreCompared) {
  const auto packed = [](DType d, uint8_t byte) {
    auto t = *Tensor::allocate(d, Shape{2});
    *t.data<uint8_t>() = byte;
    return Value(t);
  };
  EXPECT_EQ(difference(packed(DType::i4, 0x7f), packed(DType::i4, 0x7f)), "");
  EXPECT_EQ(difference(packed(DType::i4, 0x7f), packed(DType::i4, 0x8f)),
            "element [1] is 7, expected -8 (1 of 2 differ)");
  EXPECT_EQ(difference(packed(DType::u4, 0x7f), packed(DType::u4, 0x8f)),
            "element [1] is 7, expected 8 (1 of 2 differ)");
  EXPECT_EQ(difference(packed(DType::f4e2m1, 0x10), packed(DType::f4e2m1, 0x20)),
            "element [1] is 0.5, expected 1 (1 of 2 differ)");
}

TEST(Compare, AnyNanOfEightBitsEqualsAnyOther) {
  const auto bits = [](uint8_t b) {
    auto t = *Tensor::allocate(DType::f8e5m2, Shape{1});
    *t.data<uint8_t>() = b;
    return Value(t);
  };
  EXPECT_EQ(difference(bits(0x7d), bits(0xff)), "");
  EXPECT_NE(difference(bits(0x3c), bits(0x3d)), "");
}

TEST(Compare, ComplexNumbersArePartByPart) {
  auto a = *Tensor::allocate(DType::c64, Shape{2}), b = *Tensor::allocate(DType::c64, Shape{2});
  for (int i = 0; i < 4; i++) a.data<float>()[i] = b.data<float>()[i] = 1;
  EXPECT_EQ(difference(a, b), "");
  a.data<float>()[3] = 2;
  EXPECT_EQ(difference(a, b), "element [1,1] is 2, expected 1 (1 of 4 differ)");
}

TEST(Compare, TextsAreQuotedAndCut) {
  const auto word = [](const std::string& s) { return Value(Tensor::of<std::string>(DType::string, {s})); };
  EXPECT_EQ(difference(word("a"), word("a")), "");
  EXPECT_EQ(difference(word("a\n"), word("b")), "element [0] is \"a\\x0a\", expected \"b\" (1 of 1 differ)");
  EXPECT_LT(difference(word(std::string(1000, 'a')), word("b")).size(), 200u);
}

TEST(Compare, TypesShapesAndKindsAreExact) {
  EXPECT_EQ(difference(floats({1}), Tensor::of_ints({{1}})), "is f32[1], expected i64[1]");
  EXPECT_EQ(difference(floats({1}), floats({1, 1})), "is f32[1], expected f32[2]");
  const Value one = Value::sequence(DType::f32, {floats({1})}),
              two = Value::sequence(DType::f32, {floats({2})});
  EXPECT_EQ(difference(one, one), "");
  EXPECT_EQ(difference(floats({1}), one), "is a tensor, expected a sequence");
  EXPECT_EQ(difference(one, Value::sequence(DType::f32, {})), "has 1 items, expected 0");
  EXPECT_EQ(difference(one, two), "item 0 element [0] is 1, expected 2 (1 of 1 differ)");
}

}  // namespace
}  // namespace hone::conform
