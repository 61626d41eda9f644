// Random graphs through the planner: whatever is aliased, overwritten or placed where, the answers are those
// of the reference executor. Prints the seed that replays a failure (HONE_SEED).
#include "harness.h"

namespace hone {
namespace {

// A graph of 4-D values [1,H,W,C] with few distinct H and W, so that values meet often.
class RandomGraph {
 public:
  explicit RandomGraph(std::mt19937& random) : random_(random) {}

  std::string text() {
    std::string body;
    const int inputs = 1 + pick(2);
    std::string head;
    for (int i = 0; i < inputs; i++) {
      const Val v{"%x" + std::to_string(i), 2 + pick(3), 3, 1 + pick(9)};
      head += (i ? ", " : "") + v.name + ": f32[1," + std::to_string(v.h) + "," + std::to_string(v.w) + "," +
              std::to_string(v.c) + "]";
      vals_.push_back(v);
    }
    const int steps = 3 + pick(20);
    for (int i = 0; i < steps; i++) body += step();
    std::string outs;
    const int outputs = 1 + pick(3);
    for (int i = 0; i < outputs; i++) outs += (i ? ", " : "") + (i == 0 ? vals_.back() : any()).name;
    return "graph @random(" + head + ") -> (" + outs + ") {\n" + body + "}";
  }

 private:
  struct Val {
    std::string name;
    int h, w, c;
  };
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  Val any() { return vals_[static_cast<size_t>(pick(static_cast<int>(vals_.size())))]; }
  std::string fresh() { return "%v" + std::to_string(next_++); }

  std::string step() {
    const Val a = any();
    switch (pick(9)) {
      case 0:
      case 1: {
        static const char* const unary[] = {"Relu", "Sigmoid", "Tanh", "Neg"};
        const Val y{fresh(), a.h, a.w, a.c};
        vals_.push_back(y);
        return "  " + y.name + " = " + unary[pick(4)] + "(" + a.name + ")\n";
      }
      case 2:
      case 3: {
        for (int tries = 0; tries < 10; tries++) {
          const Val b = any();
          if (a.h != b.h || a.w != b.w || a.c != b.c) continue;
          const Val y{fresh(), a.h, a.w, a.c};
          vals_.push_back(y);
          return "  " + y.name + " = " + (pick(2) ? "Add" : "Mul") + "(" + a.name + ", " + b.name + ")\n";
        }
        return "";
      }
      case 4:
      case 5: {  // concat along channels, or along rows
        std::string list = a.name;
        Val y{fresh(), a.h, a.w, a.c};
        const bool rows = pick(3) == 0;
        for (int tries = 0; tries < 6; tries++) {
          const Val b = any();
          if (b.w != a.w || (rows ? b.c != a.c : b.h != a.h)) continue;
          list += ", " + b.name;
          (rows ? y.h : y.c) += rows ? b.h : b.c;
        }
        if (y.c > 64 || y.h > 32) return "";
        vals_.push_back(y);
        return "  " + y.name + " = Concat(" + list + ") {axis=" + (rows ? "1" : "3") + "}\n";
      }
      case 6: {
        if (a.c < 2) return "";
        const int first = 1 + pick(a.c - 1);
        const Val y{fresh(), a.h, a.w, first}, z{fresh(), a.h, a.w, a.c - first};
        const std::string sizes = fresh();
        vals_.push_back(y);
        vals_.push_back(z);
        return "  " + sizes + " = const i64[2] {" + std::to_string(y.c) + ", " + std::to_string(z.c) +
               "}\n  " + y.name + ", " + z.name + " = Split(" + a.name + ", " + sizes + ") {axis=3}\n";
      }
      case 7: {
        const std::string shape = fresh(), flat = fresh();
        const Val y{fresh(), a.h, a.w, a.c};
        vals_.push_back(y);
        return "  " + shape + " = const i64[4] {1, " + std::to_string(a.h) + ", " + std::to_string(a.w) +
               ", " + std::to_string(a.c) + "}\n  " + flat + " = Flatten(" + a.name + ") {axis=1}\n  " +
               y.name + " = Reshape(" + flat + ", " + shape + ")\n";
      }
      default: {  // pointwise convolution
        const int oc = 1 + pick(9);
        const std::string w = fresh();
        const Val y{fresh(), a.h, a.w, oc};
        vals_.push_back(y);
        std::string values;
        for (int i = 0; i < oc * a.c; i++) values += (i ? ", " : "") + std::to_string(pick(200) / 100.0 - 1);
        const bool residual = pick(2);
        std::string z;
        for (int tries = 0; residual && tries < 8; tries++) {
          const Val b = any();
          if (b.h == a.h && b.w == a.w && b.c == oc && b.name != y.name) z = ", _, " + b.name;
        }
        return "  " + w + " = const f32[" + std::to_string(oc) + "," + std::to_string(a.c) + ",1,1] {" +
               values + "}\n  " + y.name + " = Conv(" + a.name + ", " + w + z +
               ") {channels_last=1, kernel_shape=[1,1]}\n";
      }
    }
  }

  std::mt19937& random_;
  std::vector<Val> vals_;
  int next_ = 0;
};

TEST(RandomGraph, SessionAgreesWithTheReferenceExecutor) {
  const unsigned base = test_seed();
  int aliased = 0;
  for (unsigned seed = base; seed < base + 300; seed++) {
    std::mt19937 random(seed);
    const std::string text = RandomGraph(random).text();
    SCOPED_TRACE("HONE_SEED=" + std::to_string(seed) + "\n" + text);
    auto graph = graph_of(text);
    ASSERT_TRUE(graph);
    auto session = session_of(engine_of(*graph), 1 + static_cast<int>(seed % 3));
    ASSERT_TRUE(session);
    expect_session_matches(*graph, *session, random_inputs(*graph, random), 1e-4);
    if (testing::Test::HasFatalFailure()) return;
    aliased += session->memory().aliased_steps;
  }
  EXPECT_GT(aliased, 0);  // the graphs do exercise what they are for
}

}  // namespace
}  // namespace hone
