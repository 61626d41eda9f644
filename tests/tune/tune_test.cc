// Which tactics an engine's steps get: from times that a record holds, from times measured here, and within the
// limit of errors.
#include "tune/tune.h"

#include "../build/harness.h"
#include "build/build.h"
#include "engine/write.h"
#include "runtime/prepack.h"
#include "tune/choice.h"

namespace hone {
namespace {

constexpr int thread_counts[] = {1, 2};

// Numbers of a tensor of n elements, in the text form.
std::string numbers(std::mt19937& random, int n) {
  std::string s;
  for (int i = 0; i < n; i++) s += (i ? ", " : "") + strf("%.3f", random() % 2001 / 1000.0 - 1);
  return s;
}

// Two convolutions of the same problem and one of another; all of them could be Winograd's.
Result<EngineData> net(const char* batch = "1") {
  std::mt19937 random(test_seed());
  const auto graph = graph_of(strf(R"(graph @net(%%image: f32[%s,16,24,24]) -> (%%d) {
  %%w1 = const f32[16,16,3,3] {%s}
  %%w2 = const f32[16,16,3,3] {%s}
  %%w3 = const f32[24,16,3,3] {%s}
  %%a = Conv(%%image, %%w1) {kernel_shape=[3,3], pads=[1,1,1,1]}
  %%b = Conv(%%a, %%w2) {kernel_shape=[3,3], pads=[1,1,1,1]}
  %%c = Conv(%%b, %%w3) {kernel_shape=[3,3], pads=[1,1,1,1]}
  %%d = GlobalAveragePool(%%c)
})",
                                   batch, numbers(random, 2304).c_str(), numbers(random, 2304).c_str(),
                                   numbers(random, 3456).c_str()));
  return build_engine(graph);
}

// A convolution less the same one as a kernel of 5x5: all that is left is what they err by.
Result<EngineData> unstable_net() {
  std::mt19937 random(test_seed());
  std::string three, five;
  for (int i = 0; i < 16 * 16; i++)
    for (int y = 0; y < 5; y++)
      for (int x = 0; x < 5; x++) {
        const bool inside = y > 0 && y < 4 && x > 0 && x < 4;
        const std::string value = inside ? strf("%.3f", random() % 2001 / 1000.0 - 1) : "0";
        if (inside) three += (three.empty() ? "" : ", ") + value;
        five += (five.empty() ? "" : ", ") + value;
      }
  return build_engine(graph_of(strf(R"(graph @unstable(%%image: f32[1,16,24,24]) -> (%%d) {
  %%w3 = const f32[16,16,3,3] {%s}
  %%w5 = const f32[16,16,5,5] {%s}
  %%a = Conv(%%image, %%w3) {kernel_shape=[3,3], pads=[1,1,1,1]}
  %%b = Conv(%%image, %%w5) {kernel_shape=[5,5], pads=[2,2,2,2]}
  %%d = Sub(%%a, %%b)
})",
                                    three.c_str(), five.c_str())));
}

std::shared_ptr<const Engine> loaded(Result<EngineData> data) {
  auto engine =
      data ? Engine::load(*std::move(data)) : Result<std::shared_ptr<const Engine>>(data.take_error());
  if (!engine) {
    ADD_FAILURE() << engine.error().message;
    return nullptr;
  }
  return *engine;
}

struct Tuned {
  std::shared_ptr<const Engine> engine;
  TuneReport report;
  // Tactics of the convolutions.
  std::vector<std::string> tactics(const char* target) const {
    std::vector<std::string> list;
    for (const Plan& p : engine->data().plans)
      if (p.target == target)
        for (const ProgramStep& s : p.program->steps)
          if (s.op == "Conv") list.push_back(s.tactic);
    return list;
  }
};
Tuned tuned(Result<EngineData> data, const TuneOptions& options = {}) {
  Tuned t;
  const auto engine = loaded(std::move(data));
  if (!engine) return t;
  auto result = tune(engine, options, t.report);
  EXPECT_TRUE(result) << result.error().message;
  if (result) t.engine = *result;
  return t;
}

std::string this_machine() { return timing_machine(*active_isa(), *thread_count(0)); }
std::string this_target() { return target_name(*active_isa()); }

// A record with these times for all problems of the net that have a choice.
TimingRecord record_of(double gemm, double two, double four) {
  TimingRecord r;
  const auto engine = loaded(net());
  const Shape shape{1, 16, 24, 24};
  const auto plan = make_plan(*engine, {&shape, 1}, 1);
  for (const StepProblem& p : step_problems(*engine, **plan)) {
    if (worth_timing(p).size() < 2) continue;
    auto& times = r.times(this_machine(), p.key);
    TimingRecord::add(times, "conv_gemm_f32", gemm);
    TimingRecord::add(times, "conv_winograd2_f32", two);
    TimingRecord::add(times, "conv_winograd4_f32", four);
  }
  return r;
}

using Names = std::vector<std::string>;
Names thrice(const char* name) { return Names(3, name); }

TEST(Tune, LeavesAnEngineAloneThatIsFine) {
  const auto engine = loaded(net());
  TuneReport report;
  const auto same = tune(engine, {}, report);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->get(), engine.get());
  EXPECT_TRUE(report.lines.empty());
  EXPECT_TRUE(report.notes.empty());
}

TEST(Tune, TakesTheFastestOfTheRecord) {
  const struct {
    double gemm, two, four;
    const char* tactic;
  } cases[] = {{100, 200, 300, "conv_gemm_f32"},
               {300, 200, 300, "conv_winograd2_f32"},
               {300, 200, 100, "conv_winograd4_f32"}};
  for (const auto& [gemm, two, four, tactic] : cases) {
    TimingRecord record = record_of(gemm, two, four);
    const std::string before = record.text();
    const Tuned t = tuned(net(), {.timed = true, .record = &record, .progress = {}, .cancelled = {}});
    ASSERT_TRUE(t.engine);
    EXPECT_EQ(t.tactics(this_target().c_str()), thrice(tactic));
    EXPECT_EQ(t.tactics("generic"), thrice("")) << "times are this machine's alone";
    EXPECT_EQ(record.text(), before) << "nothing was to be measured";
  }
}

TEST(Tune, IgnoresTimesOfOtherMachinesAndSaysSo) {
  TimingRecord record;
  const TimingRecord ours = record_of(100, 200, 300);
  for (const auto& [machine, problems] : ours.machines())
    for (const auto& [problem, times] : problems) record.times("a Cray", problem) = times;
  const Tuned t = tuned(net(), {.timed = true, .record = &record, .progress = {}, .cancelled = {}});
  ASSERT_TRUE(t.engine);
  ASSERT_EQ(t.report.notes.size(), 1u);
  EXPECT_EQ(t.report.notes[0], "the timing records hold no times of this machine (" + this_machine() +
                                   "), but of 1 other, such as a Cray; these are kept and not used");
}

TEST(Tune, MeasuresEachProblemOnceAndReplaysToTheSameBytes) {
  TimingRecord record;
  TuneOptions options{.timed = true, .seconds = 60, .record = &record, .progress = {}, .cancelled = {}};
  int calls = 0;
  options.progress = [&](double fraction, const std::string& what) {
    EXPECT_GE(fraction, 0);
    EXPECT_LT(fraction, 1);
    EXPECT_NE(what.find("Conv"), std::string::npos);
    calls++;
  };
  const Tuned first = tuned(net(), options);
  ASSERT_TRUE(first.engine);
  EXPECT_TRUE(first.report.notes.empty());
  EXPECT_EQ(calls, 2) << "two of the three convolutions are the same problem";
  ASSERT_EQ(record.machines().size(), 1u);
  for (const auto& [problem, times] : record.machines().begin()->second)
    EXPECT_GE(times.size(), 2u) << problem;

  const std::string text = record.text();
  const auto bytes = [](const Tuned& t) {
    const auto data = with_packed_plan(*t.engine, thread_counts);
    EXPECT_TRUE(data);
    return *engine_bytes(*data);
  };
  const auto want = bytes(first);
  options.seconds = 0;  // a replay; and once more from the text, and with time that is not needed
  EXPECT_EQ(bytes(tuned(net(), options)), want);
  record = *TimingRecord::parse(text, "again");
  options.seconds = 60;
  EXPECT_EQ(bytes(tuned(net(), options)), want);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(record.text(), text);
}

TEST(Tune, StopsWhenTimeIsUpOrTheCallerSaysSo) {
  TimingRecord record;
  const Tuned t =
      tuned(net(), {.timed = true, .seconds = 1e-9, .record = &record, .progress = {}, .cancelled = {}});
  ASSERT_TRUE(t.engine);
  ASSERT_EQ(t.report.notes.size(), 1u);
  EXPECT_EQ(t.report.notes[0],
            "the time was up after 0 of 2 problems: for the others estimates decide; give more with --time, "
            "or go on "
            "from a --time-record");
  TuneReport report;
  const auto stopped = tune(
      loaded(net()),
      {.timed = true, .seconds = 60, .record = &record, .progress = {}, .cancelled = [] { return true; }},
      report);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::cancelled);
}

TEST(Tune, DoesNotTimeOpenShapes) {
  TimingRecord record;
  const Tuned t =
      tuned(net("N"), {.timed = true, .seconds = 60, .record = &record, .progress = {}, .cancelled = {}});
  ASSERT_TRUE(t.engine);
  EXPECT_TRUE(record.empty());
  EXPECT_EQ(t.report.notes,
            Names{"tactics are not timed: input 'image' leaves its shape open; fix it with --shape"});
}

TEST(Tune, KeepsPlainSummationWhereErrorsWouldGoTooFar) {
  const Tuned t = tuned(unstable_net(), {.explain = true, .progress = {}, .cancelled = {}});
  ASSERT_TRUE(t.engine);
  EXPECT_EQ(t.tactics("generic"), (Names{"conv_gemm_f32", ""})) << "the 5x5 one has no other";
  bool told = false;
  for (const std::string& line : t.report.lines)
    told = told || line == "  conv_winograd4_f32: not used because its error would go too far";
  EXPECT_TRUE(told);
  // Not even times are stronger.
  TimingRecord record;
  const Tuned timed = tuned(
      unstable_net(), {.timed = true, .seconds = 60, .record = &record, .progress = {}, .cancelled = {}});
  ASSERT_TRUE(timed.engine);
  EXPECT_EQ(timed.tactics(this_target().c_str()), (Names{"conv_gemm_f32", "conv_gemm_f32"}));
}

TEST(StandsIn, OnlyWhatNeedsNoCopiesThatTheOtherDoesNotNeed) {
  const Tactic plain{.name = "plain"}, pitched{.name = "pitched", .pitched_in = 1, .pitched_out = 1},
      in_place{.name = "in_place", .in_place = 0};
  EXPECT_TRUE(stands_in(plain, plain));
  EXPECT_TRUE(stands_in(pitched, plain));
  EXPECT_TRUE(stands_in(in_place, plain));
  EXPECT_FALSE(stands_in(plain, pitched));
  EXPECT_FALSE(stands_in(plain, in_place));
  EXPECT_FALSE(stands_in(pitched, in_place));
}

TEST(Tune, ExplainsEachStepOnce) {
  TimingRecord record = record_of(300, 200, 100.25);
  const Tuned t =
      tuned(net(), {.timed = true, .record = &record, .explain = true, .progress = {}, .cancelled = {}});
  ASSERT_TRUE(t.engine);
  std::string all;
  for (const std::string& line : t.report.lines) all += line + "\n";
  EXPECT_NE(all.find("Conv: conv_winograd4_f32 (3 steps), by the times\n"
                     "  conv_depthwise_f32: not used because it is not depthwise"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("[1,24,24,24]: 100.2 us; conv_winograd2_f32 200.0 us, conv_gemm_f32 300.0 us\n"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("GlobalAveragePool: global_average_pool_f32 (1 step)\n"), std::string::npos) << all;
}

TEST(Tune, StripsAreExplained) {
  std::mt19937 random(test_seed());
  const auto graph = graph_of(strf(R"(graph @block(%%image: f32[1,4,12,12]) -> (%%c) {
  %%w1 = const f32[24,4,1,1] {%s}
  %%w2 = const f32[24,1,3,3] {%s}
  %%a = Conv(%%image, %%w1) {kernel_shape=[1,1]}
  %%b = Conv(%%a, %%w2) {kernel_shape=[3,3], group=24, pads=[1,1,1,1]}
  %%c = GlobalAveragePool(%%b)
})",
                                   numbers(random, 96).c_str(), numbers(random, 216).c_str()));
  setenv("HONE_L2", "1", 1);
  const Tuned t = tuned(build_engine(graph), {.explain = true, .progress = {}, .cancelled = {}});
  unsetenv("HONE_L2");
  const auto line = std::find_if(t.report.lines.begin(), t.report.lines.end(), [](const std::string& l) {
    return l.starts_with("strips: 1 chain of steps");
  });
  ASSERT_TRUE(line != t.report.lines.end());
  EXPECT_NE((line + 1)->find("[1,12,12,24]"), std::string::npos) << *(line + 1);
}

}  // namespace
}  // namespace hone
