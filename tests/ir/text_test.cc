#include "ir/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hone::ir {
namespace {

std::string round_trip(const std::string& text, std::span<const Tensor> table = {}) {
  auto g = parse_graph(text, {.table = table});
  return g ? print(**g) : "error: " + g.error().message;
}
std::string failure(const std::string& text) {
  auto g = parse_graph(text);
  return g ? "none" : g.error().message;
}

TEST(Text, GoldenFilesPrintAsTheyAreWritten) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HONE_SOURCE_DIR "/tests/ir")) {
    if (entry.path().extension() != ".ir") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(round_trip(text.str()), text.str()) << entry.path();
    files++;
  }
  EXPECT_GE(files, 2);
}

TEST(Text, CommentsBlanksAndDefaultsAreFree) {
  EXPECT_EQ(round_trip("graph@g(%x:f32[ 1 ]) // c\n->(%y){%y=Relu( %x )// d\n}"),
            "graph @g(%x: f32[1]) -> (%y) {\n  %y = Relu(%x)\n}\n");
}

TEST(Text, ElidedConstantsComeBackFromTheTable) {
  Graph g;
  Tensor big = *Tensor::allocate(DType::f32, Shape{100});
  std::fill_n(big.data<float>(), 100, 2.0f);
  g.add_output(g.add_constant(big, "w"));
  std::vector<Tensor> table;
  const std::string text = print(g, {.table = &table});
  EXPECT_EQ(text, "graph @() -> (%w) {\n  %w = const f32[100] @0\n}\n");
  auto back = parse_graph(text, {.table = table});
  ASSERT_TRUE(back);
  EXPECT_EQ((*back)->outputs()[0]->constant.bytes(), big.bytes());
  EXPECT_NE(failure(text).find("elided"), std::string::npos);
}

TEST(Text, FloatsKeepEveryBit) {
  Graph g;
  uint32_t odd_nan = 0xffc12345;
  float payload;
  std::memcpy(&payload, &odd_nan, 4);
  const auto t = Tensor::of<float>(
      DType::f32, {0.1f, -0.0f, 1e-45f, 3.4028235e38f, INFINITY, -INFINITY, NAN, payload, 16777217.0f});
  g.add_output(g.add_constant(t, "w"));
  const std::string text = print(g);
  auto back = parse_graph(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(std::memcmp((*back)->outputs()[0]->constant.bytes(), t.bytes(), 36), 0) << text;
}

TEST(Text, NamesOfAnyBytesSurvive) {
  Graph g;
  g.name = "a \"b\" \\ \n\x01 \xc3\xa4";
  Value* x =
      g.add_input("onnx::Conv_1 %,(", ValueType(DType::f32, Shape{symbol_dim(g.symbol("batch size"))}));
  g.symbol("2nd");
  g.add_output(x);
  g.metadata.emplace_back("key", "line\nline");
  const std::string text = print(g);
  auto back = parse_graph(text);
  ASSERT_TRUE(back) << text << back.error().message;
  EXPECT_EQ((*back)->name, g.name);
  EXPECT_EQ((*back)->inputs()[0]->name, x->name);
  EXPECT_EQ((*back)->symbols[0], "batch size");
  EXPECT_EQ((*back)->metadata, g.metadata);
  EXPECT_EQ(print(**back), text);
}

TEST(Text, ErrorsSayWhere) {
  EXPECT_EQ(failure("graph @g() -> (%y) {\n  %y = Relu(%x)\n}"),
            "2:15: value 'x' is not defined before its use");
  EXPECT_NE(failure("graph @g(%x, %x) -> () {}").find("taken"), std::string::npos);
  EXPECT_NE(failure("graph @g() -> () { %y = Nonsense() }").find("no operator 'Nonsense'"),
            std::string::npos);
  EXPECT_NE(failure("graph @g(%x) -> () { %y = Relu(%x) {axis=1} }").find("no attribute 'axis'"),
            std::string::npos);
  EXPECT_NE(failure("graph @g() -> (%y) {}").find("not made"), std::string::npos);
  EXPECT_NE(failure("graph @g() -> () {} x").find("end"), std::string::npos);
}

TEST(Text, HostileTextIsRefused) {
  EXPECT_NE(failure("graph @g() -> () { %c = const f32[1000000000000000] {} }").find("limit"),
            std::string::npos);
  EXPECT_NE(failure("graph @g() -> () { %c = const f32[1000000000] {1} }").find("expected 1000000000"),
            std::string::npos);
  EXPECT_NE(failure("graph @g() -> () { %c = const i8[1] {300} }").find("fits"), std::string::npos);
  EXPECT_NE(failure("graph @g() -> () { %c = const f32[99999999999999999999] {} }").find("fits"),
            std::string::npos);
  EXPECT_NE(failure("graph @g() -> () { %c = const f32[] @5 }").find("elided"), std::string::npos);
  EXPECT_NE(failure("graph @g(%x: f32[1,1,1,1,1,1,1,1,1,1,1,1,1]) -> () {}").find("at most"),
            std::string::npos);
  std::string deep;
  for (int i = 0; i < 100000; i++) deep += "seq(";
  EXPECT_NE(failure("graph @g(%x: " + deep).find("too deeply"), std::string::npos);
  EXPECT_NE(failure("graph @g() -> () { %c = const u4[1] {0x10} }").find("bit pattern"), std::string::npos);
  EXPECT_NE(failure("graph @g(%\"x").find("does not end"), std::string::npos);
  EXPECT_NE(failure("graph @g(%\"\\x").find("x"), std::string::npos);
  EXPECT_NE(failure("").find("1:1"), std::string::npos);
}

TEST(Text, CapturesAreRecordedAndBindingsFilledIn) {
  std::vector<AttrCapture> captures;
  const std::string text = "%y = Conv(%x, %w) {group=$a}";
  auto pattern = parse_statements(text, {.captures = &captures, .free_names = true});
  ASSERT_TRUE(pattern) << pattern.error().message;
  ASSERT_EQ(captures.size(), 1u);
  EXPECT_EQ(captures[0].attr, "group");
  EXPECT_EQ(captures[0].name, "a");
  EXPECT_FALSE(captures[0].node->attrs.has("group"));
  EXPECT_EQ((*pattern)->inputs().size(), 2u);
  Attrs bindings;
  bindings.set("a", int64_t{4});
  auto filled = parse_statements(text, {.bindings = &bindings, .free_names = true});
  ASSERT_TRUE(filled);
  EXPECT_EQ((*filled)->nodes()[0]->attrs.i("group"), 4);
  EXPECT_FALSE(parse_statements(text, {.free_names = true}));
}

}  // namespace
}  // namespace hone::ir
