// Facts about building: determinism, options, messages.
#include <fstream>

#include "build/build.h"
#include "engine/write.h"
#include "harness.h"

namespace hone {
namespace {

const char* const small_net = R"(graph @net(%image: f32[1,3,16,16]) -> (%p) {
  %w = const f32[2,3,1,1] {0.5, -1, 2, 1, 0.25, -0.5}
  %b = const f32[2] {0.1, -0.1}
  %c = Conv(%image, %w, %b) {kernel_shape=[1,1]}
  %r = Relu(%c)
  %s = Sigmoid(%r)
  %m = Mul(%r, %s)
  %g = GlobalAveragePool(%m)
  %f = Flatten(%g) {axis=1}
  %p = Softmax(%f) {axis=-1}
})";

Result<EngineData> build(const BuildOptions& options = {}, BuildReport* report = nullptr) {
  return build_engine(graph_of(small_net), options, report);
}

TEST(Build, SameModelGivesTheSameBytes) {
  auto one = build(), two = build();
  ASSERT_TRUE(one && two);
  auto a = engine_bytes(*one), b = engine_bytes(*two);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*a, *b);
}

TEST(Build, PlanAgreesWithTheImportedGraph) {
  auto graph = graph_of(small_net);
  auto data = build();
  ASSERT_TRUE(data) << data.error().message;
  auto engine = Engine::load(*std::move(data));
  ASSERT_TRUE(engine) << engine.error().message;
  auto session = session_of(*engine);
  std::mt19937 random(test_seed());
  expect_session_matches(*graph, *session, random_inputs(*graph, random));
}

TEST(Build, UnknownPassIsRefusedByName) {
  BuildOptions options;
  options.disabled = {"no_such_pass"};
  auto data = build(options);
  ASSERT_FALSE(data);
  EXPECT_NE(data.error().message.find("no_such_pass"), std::string::npos);
}

TEST(Build, UnknownPrecisionIsRefused) {
  BuildOptions options;
  options.precision = "fp17";
  auto data = build(options);
  ASSERT_FALSE(data);
  EXPECT_NE(data.error().message.find("fp17"), std::string::npos);
}

TEST(Build, CancelStopsIt) {
  BuildOptions options;
  options.cancelled = [] { return true; };
  auto data = build(options);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, Code::cancelled);
}

TEST(Build, ProgressGrowsToOne) {
  BuildOptions options;
  double last = -1;
  options.progress = [&](double fraction, const std::string&) {
    EXPECT_GE(fraction, last);
    last = fraction;
  };
  ASSERT_TRUE(build(options));
  EXPECT_EQ(last, 1);
}

TEST(Build, DumpsTheGraphAfterEachPass) {
  BuildOptions options;
  options.dump_after = {"import", "fold"};
  std::vector<std::string> seen;
  options.dump = [&](const std::string& pass, const std::string& text) {
    seen.push_back(pass);
    EXPECT_NE(text.find("graph @"), std::string::npos);
  };
  ASSERT_TRUE(build(options));
  ASSERT_GE(seen.size(), 2u);
  EXPECT_EQ(seen[0], "import");
  EXPECT_EQ(seen[1], "fold");
}

TEST(Build, UnoptimisedPlanHasTheStepsOfTheModel) {
  BuildOptions options;
  options.optimise = false;
  auto data = build(options);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->plans[0].program->steps.size(), 7u);
}

}  // namespace
}  // namespace hone
