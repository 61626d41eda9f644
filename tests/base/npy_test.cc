#include "base/npy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/convert.h"

namespace hone {
namespace {

Result<Tensor> parse(const std::string& s) { return parse_npy(std::as_bytes(std::span(s))); }

std::string file(const std::string& dict, const std::string& data, int version = 1) {
  std::string s = "\x93NUMPY";
  s += static_cast<char>(version);
  s += '\0';
  const auto n = static_cast<uint32_t>(dict.size());
  s.append(reinterpret_cast<const char*>(&n), version == 1 ? 2 : 4);
  return s + dict + data;
}

TEST(Npy, every_numeric_type_survives) {
  for (DType d : {DType::boolean, DType::i8, DType::i16, DType::i32, DType::i64, DType::u8, DType::u16,
                  DType::u32, DType::u64, DType::f16, DType::f32, DType::f64, DType::c64, DType::c128})
    for (const Shape& s : {Shape{}, Shape{5}, Shape{2, 3}, Shape{0, 4}, Shape{1, 2, 3, 4}}) {
      Tensor t = *Tensor::allocate(d, s);
      for (int64_t i = 0; i < t.byte_size(); i++) t.data<uint8_t>()[i] = static_cast<uint8_t>(i * 37);
      const auto text = format_npy(t.view());
      ASSERT_TRUE(text);
      EXPECT_EQ((text->size() - static_cast<size_t>(t.byte_size())) % 64, 0u);
      auto back = parse(*text);
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(back->dtype(), d);
      EXPECT_EQ(back->shape(), s);
      EXPECT_EQ(0, std::memcmp(back->bytes(), t.bytes(), static_cast<size_t>(t.byte_size())));
    }
}

TEST(Npy, headers_are_written_as_numpy_writes_them) {
  const float v[6] = {};
  const auto text = *format_npy({DType::f32, Shape{2, 3}, const_cast<float*>(v)});
  EXPECT_EQ(text.substr(10, 59), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
  EXPECT_NE(format_npy({DType::f32, Shape{6}, const_cast<float*>(v)})->find("(6,), }"), std::string::npos);
  EXPECT_NE(format_npy({DType::f32, Shape{}, const_cast<float*>(v)})->find("(), }"), std::string::npos);
}

TEST(Npy, big_endian_and_fortran_order_are_converted) {
  auto big = parse(
      file("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", std::string("\x01\x02\xff\xfe", 4)));
  ASSERT_TRUE(big) << big.error().message;
  EXPECT_EQ(big->data<int16_t>()[0], 0x0102);
  EXPECT_EQ(big->data<int16_t>()[1], -2);
  auto fortran = parse(file("{'shape': (2, 3), 'descr': '|u1', 'fortran_order': True}", "adbecf", 2));
  ASSERT_TRUE(fortran) << fortran.error().message;
  EXPECT_EQ(std::string(fortran->data<char>(), 6), "abcdef");
}

TEST(Npy, texts_survive) {
  Tensor t = *Tensor::allocate(DType::string, Shape{3});
  t.data<std::string>()[0] = "caf\xc3\xa9";
  t.data<std::string>()[2] = "a longer one \xf0\x9f\x98\x80";
  auto back = parse(*format_npy(t.view()));
  ASSERT_TRUE(back) << back.error().message;
  for (int i = 0; i < 3; i++) EXPECT_EQ(back->data<std::string>()[i], t.data<std::string>()[i]);
  t.data<std::string>()[1] = "\xff\xfe";  // not UTF-8: kept as bytes
  back = parse(*format_npy(t.view()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->data<std::string>()[1], "\xff\xfe");
}

TEST(Npy, types_that_numpy_lacks_are_widened) {
  Tensor half = *Tensor::allocate(DType::bf16, Shape{2});
  half.data<bf16_t>()[0] = to_bf16(1.5f);
  half.data<bf16_t>()[1] = to_bf16(-2.0f);
  auto back = parse(*format_npy(half.view()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->dtype(), DType::f32);
  EXPECT_EQ(back->data<float>()[1], -2.0f);
  Tensor nibbles = *Tensor::allocate(DType::i4, Shape{3});
  nibbles.data<uint8_t>()[0] = 0x8f;
  nibbles.data<uint8_t>()[1] = 0x07;
  back = parse(*format_npy(nibbles.view()));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->dtype(), DType::i8);
  EXPECT_EQ(back->data<int8_t>()[0], -1);
  EXPECT_EQ(back->data<int8_t>()[1], -8);
  EXPECT_EQ(back->data<int8_t>()[2], 7);
}

TEST(Npy, faults_are_named) {
  auto message = [](const std::string& s) {
    auto t = parse(s);
    return t ? std::string("accepted") : t.error().message;
  };
  const std::string f4 = "{'descr': '<f4', 'fortran_order': False, 'shape': ";
  EXPECT_NE(message("%PDF-1.7").find("not an .npy file"), std::string::npos);
  EXPECT_NE(message(file(f4 + "(3,)}", "12345678")).find("cut off: shape [3]"), std::string::npos);
  EXPECT_NE(message(file(f4 + "(1000000000000,1000000000000)}", "")).find("2^40"), std::string::npos);
  EXPECT_NE(message(file(f4 + "(99999999999999999999999,)}", "")).find("not understood"), std::string::npos);
  EXPECT_NE(message(file(f4 + "(-1,)}", "")).find("not understood"), std::string::npos);
  EXPECT_NE(message(file(f4 + "(1,1,1,1,1,1,1,1,1,1,1,1,1)}", "1234")).find("dimensions"), std::string::npos);
  EXPECT_NE(message(file("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "")).find("'|O'"),
            std::string::npos);
  EXPECT_NE(message(file("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000,)}", ""))
                .find("not supported"),
            std::string::npos);
  EXPECT_NE(
      message(file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "")).find("record"),
      std::string::npos);
  EXPECT_NE(message(file("{'fortran_order': False, 'shape': (1,)}", "")).find("not understood"),
            std::string::npos);
}

TEST(Npy, truncated_and_damaged_files_never_crash) {
  Tensor t = *Tensor::allocate(DType::f32, Shape{2, 3});
  std::memset(t.bytes(), 0, 24);
  const std::string good = *format_npy(t.view());
  for (size_t n = 0; n < good.size(); n++) EXPECT_FALSE(parse(good.substr(0, n))) << n;
  std::mt19937 random(7);
  for (int i = 0; i < 20000; i++) {
    std::string bad = good;
    for (int k = 0; k < 3; k++) bad[random() % 80] = static_cast<char>(random());
    (void)parse(bad);
  }
}

}  // namespace
}  // namespace hone
