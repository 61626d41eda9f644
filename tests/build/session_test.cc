#include "harness.h"

#include <thread>

namespace hone {
namespace {

void check(const std::string& text, int expected_aliased = -1) {
  auto graph = graph_of(text);
  ASSERT_TRUE(graph);
  ASSERT_TRUE(graph);
  auto session = session_of(engine_of(*graph));
  ASSERT_TRUE(session);
  std::mt19937 random(test_seed());
  expect_session_matches(*graph, *session, random_inputs(*graph, random));
  if (expected_aliased >= 0) { EXPECT_EQ(session->memory().aliased_steps, expected_aliased); }
}

TEST(Session, RunsAChainInPlace) {
  auto graph = graph_of(R"(graph @g(%x: f32[3,17]) -> (%c) {
    %a = Relu(%x)
    %b = Sigmoid(%a)
    %c = Tanh(%b)
  })");
  ASSERT_TRUE(graph);
  auto session = session_of(engine_of(*graph));
  std::mt19937 random(test_seed());
  expect_session_matches(*graph, *session, random_inputs(*graph, random));
  EXPECT_LE(session->memory().arena.peak, 2 * 256);  // 3 x 17 floats take 204 bytes
}

TEST(Session, InputAsOutputIsCopied) {
  auto graph = graph_of("graph @g(%x: f32[2,3]) -> (%y, %x) { %y = Identity(%x) }");
  ASSERT_TRUE(graph);
  auto session = session_of(engine_of(*graph));
  std::mt19937 random(test_seed());
  std::vector<Value> inputs = random_inputs(*graph, random);
  const float first = inputs[0].tensor.data<float>()[0];
  ASSERT_TRUE(session->run(inputs));
  inputs[0].tensor.data<float>()[0] = 42;
  EXPECT_EQ(session->output(0).tensor.data<float>()[0], first);
  EXPECT_EQ(session->output(1).tensor.data<float>()[0], first);
}

TEST(Session, ConcatInputsAreMadeInPlace) {
  check(R"(graph @g(%x: f32[1,4,5,6], %y: f32[1,4,5,3]) -> (%r) {
    %a = Relu(%x)
    %b = Sigmoid(%y)
    %c = Concat(%a, %b) {axis=3}
    %r = Tanh(%c)
  })");
}

TEST(Session, ConcatAlongAnOuterAxisIsMadeInPlace) {
  check(R"(graph @g(%x: f32[1,4,5], %y: f32[1,2,5]) -> (%r) {
    %a = Relu(%x)
    %b = Sigmoid(%y)
    %c = Concat(%a, %b) {axis=1}
    %r = Tanh(%c)
  })");
}

TEST(Session, ConcatOfTheSameValueTwiceIsRight) {
  check(R"(graph @g(%x: f32[1,4,5]) -> (%r) {
    %a = Relu(%x)
    %c = Concat(%a, %a, %x) {axis=1}
    %r = Tanh(%c)
  })");
}

TEST(Session, ConcatOfConcatIsRight) {
  check(R"(graph @g(%x: f32[1,3,3,4]) -> (%r, %s) {
    %a = Relu(%x)
    %b = Sigmoid(%a)
    %c = Concat(%a, %b) {axis=3}
    %d = Tanh(%c)
    %e = Concat(%c, %d) {axis=3}
    %r = Neg(%e)
    %s = Concat(%e, %b) {axis=3}
  })");
}

TEST(Session, SplitPartsAreReadInPlace) {
  check(R"(graph @g(%x: f32[1,3,3,8]) -> (%r, %t) {
    %a = Relu(%x)
    %b, %c = Split(%a) {axis=3, num_outputs=2}
    %d = Sigmoid(%b)
    %r = Mul(%d, %c)
    %t = Concat(%c, %b) {axis=3}
  })");
}

TEST(Session, SplitPartsThatNobodyWantsAreLeftOut) {
  check(R"(graph @g(%x: f32[1,3,3,8]) -> (%r, %s) {
    %a = Relu(%x)
    %b, %c, %d, %e = Split(%a) {axis=3, num_outputs=4}
    %r = Concat(%d, %b, %e) {axis=3}
    %f = Sigmoid(%x)
    %g, %h = Split(%f) {axis=3, num_outputs=2}
    %i = Tanh(%h)
    %s = Concat(%f, %i) {axis=3}
  })");
  check(R"(graph @g(%x: f32[9,3,8]) -> (%r) {
    %a = Relu(%x)
    %b, %c, %d = Split(%a) {axis=0, num_outputs=3}
    %r = Mul(%b, %d)
  })");
}

TEST(Session, ViewsShareMemory) {
  check(R"(graph @g(%x: f32[2,12]) -> (%r, %v) {
    %s = const i64[3] {2, 3, 4}
    %a = Relu(%x)
    %v = Reshape(%a, %s)
    %b = Neg(%v)
    %f = Flatten(%b) {axis=1}
    %r = Add(%f, %x)
  })");
}

TEST(Session, ShapeArithmeticIsDoneWhilePlanning) {
  auto graph = graph_of(R"(graph @g(%x: f32[N,3,4]) -> (%r) {
    %n = const i64[1] {0}
    %m = const i64[1] {-1}
    %s = Shape(%x)
    %d = Gather(%s, %n)
    %t = Concat(%d, %m) {axis=0}
    %v = Reshape(%x, %t)
    %r = Relu(%v)
  })");
  ASSERT_TRUE(graph);
  auto session = session_of(engine_of(*graph));
  std::mt19937 random(test_seed());
  session->set_profiling(true);
  for (int64_t n : {1, 3, 2, 3, 1}) {
    const std::vector<Value> inputs{random_tensor(DType::f32, Shape{n, 3, 4}, random)};
    expect_session_matches(*graph, *session, inputs);
    EXPECT_EQ(session->profile().size(), 1u);
  }
}

TEST(Session, DataDependentShapesRun) {
  auto graph = graph_of(R"(graph @g(%x: f32[4,5]) -> (%i, %s, %q) {
    %i = NonZero(%x)
    %f = Cast(%i) {to=1}
    %s = Sigmoid(%f)
    %q = Relu(%x)
  })");
  ASSERT_TRUE(graph);
  auto session = session_of(engine_of(*graph));
  std::mt19937 random(test_seed());
  for (int round = 0; round < 5; round++) {
    Tensor x = random_tensor(DType::f32, Shape{4, 5}, random);
    for (int64_t i = 0; i < 20; i++)
      if (random() % 2) x.data<float>()[i] = 0;
    expect_session_matches(*graph, *session, std::vector<Value>{x});
  }
}

TEST(Session, WrongInputsAreRefusedByName) {
  auto graph = graph_of("graph @g(%image: f32[1,3]) -> (%y) { %y = Relu(%image) }");
  ASSERT_TRUE(graph);
  auto session = session_of(engine_of(*graph));
  std::mt19937 random(test_seed());
  auto status = session->run(std::vector<Value>{random_tensor(DType::f32, Shape{1, 4}, random)});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("input 'image' has shape [1,4], the engine takes [1,3]"),
            std::string::npos);
  status = session->run(std::vector<Value>{random_tensor(DType::i64, Shape{1, 3}, random)});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("input 'image'"), std::string::npos);
  EXPECT_FALSE(session->run(std::vector<Value>{}));
  EXPECT_TRUE(session->run(std::vector<Value>{random_tensor(DType::f32, Shape{1, 3}, random)}));
}

TEST(Session, ManySessionsShareAnEngine) {
  auto graph = graph_of(R"(graph @g(%x: f32[1,8,9,16]) -> (%r) {
    %a = Sigmoid(%x)
    %b = Relu(%x)
    %c = Concat(%a, %b) {axis=3}
    %s = Softmax(%c) {axis=-1}
    %r = Mul(%s, %c)
  })");
  auto engine = engine_of(*graph);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([&, t] {
      auto session = session_of(engine, 1 + t % 3);
      std::mt19937 random(test_seed() + static_cast<unsigned>(t));
      for (int round = 0; round < 20; round++)
        expect_session_matches(*graph, *session, random_inputs(*graph, random));
    });
  for (auto& t : threads) t.join();
}

TEST(Session, CancelStopsTheRun) {
  auto graph = graph_of("graph @g(%x: f32[1,3]) -> (%y) { %y = Relu(%x) }");
  auto engine = engine_of(*graph);
  auto session = Session::create(engine, {.threads = 1, .cancelled = [] { return true; }});
  ASSERT_TRUE(session);
  std::mt19937 random(test_seed());
  auto status = (*session)->run(std::vector<Value>{random_tensor(DType::f32, Shape{1, 3}, random)});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::cancelled);
}

}  // namespace
}  // namespace hone
