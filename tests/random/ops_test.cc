// Every operator on random problems (draws.def): the optimised engine on each instruction set and the plain
// engine against the reference executor. HONE_RANDOM_SECONDS is the time for all tests of this program. A failure
// prints the seed; HONE_SEED=N --gtest_filter=RandomOperators.NAME replays that case alone.
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "random/run.h"

namespace hone::test {
namespace {

class OneOperator : public testing::Test {
 public:
  explicit OneOperator(const Drawn& drawn) : drawn_(drawn) {}
  void TestBody() override {
    using Clock = std::chrono::steady_clock;
    const double seconds = budget(0.4) / static_cast<double>(drawn_ops().size());
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    int drawn = 0, accepted = 0;
    std::map<std::string, int> refusals;
    uint64_t seed = base_seed();
    do {
      const std::string replay =
          "HONE_SEED=" + std::to_string(seed) + " --gtest_filter=RandomOperators." + drawn_.op;
      note_case(replay);
      const Verdict v = check(drawn_, seed);
      EXPECT_EQ(v.failure, "") << replay;
      if (HasFailure()) return;
      drawn++;
      accepted += v.accepted;
      if (!v.accepted) refusals[v.reason]++;
      seed++;
    } while (!seed_given() && (Clock::now() < end || drawn < 5));
    RecordProperty("drawn", drawn);
    if (drawn < 5) return;
    std::string why;
    for (const auto& [reason, times] : refusals)
      if (why.size() < 4000) why += std::to_string(times) + " times: " + reason + "\n";
    EXPECT_GE(2 * accepted, drawn) << "most problems are refused, from HONE_SEED=" << base_seed() << " on:\n"
                                   << why;
  }

 private:
  const Drawn& drawn_;
};

const bool registered = [] {
  for (const Drawn& d : drawn_ops())
    if (d.draw)
      testing::RegisterTest("RandomOperators", d.op, nullptr, nullptr, __FILE__, __LINE__,
                            [&d]() -> testing::Test* { return new OneOperator(d); });
  return true;
}();

TEST(RandomOperatorsTable, NamesEveryOperatorOnceInOrder) {
  EXPECT_TRUE(registered);
  ASSERT_EQ(drawn_ops().size(), all_ops().size())
      << "each line of ops.def needs one in tests/random/draws.def";
  for (size_t i = 0; i < all_ops().size(); i++) {
    EXPECT_STREQ(drawn_ops()[i].op, all_ops()[i]->name);
    EXPECT_NE(drawn_ops()[i].draw != nullptr, drawn_ops()[i].why != nullptr);
  }
}

}  // namespace
}  // namespace hone::test
