// Local functions are gone after import: their nodes stand where they were called.
#include "helpers.h"

namespace hone::test {
namespace {

// scale(x) = x * factor + 1, with the attribute factor.
FunctionMessage scale_function() {
  FunctionMessage f{"scale", "local", {"x"}, {"y"}, {"factor"}};
  f.nodes = {node("Constant", {}, {"k"}, {{attr_ref("value_float", "factor", 1)}}),
             node("Mul", {"x", "k"}, {"m"}), node("Constant", {}, {"one"}, {{attr("value_float", 1.0f)}}),
             node("Add", {"m", "one"}, {"y"})};
  return f;
}

ModelMessage call_model(std::vector<Message> nodes, const std::vector<FunctionMessage>& functions) {
  ModelMessage m{{std::move(nodes), {f32_info("x", {2})}, {f32_info("y", {2})}, {}}};
  m.opsets.push_back(opset("local", 1));
  for (const auto& f : functions) m.functions.push_back(f.message());
  return m;
}

std::vector<float> run(const ModelMessage& m) {
  return floats(must_run(*must_import(m), {f32({2}, {1, 2})})[0]);
}

TEST(ImportFunctions, InlinesEachCallWithItsAttributes) {
  const auto m = call_model({node("scale", {"x"}, {"h"}, {{attr("factor", 2.0f)}, "first", "local"}),
                             node("scale", {"h"}, {"y"}, {{attr("factor", 10.0f)}, "second", "local"})},
                            {scale_function()});
  EXPECT_EQ(run(m), (std::vector<float>{31, 51}));
  const auto g = must_import(m);
  EXPECT_EQ(g->outputs()[0]->name, "y");
  EXPECT_EQ(g->nodes().size(), 4u);
  EXPECT_EQ(g->nodes()[0]->name, "first/");
}

TEST(ImportFunctions, FallBackToTheDefaultsOfAttributes) {
  FunctionMessage f = scale_function();
  f.attributes = {};
  f.defaults = {attr("factor", 3.0f)};
  const NodeExtra plain{{}, "", "local"}, given{{attr("factor", 5.0f)}, "", "local"};
  EXPECT_EQ(run(call_model({node("scale", {"x"}, {"y"}, plain)}, {f})), (std::vector<float>{4, 7}));
  EXPECT_EQ(run(call_model({node("scale", {"x"}, {"y"}, given)}, {f})), (std::vector<float>{6, 11}));
}

TEST(ImportFunctions, PassAttributesOnToTheFunctionsTheyCall) {
  FunctionMessage outer{"outer", "local", {"a"}, {"b"}, {"f"}};
  outer.nodes = {node("scale", {"a"}, {"b"}, {{attr_ref("factor", "f", 1)}, "", "local"})};
  outer.opsets.push_back(opset("local", 1));
  const auto m =
      call_model({node("outer", {"x"}, {"y"}, {{attr("f", 4.0f)}, "", "local"})}, {scale_function(), outer});
  EXPECT_EQ(run(m), (std::vector<float>{5, 9}));
}

TEST(ImportFunctions, UseTheOperatorSetsOfTheFunction) {
  FunctionMessage f{"squeeze", "local", {"x"}, {"y"}};
  f.nodes = {node("Squeeze", {"x"}, {"y"}, {{attr("axes", Dims{0})}})};
  f.opsets = {opset("", 11)};
  ModelMessage m = call_model({node("squeeze", {"x"}, {"y"}, {{}, "", "local"})}, {f});
  m.graph.inputs = {f32_info("x", {1, 2})};
  EXPECT_EQ(must_import(m)->outputs()[0]->type.str(), "f32[2]");
  f.opsets = {};
  m.functions = {f.message()};
  expect_error(import_message(m), Code::unsupported, {"ai.onnx", "not imported", "'squeeze'"});
}

TEST(ImportFunctions, LeaveOutInputsThatTheCallLeavesOut) {
  FunctionMessage f{"clip", "local", {"x", "low", "high"}, {"y"}};
  f.nodes = {node("Clip", {"x", "low", "high"}, {"y"})};
  ModelMessage m = call_model({node("clip", {"x", "", "top"}, {"y"}, {{}, "", "local"})}, {f});
  m.graph.initializers = {tensor_f32("top", {}, {1.5f})};
  EXPECT_EQ(run(m), (std::vector<float>{1, 1.5f}));
}

TEST(ImportFunctions, MayHandThroughAnInputOrOneValueTwice) {
  FunctionMessage f{"pass", "local", {"x"}, {"x", "r", "r"}};
  f.nodes = {node("Relu", {"x"}, {"r"})};
  ModelMessage m = call_model({node("pass", {"x"}, {"y", "z", "w"}, {{}, "", "local"})}, {f});
  m.graph.outputs = {f32_info("y", {2}), f32_info("z", {2}), f32_info("w", {2})};
  const auto g = must_import(m);
  EXPECT_EQ(g->inputs()[0]->name, "x");
  for (size_t i = 0; i < 3; i++)
    EXPECT_EQ(g->outputs()[i]->name, (std::vector<std::string>{"y", "z", "w"})[i]);
  for (const Value& v : must_run(*g, {f32({2}, {1, 2})})) EXPECT_EQ(floats(v), (std::vector<float>{1, 2}));
}

TEST(ImportFunctions, ReplaceAnOperatorOfTheSameName) {
  FunctionMessage f{"Relu", "", {"x"}, {"y"}};
  f.nodes = {node("Neg", {"x"}, {"y"})};
  EXPECT_EQ(run(call_model({node("Relu", {"x"}, {"y"})}, {f})), (std::vector<float>{-1, -2}));
}

TEST(ImportFunctions, KeepTheNamesOfModelOutputsFree) {
  // A value inside the function has the name of the model's output.
  FunctionMessage f{"two", "local", {"x"}, {"b"}};
  f.nodes = {node("Neg", {"x"}, {"y"}), node("Neg", {"y"}, {"b"})};
  const auto g =
      must_import(call_model({node("two", {"x"}, {"h"}, {{}, "", "local"}), node("Neg", {"h"}, {"y"})}, {f}));
  EXPECT_EQ(g->outputs()[0]->name, "y");
}

TEST(ImportFunctions, RefuseToCallThemselves) {
  FunctionMessage a{"a", "local", {"x"}, {"y"}}, b{"b", "local", {"x"}, {"y"}};
  a.nodes = {node("b", {"x"}, {"y"}, {{}, "", "local"})};
  b.nodes = {node("a", {"x"}, {"y"}, {{}, "", "local"})};
  expect_error(import_message(call_model({node("a", {"x"}, {"y"}, {{}, "call", "local"})}, {a, b})),
               Code::corrupt, {"'a' calls itself"});
}

TEST(ImportFunctions, RefuseCallsThatDoNotFit) {
  const FunctionMessage f = scale_function();
  const NodeExtra e{{attr("factor", 2.0f)}, "", "local"};
  expect_error(import_message(call_model({node("scale", {"x", "x"}, {"y"}, e)}, {f})), Code::corrupt,
               {"scale", "2 inputs", "takes 1"});
  expect_error(import_message(call_model({node("scale", {"x"}, {"y", "z"}, e)}, {f})), Code::corrupt,
               {"2 outputs", "makes 1"});
  expect_error(
      import_message(call_model({node("scale", {"x"}, {"y"}, {{attr("nope", 2.0f)}, "", "local"})}, {f})),
      Code::corrupt, {"no attribute 'nope'"});
  expect_error(import_message(call_model({node("scale", {"x"}, {"y"}, e)}, {f, f})), Code::corrupt,
               {"'scale'", "defined twice"});
  FunctionMessage bad = f;
  bad.outputs = {"missing"};
  expect_error(import_message(call_model({node("scale", {"x"}, {"y"}, e)}, {bad})), Code::corrupt,
               {"output 'missing' of the function"});
}

TEST(ImportFunctions, AreBoundedWhenTheyCallEachOtherManyTimes) {
  // Level n calls level n-1 ten times: 10^12 nodes from a file of a few kilobytes.
  std::vector<FunctionMessage> levels;
  for (int level = 0; level <= 12; level++) {
    FunctionMessage f{"f" + std::to_string(level), "local", {"x"}, {"y"}};
    f.opsets.push_back(opset("local", 1));
    for (int i = 0; i < 10; i++) {
      const std::string in = i ? "v" + std::to_string(i - 1) : "x",
                        out = i < 9 ? "v" + std::to_string(i) : "y";
      f.nodes.push_back(level ? node("f" + std::to_string(level - 1), {in}, {out}, {{}, "", "local"})
                              : node("Neg", {in}, {out}));
    }
    levels.push_back(f);
  }
  const ImportOptions few{.limits = {.nodes = 5000}};
  expect_error(import_message(call_model({node("f12", {"x"}, {"y"}, {{}, "", "local"})}, levels), few),
               Code::limit, {"5000 nodes"});
  const ImportOptions shallow{.limits = {.call_depth = 5}};
  expect_error(import_message(call_model({node("f12", {"x"}, {"y"}, {{}, "", "local"})}, levels), shallow),
               Code::limit, {"5 deep"});
}

}  // namespace
}  // namespace hone::test
