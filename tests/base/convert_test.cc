#include "base/convert.h"

#include <gtest/gtest.h>

#include <vector>

namespace hone {
namespace {

// Every value of a format, in order, by an independent route: from its bit fields with pow().
struct Format {
  const char* name;
  SmallFloat f;
};
const Format formats[] = {{"f16", small_float<f16_t>},
                          {"bf16", small_float<bf16_t>},
                          {"f8e4m3fn", small_float<f8e4m3fn_t>},
                          {"f8e4m3fnuz", small_float<f8e4m3fnuz_t>},
                          {"f8e5m2", small_float<f8e5m2_t>},
                          {"f8e5m2fnuz", small_float<f8e5m2fnuz_t>},
                          {"f4e2m1", f4e2m1_format}};

double by_definition(uint32_t magnitude, const SmallFloat& f) {
  const int field = static_cast<int>(magnitude >> f.mantissa_bits);
  const double mantissa = magnitude & ((1u << f.mantissa_bits) - 1);
  const double scale = std::pow(2.0, -f.mantissa_bits);
  return field == 0 ? mantissa * scale * std::pow(2.0, 1 - f.bias)
                    : (1 + mantissa * scale) * std::pow(2.0, field - f.bias);
}

TEST(Convert, GreatestValuesAreThoseOfTheSpecifications) {
  EXPECT_EQ(from_small_float(small_float<f16_t>.max_finite(), small_float<f16_t>), 65504);
  EXPECT_EQ(from_small_float(small_float<f8e4m3fn_t>.max_finite(), small_float<f8e4m3fn_t>), 448);
  EXPECT_EQ(from_small_float(small_float<f8e4m3fnuz_t>.max_finite(), small_float<f8e4m3fnuz_t>), 240);
  EXPECT_EQ(from_small_float(small_float<f8e5m2_t>.max_finite(), small_float<f8e5m2_t>), 57344);
  EXPECT_EQ(from_small_float(small_float<f8e5m2fnuz_t>.max_finite(), small_float<f8e5m2fnuz_t>), 57344);
  EXPECT_EQ(from_small_float(f4e2m1_format.max_finite(), f4e2m1_format), 6);
}

TEST(Convert, EveryValueComesBackAsItself) {
  for (const Format& format : formats)
    for (uint32_t bits = 0; bits < 2 * format.f.sign_bit(); bits++) {
      const float x = from_small_float(bits, format.f);
      if (std::isnan(x)) {
        EXPECT_TRUE(std::isnan(from_small_float(to_small_float(x, format.f, true), format.f))) << format.name;
        continue;
      }
      ASSERT_EQ(to_small_float(x, format.f, false), bits) << format.name << ' ' << x;
      const uint32_t magnitude = bits & (format.f.sign_bit() - 1);
      if (magnitude <= format.f.max_finite()) {
        ASSERT_EQ(std::fabs(x), by_definition(magnitude, format.f)) << format.name << ' ' << bits;
      }
    }
}

// Between neighbours: below the midpoint down, above it up, on it to the even one; also the last step before
// overflow.
TEST(Convert, RoundsToNearestEvenAtEveryMidpoint) {
  for (const Format& format : formats) {
    const SmallFloat& f = format.f;
    for (uint32_t low = 0; low <= f.max_finite(); low++) {
      const double a = by_definition(low, f);
      const double step = low ? a - by_definition(low - 1, f) : by_definition(1, f);
      const double b = low == f.max_finite() ? a + step : by_definition(low + 1, f);
      const double middle = (a + b) / 2;
      const uint32_t even = low & 1 ? low + 1 : low;
      for (const bool saturate : {false, true}) {
        auto expected = [&](uint32_t magnitude) {
          if (magnitude <= f.max_finite()) return magnitude;
          if (saturate || f.kind == SmallFloat::finite) return f.max_finite();
          return f.kind == SmallFloat::ieee ? f.infinity() : f.nan();
        };
        ASSERT_EQ(to_small_float(middle, f, saturate), expected(even)) << format.name << ' ' << low;
        ASSERT_EQ(to_small_float(std::nextafter(middle, 0.0), f, saturate), low) << format.name << ' ' << low;
        ASSERT_EQ(to_small_float(std::nextafter(middle, 1e300), f, saturate), expected(low + 1))
            << format.name;
        if (expected(even) <= f.max_finite() && expected(even)) {
          ASSERT_EQ(to_small_float(-middle, f, saturate), expected(even) | f.sign_bit())
              << format.name << ' ' << low;
        }
      }
    }
  }
}

TEST(Convert, SpecialValuesFollowTheFormat) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (const Format& format : formats) {
    const SmallFloat& f = format.f;
    EXPECT_EQ(to_small_float(-0.0, f, true), f.kind == SmallFloat::fnuz ? 0 : f.sign_bit()) << format.name;
    EXPECT_EQ(to_small_float(inf, f, true), f.max_finite()) << format.name;
    EXPECT_EQ(to_small_float(1e-320, f, true), 0u) << format.name;
    if (f.kind == SmallFloat::finite) continue;
    EXPECT_TRUE(std::isnan(from_small_float(to_small_float(nan, f, true), f))) << format.name;
    const float big = from_small_float(to_small_float(inf, f, false), f);
    EXPECT_TRUE(f.kind == SmallFloat::ieee ? std::isinf(big) : std::isnan(big)) << format.name;
  }
}

// The quick paths of f16 and bf16 against the general one: every value, and every midpoint with its
// neighbours.
TEST(Convert, QuickHalfConversionsAgreeWithTheGeneralOnes) {
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const auto b = static_cast<uint16_t>(bits);
    const float h = from_small_float(bits, small_float<f16_t>), g = to_float(f16_t{b});
    ASSERT_TRUE(h == g || (std::isnan(h) && std::isnan(g))) << bits;
    const float p = from_small_float(bits, small_float<bf16_t>), q = to_float(bf16_t{b});
    ASSERT_TRUE(p == q || (std::isnan(p) && std::isnan(q))) << bits;
  }
  for (uint64_t u = 0; u <= 0xffffffffu; u += 0x800) {
    for (int around = -1; around <= 1; around++) {
      const float x = std::bit_cast<float>(static_cast<uint32_t>(u) + static_cast<uint32_t>(around));
      if (std::isnan(x)) {
        ASSERT_TRUE(std::isnan(to_float(to_f16(x)))) << u;
        ASSERT_TRUE(std::isnan(to_float(to_bf16(x)))) << u;
        continue;
      }
      ASSERT_EQ(to_f16(x).bits, to_small_float(x, small_float<f16_t>, false)) << x;
      ASSERT_EQ(to_bf16(x).bits, to_small_float(x, small_float<bf16_t>, false)) << x;
    }
  }
}

TEST(Convert, PowersOfTwoRoundAsAsked) {
  for (int e = -126; e <= 126; e++) {
    const double x = std::ldexp(1.0, e);
    const auto bits = static_cast<uint8_t>(e + 127);
    for (Round r : {Round::nearest, Round::up, Round::down}) {
      EXPECT_EQ(to_f8e8m0(x, r, true).bits, bits);
      EXPECT_EQ(to_float(f8e8m0_t{bits}), x);
    }
    EXPECT_EQ(to_f8e8m0(x * 1.25, Round::nearest, true).bits, bits);
    EXPECT_EQ(to_f8e8m0(x * 1.5, Round::nearest, true).bits, bits + 1);
    EXPECT_EQ(to_f8e8m0(x * 1.0001, Round::up, true).bits, bits + 1);
    EXPECT_EQ(to_f8e8m0(x * 1.9999, Round::down, true).bits, bits);
  }
  EXPECT_EQ(to_f8e8m0(0, Round::up, true).bits, 0);
  EXPECT_EQ(to_f8e8m0(0, Round::nearest, false).bits, 255);
  EXPECT_EQ(to_f8e8m0(1e300, Round::up, true).bits, 254);
  EXPECT_EQ(to_f8e8m0(1e300, Round::nearest, false).bits, 255);
}

TEST(Convert, PackedElementsKeepTheirNeighbours) {
  for (int bits : {2, 4}) {
    const int n = 16, values = 1 << bits;
    std::vector<uint8_t> bytes(static_cast<size_t>(n * bits / 8), 0xff);
    for (int i = 0; i < n; i++) set_packed(bytes.data(), i, bits, static_cast<uint8_t>(i % values));
    for (int i = 0; i < n; i++) EXPECT_EQ(get_packed(bytes.data(), i, bits), i % values);
    for (int v = 0; v < values; v++)
      EXPECT_EQ(sign_extend(static_cast<uint8_t>(v), bits), v < values / 2 ? v : v - values);
  }
  const uint8_t byte = 0x21;
  EXPECT_EQ(get_packed(&byte, 0, 4), 1);  // first element in the low bits
}

}  // namespace
}  // namespace hone
