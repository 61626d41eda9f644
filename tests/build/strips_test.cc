// Chains of steps that run in strips: the bits of the steps run one after another, whatever the strips, the
// threads and the instruction set.
#include <cstdlib>

#include "harness.h"

namespace hone {
namespace {

class Setting {  // of the environment, while it lives
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    const char* old = std::getenv(name);
    if (old) old_ = old;
    had_ = old != nullptr;
    setenv(name, value.c_str(), 1);
  }
  ~Setting() { had_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::string old_;
  bool had_;
};

// Text of a graph that is written a step at a time.
class Net {
 public:
  explicit Net(const std::string& input)
      : head_("graph @net(%x0: f32[" + input + "]"), random_(test_seed()) {}

  std::string conv(const std::string& x, int in, int out, int k, const std::string& more = "",
                   const std::string& residual = "_") {
    return add_conv(x, out, in, k, more, residual);
  }
  std::string depthwise(const std::string& x, int channels, int k, int stride, const std::string& more = "") {
    return add_conv(x, channels, 1, k,
                    strf(", group=%d, strides=[%d,%d], pads=[%d,%d,%d,%d]", channels, stride, stride, k / 2,
                         k / 2, k / 2, k / 2) +
                        more,
                    "_");
  }
  std::string op(const std::string& text) {
    const std::string y = strf("%%y%d", ++count_);
    body_ += "  " + y + " = " + text + "\n";
    return y;
  }
  void line(const std::string& text) { body_ += "  " + text + "\n"; }
  std::shared_ptr<ir::Graph> graph(const std::string& outputs) const {
    return graph_of(head_ + ") -> (" + outputs + ") {\n" + body_ + "}");
  }

 private:
  std::string numbers(int n) {
    std::string s;
    for (int i = 0; i < n; i++)
      s += (i ? "," : "") + strf("%.2f", static_cast<double>(random_() % 201) / 100 - 1);
    return s;
  }
  std::string add_conv(const std::string& x, int out, int in, int k, const std::string& more,
                       const std::string& residual) {
    const int i = ++count_;
    body_ += strf("  %%w%d = const f32[%d,%d,%d,%d] {", i, out, in, k, k) + numbers(out * in * k * k) + "}\n";
    body_ += strf("  %%b%d = const f32[%d] {", i, out) + numbers(out) + "}\n";
    body_ += strf("  %%y%d = Conv(", i) + x + strf(", %%w%d, %%b%d, ", i, i) + residual +
             strf(") {channels_last=1, kernel_shape=[%d,%d]", k, k) + more + "}\n";
    return strf("%%y%d", i);
  }
  std::string head_, body_;
  std::mt19937 random_;
  int count_ = 0;
};

const std::string relu = ", activation=\"Relu\"", swish = ", activation=\"HardSwish\"",
                  silu = ", activation=\"Swish\", activation_alpha=1.0";

int chains_of(const Session& session) {
  int n = 0;
  for (const StepProfile& s : session.profile()) n += s.tactic == "strips";
  return n;
}

struct Ran {
  std::vector<Tensor> outputs;
  int chains = 0;
  int64_t arena = 0;
};
Ran ran(const ir::Graph& graph, std::span<const Value> inputs, int threads, int64_t l2) {
  const Setting cache("HONE_L2", std::to_string(std::max<int64_t>(l2, 1))), on("HONE_STRIPS", l2 ? "1" : "0");
  Ran r;
  auto session = session_of(engine_of(graph), threads);
  if (!session) return r;
  for (int round = 0; round < 2; round++)
    if (auto s = session->run(inputs); !s) ADD_FAILURE() << s.error().message;
  for (size_t i = 0; i < session->outputs(); i++) {
    const Tensor& t = session->output(i).tensor;
    r.outputs.push_back(*Tensor::allocate(t.dtype(), t.shape()));
    std::memcpy(r.outputs.back().bytes(), t.bytes(), static_cast<size_t>(t.byte_size()));
  }
  r.chains = chains_of(*session);
  r.arena = session->memory().arena.peak;
  return r;
}

constexpr int64_t no_strips = 0;

// The graph has the same bits without strips and with `chains` chains of them, of a row and more; and they are
// those of the reference, nearly. chains < 0: their number depends on the threads.
void check(const std::shared_ptr<ir::Graph>& graph, int chains, std::vector<Value> inputs = {}) {
  ASSERT_TRUE(graph);
  std::mt19937 random(test_seed());
  if (inputs.empty()) inputs = random_inputs(*graph, random);
  const auto want = ir::evaluate(*graph, inputs);
  ASSERT_TRUE(want) << want.error().message;
  for (const Isa isa : available_isas()) {
    const Setting use("HONE_ISA", isa_name(isa));
    const Ran apart = ran(*graph, inputs, 2, no_strips);
    for (const int threads : {1, 2, 3, 5})
      for (const int64_t l2 : {int64_t{1}, int64_t{7000}, int64_t{20000}, int64_t{60000}}) {
        const std::string what =
            strf("%s, %d threads, HONE_L2=%lld", isa_name(isa), threads, static_cast<long long>(l2));
        const Ran strips = ran(*graph, inputs, threads, l2);
        if (l2 == 1 && chains >= 0) { EXPECT_EQ(strips.chains, chains) << what; }
        ASSERT_EQ(strips.outputs.size(), apart.outputs.size());
        for (size_t i = 0; i < apart.outputs.size(); i++) {
          expect_equal(strips.outputs[i], (*want)[i], 1e-5, what);
          ASSERT_EQ(std::memcmp(strips.outputs[i].bytes(), apart.outputs[i].bytes(),
                                static_cast<size_t>(apart.outputs[i].byte_size())),
                    0)
              << what << ": output " << i << " has other bits than without strips";
        }
      }
  }
}

TEST(Strips, BlocksOfAllKindsKeepTheirBits) {
  struct Kind {
    const char* input;
    int in, wide, out, k, stride;
    std::string inner;
  };
  for (const Kind& b : {Kind{"1,13,11,8", 8, 40, 12, 3, 1, relu}, Kind{"1,12,17,5", 5, 33, 7, 3, 2, swish},
                        Kind{"2,9,10,16", 16, 48, 24, 5, 1, silu}, Kind{"1,16,7,3", 3, 19, 16, 5, 2, relu},
                        Kind{"3,5,6,4", 4, 17, 4, 3, 1, ""}, Kind{"1,1,9,6", 6, 20, 5, 3, 1, relu},
                        Kind{"1,14,1,6", 6, 20, 5, 7, 2, relu}, Kind{"1,2,2,1", 1, 1, 1, 5, 1, relu},
                        Kind{"5,2,6,4", 4, 17, 6, 3, 2, relu}}) {
    SCOPED_TRACE(strf("%s k%d s%d", b.input, b.k, b.stride));
    Net net(b.input);
    const std::string a = net.conv("%x0", b.in, b.wide, 1, b.inner);
    const std::string d = net.depthwise(a, b.wide, b.k, b.stride, b.inner);
    check(net.graph(net.conv(d, b.wide, b.out, 1)), 1);
  }
}

TEST(Strips, AResidualIsTheInputOfTheBlock) {
  // The input is an intermediate that nobody reads later: the output must not overwrite it all the same.
  Net net("1,15,9,12");
  const std::string x = net.op("Relu(%x0)"), a = net.conv(x, 12, 72, 1, relu);
  const std::string d = net.depthwise(a, 72, 3, 1, relu), p = net.conv(d, 72, 12, 1, "", x);
  check(net.graph(net.op("Tanh(" + p + ")")), 1);
}

TEST(Strips, AResidualFromElsewhereIsOverwritten) {
  Net net("1,15,9,12");
  const std::string x = net.op("Relu(%x0)"), z = net.op("Sigmoid(%x0)"), a = net.conv(x, 12, 40, 1, relu);
  const std::string d = net.depthwise(a, 40, 3, 1, relu), p = net.conv(d, 40, 12, 1, relu, z);
  check(net.graph(net.op("Tanh(" + p + ")")), 1);
}

TEST(Strips, AFirstConvolutionFeedsThem) {
  Net net("1,21,19,3");
  const std::string a = net.conv("%x0", 3, 16, 3, ", strides=[2,2], pads=[1,1,1,1]" + swish);
  const std::string d = net.depthwise(a, 16, 3, 1, relu);
  check(net.graph(net.conv(d, 16, 8, 1)), 1);
}

TEST(Strips, DepthwiseAndPointwiseFollowOneAnother) {
  Net net("1,19,8,9");
  std::string y = "%x0";
  int channels = 9;
  for (const int stride : {1, 2, 1, 1}) {
    y = net.depthwise(y, channels, 3, stride, relu);
    y = net.conv(y, channels, channels + 7, 1, relu);
    channels += 7;
  }
  check(net.graph(y), 1);  // eight steps
}

TEST(Strips, WideDilationsAndPaddingReachBeyondTheMap) {
  Net net("1,9,8,6");
  const std::string a = net.conv("%x0", 6, 18, 1, relu);
  const std::string d = net.conv(a, 1, 18, 3, ", group=18, dilations=[5,5], pads=[7,5,4,5], strides=[3,1]");
  check(net.graph(net.conv(d, 18, 5, 1)), 1);
}

TEST(Strips, SqueezeAndExcitationScalesWhatTheProjectionReads) {
  Net net("2,10,9,8");
  const std::string a = net.conv("%x0", 8, 36, 1, silu), d = net.depthwise(a, 36, 5, 1, silu);
  const std::string p = net.op("GlobalAveragePool(" + d + ") {channels_last=1}");
  const std::string s = net.conv(net.conv(p, 36, 8, 1, silu), 8, 36, 1, ", activation=\"Sigmoid\"");
  const std::string m = net.op("Mul(" + d + ", " + s + ")");
  check(net.graph(net.conv(m, 36, 8, 1, "", "%x0")), 3);  // one of them: the two layers between
}

TEST(Strips, APoolSumsUpWhatADepthwiseStepMakes) {
  for (const char* pool : {"GlobalAveragePool", "GlobalMaxPool"})
    for (const char* input : {"1,24,9,10", "2,10,7,3", "1,8,2,33"}) {
      SCOPED_TRACE(std::string(pool) + " of " + input);
      const int channels = std::atoi(std::strrchr(input, ',') + 1);
      Net net(input);
      const std::string d = net.depthwise("%x0", channels, 3, 1, swish);
      const std::string p = net.op(std::string(pool) + "(" + d + ") {channels_last=1}");
      check(net.graph(net.op("Sub(" + d + ", " + p + ")")), -1);
    }
  Net net("1,24,9,10");  // and into a part of wider rows
  net.line("%r = Relu(%x0)");
  const std::string d = net.depthwise("%r", 10, 3, 1, swish);
  const std::string p = net.op("GlobalAveragePool(" + d + ") {channels_last=1}");
  const std::string c = net.op("Concat(" + d + ", %r) {axis=3}");
  const auto graph = net.graph(net.op("Tanh(" + c + ")") + ", " + p);
  check(graph, -1);
  const Setting cache("HONE_L2", "1");
  auto session = session_of(engine_of(*graph));
  std::mt19937 random(test_seed());
  ASSERT_TRUE(session->run(random_inputs(*graph, random)));
  int sums = 0;
  for (const StepProfile& s : session->profile()) sums += s.op == "Conv+GlobalAveragePool";
  EXPECT_EQ(sums, 1);
}

TEST(Strips, ScalesOfAllShapesAreApplied) {
  for (const char* scale :
       {"Mul(%x0, %c)", "Mul(%c, %x0)", "Add(%x0, %one)", "Mul(%x0, %x0)", "Sub(%map, %x0)"}) {
    SCOPED_TRACE(scale);
    Net net("2,5,6,3");
    net.line("%c = const f32[3] {0.5, -1, 2}");
    net.line("%one = const f32[1,1,1,1] {0.25}");
    net.line("%map = Neg(%x0)");
    check(net.graph(net.conv(net.op(scale), 3, 8, 1)), 1);
  }
  Net rows("2,5,6,3");  // one factor a row: not a matter of pixels
  rows.line("%c = const f32[5,1,1] {0.5, -1, 2, 3, 4}");
  check(rows.graph(rows.conv(rows.op("Mul(%x0, %c)"), 3, 8, 1)), 0);
}

TEST(Strips, OperandsMayBePartsOfWiderRows) {
  Net net("1,12,9,16");
  net.line("%r = Relu(%x0)");
  net.line("%s, %t = Split(%r) {axis=3, num_outputs=2}");
  const std::string a = net.conv("%s", 8, 40, 1, relu), d = net.depthwise(a, 40, 3, 1, relu);
  const std::string p = net.conv(d, 40, 8, 1, relu, "%t"), q = net.op("Sigmoid(%t)");
  const std::string c = net.op("Concat(" + p + ", " + q + ") {axis=3}");
  check(net.graph(net.op("Tanh(" + c + ")")), 1);
}

TEST(Strips, AMapThatSomebodyElseWantsIsMadeWhole) {
  Net shared("1,9,9,4");
  const std::string a = shared.conv("%x0", 4, 24, 1, relu), d = shared.depthwise(a, 24, 3, 1, relu);
  check(shared.graph(shared.conv(d, 24, 4, 1) + ", " + a), 1);
  Net twice("1,9,9,4");
  const std::string b = twice.conv("%x0", 4, 24, 1, relu), e = twice.depthwise(b, 24, 3, 1, relu);
  check(twice.graph(twice.op("Add(" + b + ", " + e + ")")), 1);  // not in the place of what it still reads
}

TEST(Strips, OpenShapesArePlannedAnew) {
  Net net("N,H,9,6");
  const std::string a = net.conv("%x0", 6, 30, 1, relu), d = net.depthwise(a, 30, 3, 2, relu);
  const auto graph = net.graph(net.conv(d, 30, 6, 1));
  std::mt19937 random(test_seed());
  for (const Shape& s : {Shape{1, 7, 9, 6}, Shape{2, 12, 9, 6}, Shape{1, 1, 9, 6}})
    check(graph, 1, {random_tensor(DType::f32, s, random)});
  const Setting cache("HONE_L2", "1");
  auto session = session_of(engine_of(*graph));
  ASSERT_TRUE(session);
  for (const Shape& s : {Shape{1, 7, 9, 6}, Shape{2, 12, 9, 6}, Shape{1, 7, 9, 6}, Shape{0, 7, 9, 6}}) {
    const std::vector<Value> inputs{random_tensor(DType::f32, s, random)};
    expect_session_matches(*graph, *session, inputs);
  }
}

TEST(Strips, TakeTheWideMapOutOfTheArena) {
  Net net("1,40,40,8");
  const std::string a = net.conv("%x0", 8, 48, 1, relu), d = net.depthwise(a, 48, 3, 1, relu);
  const auto graph = net.graph(net.conv(d, 48, 8, 1));
  std::mt19937 random(test_seed());
  const auto inputs = random_inputs(*graph, random);
  const int64_t wide = 40 * 40 * 48 * 4;
  EXPECT_GE(ran(*graph, inputs, 2, no_strips).arena, 2 * wide);
  EXPECT_LE(ran(*graph, inputs, 2, 1).arena, wide / 2);
}

TEST(Strips, WeightsThatDoNotStayInCacheAreNotReadForEachStrip) {
  Net net("1,30,30,200");
  const std::string m = net.op("Mul(%x0, %x0)"), p = net.conv(m, 200, 100, 1);
  const auto graph = net.graph(p);
  std::mt19937 random(test_seed());
  const auto inputs = random_inputs(*graph, random);
  const int64_t weights = (200 + 1) * 100 * 4;
  EXPECT_EQ(ran(*graph, inputs, 2, weights * 2).chains, 0);
  EXPECT_EQ(ran(*graph, inputs, 2, weights * 4).chains, 1);
}

TEST(Strips, KeepNothingBackFromThoseWhoLookInside) {
  Net net("1,9,9,4");
  const std::string a = net.conv("%x0", 4, 24, 1, relu), d = net.depthwise(a, 24, 3, 1, relu);
  const auto graph = net.graph(net.conv(d, 24, 4, 1));
  const Setting cache("HONE_L2", "1");
  auto session = Session::create(engine_of(*graph), {.threads = 2, .keep_all = true});
  ASSERT_TRUE(session);
  std::mt19937 random(test_seed());
  ASSERT_TRUE((*session)->run(random_inputs(*graph, random)));
  EXPECT_EQ(chains_of(**session), 0);
}

TEST(Strips, AreOneLineOfTheProfileWithAllTheirWork) {
  Net net("1,9,9,4");
  const std::string a = net.conv("%x0", 4, 24, 1, relu), d = net.depthwise(a, 24, 3, 1, relu);
  const auto graph = net.graph(net.conv(d, 24, 4, 1));
  std::mt19937 random(test_seed());
  const auto inputs = random_inputs(*graph, random);
  double flops[2];
  for (const int strips : {0, 1}) {
    const Setting cache("HONE_L2", "1"), on("HONE_STRIPS", strips ? "1" : "0");
    auto session = session_of(engine_of(*graph));
    ASSERT_TRUE(session->run(inputs));
    const auto profile = session->profile();
    ASSERT_EQ(profile.size(), strips ? 1u : 3u);
    EXPECT_EQ(profile[0].op, strips ? "Conv+Conv+Conv" : "Conv");
    flops[strips] = 0;
    for (const StepProfile& s : profile) flops[strips] += s.flops;
  }
  EXPECT_GT(flops[0], 0);
  EXPECT_EQ(flops[0], flops[1]);
}

}  // namespace
}  // namespace hone
