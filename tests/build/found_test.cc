// What random problems (tests/random) and fuzzers have found in sessions.
#include "harness.h"
#include "opt/pipeline.h"

namespace hone {
namespace {

void expect_reference(const std::string& text) {
  auto graph = graph_of(text);
  ASSERT_TRUE(graph);
  std::mt19937 random(1);
  for (const bool optimised : {false, true}) {
    auto copy = graph->clone();
    if (optimised) { ASSERT_TRUE(opt::optimise(*copy)); }
    auto session = session_of(engine_of(*copy));
    ASSERT_TRUE(session);
    expect_session_matches(*graph, *session, random_inputs(*graph, random));
  }
}

TEST(Found, ProductsOfNothingWithSeveralConstantMatricesAreZero) {
  expect_reference(
      "graph @g(%x: f32[3,2,0]) -> (%y) {\n  %w = const f32[3,0,4] {}\n  %y = MatMul(%x, %w)\n}");
}

// Its output must not overwrite what it adds: it still reads it.
TEST(Found, AProductAddedToItsOwnInputKeepsIt) {
  const std::string head = "graph @g(%x: f32[1,5,6,3]) -> (%z) {\n  %r = Relu(%x)\n";
  const auto weights = [](const char* shape, int n) {
    std::string text = std::string("  %w = const f32") + shape + " {";
    for (int i = 0; i < n; i++) text += (i ? ", " : "") + std::to_string(i % 7 * 0.25 - 0.5);
    return text + "}\n";
  };
  const std::string conv = "  %y = Conv(%r, %w, _, %r) {channels_last=1, pads=[1,1,1,1]}\n";
  expect_reference(head + weights("[3,3,3,3]", 81) + conv + "  %z = Relu(%y)\n}");
  expect_reference(head + weights("[3,3]", 9) + "  %y = MatMul(%r, %w, _, %r)\n  %z = Relu(%y)\n}");
}

TEST(Found, ASplitWhoseLastPartNobodyUsesIsStillASplitIntoTwo) {
  for (const char* parts : {"%x, %k", "%x"})
    expect_reference("graph @g(%x: f32[2,6]) -> (%z) {\n  %k = const i64[2] {3, 3}\n  %a, %b = Split(" +
                     std::string(parts) + ") {axis=1}\n  %z = Relu(%a)\n}");
}

}  // namespace
}  // namespace hone
