#include <gtest/gtest.h>

#include "check.h"
#include "ir/text.h"

namespace hone::opt {
namespace {

std::string run(const std::string& passes, const std::string& signature,
                const std::vector<std::string>& lines, bool once = true) {
  return statements(after(passes, graph_text(signature, lines), once));
}
int count(const std::string& text, const std::string& what) {
  int n = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) n++;
  return n;
}
const std::string layout = "channels_last layout_fold layout_identities layout_views layout_common sweep";

TEST(ChannelsLast, APlainNetworkKeepsNoTranspose) {
  const std::string text =
      run(layout, "(%x: f32[2,3,8,8]) -> (%y)",
          {"%w = const f32[4,3,1,1] {1,2,3,4,5,6,7,8,9,10,11,12}", "%k = const f32[4,1,1] {1,2,3,4}",
           "%a = Conv(%x, %w) {strides=[2,2]}", "%b = Mul(%a, %k)", "%c = Relu(%b)",
           "%m = MaxPool(%c) {kernel_shape=[2,2]}", "%s = const f32[4] {1,1,2,1}",
           "%u = Concat(%m, %m) {axis=1}", "%d = GlobalAveragePool(%u)", "%y = Flatten(%d)"});
  EXPECT_EQ(count(text, "Transpose"), 0) << text;
  EXPECT_EQ(count(text, "channels_last=1"), 3) << text;
  EXPECT_EQ(count(text, "planar_input=1"), 1) << text;
  EXPECT_NE(text.find("{axis=3}"), std::string::npos) << text;
}

TEST(ChannelsLast, OutputsKeepTheModelsLayout) {
  EXPECT_EQ(run(layout, "(%x: f32[1,2,3,4], %w: f32[3,2,1,1]) -> (%y)",
                {"%a = Conv(%x, %w)", "%y = GlobalAveragePool(%a)"}),
            "%c = const i64[4] {1, 3, 1, 1}\n"
            "%x/layout: f32[1,3,4,2] = Transpose(%x) {perm=[0, 2, 3, 1]} \"x/layout\"\n"
            "%Conv: f32[1,3,4,3] = Conv(%x/layout, %w) {channels_last=1}\n"
            "%GlobalAveragePool: f32[1,1,1,3] = GlobalAveragePool(%Conv) {channels_last=1}\n"
            "%y: f32[1,3,1,1] = Reshape(%GlobalAveragePool, %c) \"y/layout\"");
}

TEST(ChannelsLast, AConvolutionReadsImagesOfFewChannelsAsTheyAre) {
  const auto first = [](const std::string& x, const std::string& w, const std::string& attrs) {
    return run("fold " + layout, "(%x: f32[" + x + "]) -> (%y)",
               {"%k = const i64[4] {" + w + "}", "%one = const f32[1] {1}", "%v = Expand(%one, %k)",
                "%a = Conv(%x, %v) {" + attrs + "}", "%b = Relu(%a)", "%y = GlobalAveragePool(%b)"});
  };
  EXPECT_EQ(count(first("1,4,8,8", "6,4,3,3", "pads=[1,1,1,1]"), "planar_input=1"), 1);
  EXPECT_EQ(count(first("1,5,8,8", "6,5,3,3", "pads=[1,1,1,1]"), "planar_input=1"), 0);
  EXPECT_EQ(count(first("1,4,8,8", "6,2,3,3", "group=2"), "planar_input=1"), 0);
}

// Each of these stands between two convolutions and must let the layout through.
TEST(ChannelsLast, PassesThroughWhatAPermutationCanPass) {
  const std::vector<std::vector<std::string>> middles = {
      {"%m = Relu(%a)"},
      {"%m = Clip(%a, %lo, %hi)"},
      {"%k = const f32[] {2}", "%m = Add(%a, %k)"},
      {"%k = const f32[4,1,1] {1,2,3,4}", "%m = PRelu(%a, %k)"},
      {"%k = const f32[6] {1,2,3,4,5,6}", "%m = Sub(%k, %a)"},
      {"%g = GlobalAveragePool(%a)", "%m = Mul(%a, %g)"},
      {"%m = Softmax(%a) {axis=1}"},
      {"%m = Softmax(%a) {axis=-1}"},
      {"%p, %q = Split(%a) {axis=1, num_outputs=2}", "%m = Concat(%q, %p) {axis=1}"},
      {"%p = const i64[8] {0,0,1,2,0,0,3,0}", "%m = Pad(%a, %p)"},
      {"%p = const i64[8] {0,0,1,2,0,0,3,0}", "%m = Pad(%a, %p) {mode=\"reflect\"}"},
      {"%s = const i64[2] {1,0}", "%e = const i64[2] {5,4}", "%x2 = const i64[2] {2,-1}",
       "%m = Slice(%a, %s, %e, %x2)"},
      {"%s = const i64[3] {0,1,2}", "%e = const i64[3] {9,4,4}", "%m = Slice(%a, %s, %e)"},
      {"%ax = const i64[2] {2,3}", "%r = ReduceMean(%a, %ax)", "%m = Mul(%a, %r)"},
      {"%i = const i64[3] {2,0,1}", "%m = Gather(%a, %i) {axis=1}"},
      {"%sc = const f32[4] {1,1,2,2}", "%m = Resize(%a, _, %sc)"},
      {"%sz = const i64[4] {1,4,7,9}", "%m = Resize(%a, _, _, %sz) {mode=\"linear\"}"},
      {"%sz = const i64[2] {7,9}", "%m = Resize(%a, _, _, %sz) {axes=[2,3], mode=\"linear\"}"},
      {"%m = hone.ChannelShuffle(%a) {groups=2}"},
      {"%m = LRN(%a) {size=3}"},
      {"%q = const f32[] {0.1}", "%o = const u8[] {128}", "%u = QuantizeLinear(%a, %q, %o)",
       "%v = com.microsoft.QLinearAdd(%u, %q, %o, %u, %q, %o, %q, %o)", "%m = DequantizeLinear(%v, %q, %o)"},
      {"%z = const f32[] {0}", "%t = Greater(%a, %z)", "%m = Where(%t, %a, %z)"},
      {"%sh = const i64[3] {1,4,-1}", "%r = Reshape(%a, %sh)", "%sh2 = const i64[4] {1,4,6,6}",
       "%m = Reshape(%r, %sh2)"},
      {"%sh = const i64[5] {1,2,2,6,6}", "%r = Reshape(%a, %sh)", "%sh2 = const i64[4] {1,4,6,6}",
       "%m = Reshape(%r, %sh2)"},
      {"%i = const i64[] {1}", "%r = Gather(%a, %i) {axis=2}", "%u = const i64[1] {2}",
       "%m = Unsqueeze(%r, %u)"},
      {"%ax = const i64[1] {3}", "%r = ReduceMax(%a, %ax) {keepdims=0}", "%m = Unsqueeze(%r, %ax)"},
  };
  for (const auto& middle : middles) {
    std::vector<std::string> lines = {"%lo = const f32[] {-1}", "%hi = const f32[] {2}", "%a = Conv(%x, %w)"};
    lines.insert(lines.end(), middle.begin(), middle.end());
    lines.push_back("%y = AveragePool(%m) {kernel_shape=[1,1], strides=[2,1]}");
    lines.push_back("%z9 = GlobalMaxPool(%y)");
    const std::string text = run(layout, "(%x: f32[1,3,6,6], %w: f32[4,3,1,1]) -> (%z9)", lines);
    EXPECT_EQ(count(text, " = Transpose"), 1) << middle.back() << "\n" << text;
  }
}

TEST(ChannelsLast, ADetectionHeadNeedsNoTransposeOfItsOwn) {
  // Conv -> [N, A*K, H, W] -> [N, A, K, H, W] -> [N, H, W, A, K] -> [N, H*W*A, K], as SSD heads do.
  const std::string text =
      run(layout, "(%x: f32[1,3,4,5], %w: f32[6,3,1,1]) -> (%y)",
          {"%a = Conv(%x, %w)", "%s = const i64[5] {1,2,3,4,5}", "%b = Reshape(%a, %s)",
           "%c = Transpose(%b) {perm=[0,3,4,1,2]}", "%t = const i64[3] {1,-1,3}", "%y = Reshape(%c, %t)"});
  EXPECT_EQ(count(text, " = Transpose"), 1) << text;  // of the input
}

TEST(ChannelsLast, PatchesForATransformerNeedNoTransposeOfTheirOwn) {
  const std::string text =
      run(layout, "(%x: f32[1,3,4,4], %w: f32[6,3,2,2]) -> (%y)",
          {"%a = Conv(%x, %w) {strides=[2,2]}", "%s = const i64[3] {1,6,4}", "%b = Reshape(%a, %s)",
           "%c = Transpose(%b) {perm=[0,2,1]}", "%y = Softmax(%c)"});
  EXPECT_EQ(count(text, " = Transpose"), 1) << text;
}

TEST(ChannelsLast, WhatAPermutationCannotPassGetsTheModelsLayout) {
  const std::string text = run(layout, "(%x: f32[1,3,4,5], %w: f32[6,3,1,1], %m: f32[5,2]) -> (%y)",
                               {"%a = Conv(%x, %w)", "%y = MatMul(%a, %m)"});
  EXPECT_EQ(count(text, " = Transpose"), 2) << text;
}

TEST(ChannelsLast, OneDimensionalImagesToo) {
  const std::string text = run(layout, "(%x: f32[2,3,8], %w: f32[4,3,3]) -> (%y)",
                               {"%a = Conv(%x, %w)", "%b = Relu(%a)", "%g = GlobalAveragePool(%b)",
                                "%u = const i64[1] {2}", "%y = Squeeze(%g, %u)"});
  EXPECT_EQ(count(text, " = Transpose"), 1) << text;
}

TEST(ChannelsLast, MapsEnlargedForTheOutputAloneAreTransposedBefore) {
  const std::string signature = "(%x: f32[1,2,4,4], %w: f32[2,2,1,1], %z: f32[1,2,32,32]) -> (%y)";
  const std::string scales = "%s = const f32[4] {1,1,8,8}", smaller = "%s = const f32[4] {1,1,0.5,0.5}";
  const auto resize_is_last = [&](const std::vector<std::string>& lines) {
    const std::string text = run(layout, signature, lines);
    EXPECT_EQ(count(text, "Resize("), 1) << text;
    return text.find("channels_last=1", text.find("Resize(")) == text.npos;
  };
  EXPECT_TRUE(resize_is_last({"%a = Conv(%x, %w)", scales, "%y = Resize(%a, _, %s)"}));
  EXPECT_TRUE(resize_is_last({"%a = Conv(%x, %w)", scales, "%b = Resize(%a, _, %s)", "%y = Sigmoid(%b)"}));
  EXPECT_FALSE(resize_is_last({"%a = Conv(%x, %w)", smaller, "%y = Resize(%a, _, %s)"}));
  EXPECT_FALSE(resize_is_last({"%a = Conv(%x, %w)", scales, "%b = Resize(%a, _, %s)", "%y = Conv(%b, %w)"}));
  EXPECT_FALSE(resize_is_last(
      {"%a = Conv(%x, %w)", scales, "%b = Resize(%a, _, %s)", "%c = Relu(%b)", "%y = Add(%c, %z)"}));
}

TEST(ChannelsLast, VolumesAndWantedIndicesStay) {
  const std::string volume = run(layout, "(%x: f32[1,2,3,3,3], %w: f32[2,2,1,1,1]) -> (%y)",
                                 {"%a = Conv(%x, %w)", "%y = GlobalAveragePool(%a)"});
  EXPECT_EQ(count(volume, "Transpose") + count(volume, "channels_last"), 0) << volume;
  const std::string indices = run(layout, "(%x: f32[1,2,4,4], %w: f32[2,2,1,1]) -> (%y, %i)",
                                  {"%a = Conv(%x, %w)", "%y, %i = MaxPool(%a) {kernel_shape=[2,2]}"});
  EXPECT_EQ(count(indices, "channels_last=1"), 1) << indices;
}

TEST(ChannelsLast, GraphsWithoutImagesAreLeftAlone) {
  const std::vector<std::string> lines = {"%a: f32[2,4,3] = Transpose(%x) {perm=[0, 2, 1]}",
                                          "%b: f32[2,4,3] = Add(%a, %z)",
                                          "%y: f32[2,3,4] = Transpose(%b) {perm=[0, 2, 1]}"};
  const std::string text = graph_text("(%x: f32[2,3,4], %z: f32[2,4,3]) -> (%y)", lines);
  EXPECT_EQ(after("channels_last", text), text);
}

TEST(FuseActivation, GoesIntoWhatMakesItsInput) {
  EXPECT_EQ(
      run("fuse_activation sweep", "(%x: f32[1,2,4,4], %w: f32[3,2,1,1]) -> (%y)",
          {"%a = Conv(%x, %w)", "%lo = const f32[] {0}", "%hi = const f32[] {6}", "%y = Clip(%a, %lo, %hi)"}),
      "%y: f32[1,3,4,4] = Conv(%x, %w) {activation=\"Clip\", activation_beta=6}");
  for (const char* op :
       {"Relu", "Sigmoid", "Tanh", "HardSwish", "Mish", "Gelu", "LeakyRelu", "Elu", "Swish", "HardSigmoid"}) {
    for (const char* maker : {"Conv(%x, %w)", "Add(%x, %x)"})
      EXPECT_EQ(count(run("fuse_activation sweep", "(%x: f32[1,2,4,4], %w: f32[3,2,1,1]) -> (%y)",
                          {std::string("%a = ") + maker, std::string("%y = ") + op + "(%a)"}),
                      "activation=\""),
                1)
          << op << maker;
  }
}

TEST(FuseActivation, NotWhereTheInputHasOtherUsesOrAnActivation) {
  EXPECT_EQ(count(run("fuse_activation", "(%x: f32[2]) -> (%y, %a)", {"%a = Add(%x, %x)", "%y = Relu(%a)"}),
                  "activation"),
            0);
  const std::string twice =
      run("fuse_activation", "(%x: f32[2]) -> (%y)", {"%a = Add(%x, %x)", "%b = Relu(%a)", "%y = Tanh(%b)"});
  EXPECT_EQ(count(twice, "activation=\"Relu\""), 1);
  EXPECT_EQ(count(twice, "= Tanh"), 1);
}

TEST(FuseResidual, GoesIntoTheConvolutionThatRunsLast) {
  EXPECT_EQ(run("fuse_residual fuse_activation sweep", "(%x: f32[1,2,4,4], %w: f32[2,2,1,1]) -> (%y)",
                {"%a = Conv(%x, %w) \"first\"", "%b = Conv(%a, %w) \"second\"", "%c = Conv(%x, %w) \"third\"",
                 "%s = Add(%b, %c)", "%y = Relu(%s)"}),
            "%a: f32[1,2,4,4] = Conv(%x, %w) \"first\"\n%b: f32[1,2,4,4] = Conv(%a, %w) \"second\"\n"
            "%y: f32[1,2,4,4] = Conv(%x, %w, _, %b) {activation=\"Relu\"} \"third\"");
}

TEST(FuseResidual, NotForABroadcastOrAConstant) {
  EXPECT_EQ(count(run("fuse_residual", "(%x: f32[1,2,4,4], %w: f32[2,2,1,1], %z: f32[1,2,1,1]) -> (%y)",
                      {"%a = Conv(%x, %w)", "%y = Add(%a, %z)"}),
                  "Add"),
            1);
}

TEST(FuseResidual, GoesIntoAProductWithItsBias) {
  const std::string text =
      run("matmul_bias fuse_residual fuse_activation sweep", "(%x: f32[2,3,2], %b: f32[2]) -> (%y)",
          {"%w = const f32[2,2] {1,2,3,4}", "%a = MatMul(%x, %w) \"up\"", "%s = Add(%b, %a)",
           "%r = Add(%x, %s)", "%y = Gelu(%r)"});
  EXPECT_NE(text.find("%y: f32[2,3,2] = MatMul(%x, %w, %b, %x) {activation=\"Gelu\"} \"up\""), text.npos)
      << text;
}

TEST(FoldAffine, GoesIntoWeightsAndBias) {
  const std::string bn =
      "%s = const f32[4] {1,2,0.5,-1} %t = const f32[4] {0,1,2,3} %m = const f32[4] {1,0,-1,2} %v = const "
      "f32[4] {1,4,0.5,2}";
  const std::vector<std::pair<std::string, std::string>> linear = {
      {"(%x: f32[1,2,4,4]) -> (%y)", "%w = const f32[4,2,1,1] {1,2,3,4,5,6,7,8} %a = Conv(%x, %w)"},
      {"(%x: f32[1,4,4,4]) -> (%y)",
       "%w = const f32[4,2,1,1] {1,2,3,4,5,6,7,8} %b = const f32[4] {1,2,3,4} "
       "%a = Conv(%x, %w, %b) {group=2}"},
      {"(%x: f32[1,2,4,4]) -> (%y)", "%w = const f32[2,4,1,1] {1,2,3,4,5,6,7,8} %a = ConvTranspose(%x, %w)"},
      {"(%x: f32[1,4,4,4]) -> (%y)",
       "%w = const f32[4,2,1,2] {1,2,3,4,5,6,7,8,9,8,7,6,5,4,3,2} %a = ConvTranspose(%x, %w) {group=2}"},
      {"(%x: f32[3,2]) -> (%y)",
       "%w = const f32[2,4] {1,2,3,4,5,6,7,8} %b = const f32[4] {1,2,3,4} %a = Gemm(%x, %w, %b) {beta=0.5, "
       "alpha=2}"},
      {"(%x: f32[3,2]) -> (%y)", "%w = const f32[4,2] {1,2,3,4,5,6,7,8} %a = Gemm(%x, %w) {transB=1}"},
  };
  for (const auto& [signature, lines] : linear) {
    const std::string text =
        run("fold_affine dead_code", signature, {lines, bn, "%y = BatchNormalization(%a, %s, %t, %m, %v)"});
    EXPECT_EQ(count(text, "BatchNormalization") + count(text, " Mul(") + count(text, " Add("), 0) << text;
    const std::string scalar = run("fold_affine dead_code", signature,
                                   {lines, "%two = const f32[] {2} %one = const f32[1] {1}",
                                    "%p = Mul(%two, %a)", "%q = Sub(%one, %p)", "%y = Div(%q, %two)"});
    EXPECT_EQ(count(scalar, " Mul(") + count(scalar, " Sub(") + count(scalar, " Div("), 0) << scalar;
  }
}

TEST(FoldAffine, PerChannelConstantsOfAnyRank) {
  for (const char* shape : {"[2,1,1]", "[1,2,1,1]"})
    EXPECT_EQ(
        count(run("fold_affine dead_code", "(%x: f32[1,2,3,3]) -> (%y)",
                  {"%w = const f32[2,2,1,1] {1,2,3,4}", std::string("%k = const f32") + shape + " {3,4}",
                   "%a = Conv(%x, %w)", "%y = Add(%a, %k)"}),
              " Add("),
        0);
  // Along another axis it is no bias.
  EXPECT_EQ(count(run("fold_affine dead_code", "(%x: f32[1,2,3,2]) -> (%y)",
                      {"%w = const f32[2,2,1,1] {1,2,3,4}", "%k = const f32[2] {3,4}", "%a = Conv(%x, %w)",
                       "%y = Add(%a, %k)"}),
                  " Add("),
            1);
}

TEST(FoldAffine, ABatchNormWithoutALinearOperatorBecomesMulAndAdd) {
  const std::string text =
      run("fold_affine dead_code", "(%x: f32[2,2,3]) -> (%y)",
          {"%s = const f32[2] {1,2} %t = const f32[2] {0,1} %m = const f32[2] {1,0} %v = const f32[2] {1,4}",
           "%y = BatchNormalization(%x, %s, %t, %m, %v)"});
  EXPECT_EQ(count(text, " Mul(") + count(text, " Add("), 2) << text;
}

TEST(AbsorbPad, ZerosAroundAConvolutionBecomeItsPads) {
  EXPECT_EQ(
      run("absorb_pad explicit_windows dead_code", "(%x: f32[1,2,4,4], %w: f32[3,2,3,3]) -> (%y)",
          {"%p = const i64[8] {0,0,1,0,0,0,2,1}", "%a = Pad(%x, %p)", "%y = Conv(%a, %w) {pads=[1,1,1,1]}"},
          false),
      "%y: f32[1,3,7,5] = Conv(%x, %w) {dilations=[1, 1], kernel_shape=[3, 3], pads=[2, 1, 3, 2], "
      "strides=[1, 1]}");
  const std::string average = run("absorb_pad explicit_windows dead_code", "(%x: f32[1,2,4,4]) -> (%y)",
                                  {"%p = const i64[8] {0,0,1,1,0,0,1,1}", "%a = Pad(%x, %p)",
                                   "%y = AveragePool(%a) {kernel_shape=[3,3]}"},
                                  false);
  EXPECT_EQ(count(average, "Pad("), 0) << average;
}

TEST(AbsorbPad, OtherPaddingStays) {
  for (const char* pad : {"Pad(%x, %p) {mode=\"edge\"}", "Pad(%x, %q)", "Pad(%x, %p, %one)"})
    EXPECT_EQ(count(run("absorb_pad explicit_windows",
                        "(%x: f32[1,2,4,4], %w: f32[3,3,3,3], %v: f32[3,2,3,3]) -> (%y)",
                        {"%p = const i64[8] {0,0,1,1,0,0,1,1} %q = const i64[8] {0,1,1,1,0,0,1,1} %one = "
                         "const f32[] {1}",
                         std::string("%a = ") + pad,
                         std::string("%y = Conv(%a, ") +
                             (std::string(pad).find("%q") != std::string::npos ? "%w)" : "%v)")},
                        false),
                    " Pad("),
              1)
        << pad;
}

TEST(MatmulBias, BecomesGemm) {
  EXPECT_EQ(run("matmul_bias", "(%x: f32[3,4], %w: f32[4,5], %b: f32[5]) -> (%y)",
                {"%a = MatMul(%x, %w)", "%y = Add(%b, %a)"}),
            "%y: f32[3,5] = Gemm(%x, %w, %b)");
  EXPECT_EQ(count(run("matmul_bias", "(%x: f32[1,4], %w: f32[4,5], %b: f32[3,5]) -> (%y)",
                      {"%a = MatMul(%x, %w)", "%y = Add(%b, %a)"}),
                  "Gemm"),
            0);
}

TEST(ScaleColumns, GoIntoWeightsAndBias) {
  const std::vector<std::string> product = {"%w = const f32[2,3] {1,2,3,4,5,6}", "%c = const f32[3] {1,0,-1}",
                                            "%a = MatMul(%x, %w)", "%b = Add(%a, %c)"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), product.begin(), product.end());
    return run("matmul_bias scale_columns merge_views dead_code", "(%x: f32[1,4,2]) -> (%y)", more);
  };
  const std::string last = with({"%s = const f32[1,1,3] {2,3,-1}", "%y = Mul(%s, %b)"});
  EXPECT_EQ(count(last, " = Mul("), 0) << last;
  EXPECT_NE(last.find("{2, 6, -3, 8, 15, -6}"), last.npos) << last;
  EXPECT_NE(last.find("{2, 0, 1}"), last.npos) << last;
  const std::string first =
      with({"%s = const f32[3,1] {2,3,-1}", "%t = Transpose(%b) {perm=[0,2,1]}", "%y = Mul(%t, %s)"});
  EXPECT_EQ(count(first, " = Mul("), 0) << first;
  // Along another axis, or of what is seen elsewhere, it stays.
  EXPECT_EQ(count(with({"%s = const f32[4,1] {2,3,-1,5}", "%y = Mul(%b, %s)"}), " = Mul("), 1);
  EXPECT_EQ(count(with({"%s = const f32[3] {2,3,-1}", "%z = Mul(%b, %s)", "%y = Add(%z, %b)"}), " = Mul("),
            1);
}

TEST(JoinSplits, PartsSideBySideAreTakenWhole) {
  const std::string signature = "(%x: f32[2,6,4]) -> (%y)";
  const auto joined = [&](const char* concat) {
    return count(run("join_splits sweep", signature,
                     {"%a = Relu(%x)", "%b, %c = Split(%a) {axis=1, num_outputs=2}", "%d = Neg(%c)", concat}),
                 "Concat(%a, %d)") == 1;
  };
  EXPECT_TRUE(joined("%y = Concat(%b, %c, %d) {axis=1}"));
  EXPECT_TRUE(joined("%y = Concat(%b, %c, %d) {axis=-2}"));
  EXPECT_FALSE(joined("%y = Concat(%c, %b, %d) {axis=1}"));
  EXPECT_FALSE(joined("%y = Concat(%b, %c, %d) {axis=2}"));
  EXPECT_FALSE(joined("%y = Concat(%b, %d, %c) {axis=1}"));
}

TEST(JoinConcats, WhatBeginsAlikeIsPutTogetherOnce) {
  const std::string signature = "(%x: f32[2,6,4], %z: f32[2,6,4]) -> (%y, %b, %d)";
  const auto joined = [&](const char* b, const char* d, const char* y, const char* wanted) {
    return count(run("join_concats sweep", signature, {"%c = Neg(%z)", b, d, y}), wanted) == 1;
  };
  const char* two = "%b = Concat(%x, %z) {axis=1}";
  EXPECT_TRUE(joined(two, "%d = Relu(%c)", "%y = Concat(%x, %z, %c) {axis=1}", "Concat(%b, %c)"));
  EXPECT_TRUE(joined(two, "%d = Concat(%x, %z, %c) {axis=-2}", "%y = Concat(%x, %z, %c, %x) {axis=1}",
                     "Concat(%d, %x)"));
  // Already so, another order, another axis, another beginning.
  EXPECT_TRUE(joined(two, "%d = Relu(%c)", "%y = Concat(%b, %c) {axis=1}", "Concat(%b, %c)"));
  EXPECT_TRUE(joined(two, "%d = Relu(%c)", "%y = Concat(%z, %x, %c) {axis=1}", "Concat(%z, %x, %c)"));
  EXPECT_TRUE(joined(two, "%d = Relu(%c)", "%y = Concat(%x, %z, %c) {axis=2}", "Concat(%x, %z, %c)"));
  EXPECT_TRUE(joined(two, "%d = Relu(%c)", "%y = Concat(%x, %c, %z) {axis=1}", "Concat(%x, %c, %z)"));
}

TEST(JoinConcats, TakesNoMoreApartThanTheModelIsLarge) {
  std::vector<std::string> lines = {"%a0 = Neg(%x)"};
  for (int i = 0; i < 40; i++) {
    const std::string a = std::to_string(i);
    lines.push_back("%a" + std::to_string(i + 1) + " = Concat(%a" + a + ", %a" + a + ") {axis=0}");
  }
  lines.push_back("%y = Shape(%a40)");
  EXPECT_EQ(count(run("join_concats", "(%x: f32[1]) -> (%y)", lines), " = Concat("), 40);
}

TEST(MergeViews, ChainsBecomeOne) {
  EXPECT_EQ(run("merge_views dead_code", "(%x: f32[2,3,4]) -> (%y)",
                {"%a = Transpose(%x) {perm=[1,2,0]}", "%y = Transpose(%a) {perm=[1,0,2]}"}),
            "%y: f32[4,3,2] = Transpose(%x) {perm=[2, 1, 0]}");
  EXPECT_EQ(run("merge_views dead_code", "(%x: f32[2,3,4]) -> (%y)",
                {"%a = Transpose(%x) {perm=[1,2,0]}", "%b = Transpose(%a) {perm=[2,0,1]}", "%y = Relu(%b)"}),
            "%y: f32[2,3,4] = Relu(%x)");
  EXPECT_EQ(run("merge_views dead_code", "(%x: f32[2,3,4]) -> (%y)",
                {"%a = Flatten(%x)", "%u = const i64[1] {0}", "%y = Unsqueeze(%a, %u)"}),
            "%c = const i64[3] {1, 2, 12}\n%y: f32[1,2,12] = Reshape(%x, %c)");
  EXPECT_EQ(run("merge_views dead_code", "(%x: f32[2,3,1]) -> (%y)", {"%y = Transpose(%x) {perm=[0,2,1]}"}),
            "%c = const i64[3] {2, 1, 3}\n%y: f32[2,1,3] = Reshape(%x, %c)");
}

}  // namespace
}  // namespace hone::opt
