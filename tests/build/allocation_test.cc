// Nothing is allocated in Session::run() once a shape has been seen.
#include "count_allocations.h"
#include "harness.h"

namespace hone {
namespace {

TEST(Allocation, RunAllocatesNothingOnceTheShapeIsKnown) {
  std::string weights = "0.5";
  for (int i = 1; i < 5 * 8 * 9; i++) weights += i % 3 ? ", 0.25" : ", -0.5";
  auto graph = graph_of(R"(graph @g(%x: f32[N,6,7,8], %w: f32[1]) -> (%r, %m) {
    %k = const f32[5,8,3,3] {)" +
                        weights + R"(}
    %a = Conv(%x, %k, _) {channels_last=1, kernel_shape=[3,3], pads=[1,1,1,1], activation="Relu"}
    %b = Sigmoid(%a)
    %c = Concat(%a, %b) {axis=3}
    %p = MaxPool(%c) {channels_last=1, kernel_shape=[2,2], strides=[2,2]}
    %m = GlobalAveragePool(%p) {channels_last=1}
    %s = Softmax(%c) {axis=-1}
    %r = Mul(%s, %w)
  })");
  ASSERT_TRUE(graph);
  auto session = session_of(engine_of(*graph));
  ASSERT_TRUE(session);
  std::mt19937 random(test_seed());
  std::vector<std::vector<Value>> inputs;
  for (int64_t n : {1, 2})
    inputs.push_back(
        {random_tensor(DType::f32, Shape{n, 6, 7, 8}, random), random_tensor(DType::f32, Shape{1}, random)});
  for (const auto& in : inputs) ASSERT_TRUE(session->run(in));
  session->set_profiling(true);
  ASSERT_TRUE(session->run(inputs[1]));
  for (const StepProfile& s : session->profile()) EXPECT_NE(s.tactic, "reference") << s.op;
  const long before = allocations;
  for (int i = 0; i < 10; i++) (void)session->run(inputs[1]);
  EXPECT_EQ(allocations - before, 0);
}

}  // namespace
}  // namespace hone
