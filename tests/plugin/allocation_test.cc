// A step of a plugin allocates nothing in Session::run() once a shape has been seen.
#include "build/harness.h"
#include "count_allocations.h"
#include "plugin/plugin.h"

namespace hone {
namespace {

TEST(PluginAllocation, a_run_allocates_nothing_once_the_shape_is_known) {
  ASSERT_TRUE(load_plugin(HONE_BINARY_DIR "/lib/plugin_good.so"));
  auto session = session_of(engine_of(*graph_of(R"(graph @g(%x: f32[N,4]) -> (%y, %t, %high) {
    %a = test.Scale(%x) {factor=2}
    %b = Relu(%a)
    %y = test.Sum(%a, %b, %x)
    %t = test.Tally(%x)
    _, %high = test.Extremes(%y)
  })")));
  ASSERT_TRUE(session);
  std::mt19937 random(test_seed());
  std::vector<std::vector<Value>> inputs;
  for (int64_t n : {1, 3}) inputs.push_back({random_tensor(DType::f32, Shape{n, 4}, random)});
  for (const auto& in : inputs) ASSERT_TRUE(session->run(in));
  const long before = allocations;
  for (int i = 0; i < 10; i++) (void)session->run(inputs[1]);
  EXPECT_EQ(allocations - before, 0);
  EXPECT_GT(before, 0);
}

}  // namespace
}  // namespace hone
