// Constants packed when an engine is built: used where they fit, and never needed.
#include <cstdlib>
#include <filesystem>

#include "build/build.h"
#include "engine/read.h"
#include "engine/write.h"
#include "harness.h"
#include "runtime/prepack.h"

namespace hone {
namespace {

constexpr int thread_counts[] = {1, 2};

// Every kind of step that packs: convolutions wide, depthwise and transposed, a product and a Gemm. Weights
// are random.
std::shared_ptr<ir::Graph> net(const char* batch = "1") {
  std::mt19937 random(test_seed());
  const auto numbers = [&](int n) {
    std::string s;
    for (int i = 0; i < n; i++) s += (i ? ", " : "") + strf("%.3f", random() % 2001 / 1000.0 - 1);
    return s;
  };
  return graph_of(strf(R"(graph @net(%%image: f32[%s,3,12,10]) -> (%%p) {
  %%w1 = const f32[19,3,3,3] {%s}
  %%b1 = const f32[19] {%s}
  %%w2 = const f32[19,1,3,3] {%s}
  %%w3 = const f32[19,7,2,2] {%s}
  %%w4 = const f32[8,7] {%s}
  %%w5 = const f32[8,5] {%s}
  %%a = Conv(%%image, %%w1, %%b1) {kernel_shape=[3,3], pads=[1,1,1,1]}
  %%b = Relu(%%a)
  %%c = Conv(%%b, %%w2) {kernel_shape=[3,3], group=19, strides=[2,2]}
  %%d = ConvTranspose(%%c, %%w3) {kernel_shape=[2,2], strides=[2,2]}
  %%e = GlobalAveragePool(%%d)
  %%f = Flatten(%%e) {axis=1}
  %%g = Gemm(%%f, %%w4) {transB=1}
  %%h = Sigmoid(%%g)
  %%p = MatMul(%%h, %%w5)
})",
                       batch, numbers(19 * 27).c_str(), numbers(19).c_str(), numbers(19 * 9).c_str(),
                       numbers(19 * 28).c_str(), numbers(56).c_str(), numbers(40).c_str()));
}

std::shared_ptr<const Engine> loaded(Result<EngineData> data) {
  if (!data) {
    ADD_FAILURE() << data.error().message;
    return nullptr;
  }
  auto engine = Engine::load(*std::move(data));
  if (!engine) {
    ADD_FAILURE() << engine.error().message;
    return nullptr;
  }
  return *engine;
}

std::shared_ptr<const Engine> generic() { return loaded(build_engine(net())); }

// As from a file: what is packed is a view into these bytes.
Result<EngineData> packed_data() {
  const auto engine = generic();
  if (!engine) return error(Code::internal, "no engine");
  HONE_TRY(const EngineData data, with_packed_plan(*engine, thread_counts));
  HONE_TRY(auto bytes, engine_bytes(data));
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return read_engine_bytes(owner, *owner);
}

struct Answer {
  std::vector<float> values;
  Engine::PackedBytes packed;
  std::string plan;
};
Answer run(const std::shared_ptr<const Engine>& engine, int threads = 2) {
  Answer a;
  auto session = session_of(engine, threads);
  if (!session) return a;
  std::mt19937 random(test_seed() + 1);
  const Value image = random_tensor(DType::f32, Shape{1, 3, 12, 10}, random);
  if (auto s = session->run({&image, 1}); !s) ADD_FAILURE() << s.error().message;
  const Tensor& t = session->output(0).tensor;
  a.values.assign(t.data<float>(), t.data<float>() + t.elements());
  a.packed = engine->packed_bytes();
  a.plan = engine->plan().target;
  return a;
}

// Equal as bits.
void expect_same(const Answer& a, const Answer& b) {
  ASSERT_EQ(a.values.size(), 5u);
  ASSERT_EQ(b.values.size(), 5u);
  EXPECT_EQ(0, std::memcmp(a.values.data(), b.values.data(), 5 * sizeof(float)));
}

TEST(Packed, PlanForThisMachineIsUsedAndGivesTheSameBits) {
  const Answer plain = run(generic());
  EXPECT_EQ(plain.plan, "generic");
  EXPECT_EQ(plain.packed.ready, 0);
  EXPECT_GT(plain.packed.made, 0);
  for (int threads : thread_counts) {
    const auto engine = loaded(packed_data());
    ASSERT_TRUE(engine);
    const Answer a = run(engine, threads);
    EXPECT_EQ(a.plan, target_name(*active_isa()));
    EXPECT_EQ(a.packed.made, 0);
    EXPECT_GE(a.packed.ready, plain.packed.made);  // some tiles may depend on the number of threads
    for (const ProgramStep& s : engine->plan().program->steps)
      if (s.op == "Conv" || s.op == "ConvTranspose" || s.op == "MatMul" || s.op == "Gemm") {
        EXPECT_NE(s.tactic, "") << s.op;
      }
    expect_same(a, plain);
  }
}

TEST(Packed, SameModelGivesTheSameBytes) {
  const auto one = with_packed_plan(*generic(), thread_counts),
             two = with_packed_plan(*generic(), thread_counts);
  ASSERT_TRUE(one && two);
  ASSERT_EQ(one->plans.size(), 2u);
  EXPECT_EQ(one->plans[0].target, "generic");
  EXPECT_FALSE(one->plans[1].packed.empty());
  EXPECT_EQ(*engine_bytes(*one), *engine_bytes(*two));
}

TEST(Packed, PackedAnewForItselfAnEngineStaysTheSame) {
  const auto once = packed_data();
  ASSERT_TRUE(once);
  const auto engine = loaded(*once);
  ASSERT_TRUE(engine);
  const auto twice = with_packed_plan(*engine, thread_counts);
  ASSERT_TRUE(twice);
  EXPECT_EQ(*engine_bytes(*once), *engine_bytes(*twice));
}

// What takes the plain weights' place must not need them: here they are gone.
TEST(Packed, PlainWeightsAreNotRead) {
  const Answer plain = run(generic());
  auto data = packed_data();
  ASSERT_TRUE(data);
  int spoiled = 0;
  for (const Tensor& t : data->constants)
    if (t.dtype() == DType::f32) {
      std::memset(t.bytes(), 0xff, static_cast<size_t>(t.byte_size()));
      spoiled++;
    }
  EXPECT_GE(spoiled, 6);
  expect_same(run(loaded(std::move(data))), plain);
}

TEST(Packed, AnotherInstructionSetPacksItsOwn) {
  auto data = packed_data();
  ASSERT_TRUE(data);
  const Isa mine = *active_isa();
  int others = 0;
  for (Isa isa : available_isas()) {
    if (isa == mine) continue;
    const char* before = std::getenv("HONE_ISA");
    const std::string old = before ? before : "";
    ::setenv("HONE_ISA", isa_name(isa), 1);
    const Answer a = run(loaded(*data)), plain = run(generic());
    if (before) ::setenv("HONE_ISA", old.c_str(), 1);
    else ::unsetenv("HONE_ISA");
    EXPECT_EQ(a.plan, "generic");
    EXPECT_EQ(a.packed.ready, 0);
    EXPECT_GT(a.packed.made, 0);
    expect_same(a, plain);
    others++;
  }
  if (!others) GTEST_SKIP() << "this machine has one instruction set";
}

// Sizes come from the kernel, never from the file.
TEST(Packed, WrongSizesAreIgnored) {
  const Answer plain = run(generic());
  for (int64_t wrong : {int64_t{0}, int64_t{64}, int64_t{-64}, int64_t{1} << 20}) {
    auto data = packed_data();
    ASSERT_TRUE(data);
    for (PackedConstants& p : data->plans[1].packed) {
      const int64_t size = std::max<int64_t>(wrong > 0 ? wrong : p.bytes.byte_size() + wrong - 1, 0);
      p.bytes = *Tensor::allocate(DType::u8, Shape{size});
    }
    const Answer a = run(loaded(std::move(data)));
    EXPECT_EQ(a.packed.ready, 0);
    EXPECT_EQ(a.packed.made, plain.packed.made);
    expect_same(a, plain);
  }
}

TEST(Packed, OtherLayoutsAndConstantsAreIgnored) {
  const Answer plain = run(generic());
  auto data = packed_data();
  ASSERT_TRUE(data);
  std::vector<PackedConstants>& packed = data->plans[1].packed;
  ASSERT_GE(packed.size(), 5u);
  const int64_t whole = run(loaded(*data)).packed.ready;
  packed[0].layout += " of a later version";
  for (int& i : packed[1].constants) i = i < 0 ? i : (i + 1) % static_cast<int>(data->constants.size());
  packed[2].constants.push_back(-1);
  const Answer a = run(loaded(std::move(data)));
  EXPECT_GT(a.packed.made, 0);
  EXPECT_LT(a.packed.ready, whole);
  EXPECT_EQ(a.packed.made + a.packed.ready, plain.packed.made);
  expect_same(a, plain);
}

TEST(Packed, OneCopyServesAllSessions) {
  const auto engine = loaded(packed_data());
  const Answer first = run(engine), second = run(engine);
  EXPECT_EQ(first.packed.ready, second.packed.ready);
  expect_same(first, second);
}

TEST(Packed, OpenShapesGetNoSuchPlan) {
  const auto engine = loaded(build_engine(net("?")));
  ASSERT_TRUE(engine);
  const auto data = with_packed_plan(*engine, thread_counts);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->plans.size(), 1u);
}

// From a file, weights that were packed when it was loaded are let go of, and are there when asked for again.
TEST(Packed, WeightsPackedWhenLoadedAreStillThere) {
  const auto path =
      (std::filesystem::temp_directory_path() / strf("hone-packed-%d.hone", static_cast<int>(::getpid())))
          .string();
  auto graph = graph_of("graph @big(%x: f32[4,512]) -> (%p) { %w = const f32[512,64] {" + [] {
    std::string s;
    for (int i = 0; i < 512 * 64; i++) s += (i ? ", " : "") + strf("%d", i % 7 - 3);
    return s;
  }() + "}\n %p = MatMul(%x, %w) }");
  ASSERT_TRUE(graph);
  auto data = build_engine(graph);
  ASSERT_TRUE(data) << data.error().message;
  ASSERT_TRUE(write_engine(*data, path));
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file);
  const auto engine = loaded(read_engine(*file));
  std::filesystem::remove(path);
  ASSERT_TRUE(engine);
  auto session = session_of(engine);
  ASSERT_TRUE(session);
  EXPECT_GT(engine->packed_bytes().made, 0);
  int found = 0;
  for (const Tensor& t : engine->data().constants)
    if (t.elements() == 512 * 64) {
      for (int i = 0; i < 512 * 64; i++) ASSERT_EQ(t.data<float>()[i], static_cast<float>(i % 7 - 3));
      found++;
    }
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace hone
