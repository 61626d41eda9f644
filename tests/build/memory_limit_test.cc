// What sessions may take in memory where shapes depend on data, and loops on anything.
#include "base/memory_budget.h"
#include "harness.h"

namespace hone {
namespace {

constexpr int64_t megabyte = 1 << 20;

// Runs a graph of one i64[1] input `n` (or f32 `x`) under a limit; the message of the failure, "" for success.
struct Limited {
  std::unique_ptr<Session> session;
  Limited(const std::string& text, int64_t memory) {
    const auto graph = graph_of(text);
    if (!graph) return;
    auto made = Session::create(engine_of(*graph), {.threads = 1, .memory = memory});
    if (made) session = *std::move(made);
    else ADD_FAILURE() << made.error().message;
  }
  std::string run(const Tensor& input) const {
    if (!session) return "no session";
    const Value v(input);
    const Status ran = session->run(std::span(&v, 1));
    if (ran) return "";
    EXPECT_EQ(static_cast<int>(ran.error().code), static_cast<int>(Code::limit)) << ran.error().message;
    return ran.error().message;
  }
  std::string run(int64_t n) const { return run(Tensor::of_ints({{n}})); }
};

// It fails with what the message must tell, and works with less, before and after.
void expect_limit(const std::string& text, const std::string& step, int64_t small, int64_t large) {
  const Limited limited(text, megabyte);
  EXPECT_EQ(limited.run(small), "") << text;
  const std::string message = limited.run(large);
  for (const std::string& part : {step, std::string("may take 1048576 in all"), std::string("--memory")})
    EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
  EXPECT_EQ(limited.run(small), "") << text;
}

TEST(MemoryLimit, HugeShapesThatAreComputedAreRefused) {
  const std::string shape = "graph @g(%n: i64[1]) -> (%y) { %k = const f32[1] {1}\n %s = Abs(%n)\n %y = ";
  const int64_t huge = int64_t{1} << 36;
  expect_limit(shape + "ConstantOfShape(%s) }", "ConstantOfShape", 1000, huge);
  expect_limit(shape + "Expand(%k, %s) }", "Expand", 1000, huge);
  expect_limit(shape + "Tile(%k, %s) }", "Tile", 1000, huge);
  expect_limit(
      "graph @g(%n: i64[1]) -> (%y) { %o = const i64[] {0}\n %i = const i64[] {1}\n %s = Squeeze(%n)\n %y = "
      "Range(%o, %s, %i) }",
      "Range", 1000, huge);
}

TEST(MemoryLimit, FixedShapesCountToo) {
  const auto graph = graph_of("graph @g(%x: f32[N]) -> (%y) { %a = Relu(%x)\n %y = Tanh(%a) }");
  ASSERT_TRUE(graph);
  auto session = Session::create(engine_of(*graph), {.threads = 1, .memory = megabyte});
  ASSERT_TRUE(session);
  EXPECT_TRUE((*session)->prepare(std::vector<Shape>{Shape{1000}}));
  const Status failed = (*session)->prepare(std::vector<Shape>{Shape{1 << 20}});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("f32[1048576]"), std::string::npos) << failed.error().message;
  EXPECT_TRUE((*session)->prepare(std::vector<Shape>{Shape{1000}}));
}

TEST(MemoryLimit, NonZeroOfMuchIsRefused) {
  const Limited limited("graph @g(%x: f32[N]) -> (%y) { %a = Abs(%x)\n %y = NonZero(%a) }", 2 * megabyte);
  const auto ones = [](int64_t n) {
    Tensor t = *Tensor::allocate(DType::f32, Shape{n});
    std::fill_n(t.data<float>(), n, 1.0f);
    return t;
  };
  EXPECT_EQ(limited.run(ones(1000)), "");
  EXPECT_NE(limited.run(ones(200'000)).find("NonZero"), std::string::npos);  // 0.8 MB in, 1.6 MB out
  EXPECT_EQ(limited.run(ones(1000)), "");
}

TEST(MemoryLimit, LoopsThatGrowATensorEnd) {
  expect_limit(R"(graph @g(%n: i64[1]) -> (%y) {
    %yes = const boolean[] {1}
    %two = const f32[2] {1, 2}
    %y = Loop(%n, %yes, %two) {body=graph @b(%i: i64[], %c: boolean[], %t: f32[?]) -> (%d, %u) {
      %d = Identity(%c)
      %u = Concat(%t, %t) {axis=0}
    }}
  })",
               "Concat", 5, 1000);
}

TEST(MemoryLimit, LoopsThatGrowASequenceEnd) {
  expect_limit(R"(graph @g(%n: i64[1]) -> (%y) {
    %e = SequenceEmpty() {dtype=1}
    %yes = const boolean[] {1}
    %s = Loop(%n, %yes, %e) {body=graph @b(%i: i64[], %c: boolean[], %t: seq(f32[*])) -> (%d, %u) {
      %d = Identity(%c)
      %f = Cast(%i) {to=1}
      %u = SequenceInsert(%t, %f)
    }}
    %y = SequenceLength(%s)
  })",
               "Loop", 5, 1'000'000);
}

TEST(MemoryLimit, LoopsThatCollectWhatWasThereEnd) {
  expect_limit(R"(graph @g(%n: i64[1]) -> (%y) {
    %yes = const boolean[] {1}
    %y = Loop(%n, %yes) {body=graph @b(%i: i64[], %c: boolean[]) -> (%d, %u) {
      %d = Identity(%c)
      %u = Identity(%n)
    }}
  })",
               "Loop", 5, int64_t{1} << 60);
}

TEST(MemoryLimit, TextsThatDoubleEnd) {
  const Limited limited(R"(graph @g(%n: i64[1]) -> (%y) {
    %yes = const boolean[] {1}
    %text = const string[1] {"ab"}
    %y = Loop(%n, %yes, %text) {body=graph @b(%i: i64[], %c: boolean[], %t: string[1]) -> (%d, %u) {
      %d = Identity(%c)
      %u = StringConcat(%t, %t)
    }}
  })",
                        megabyte);
  EXPECT_EQ(limited.run(5), "");
  EXPECT_NE(limited.run(1000).find("StringConcat"), std::string::npos);
}

TEST(MemoryLimit, WhatIsFreedCountsNoMore) {
  const auto budget = std::make_shared<MemoryBudget>(megabyte);
  {
    const MemoryBudget::Scope counted(budget.get());
    auto kept = Tensor::allocate(DType::f32, Shape{1000});
    ASSERT_TRUE(kept);
    EXPECT_GE(budget->used(), 4000);
    for (int i = 0; i < 1000; i++) ASSERT_TRUE(Tensor::allocate(DType::f32, Shape{100'000}));
    EXPECT_FALSE(Tensor::allocate(DType::f32, Shape{megabyte}));
    const MemoryBudget::Scope none(nullptr);
    EXPECT_TRUE(Tensor::allocate(DType::f32, Shape{megabyte}));
  }
  EXPECT_EQ(budget->used(), 0);
}

TEST(MemoryLimit, AmountsAreReadAndTheDefaultIsBelowTheMachines) {
  EXPECT_EQ(*parse_bytes("17"), 17);
  EXPECT_EQ(*parse_bytes("3K"), 3072);
  EXPECT_EQ(*parse_bytes("2G"), int64_t{2} << 30);
  for (const char* wrong : {"", "0", "-1", "M", "1T", "1 M", "9999999999999G", "0x10"})
    EXPECT_FALSE(parse_bytes(wrong));
  EXPECT_EQ(*memory_limit(123), 123);
  EXPECT_FALSE(memory_limit(-1));
  EXPECT_GT(*memory_limit(0), megabyte);
}

}  // namespace
}  // namespace hone
