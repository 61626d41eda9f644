// What a well-formed model becomes.
#include "helpers.h"

namespace hone::test {
namespace {

TEST(ImportOnnx, MakesInputsNodesAndOutputsUnderTheirNames) {
  const auto g = must_import(relu_model());
  ASSERT_EQ(g->inputs().size(), 1u);
  EXPECT_EQ(g->inputs()[0]->name, "x");
  EXPECT_EQ(g->inputs()[0]->type.str(), "f32[2,3]");
  EXPECT_EQ(g->outputs()[0]->name, "y");
  ASSERT_EQ(g->nodes().size(), 1u);
  EXPECT_EQ(g->nodes()[0]->name, "relu");
  EXPECT_EQ(floats(must_run(*g, {f32({2, 3}, {-1, 2, -3, 4, -5, 6})})[0]),
            (std::vector<float>{0, 2, 0, 4, 0, 6}));
}

TEST(ImportOnnx, TakesInitializersThatAreAlsoInputsForConstants) {
  for (const int64_t version : {3, 4, 14}) {
    ModelMessage m{{{node("Add", {"x", "w"}, {"y"})},
                    {f32_info("x", {2}), f32_info("w", {2})},
                    {f32_info("y", {2})},
                    {tensor_f32("w", {2}, {10, 20})}},
                   version};
    const auto g = must_import(m);
    ASSERT_EQ(g->inputs().size(), 1u);
    EXPECT_EQ(g->inputs()[0]->name, "x");
    EXPECT_EQ(floats(must_run(*g, {f32({2}, {1, 2})})[0]), (std::vector<float>{11, 22}));
  }
}

TEST(ImportOnnx, KeepsSymbolsEqualAcrossInputs) {
  ModelMessage m{{{node("Add", {"a", "b"}, {"y"})},
                  {f32_info("a", {"batch", 3, ""}), f32_info("b", {"batch", 3, "n"})},
                  {f32_info("y", {"batch", 3, ""})},
                  {}}};
  const auto g = must_import(m);
  const Shape& a = g->inputs()[0]->type.shape;
  const Shape& b = g->inputs()[1]->type.shape;
  EXPECT_TRUE(symbolic(a[0]));
  EXPECT_EQ(a[0], b[0]);
  EXPECT_EQ(a[2], unknown_dim);
  EXPECT_NE(a[0], b[2]);
  EXPECT_EQ(g->symbols, (std::vector<std::string>{"batch", "n"}));
}

TEST(ImportOnnx, OverridesShapesAndBindsTheirSymbolsEverywhere) {
  ModelMessage m{{{node("Add", {"a", "b"}, {"y"})},
                  {f32_info("a", {"batch", 3}), f32_info("b", {"batch", 3})},
                  {f32_info("y", {"batch", 3})},
                  {}}};
  const auto g = must_import(m, {.shapes = {{"b", Shape{4, 3}}}});
  EXPECT_EQ(g->inputs()[0]->type.str(), "f32[4,3]");
  EXPECT_EQ(g->outputs()[0]->type.str(), "f32[4,3]");

  expect_error(import_message(m, {.shapes = {{"b", Shape{4, 3}}, {"a", Shape{5, 3}}}}),
               Code::invalid_argument, {"'batch'", "4", "5"});
  expect_error(import_message(m, {.shapes = {{"c", Shape{4, 3}}}}), Code::not_found, {"'c'", "'a', 'b'"});
  expect_error(import_message(m, {.shapes = {{"a", Shape{4}}}}), Code::invalid_argument,
               {"'a'", "[4]", "2 dimensions"});
  expect_error(import_message(m, {.shapes = {{"a", Shape{unknown_dim, 3}}}}), Code::invalid_argument,
               {"'a'", "not fully known"});
}

TEST(ImportOnnx, DropsStoredShapesThatAnOverrideMakesWrong) {
  ModelMessage m = relu_model();
  m.graph.nodes = {node("Relu", {"x"}, {"h"}), node("Relu", {"h"}, {"y"})};
  m.graph.value_info = {f32_info("h", {2, 3})};
  const auto g = must_import(m, {.shapes = {{"x", Shape{7, 3}}}});
  EXPECT_EQ(g->outputs()[0]->type.str(), "f32[7,3]");
}

TEST(ImportOnnx, UsesStoredTypesWhereInferenceKnowsNothing) {
  // The new shape comes from an input, so that inference cannot know it.
  ModelMessage m{{{node("Reshape", {"x", "shape"}, {"h"}), node("Relu", {"h"}, {"y"})},
                  {f32_info("x", {6}), value_info("shape", tensor_type(DType::i64, {2}))},
                  {f32_info("y", {2, 3})},
                  {}}};
  m.graph.value_info = {f32_info("h", {2, "cols"})};
  const auto g = must_import(m);
  EXPECT_EQ(g->find("h")->type.shape[0], 2);
  EXPECT_TRUE(symbolic(g->find("h")->type.shape[1]));
}

TEST(ImportOnnx, PrefersWhatItInfersToWrongHints) {
  ModelMessage m = relu_model();
  m.graph.nodes = {node("Relu", {"x"}, {"h"}), node("Relu", {"h"}, {"y"})};
  m.graph.value_info = {f32_info("h", {9, 9, 9}), value_info("nobody", Message())};
  EXPECT_EQ(must_import(m)->find("h")->type.str(), "f32[2,3]");
}

TEST(ImportOnnx, RefusesAnOutputWhoseDeclaredTypeIsWrong) {
  ModelMessage m = relu_model();
  m.graph.outputs = {value_info("y", tensor_type(DType::i64, {2, 3}))};
  expect_error(import_message(m), Code::corrupt, {"output 'y'", "i64[2,3]", "f32[2,3]"});
}

TEST(ImportOnnx, BringsNodesInOrder) {
  ModelMessage m = relu_model();
  m.graph.nodes = {node("Relu", {"b"}, {"y"}), node("Neg", {"a"}, {"b"}), node("Neg", {"x"}, {"a"})};
  std::vector<std::string> lines;
  const auto g = must_import(m, {.log = [&](const std::string& s) { lines.push_back(s); }});
  EXPECT_EQ(floats(must_run(*g, {f32({2, 3}, {-1, 2, -3, 4, -5, 6})})[0]),
            (std::vector<float>{0, 2, 0, 4, 0, 6}));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("topological order"), std::string::npos);
}

TEST(ImportOnnx, LeavesOptionalInputsOut) {
  ModelMessage m{{{node("Clip", {"x", "", "max"}, {"y"})},
                  {f32_info("x", {3})},
                  {f32_info("y", {3})},
                  {tensor_f32("max", {}, {2})}}};
  const auto g = must_import(m);
  EXPECT_EQ(g->nodes()[0]->inputs[1], nullptr);
  EXPECT_EQ(floats(must_run(*g, {f32({3}, {-9, 1, 5})})[0]), (std::vector<float>{-9, 1, 2}));
}

TEST(ImportOnnx, LeavesUnwantedOutputsOut) {
  ModelMessage m{{{node("TopK", {"x", "k"}, {"", "y"})},
                  {f32_info("x", {3})},
                  {value_info("y", tensor_type(DType::i64, {1}))},
                  {tensor_i64("k", {1}, {1})}}};
  const auto g = must_import(m);
  EXPECT_EQ(g->nodes()[0]->outputs[0], nullptr);
  EXPECT_EQ(elements<int64_t>(must_run(*g, {f32({3}, {1, 7, 2})})[0].tensor), std::vector<int64_t>{1});
}

TEST(ImportOnnx, AppliesTheUpgradesOfOlderOpsets) {
  // Until opset 12 the axes of Squeeze were an attribute.
  ModelMessage m{{{node("Squeeze", {"x"}, {"y"}, {{attr("axes", Dims{0})}})},
                  {f32_info("x", {1, 3})},
                  {f32_info("y", {3})},
                  {}},
                 7,
                 {opset("", 11)}};
  EXPECT_EQ(must_import(m)->outputs()[0]->type.str(), "f32[3]");
  m.opsets = {opset("", 13)};
  expect_error(import_message(m), Code::unsupported, {"Squeeze", "'axes'"});
}

TEST(ImportOnnx, TurnsEveryFormOfConstantIntoAGraphConstant) {
  const auto import_constant = [](const Message& attribute, DType d, const std::vector<DimSpec>& dims) {
    ModelMessage m{{{node("Constant", {}, {"c"}, {{attribute}}), node("Identity", {"c"}, {"y"})},
                    {},
                    {value_info("y", tensor_type(d, dims))},
                    {}}};
    return must_run(*must_import(m), {})[0].tensor;
  };
  EXPECT_EQ(
      elements<float>(import_constant(attr_tensor("value", tensor_f32("", {2}, {1, 2})), DType::f32, {2})),
      (std::vector<float>{1, 2}));
  EXPECT_EQ(elements<float>(import_constant(attr("value_float", 2.5f), DType::f32, {})),
            std::vector<float>{2.5f});
  EXPECT_EQ(elements<int64_t>(import_constant(attr("value_int", int64_t{-7}), DType::i64, {})),
            std::vector<int64_t>{-7});
  EXPECT_EQ(elements<int64_t>(import_constant(attr("value_ints", Dims{1, 2}), DType::i64, {2})),
            (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(elements<float>(import_constant(attribute("value_floats", 6).reals(7, std::vector<float>{1, 2}),
                                            DType::f32, {2})),
            (std::vector<float>{1, 2}));
  EXPECT_EQ(
      elements<std::string>(import_constant(attr("value_string", std::string_view("ab")), DType::string, {})),
      std::vector<std::string>{"ab"});
  EXPECT_EQ(elements<std::string>(
                import_constant(attribute("value_strings", 8).text(9, "a").text(9, "b"), DType::string, {2})),
            (std::vector<std::string>{"a", "b"}));
  const Message sparse =
      Message().sub(1, tensor_f32("", {1}, {5})).sub(2, tensor_i64("", {1}, {2})).numbers(3, Dims{3});
  EXPECT_EQ(elements<float>(import_constant(attribute("sparse_value", 11).sub(22, sparse), DType::f32, {3})),
            (std::vector<float>{0, 0, 5}));
}

TEST(ImportOnnx, FillsSparseInitializersIn) {
  const auto import_sparse = [](const Message& indices) {
    ModelMessage m{{{node("Relu", {"s"}, {"y"})}, {}, {f32_info("y", {2, 3})}, {}}};
    m.graph.sparse_initializers = {
        Message().sub(1, tensor_f32("s", {2}, {5, 6})).sub(2, indices).numbers(3, Dims{2, 3})};
    return import_message(m);
  };
  for (const Message& indices : {tensor_i64("", {2}, {1, 5}), tensor_i64("", {2, 2}, {0, 1, 1, 2})}) {
    const auto g = import_sparse(indices);
    ASSERT_TRUE(g) << g.error().message;
    EXPECT_EQ(floats(must_run(**g, {})[0]), (std::vector<float>{0, 5, 0, 0, 0, 6}));
  }
  expect_error(import_sparse(tensor_i64("", {2}, {1, 6})), Code::corrupt, {"'s'", "value 1", "[2,3]"});
  expect_error(import_sparse(tensor_i64("", {2, 2}, {0, 1, 2, 0})), Code::corrupt,
               {"'s'", "value 1", "[2,3]"});
  expect_error(import_sparse(tensor_i64("", {3}, {0, 1, 2})), Code::corrupt, {"indices of shape [3]"});
}

TEST(ImportOnnx, CarriesMetadataAndReportsWhatItIgnores) {
  ModelMessage m = relu_model();
  m.extra.text(2, "pytorch")
      .text(3, "2.1")
      .number(5, 4)
      .sub(14, entry("licence", "MIT"))
      .sub(14, entry("author", "me"))
      .sub(20, Message().number(9, 1));
  std::vector<std::string> lines;
  const auto g = must_import(m, {.log = [&](const std::string& s) { lines.push_back(s); }});
  const std::vector<std::pair<std::string, std::string>> want = {
      {"author", "me"}, {"licence", "MIT"}, {"model_version", "4"}, {"producer", "pytorch 2.1"}};
  EXPECT_EQ(g->metadata, want);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("training"), std::string::npos);
}

TEST(ImportOnnx, NamesAnOutputThatIsAnInputOrAConstant) {
  ModelMessage m{
      {{}, {f32_info("x", {2})}, {f32_info("x", {2}), f32_info("c", {1})}, {tensor_f32("c", {1}, {3})}}};
  const auto g = must_import(m);
  EXPECT_EQ(g->outputs()[0]->name, "x");
  EXPECT_EQ(g->outputs()[1]->name, "c");
  EXPECT_EQ(floats(must_run(*g, {f32({2}, {1, 2})})[1]), std::vector<float>{3});
}

}  // namespace
}  // namespace hone::test
