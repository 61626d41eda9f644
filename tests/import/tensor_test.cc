// TensorProto in all its encodings, and the values of ONNX's test cases.
#include "helpers.h"

namespace hone::test {
namespace {

Result<Value> read(const Message& m, Value::Kind kind = Value::Kind::tensor) {
  auto owner = std::make_shared<std::string>(m.bytes);
  return read_onnx_value({std::as_bytes(std::span(*owner)), owner}, kind);
}
template <class T>
std::vector<T> read_elements(const Message& m) {
  auto v = read(m);
  EXPECT_TRUE(v) << v.error().message;
  return v ? elements<T>(v->tensor) : std::vector<T>();
}

TEST(ImportTensor, ReadsEveryTypedField) {
  EXPECT_EQ(read_elements<float>(tensor_header("", {2}, DType::f32).reals(4, std::vector<float>{1, -2})),
            (std::vector<float>{1, -2}));
  EXPECT_EQ(
      read_elements<float>(tensor_header("", {1}, DType::c64).reals(4, std::vector<float>{1, -2})).size(),
      1u);
  EXPECT_EQ(read_elements<double>(tensor_header("", {2}, DType::f64).doubles(10, std::vector<double>{1, -2})),
            (std::vector<double>{1, -2}));
  EXPECT_EQ(read_elements<int64_t>(tensor_header("", {2}, DType::i64).numbers(7, Dims{1, -2})),
            (std::vector<int64_t>{1, -2}));
  EXPECT_EQ(read_elements<uint64_t>(tensor_header("", {1}, DType::u64).numbers(11, Dims{-1})),
            std::vector<uint64_t>{~uint64_t{0}});
  EXPECT_EQ(read_elements<uint32_t>(tensor_header("", {1}, DType::u32).numbers(11, Dims{4000000000})),
            std::vector<uint32_t>{4000000000});
  EXPECT_EQ(read_elements<int32_t>(tensor_header("", {2}, DType::i32).numbers(5, Dims{1, -2})),
            (std::vector<int32_t>{1, -2}));
  EXPECT_EQ(read_elements<int16_t>(tensor_header("", {2}, DType::i16).numbers(5, Dims{1, -2})),
            (std::vector<int16_t>{1, -2}));
  EXPECT_EQ(read_elements<uint16_t>(tensor_header("", {1}, DType::f16).numbers(5, Dims{0x3c00})),
            std::vector<uint16_t>{0x3c00});
  EXPECT_EQ(read_elements<uint16_t>(tensor_header("", {1}, DType::bf16).numbers(5, Dims{0x3f80})),
            std::vector<uint16_t>{0x3f80});
  EXPECT_EQ(read_elements<int8_t>(tensor_header("", {2}, DType::i8).numbers(5, Dims{1, -2})),
            (std::vector<int8_t>{1, -2}));
  EXPECT_EQ(read_elements<uint8_t>(tensor_header("", {2}, DType::f8e4m3fn).numbers(5, Dims{1, 255})),
            (std::vector<uint8_t>{1, 255}));
  EXPECT_EQ(read_elements<std::string>(tensor_header("", {2}, DType::string).text(6, "a").text(6, "")),
            (std::vector<std::string>{"a", ""}));
}

TEST(ImportTensor, ReadsTypesPackedBelowAByte) {
  auto typed = read(tensor_header("", {3}, DType::i4).numbers(5, Dims{0x21, 0x0f}));
  ASSERT_TRUE(typed) << typed.error().message;
  EXPECT_EQ(std::string(typed->tensor.data<char>(), 2), "\x21\x0f");
  auto in_raw = read(tensor_raw("", {5}, DType::u2, "\x1b\x02"));
  ASSERT_TRUE(in_raw) << in_raw.error().message;
  EXPECT_EQ(std::string(in_raw->tensor.data<char>(), 2), "\x1b\x02");
  expect_error(read(tensor_raw("", {5}, DType::u2, "\x1b")), Code::corrupt, {"1 bytes", "u2[5] takes 2"});
}

TEST(ImportTensor, ReadsValuesThatAreNotPackedOrComeInSeveralRuns) {
  EXPECT_EQ(
      read_elements<float>(tensor_header("", {3}, DType::f32).real(4, 1).reals(4, std::vector<float>{2, 3})),
      (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(read_elements<int64_t>(tensor_header("", {3}, DType::i64).numbers(7, Dims{1, 2}).number(7, 3)),
            (std::vector<int64_t>{1, 2, 3}));
}

TEST(ImportTensor, ViewsAlignedDataAndCopiesOthers) {
  // Padding in front (a doc string) moves the data through all alignments.
  int views = 0;
  for (size_t pad = 0; pad < 4; pad++) {
    auto owner = std::make_shared<std::string>(Message().text(12, std::string(pad, ' ')).bytes +
                                               tensor_f32("", {2}, {1, 2}).bytes);
    auto v = read_onnx_value({std::as_bytes(std::span(*owner)), owner}, Value::Kind::tensor);
    ASSERT_TRUE(v) << v.error().message;
    EXPECT_EQ(elements<float>(v->tensor), (std::vector<float>{1, 2}));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(v->tensor.bytes()) % alignof(float), 0u);
    views += v->tensor.owner() == owner;
    auto copied = read_onnx_value({std::as_bytes(std::span(*owner)), nullptr}, Value::Kind::tensor);
    ASSERT_TRUE(copied);
    EXPECT_TRUE(static_cast<const char*>(copied->tensor.bytes()) < owner->data() ||
                static_cast<const char*>(copied->tensor.bytes()) >= owner->data() + owner->size());
  }
  EXPECT_EQ(views, 1);
}

TEST(ImportTensor, MakesEmptyTensorsAndScalars) {
  EXPECT_TRUE(read_elements<float>(tensor_header("", {0, 7}, DType::f32)).empty());
  EXPECT_EQ(read_elements<float>(tensor_f32("", {}, {3})), std::vector<float>{3});
}

TEST(ImportTensor, RefusesWhatDoesNotAddUp) {
  expect_error(read(tensor_f32("t", {3}, {1, 2})), Code::corrupt, {"'t'", "8 bytes", "f32[3] takes 12"});
  expect_error(read(tensor_header("t", {3}, DType::f32).reals(4, std::vector<float>{1})), Code::corrupt,
               {"1 values in float_data", "f32[3] takes 3"});
  expect_error(read(tensor_header("t", {3}, DType::f32)), Code::corrupt, {"'t'", "no data for f32[3]"});
  expect_error(read(tensor_header("t", {1}, DType::f32).numbers(7, Dims{1})), Code::corrupt,
               {"f32", "float_data", "int64_data"});
  expect_error(read(tensor_f32("t", {1}, {1}).reals(4, std::vector<float>{1})), Code::corrupt,
               {"both raw and typed"});
  expect_error(read(tensor_raw("t", {1}, DType::string, "a")), Code::corrupt, {"strings cannot be raw"});
  expect_error(read(tensor_header("t", {2}, DType::string).text(6, "a")), Code::corrupt,
               {"1 values in string_data"});
  expect_error(read(tensor_header("t", {-1}, DType::f32)), Code::corrupt, {"dimension -1 is negative"});
  expect_error(read(tensor_header("t", Dims(13, 1), DType::f32)), Code::limit, {"rank 13"});
  expect_error(read(Message().number(2, 99).text(8, "t")), Code::unsupported, {"element type 99"});
  expect_error(read(tensor_f32("t", {1}, {1}).sub(3, Message())), Code::unsupported, {"segments"});
  expect_error(read(tensor_external("t", {1}, DType::f32, {{"location", "x"}})), Code::unsupported,
               {"external"});
}

TEST(ImportTensor, RefusesATinyFileThatClaimsTenToTheFifteenElements) {
  expect_error(read(tensor_header("t", {100000, 100000, 100000}, DType::f32)), Code::limit,
               {"[100000,100000,100000]", "2^40"});
  expect_error(read(tensor_raw("t", {1000, 1000, 100000}, DType::f64, "x")), Code::corrupt,
               {"1 bytes", "takes 800000000000"});
  expect_error(read(tensor_header("t", {int64_t{1} << 62, 8}, DType::f32)), Code::limit, {"2^40"});
  const int64_t big = int64_t{1} << 39;
  for (const unsigned field : {4u, 5u, 6u, 7u, 10u, 11u}) {
    const DType d = field == 4    ? DType::f32
                    : field == 5  ? DType::i8
                    : field == 6  ? DType::string
                    : field == 7  ? DType::i64
                    : field == 10 ? DType::f64
                                  : DType::u64;
    expect_error(read(tensor_header("t", {big}, d).text(field, "")), Code::corrupt, {"takes 549755813888"});
  }
}

TEST(ImportTensor, LimitsTheMemoryOfSparseTensors) {
  ModelMessage m{{{node("Relu", {"s"}, {"y"})}, {}, {f32_info("y", {"n"})}, {}}};
  m.graph.sparse_initializers = {Message()
                                     .sub(1, tensor_f32("s", {0}, {}))
                                     .sub(2, tensor_header("", {0}, DType::i64))
                                     .numbers(3, Dims{1000000, 100000})};
  expect_error(import_message(m), Code::limit, {"'s'", "400000000000 bytes"});
  // All of them together count.
  const Message half = Message()
                           .sub(1, tensor_f32("a", {0}, {}))
                           .sub(2, tensor_header("", {0}, DType::i64))
                           .numbers(3, Dims{150});
  const Message other = Message()
                            .sub(1, tensor_f32("b", {0}, {}))
                            .sub(2, tensor_header("", {0}, DType::i64))
                            .numbers(3, Dims{150});
  m.graph.sparse_initializers = {half, other};
  expect_error(import_message(m, {.limits = {.dense_bytes = 1000}}), Code::limit,
               {"'b'", "600 bytes", "400 are left"});
}

TEST(ReadOnnxValue, ReadsSequencesAndOptionals) {
  const Message t = tensor_f32("t", {2}, {1, 2});
  auto s = read(Message().number(2, 1).sub(3, t).sub(3, tensor_f32("u", {1}, {3})), Value::Kind::sequence);
  ASSERT_TRUE(s) << s.error().message;
  ASSERT_EQ(s->items->size(), 2u);
  EXPECT_EQ(s->element, DType::f32);
  EXPECT_EQ(floats((*s->items)[1]), std::vector<float>{3});
  auto nested = read(Message().number(2, 3).sub(5, Message().number(2, 1).sub(3, t)), Value::Kind::sequence);
  ASSERT_TRUE(nested) << nested.error().message;
  EXPECT_EQ(nested->items->at(0).items->size(), 1u);
  auto o = read(Message().number(2, 1).sub(3, t), Value::Kind::optional);
  ASSERT_TRUE(o) << o.error().message;
  EXPECT_EQ(floats(o->items->at(0)), (std::vector<float>{1, 2}));
  auto none = read(Message().number(2, 1), Value::Kind::optional);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(none->kind, Value::Kind::optional);
  EXPECT_EQ(none->items, nullptr);
  expect_error(read(Message().number(2, 4).sub(6, Message()), Value::Kind::sequence), Code::unsupported,
               {"sequence of maps"});
  expect_error(read(Message().sub(3, t).sub(5, Message()), Value::Kind::sequence), Code::corrupt,
               {"different kinds"});
  Message deep;
  for (int i = 0; i < 100; i++) deep = Message().sub(5, deep);
  expect_error(read(deep, Value::Kind::sequence), Code::limit, {"nested more than 16 deep"});
}

}  // namespace
}  // namespace hone::test
