// Casts, exhaustively where the types are small.
#include <cmath>
#include <limits>

#include "base/convert.h"
#include "ops/eval_op.h"

namespace hone {
namespace {
Outputs cast(const Tensor& x, DType to, bool saturate = true, const char* round = "up") {
  Attrs a = with("to", static_cast<int64_t>(to), "saturate", int64_t{saturate});
  a.set("round_mode", std::string(round));
  return eval_op("Cast", {x}, a);
}
constexpr DType float8s[] = {DType::f8e4m3fn, DType::f8e4m3fnuz, DType::f8e5m2, DType::f8e5m2fnuz};
const SmallFloat formats[] = {small_float<f8e4m3fn_t>, small_float<f8e4m3fnuz_t>, small_float<f8e5m2_t>,
                              small_float<f8e5m2fnuz_t>};

Tensor all_bytes(DType d) {
  Tensor t = *Tensor::allocate(d, Shape{256});
  for (int i = 0; i < 256; i++) t.data<uint8_t>()[i] = static_cast<uint8_t>(i);
  return t;
}

TEST(Cast, EveryFloat8ComesBackFromEveryWiderFloat) {
  for (DType narrow : {DType::f8e4m3fn, DType::f8e4m3fnuz, DType::f8e5m2, DType::f8e5m2fnuz, DType::f8e8m0})
    for (DType wide : {DType::f32, DType::f64, DType::bf16}) {
      const auto out = cast(all_bytes(narrow), wide);
      ASSERT_TRUE(out);
      const auto values = elements<float>(cast((*out)[0].tensor, DType::f32));
      const auto back = elements<uint8_t>(cast((*out)[0].tensor, narrow, false, "nearest"));
      for (size_t i = 0; i < 256; i++) {
        if (std::isnan(values[i])) continue;  // more than one encoding
        EXPECT_EQ(back[i], i) << dtype_name(narrow) << " by " << dtype_name(wide);
      }
    }
}

TEST(Cast, EveryHalfRoundsToEachFloat8OnceAndWithTheSaturationAskedFor) {
  Tensor halves = *Tensor::allocate(DType::f16, Shape{65536});
  for (int i = 0; i < 65536; i++) halves.data<uint16_t>()[i] = static_cast<uint16_t>(i);
  for (size_t f = 0; f < 4; f++)
    for (bool saturate : {false, true}) {
      const auto got = elements<uint8_t>(cast(halves, float8s[f], saturate));
      for (size_t i = 0; i < 65536; i++) {
        const double x = static_cast<double>(to_float(f16_t{static_cast<uint16_t>(i)}));
        ASSERT_EQ(got[i], to_small_float(x, formats[f], saturate)) << dtype_name(float8s[f]) << ' ' << x;
      }
    }
}

TEST(Cast, SmallIntegersAreCutOrClamped) {
  const Tensor x =
      floats({8}, {-9, -1.5f, 2.5f, 7.6f, 16, 1e30f, -1e30f, std::numeric_limits<float>::quiet_NaN()});
  const auto cast_to = [&](DType to, int64_t clamp) {
    const auto out = eval_op("Cast", {x}, with("to", static_cast<int64_t>(to), "clamp", clamp));
    std::vector<int> list;
    for (int i = 0; out && i < 8; i++) {
      const uint8_t v = get_packed((*out)[0].tensor.bytes(), i, 4);
      list.push_back(to == DType::i4 ? static_cast<int>(sign_extend(v, 4)) : v);
    }
    return list;
  };
  EXPECT_EQ(cast_to(DType::i4, 1), (std::vector<int>{-8, -2, 2, 7, 7, 7, -8, 0}));
  EXPECT_EQ(cast_to(DType::u4, 1), (std::vector<int>{0, 0, 2, 8, 15, 15, 0, 0}));
  const auto cut = cast_to(DType::i4, 0);
  EXPECT_EQ((std::vector<int>{cut.begin(), cut.begin() + 5}), (std::vector<int>{7, -1, 2, 7, 0}));
}

TEST(Cast, SpecialValuesFollowTheTableOfTheStandard) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = floats({6}, {0.0f, -0.0f, nan, inf, -inf, 1e9f});
  using Row = std::vector<uint8_t>;
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::f8e4m3fn)), (Row{0, 0x80, 0x7f, 0x7e, 0xfe, 0x7e}));
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::f8e4m3fnuz)), (Row{0, 0, 0x80, 0x7f, 0xff, 0x7f}));
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::f8e5m2)), (Row{0, 0x80, 0x7e, 0x7b, 0xfb, 0x7b}));
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::f8e5m2fnuz)), (Row{0, 0, 0x80, 0x7f, 0xff, 0x7f}));
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::f8e4m3fn, false)), (Row{0, 0x80, 0x7f, 0x7f, 0xff, 0x7f}));
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::f8e4m3fnuz, false)), (Row{0, 0, 0x80, 0x80, 0x80, 0x80}));
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::f8e5m2, false)), (Row{0, 0x80, 0x7e, 0x7c, 0xfc, 0x7c}));
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::f8e5m2fnuz, false)), (Row{0, 0, 0x80, 0x80, 0x80, 0x80}));
}

TEST(Cast, IntegersKeepTheirLowBits) {
  const Tensor x = ints({300, -1, std::numeric_limits<int64_t>::min(), int64_t{1} << 40});
  EXPECT_EQ(elements<uint8_t>(cast(x, DType::u8)), (std::vector<uint8_t>{44, 255, 0, 0}));
  EXPECT_EQ(elements<int8_t>(cast(x, DType::i8)), (std::vector<int8_t>{44, -1, 0, 0}));
  EXPECT_EQ(elements<uint64_t>(cast(x, DType::u64)).at(1), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(elements<bool8>(cast(x, DType::boolean)), (std::vector<bool8>{true, true, true, true}));
  const Tensor big = tensor<uint64_t>(DType::u64, {1}, {std::numeric_limits<uint64_t>::max()});
  EXPECT_EQ(elements<float>(cast(big, DType::f32)).at(0), 18446744073709551616.0f);
  EXPECT_EQ(elements<uint64_t>(cast(floats({1}, {1e19f}), DType::u64)).at(0), static_cast<uint64_t>(1e19f));
}

TEST(Cast, FloatsOutsideAnIntegerTypeAreDefined) {
  const Tensor x = floats({5}, {-1.9f, 1.9f, std::numeric_limits<float>::quiet_NaN(), 1e30f, -1e30f});
  EXPECT_EQ(elements<int64_t>(cast(x, DType::i64)),
            (std::vector<int64_t>{-1, 1, 0, std::numeric_limits<int64_t>::max(),
                                  std::numeric_limits<int64_t>::min()}));
  EXPECT_TRUE(cast(x, DType::u8));
  EXPECT_TRUE(cast(x, DType::u64));
}

TEST(Cast, PackedElementsComeBackAndAreCutToTheirBits) {
  for (DType d : {DType::i4, DType::u4, DType::i2, DType::u2}) {
    const int bits = dtype_bits(d), values = 1 << bits;
    const int first = dtype_kind(d) == DKind::sint ? -values / 2 : 0;
    std::vector<int64_t> all;
    for (int v = first; v < first + values; v++) all.push_back(v);
    all.push_back(first);  // an odd number of elements
    const auto packed = cast(ints(all), d);
    ASSERT_TRUE(packed);
    EXPECT_EQ(elements<int64_t>(cast((*packed)[0].tensor, DType::i64)), all) << dtype_name(d);
  }
  const auto odd = cast(ints({1, 2, 3}), DType::i4);
  ASSERT_TRUE(odd);
  const auto turned = eval_op("Pad", {(*odd)[0].tensor, ints({1, 0})});
  ASSERT_TRUE(turned) << turned.error().message;
  EXPECT_EQ(elements<int64_t>(cast((*turned)[0].tensor, DType::i64)), (std::vector<int64_t>{0, 1, 2, 3}));
}

TEST(Cast, StringsAreReadAsNumbersOrRefused) {
  const auto read = [](const char* text, DType d) {
    return cast(tensor<std::string>(DType::string, {1}, {text}), d);
  };
  EXPECT_EQ(elements<float>(read(" +3.25 ", DType::f32)).at(0), 3.25f);
  EXPECT_EQ(elements<float>(read("-INF", DType::f32)).at(0), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(elements<float>(read("NaN", DType::f32)).at(0)));
  EXPECT_EQ(elements<double>(read("1e400", DType::f64)).at(0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(elements<double>(read("1e-400", DType::f64)).at(0), 0);
  EXPECT_EQ(elements<int64_t>(read("-9223372036854775808", DType::i64)).at(0),
            std::numeric_limits<int64_t>::min());
  EXPECT_EQ(elements<uint64_t>(read("18446744073709551615", DType::u64)).at(0),
            std::numeric_limits<uint64_t>::max());
  for (const char* bad : {"", " ", "x", "1x", "+-1", "--1", "1 2", "0x"})
    expect_refused(read(bad, DType::f32), bad);
  EXPECT_EQ(elements<std::string>(cast(floats({2}, {0.1f, -2}), DType::string)),
            (std::vector<std::string>{"0.1", "-2"}));
}

}  // namespace
}  // namespace hone
