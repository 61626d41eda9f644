// Every attribute and every small integer or float input of every operator with values that no model means: the
// least and greatest integers, -1, 0, 10^18, NaN, infinities, unknown words, lists that are empty or too long.
// Whatever they are, the operator answers or refuses, with the node's name, in little time and memory, and the
// engine does as the reference does. (Run it under the sanitizers: scripts/test-long asan.)
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <limits>

#include "build/build.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "random/run.h"
#include "runtime/session.h"

namespace hone::test {
namespace {

using Clock = std::chrono::steady_clock;
using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

constexpr int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
constexpr int64_t integers[] = {least, -1, 0, most, 1'000'000'000'000'000'000, -1'000'000'000'000'000'000, 1};
constexpr float reals[] = {std::numeric_limits<float>::quiet_NaN(), HUGE_VALF, -HUGE_VALF, 0, -1, 3e38f};
const char* const words[] = {"", "nonsense"};

// A name for what was changed, and the problem.
using Change = std::pair<std::string, Problem>;

void add(std::vector<Change>& all, const Problem& p, const std::string& name, AttrValue v,
         const std::string& what) {
  Problem q = p;
  q.attrs.set(name, std::move(v));
  all.emplace_back(name + " = " + what, std::move(q));
}

template <class List, class Extremes>
void add_lists(std::vector<Change>& all, const Problem& p, const std::string& name,
               const Extremes& extremes) {
  const AttrValue* given = p.attrs.find(name);
  const List list = given ? std::get<List>(*given) : List(2);
  add(all, p, name, List(), "[]");
  add(all, p, name, List(40, list.empty() ? typename List::value_type() : list[0]), "40 of them");
  for (size_t i = 0; i < std::min<size_t>(list.size(), 4); i++)
    for (const auto& x : extremes) {
      List changed = list;
      changed[i] = x;
      if constexpr (std::is_same_v<List, Strings>)
        add(all, p, name, changed, "[" + std::to_string(i) + "] = '" + std::string(x) + "'");
      else add(all, p, name, changed, "[" + std::to_string(i) + "] = " + std::to_string(x));
    }
}

std::vector<Change> changes(const Problem& p) {
  std::vector<Change> all;
  for (const AttrDef& a : p.op->attrs) {
    if (a.internal) continue;
    switch (a.type) {
      case AttrType::i:
        for (const int64_t x : integers) add(all, p, a.name, x, std::to_string(x));
        break;
      case AttrType::f:
        for (const float x : reals) add(all, p, a.name, x, std::to_string(x));
        break;
      case AttrType::s:
        for (const char* x : words) add(all, p, a.name, std::string(x), x);
        break;
      case AttrType::ints:
        add_lists<Ints>(all, p, a.name, integers);
        break;
      case AttrType::floats:
        add_lists<Floats>(all, p, a.name, reals);
        break;
      case AttrType::strings:
        add_lists<Strings>(all, p, a.name, words);
        break;
      case AttrType::tensor:
        add(all, p, a.name, *Tensor::allocate(DType::f32, {0}), "f32[0]");
        add(all, p, a.name, *Tensor::allocate(DType::string, {2}), "string[2]");
        add(all, p, a.name, Tensor::of_ints(integers), "extremes");
        break;
      case AttrType::graph:
      case AttrType::type:
        break;
    }
  }
  for (size_t k = 0; k < p.inputs.size(); k++) {
    const Tensor& t = p.inputs[k].value.tensor;
    // 2^31 elements are an answer that Range may give.
    const bool whole = is_int(t.dtype()) && dtype_bits(t.dtype()) >= (p.op == find_op("Range") ? 64 : 32);
    if (!t || t.elements() > 16 || !(whole || t.dtype() == DType::f32)) continue;
    for (int64_t i = 0; i < std::min<int64_t>(t.elements(), 3); i++)
      for (size_t x = 0; x < (whole ? std::size(integers) : std::size(reals)); x++) {
        Problem q = p;
        Tensor changed = *Tensor::allocate(t.dtype(), t.shape());
        std::memcpy(changed.bytes(), t.bytes(), static_cast<size_t>(t.byte_size()));
        if (t.dtype() == DType::i64) changed.data<int64_t>()[i] = integers[x];
        else set_number(changed, i, whole ? static_cast<double>(integers[x]) : static_cast<double>(reals[x]));
        q.inputs[k].value = changed;
        all.emplace_back("input " + std::to_string(k) + " [" + std::to_string(i) +
                             "] = " + (whole ? std::to_string(integers[x]) : std::to_string(reals[x])),
                         std::move(q));
      }
  }
  return all;
}

struct Outcome {
  bool answered = false;
  std::string refusal;
};

// By the reference, or by an engine.
Outcome run(const ir::Graph& graph, std::span<const Value> inputs, bool engine) {
  const auto end = Clock::now() + std::chrono::milliseconds(500);
  const auto late = [end] { return Clock::now() > end; };
  if (!engine) {
    auto r = ir::evaluate(graph, inputs, {.memory_limit = int64_t{1} << 28, .cancelled = late});
    return {static_cast<bool>(r), r ? "" : r.error().message};
  }
  auto data = build_engine(graph.clone(), {});
  if (!data) return {false, data.error().message};
  auto loaded = Engine::load(*std::move(data));
  if (!loaded) return {false, loaded.error().message};
  auto session = Session::create(*std::move(loaded), {.threads = 1, .cancelled = late});
  if (!session) return {false, session.error().message};
  auto s = (*session)->run(inputs);
  return {static_cast<bool>(s), s ? "" : s.error().message};
}

int64_t peak_megabytes() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return use.ru_maxrss >> 10;
}

class HostileValues : public testing::Test {
 public:
  explicit HostileValues(const Drawn& drawn) : drawn_(drawn) {}
  void TestBody() override {
    const auto start = Clock::now();
    const auto end =
        start + std::chrono::duration<double>(budget(0.2) / static_cast<double>(drawn_ops().size()));
    uint64_t seed = seed_given() ? base_seed() : 1;
    do one(seed++);
    while (!seed_given() && !HasFailure() && Clock::now() < end);
  }

 private:
  void one(uint64_t seed) {
    const Problem drawn = draw_problem(drawn_, seed);
    const int64_t before = peak_megabytes();
    for (const auto& [what, problem] : changes(drawn)) {
      const std::string replay =
          "HONE_SEED=" + std::to_string(seed) + " --gtest_filter=HostileValues." + drawn_.op + " " + what;
      note_case(replay);
      SCOPED_TRACE(replay);
      const auto start = Clock::now();
      const Placed placed = place(problem, seed);
      auto graph = imported(placed.graph);
      if (!graph) {
        expect_named(graph.error().message);
      } else {
        for (const bool engine : {false, true}) {
          const Outcome o = run(**graph, placed.inputs, engine);
          if (!o.answered) expect_named(o.refusal);
        }
      }
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      if (std::string_view(drawn_.op) != "Loop") { EXPECT_LE(seconds, 10); }
      EXPECT_LE(peak_megabytes() - before, 1500);
      if (HasFailure()) {
        ADD_FAILURE() << ir::print(*placed.graph);
        return;
      }
    }
  }
  // The node is called "drawn" (place()), or "drawn/..." where it is made of several.
  static void expect_named(const std::string& message) {
    if (message.find("cancelled") != message.npos) return;  // between two nodes, on a busy machine
    EXPECT_NE(message.find("'drawn"), std::string::npos) << message;
    if (std::getenv("HONE_SHOW")) std::printf("%s\n", message.c_str());
  }

  const Drawn& drawn_;
};

const bool registered = [] {
  for (const Drawn& d : drawn_ops())
    if (d.draw)
      testing::RegisterTest("HostileValues", d.op, nullptr, nullptr, __FILE__, __LINE__,
                            [&d]() -> testing::Test* { return new HostileValues(d); });
  return true;
}();

}  // namespace
}  // namespace hone::test
