// The pass fuse_attention on the graphs that exporters make. check.h compares results before and after.
#include <gtest/gtest.h>

#include "check.h"

namespace hone::opt {
namespace {

std::string run(const std::string& signature, const std::vector<std::string>& lines) {
  return statements(
      after("remove_identities merge_views fuse_attention dead_code", graph_text(signature, lines), false));
}
int count(const std::string& text, const std::string& what) {
  int n = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) n++;
  return n;
}
int attentions(const std::string& text) { return count(text, " = Attention("); }
using Lines = std::vector<std::string>;
Lines operator+(Lines a, const Lines& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Two heads of four numbers, five positions, in rows of 24: q, k, v.
const Lines heads = {"%n = const i64[3] {8,8,8}",
                     "%q3, %k3, %v3 = Split(%x, %n) {axis=2}",
                     "%s = const i64[4] {2,5,2,4}",
                     "%q4 = Reshape(%q3, %s)",
                     "%k4 = Reshape(%k3, %s)",
                     "%v4 = Reshape(%v3, %s)",
                     "%q = Transpose(%q4) {perm=[0,2,1,3]}",
                     "%kt = Transpose(%k4) {perm=[0,2,3,1]}",
                     "%v = Transpose(%v4) {perm=[0,2,1,3]}"};
const Lines joined = {"%ot = Transpose(%o) {perm=[0,2,1,3]}", "%os = const i64[3] {2,5,8}",
                      "%y = Reshape(%ot, %os)"};

TEST(FuseAttention, ReadsSplitHeadsWhereTheyLie) {
  const std::string text = run("(%x: f32[2,5,24]) -> (%y)",
                               heads +
                                   Lines{"%f = const f32[] {0.5}", "%a = MatMul(%q, %kt)", "%b = Mul(%a, %f)",
                                         "%w = Softmax(%b)", "%o = MatMul(%w, %v)"} +
                                   joined);
  EXPECT_NE(text.find("= Split(%x"), text.npos) << text;
  EXPECT_NE(text.find("{kv_num_heads=2, q_num_heads=2, scale=0.5}"), text.npos) << text;
  EXPECT_EQ(count(text, "\n"), 2 + count(text, "const") - 1)
      << text;  // Split, Attention and the result's Reshapes
}

TEST(FuseAttention, TakesScalesOfOperandsAndMasks) {
  const std::string text =
      run("(%x: f32[2,5,24], %m: f32[2,1,5,5], %l: f32[5]) -> (%y)",
          heads +
              Lines{"%f = const f32[] {2}", "%qs = Div(%q, %f)", "%ks = Mul(%kt, %f)",
                    "%a = MatMul(%qs, %ks)", "%b = Div(%a, %f)", "%c = Add(%b, %m)", "%e = Add(%l, %c)",
                    "%w = Softmax(%e) {axis=3}", "%o = MatMul(%w, %v)"} +
              joined);
  EXPECT_EQ(attentions(text), 1) << text;
  EXPECT_NE(text.find("scale=0.5"), text.npos) << text;
  EXPECT_EQ(count(text, " = Transpose("), 0) << text;
}

// [windows, positions, 3, heads, size], one of three at a time; masks for each window as well as each head.
TEST(FuseAttention, ReadsPackedHeadsOfWindows) {
  const Lines gathered = {"%s = const i64[5] {4,3,3,2,4}",
                          "%r = Reshape(%x, %s)",
                          "%t = Transpose(%r) {perm=[2,0,3,1,4]}",
                          "%i0 = const i64[] {0}",
                          "%i1 = const i64[] {1}",
                          "%i2 = const i64[] {2}",
                          "%q = Gather(%t, %i0)",
                          "%k = Gather(%t, %i1)",
                          "%v = Gather(%t, %i2)",
                          "%f = const f32[] {0.5}",
                          "%qs = Mul(%q, %f)",
                          "%kt = Transpose(%k) {perm=[0,1,3,2]}",
                          "%a = MatMul(%qs, %kt)",
                          "%b = Add(%a, %bias)",
                          "%g = const i64[5] {1,4,2,3,3}",
                          "%b5 = Reshape(%b, %g)",
                          "%c5 = Add(%b5, %m)",
                          "%h = const i64[4] {4,2,3,3}",
                          "%c = Reshape(%c5, %h)",
                          "%w = Softmax(%c)",
                          "%o = MatMul(%w, %v)",
                          "%ot = Transpose(%o) {perm=[0,2,1,3]}",
                          "%os = const i64[3] {4,3,8}",
                          "%y = Reshape(%ot, %os)"};
  const std::string text =
      run("(%x: f32[4,3,24], %bias: f32[1,2,3,3], %m: f32[1,4,1,3,3]) -> (%y)", gathered);
  EXPECT_EQ(attentions(text), 1) << text;
  EXPECT_EQ(count(text, " = Transpose("), 0) << text;
  EXPECT_EQ(count(text, " = Gather("), 0) << text;
}

// As torch.nn.MultiheadAttention is exported: [length, batch, size] seen as [batch * heads, length, size].
TEST(FuseAttention, TakesHeadsThatAreBatches) {
  const Lines lines = {"%s = const i64[3] {5,6,4}",
                       "%q0 = Reshape(%x, %s)",
                       "%q = Transpose(%q0) {perm=[1,0,2]}",
                       "%k0 = Reshape(%z, %s)",
                       "%kt = Transpose(%k0) {perm=[1,2,0]}",
                       "%v = Transpose(%k0) {perm=[1,0,2]}",
                       "%a = MatMul(%q, %kt)",
                       "%w = Softmax(%a)",
                       "%o = MatMul(%w, %v)",
                       "%ot = Transpose(%o) {perm=[1,0,2]}",
                       "%os = const i64[3] {5,3,8}",
                       "%y = Reshape(%ot, %os)"};
  const std::string text = run("(%x: f32[5,3,8], %z: f32[5,3,8]) -> (%y)", lines);
  EXPECT_EQ(attentions(text), 1) << text;
  EXPECT_NE(text.find("q_num_heads=6, scale=1"), text.npos) << text;
  EXPECT_EQ(count(text, " = Transpose("), 0) << text;
}

// Heads that do not lie side by side are moved, as before.
TEST(FuseAttention, TakesOperandsOfAnyOrder) {
  const std::string text =
      run("(%q: f32[1,2,5,4], %k: f32[1,2,7,4], %v0: f32[1,3,2,7]) -> (%o)",
          {"%kt = Transpose(%k) {perm=[0,1,3,2]}", "%v = Transpose(%v0) {perm=[0,2,3,1]}",
           "%a = MatMul(%q, %kt)", "%w = Softmax(%a)", "%o = MatMul(%w, %v)"});
  EXPECT_EQ(attentions(text), 1) << text;
}

TEST(FuseAttention, LeavesOthersAlone) {
  const std::string operands = "(%q: f32[1,2,5,4], %k: f32[1,2,4,7], %v: f32[1,2,7,3], %m: f32[5,7]) -> (%o";
  // The mask is scaled; the weights are used elsewhere; another axis; a mask that widens the batch.
  const std::pair<std::string, Lines> cases[] = {
      {")",
       {"%f = const f32[] {2}", "%a = MatMul(%q, %k)", "%b = Add(%a, %m)", "%c = Mul(%b, %f)",
        "%w = Softmax(%c)", "%o = MatMul(%w, %v)"}},
      {", %w)", {"%a = MatMul(%q, %k)", "%w = Softmax(%a)", "%o = MatMul(%w, %v)"}},
      {")", {"%a = MatMul(%q, %k)", "%w = Softmax(%a) {axis=2}", "%o = MatMul(%w, %v)"}},
      {")", {"%a = MatMul(%q, %k)", "%w = Softmax(%a)", "%f = Relu(%w)", "%o = MatMul(%f, %v)"}},
  };
  for (const auto& [end, lines] : cases) EXPECT_EQ(attentions(run(operands + end, lines)), 0) << lines.back();
}

}  // namespace
}  // namespace hone::opt
