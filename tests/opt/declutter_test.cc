#include <gtest/gtest.h>

#include "check.h"
#include "ir/text.h"

namespace hone::opt {
namespace {

std::string run(const std::string& passes, const std::string& signature,
                const std::vector<std::string>& lines) {
  return statements(after(passes, graph_text(signature, lines)));
}

TEST(Fold, ComputesWhatDependsOnConstantsOnly) {
  EXPECT_EQ(run("fold", "(%x: f32[2]) -> (%y)",
                {"%a = const f32[2] {1, 2}", "%b = const f32[2] {3, 5}", "%s = Add(%a, %b)", "%t = Neg(%s)",
                 "%y = Mul(%x, %t)"}),
            "%t = const f32[2] {-4, -7}\n%y: f32[2] = Mul(%x, %t)");
}

TEST(Fold, FollowsShapesThroughGatherAndConcat) {
  // The usual way of exporters to flatten: the batch is a symbol, the rest is known.
  EXPECT_EQ(run("fold dead_code", "(%x: f32[N,4,5]) -> (%y)",
                {"%s = Shape(%x)", "%zero = const i64[] {0}", "%n = Gather(%s, %zero)",
                 "%axes = const i64[1] {0}", "%u = Unsqueeze(%n, %axes)", "%rest = const i64[1] {-1}",
                 "%target = Concat(%u, %rest) {axis=0}", "%y = Reshape(%x, %target)"}),
            "%c = const i64[2] {0, -1}\n%y: f32[N,20] = Reshape(%x, %c)");
}

TEST(Fold, KnownDimensionsBesideSymbolsBecomeConstants) {
  EXPECT_EQ(run("fold dead_code", "(%x: f32[N,4,6]) -> (%y)",
                {"%s = Shape(%x)", "%two = const i64[] {2}", "%n = Gather(%s, %two)", "%half = Div(%n, %two)",
                 "%y = Cast(%half) {to=1}"}),
            "%y = const f32[] {3}");
}

TEST(Fold, LeavesWhatWouldBloatTheModel) {
  ir::Graph g;
  auto* a = g.add_constant(*Tensor::allocate(DType::f32, Shape{2048, 1}));
  auto* b = g.add_constant(*Tensor::allocate(DType::f32, Shape{1, 2048}));
  std::fill_n(a->constant.data<float>(), 2048, 1.0f);
  std::fill_n(b->constant.data<float>(), 2048, 1.0f);
  g.add_output(g.add_node(*find_op("Add"), {a, b}, {})->outputs[0]);
  ASSERT_TRUE(bind_attrs(*find_op("Add"), g.nodes()[0]->attrs, true));
  ASSERT_TRUE(ir::infer(g));
  ASSERT_TRUE(optimise(g));
  EXPECT_EQ(g.nodes().size(), 1u);
}

TEST(RemoveIdentities, EachKindGoes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "Identity(%x)"},
      {"", "Cast(%x) {to=1}"},
      {"%s = const i64[3] {2,3,4}", "Reshape(%x, %s)"},
      {"", "Transpose(%x) {perm=[0,1,2]}"},
      {"%p = const i64[6] {0,0,0,0,0,0}", "Pad(%x, %p)"},
      {"%a = const i64[1] {0} %e = const i64[1] {9}", "Slice(%x, %a, %e)"},
      {"", "Concat(%x) {axis=1}"},
      {"", "Sum(%x)"},
      {"%lo = const f32[] {-inf}", "Clip(%x, %lo)"},
      {"%z = const f32[1] {0}", "Add(%x, %z)"},
      {"%z = const f32[] {0}", "Sub(%x, %z)"},
      {"%z = const f32[3,1] {1, 1, 1}", "Mul(%x, %z)"},
      {"%z = const f32[] {1}", "Div(%x, %z)"},
      {"%z = const f32[] {1}", "Pow(%x, %z)"},
      {"", "Dropout(%x)"},
      {"", "MaxPool(%x) {kernel_shape=[1]}"},
  };
  for (const auto& [constants, node] : cases)
    EXPECT_EQ(run("remove_identities dead_code", "(%x: f32[2,3,4]) -> (%y)",
                  {constants, "%z9 = " + node, "%y = Neg(%z9)"}),
              "%y: f32[2,3,4] = Neg(%x)")
        << node;
}

TEST(RemoveIdentities, WhatOnlyLooksLikeOneStays) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"%z = const f32[1,1,1,1] {0}", "Add(%x, %z)"},  // widens the shape
      {"%z = const f32[5,1,1,1] {1, 1, 1, 1, 1}", "Mul(%x, %z)"},
      {"", "Transpose(%x)"},
      {"%e = const i64[1] {-9} %a = const i64[1] {-1} %m = const i64[1] {-1} %q = const i64[1] {0}",
       "Slice(%x, %a, %e, %q, %m)"},
      {"%z = const f32[3,1] {1, 2, 1}", "Mul(%x, %z)"},
  };
  for (const auto& [constants, node] : cases)
    EXPECT_NE(
        run("remove_identities", "(%x: f32[2,3,4]) -> (%y)", {constants, "%z9 = " + node, "%y = Neg(%z9)"})
            .find("%z9"),
        std::string::npos)
        << node;
}

TEST(RemoveIdentities, OutputsKeepTheirNames) {
  EXPECT_EQ(run("remove_identities", "(%x: f32[2]) -> (%y, %z)",
                {"%a = Neg(%x)", "%y = Identity(%a)", "%z = Identity(%x)"}),
            "%y: f32[2] = Neg(%x)\n%z: f32[2] = Identity(%x)");
}

TEST(ShareCommon, ExpressionsAndConstantsAreKeptOnce) {
  EXPECT_EQ(
      run("share_common", "(%x: f32[2]) -> (%y)",
          {"%a = const f32[2] {1, 2}", "%b = const f32[2] {1, 2}", "%p = Add(%x, %a)", "%q = Add(%x, %b)",
           "%r = Neg(%p)", "%s = Neg(%q)", "%y = Mul(%r, %s)"}),
      "%a = const f32[2] {1, 2}\n%p: f32[2] = Add(%x, %a)\n%r: f32[2] = Neg(%p)\n%y: f32[2] = Mul(%r, %r)");
}

TEST(ShareCommon, TwoOutputsStayTwoValues) {
  EXPECT_EQ(run("share_common", "(%x: f32[2]) -> (%y, %z)", {"%y = Neg(%x)", "%z = Neg(%x)"}),
            "%y: f32[2] = Neg(%x)\n%z: f32[2] = Neg(%x)");
}

TEST(ExplicitWindows, SameBecomesPads) {
  EXPECT_EQ(run("explicit_windows", "(%x: f32[1,2,7,8], %w: f32[3,2,3,3]) -> (%y)",
                {"%y = Conv(%x, %w) {auto_pad=\"SAME_UPPER\", strides=[2,2]}"}),
            "%y: f32[1,3,4,4] = Conv(%x, %w) {dilations=[1, 1], kernel_shape=[3, 3], pads=[1, 0, 1, 1], "
            "strides=[2, 2]}");
}

TEST(DeadCode, WhatNobodyUsesGoesWithItsConstants) {
  EXPECT_EQ(run("dead_code", "(%x: f32[2]) -> (%y)",
                {"%a = const f32[2] {1, 2}", "%p = Add(%x, %a)", "%q = Neg(%p)", "%y = Neg(%x)"}),
            "%y: f32[2] = Neg(%x)");
}

TEST(Pipeline, RefusesAnUnknownPassName) {
  ir::Graph g;
  auto ok = optimise(g, {.disable = {"nonsense"}});
  ASSERT_FALSE(ok);
  EXPECT_NE(ok.error().message.find("nonsense"), std::string::npos);
}

TEST(Pipeline, ReportsTimesChangesAndReasons) {
  auto g = parse(graph_text("(%x: f32[2]) -> (%y)", {"%a = Identity(%x)", "%y = Neg(%a)"}));
  OptReport report;
  std::string dumped;
  ASSERT_TRUE(optimise(*g,
                       {.dump_after =
                            [&](const std::string& pass, const ir::Graph&) {
                              dumped += pass + " ";
                              return Status();
                            }},
                       &report));
  ASSERT_EQ(report.log.size(), 1u);
  EXPECT_EQ(report.log[0].rule, "remove_identities");
  EXPECT_NE(dumped.find("fold "), std::string::npos);
}

}  // namespace
}  // namespace hone::opt
