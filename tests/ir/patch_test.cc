#include "ir/patch.h"

#include <gtest/gtest.h>

#include "ir/match.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace hone::ir {
namespace {

std::shared_ptr<Graph> parse(const std::string& text) {
  auto g = parse_graph(text);
  EXPECT_TRUE(g) << g.error().message;
  EXPECT_TRUE(infer(**g));
  return *g;
}
void expect_valid(const Graph& g) {
  auto ok = verify(g);
  EXPECT_TRUE(ok) << ok.error().message << "\n" << print(g);
}

TEST(Patch, AppliesWithNamesOriginsAndLog) {
  auto g = parse("graph @t(%x: f32[2]) -> (%y) {\n %a = Neg(%x) \"n\"\n %y = Neg(%a) \"m\"\n }");
  Log log;
  {
    Patch p(*g, "halve", "because");
    p.replace(g->outputs()[0], p.add("Abs", {g->inputs()[0]}));
    ASSERT_TRUE(p.apply(&log));
  }
  EXPECT_EQ(print(*g), "graph @t(%x: f32[2]) -> (%y) {\n  %y: f32[2] = Abs(%x) \"m\" by \"halve\"\n}\n");
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].rule + "|" + log[0].reason + "|" + log[0].node, "halve|because|Neg 'm'");
  expect_valid(*g);
}

TEST(Patch, DroppedLeavesNoTrace) {
  const std::string text = "graph @t(%x: f32[2]) -> (%y) {\n  %y: f32[2] = Neg(%x)\n}\n";
  auto g = parse(text);
  {
    Patch p(*g, "r", "");
    Value* c = p.constant(Tensor::of<float>(DType::f32, {1, 2}));
    p.replace(g->outputs()[0], p.add("Add", {p.add("Neg", {g->inputs()[0]}), c}));
  }
  EXPECT_EQ(print(*g), text);
  expect_valid(*g);
}

TEST(Patch, RefusesAReplacementOfAnotherType) {
  const std::string text = "graph @t(%x: f32[2]) -> (%y) {\n  %y: f32[2] = Neg(%x)\n}\n";
  auto g = parse(text);
  {
    Patch p(*g, "r", "");
    p.replace(g->outputs()[0], p.constant(Tensor::of<float>(DType::f32, {1, 2, 3})));
    EXPECT_FALSE(p.apply());
  }
  EXPECT_EQ(print(*g), text);
  Patch p(*g, "r", "");
  p.add("Nonsense", {});
  EXPECT_FALSE(p.apply());
}

TEST(Patch, OutputsKeepNamesWhenReplacedByInputsOrOtherOutputs) {
  auto g = parse("graph @t(%x: f32[2]) -> (%y, %z) {\n %y = Neg(%x)\n %z = Abs(%x)\n }");
  for (Value* to : {g->inputs()[0], g->outputs()[1]}) {
    Patch p(*g, "r", "");
    p.replace(g->outputs()[0], to);
    ASSERT_TRUE(p.apply());
    EXPECT_EQ(g->outputs()[0]->name, "y");
    EXPECT_EQ(g->outputs()[1]->name, "z");
    expect_valid(*g);
  }
}

TEST(Patch, RefinesTypesDownstream) {
  auto g = parse("graph @t(%x: f32[?], %k: f32[3]) -> (%z) {\n %y = Neg(%x)\n %z = Abs(%y)\n }");
  Patch p(*g, "r", "");
  p.replace(g->find("y"), p.add("Neg", {g->find("k")}));
  ASSERT_TRUE(p.apply());
  EXPECT_EQ(g->outputs()[0]->type, ValueType(DType::f32, Shape{3}));
  expect_valid(*g);
}

// --- rules ---

int rewrite(Graph& g, const Rule& rule) {
  auto r = Rewriter::compile(rule);
  EXPECT_TRUE(r) << r.error().message;
  auto n = r->apply(g, nullptr);
  EXPECT_TRUE(n) << n.error().message;
  expect_valid(g);
  return n ? *n : -1;
}
const Rule silu{.name = "silu", .text = "%s = Sigmoid(%x)\n%y = Mul(%x, %s)\n=>\n%y = Swish(%x)"};

TEST(Rule, MatchesBothWaysOfACommutativeOperator) {
  for (const char* product : {"Mul(%a, %b)", "Mul(%b, %a)"}) {
    auto g = parse(std::string("graph @t(%a: f32[2]) -> (%y) { %b = Sigmoid(%a) %y = ") + product + " }");
    EXPECT_EQ(rewrite(*g, silu), 1);
    EXPECT_EQ(print(*g), "graph @t(%a: f32[2]) -> (%y) {\n  %y: f32[2] = Swish(%a) by \"silu\"\n}\n");
  }
}

TEST(Rule, IntermediatesMustHaveNoOtherUse) {
  auto g = parse("graph @t(%a: f32[2]) -> (%y, %b) { %b = Sigmoid(%a) %y = Mul(%a, %b) }");
  EXPECT_EQ(rewrite(*g, silu), 0);
  g = parse("graph @t(%a: f32[2]) -> (%y, %z) { %b = Sigmoid(%a) %y = Mul(%a, %b) %z = Neg(%b) }");
  EXPECT_EQ(rewrite(*g, silu), 0);
}

TEST(Rule, TheSameNameIsTheSameValue) {
  auto g = parse("graph @t(%a: f32[2], %c: f32[2]) -> (%y) { %b = Sigmoid(%a) %y = Mul(%c, %b) }");
  EXPECT_EQ(rewrite(*g, silu), 0);
}

TEST(Rule, ConstantsMatchByAboutTheirValueAtAnyRank) {
  const Rule rule{.name = "half",
                  .text = "%h = const f32[] {0.70710678}\n%y = Mul(%x, %h)\n=>\n%y = Neg(%x)"};
  auto g = parse("graph @t(%a: f32[2,2]) -> (%y) { %h = const f32[1,1] {0.707106769} %y = Mul(%a, %h) }");
  EXPECT_EQ(rewrite(*g, rule), 1);
  g = parse("graph @t(%a: f32[2,2]) -> (%y) { %h = const f32[1,1] {0.7072} %y = Mul(%a, %h) }");
  EXPECT_EQ(rewrite(*g, rule), 0);
  g = parse("graph @t(%a: f32[2,2]) -> (%y) { %h = const f32[1,1,1] {0.70710678} %y = Mul(%a, %h) }");
  EXPECT_EQ(rewrite(*g, rule), 0) << "the product has another rank";
}

TEST(Rule, AttributesAreCapturedComparedAndDefaulted) {
  const Rule rule{.name = "soft",
                  .text = "%e = Softmax(%x) {axis=$a}\n%y = Log(%e)\n=>\n%y = LogSoftmax(%x) {axis=$a}"};
  auto g = parse("graph @t(%x: f32[2,2]) -> (%y) { %e = Softmax(%x) {axis=0} %y = Log(%e) }");
  EXPECT_EQ(rewrite(*g, rule), 1);
  EXPECT_NE(print(*g).find("LogSoftmax(%x) {axis=0}"), std::string::npos);
  const Rule written{.name = "leaky", .text = "%y = LeakyRelu(%x) {alpha=0}\n=>\n%y = Relu(%x)"};
  g = parse("graph @t(%x: f32[2,2]) -> (%y) { %y = LeakyRelu(%x) }");
  EXPECT_EQ(rewrite(*g, written), 0) << "0.01 is not 0";
}

TEST(Rule, WhereAndBuildDecideAndCompute) {
  const Rule rule{.name = "square",
                  .text = "%y = Pow(%x, %p)\n=>\n%y = Mul(%x, %k)",
                  .where = [](const Match& m) { return m.value("p")->is_constant(); },
                  .build = [](Patch& p, Match& m) -> Status {
                    m.values["k"] = p.constant(m.value("p")->constant);
                    return {};
                  }};
  auto g = parse("graph @t(%x: f32[2]) -> (%y) { %p = const f32[] {2} %y = Pow(%x, %p) }");
  EXPECT_EQ(rewrite(*g, rule), 1);
  g = parse("graph @t(%x: f32[2], %p: f32[2]) -> (%y) { %y = Pow(%x, %p) }");
  EXPECT_EQ(rewrite(*g, rule), 0);
}

TEST(Rule, ABrokenRuleIsRefusedWhenCompiled) {
  EXPECT_FALSE(Rewriter::compile({.name = "r", .text = "%y = Neg(%x)"}));
  EXPECT_FALSE(Rewriter::compile({.name = "r", .text = "%y = Neg(%x) => %z = Neg(%x)"}));
  EXPECT_FALSE(Rewriter::compile({.name = "r", .text = "%y = Nonsense(%x) => %y = Neg(%x)"}));
  EXPECT_FALSE(Rewriter::compile({.name = "r", .text = "=> %y = Neg(%x)"}));
}

}  // namespace
}  // namespace hone::ir
