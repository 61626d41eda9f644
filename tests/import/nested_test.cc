// Graphs inside If and Loop: they see what is around them, have names of their own, and may not be nested
// without end.
#include "helpers.h"

namespace hone::test {
namespace {

Message branch(std::vector<Message> nodes, const char* output) {
  return GraphMessage{std::move(nodes), {}, {f32_info(output, {2})}, {}}.message();
}

ModelMessage if_model(const Message& then_branch, const Message& else_branch) {
  ModelMessage m{
      {{node("Neg", {"x"}, {"h"}),
        node("If", {"c"}, {"y"},
             {{attr_graph("then_branch", then_branch), attr_graph("else_branch", else_branch)}, "if"})},
       {f32_info("x", {2}), value_info("c", tensor_type(DType::boolean, {}))},
       {f32_info("y", {2})},
       {}}};
  return m;
}

std::vector<float> run_if(const ModelMessage& m, bool condition) {
  return floats(
      must_run(*must_import(m), {f32({2}, {1, 2}), Tensor::scalar(DType::boolean, bool8(condition))})[0]);
}

TEST(ImportNested, SeesValuesOfTheGraphAround) {
  const auto m =
      if_model(branch({node("Add", {"x", "h"}, {"t"})}, "t"), branch({node("Mul", {"x", "h"}, {"e"})}, "e"));
  EXPECT_EQ(run_if(m, true), (std::vector<float>{0, 0}));
  EXPECT_EQ(run_if(m, false), (std::vector<float>{-1, -4}));
}

TEST(ImportNested, MayUseTheSameNamesInBothBranchesAndForTheResult) {
  const auto m =
      if_model(branch({node("Neg", {"h"}, {"y"})}, "y"), branch({node("Identity", {"h"}, {"y"})}, "y"));
  EXPECT_EQ(must_import(m)->outputs()[0]->name, "y");
  EXPECT_EQ(run_if(m, true), (std::vector<float>{1, 2}));
  EXPECT_EQ(run_if(m, false), (std::vector<float>{-1, -2}));
}

TEST(ImportNested, MayHandAnOuterValueThrough) {
  const auto m = if_model(branch({}, "h"), branch({}, "x"));
  EXPECT_EQ(run_if(m, true), (std::vector<float>{-1, -2}));
  EXPECT_EQ(run_if(m, false), (std::vector<float>{1, 2}));
}

TEST(ImportNested, IsPutBehindTheNodesWhoseValuesItCaptures) {
  auto m = if_model(branch({node("Neg", {"h"}, {"t"})}, "t"), branch({node("Neg", {"x"}, {"e"})}, "e"));
  std::swap(m.graph.nodes[0], m.graph.nodes[1]);
  EXPECT_EQ(run_if(m, true), (std::vector<float>{1, 2}));
}

TEST(ImportNested, MayStandInAFunctionAndReferToItsAttributes) {
  FunctionMessage f{"choose", "local", {"c", "v"}, {"r"}, {"value"}};
  const Message then_branch = branch(
      {node("Constant", {}, {"k"}, {{attr_ref("value_float", "value", 1)}}), node("Mul", {"v", "k"}, {"t"})},
      "t");
  f.nodes = {node("If", {"c"}, {"r"},
                  {{attr_graph("then_branch", then_branch), attr_graph("else_branch", branch({}, "v"))}})};
  ModelMessage m = if_model({}, {});
  m.graph.nodes = {node("choose", {"c", "x"}, {"y"}, {{attr("value", 3.0f)}, "", "local"})};
  m.opsets.push_back(opset("local", 1));
  m.functions = {f.message()};
  EXPECT_EQ(run_if(m, true), (std::vector<float>{3, 6}));
  EXPECT_EQ(run_if(m, false), (std::vector<float>{1, 2}));
}

TEST(ImportNested, RunsALoopWhoseBodyUsesOuterValues) {
  // v = x; twice: v = v + h, and v is collected.
  const Message body = GraphMessage{
      {node("Add", {"v", "h"}, {"w"}), node("Identity", {"go"}, {"on"}), node("Identity", {"w"}, {"scan"})},
      {value_info("i", tensor_type(DType::i64, {})), value_info("go", tensor_type(DType::boolean, {})),
       f32_info("v", {2})},
      {value_info("on", tensor_type(DType::boolean, {})), f32_info("w", {2}), f32_info("scan", {2})},
      {}}.message();
  ModelMessage m{{{node("Neg", {"x"}, {"h"}),
                   node("Loop", {"n", "", "x"}, {"last", "all"}, {{attr_graph("body", body)}})},
                  {f32_info("x", {2})},
                  {f32_info("last", {2}), f32_info("all", {"n", 2})},
                  {tensor_i64("n", {}, {2})}}};
  const auto out = must_run(*must_import(m), {f32({2}, {1, 2})});
  EXPECT_EQ(floats(out[0]), (std::vector<float>{-1, -2}));
  EXPECT_EQ(floats(out[1]), (std::vector<float>{0, 0, -1, -2}));
}

TEST(ImportNested, ReportsUnknownNamesAndOperatorsInside) {
  const Message good = branch({node("Neg", {"x"}, {"t"})}, "t");
  expect_error(import_message(if_model(good, branch({node("Neg", {"nowhere"}, {"e"})}, "e"))), Code::corrupt,
               {"'if'", "'else_branch'", "'nowhere'"});
  expect_error(import_message(if_model(good, branch({node("Foo", {"x"}, {"e"}, {{}, "inner"})}, "e"))),
               Code::unsupported, {"'Foo'", "'inner'"});
  // What a branch makes is not seen outside.
  auto m = if_model(good, good);
  m.graph.nodes.push_back(node("Neg", {"t"}, {"z"}));
  expect_error(import_message(m), Code::corrupt, {"'t'"});
}

TEST(ImportNested, IsLimitedInDepth) {
  const Message leaf = branch({node("Neg", {"x"}, {"t"})}, "t");
  Message then_branch = leaf;
  for (int i = 0; i < 40; i++)
    then_branch = branch({node("If", {"c"}, {"t"},
                               {{attr_graph("then_branch", then_branch), attr_graph("else_branch", leaf)}})},
                         "t");
  expect_error(import_message(if_model(then_branch, leaf)), Code::limit, {"nested more than 16 deep"});

  // The same through functions, each of which is shallow.
  ModelMessage m = if_model({}, {});
  m.opsets.push_back(opset("local", 1));
  for (int i = 0; i < 30; i++) {
    FunctionMessage f{"f" + std::to_string(i), "local", {"x", "c"}, {"y"}};
    f.opsets.push_back(opset("local", 1));
    const Message inner = branch({i ? node("f" + std::to_string(i - 1), {"x", "c"}, {"t"}, {{}, "", "local"})
                                    : node("Neg", {"x"}, {"t"})},
                                 "t");
    f.nodes = {
        node("If", {"c"}, {"y"}, {{attr_graph("then_branch", inner), attr_graph("else_branch", leaf)}})};
    m.functions.push_back(f.message());
  }
  m.graph.nodes = {node("f29", {"x", "c"}, {"y"}, {{}, "", "local"})};
  expect_error(import_message(m), Code::limit, {"nested more than 16 deep"});
}

}  // namespace
}  // namespace hone::test
