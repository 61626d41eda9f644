// Which tactic is used where several accept.
#include <gtest/gtest.h>

#include "kernels/choose.h"

namespace hone {
namespace {

Accept yes(const Problem&) { return Accept::yes(); }
Accept no(const Problem&) { return Accept::no("it is a test"); }
// Tells what tactics are asked with.
Accept alone(const Problem& p) { return p.threads == 1 ? Accept::yes() : Accept::no("there are threads"); }
template <int n>
double costs(const Problem&) {
  return n;
}

const Tactic first{.name = "first", .accepts = yes},
    refusing{.name = "refusing", .accepts = no, .cost = costs<1>},
    dear{.name = "dear", .accepts = yes, .cost = costs<30>},
    cheap{.name = "cheap", .accepts = yes, .cost = costs<10>},
    as_cheap{.name = "as_cheap", .accepts = yes, .cost = costs<10>},
    threads{.name = "threads", .accepts = alone};

const char* chosen(std::vector<const Tactic*> tactics, const char* wanted = "", int threads = 1) {
  const Tactic* t = choose(tactics, Problem{.threads = threads}, wanted);
  return t ? t->name : "reference";
}

TEST(Choose, TakesTheFirstThatAccepts) {
  EXPECT_STREQ(chosen({&refusing, &first, &dear}), "first");
  EXPECT_STREQ(chosen({&refusing}), "reference");
  EXPECT_STREQ(chosen({}), "reference");
}

TEST(Choose, TakesALaterOneOnlyIfItCostsLess) {
  EXPECT_STREQ(chosen({&dear, &cheap, &as_cheap}), "cheap");
  EXPECT_STREQ(chosen({&cheap, &dear}), "cheap");
  EXPECT_STREQ(chosen({&dear, &first}), "dear") << "one that knows no cost is behind";
  EXPECT_STREQ(chosen({&first, &cheap}), "first") << "one that knows no cost is before";
  EXPECT_STREQ(chosen({&refusing, &dear}), "dear") << "a cheap one refuses";
}

TEST(Choose, ObeysIfItCan) {
  EXPECT_STREQ(chosen({&cheap, &dear}, "dear"), "dear");
  EXPECT_STREQ(chosen({&cheap, &refusing}, "refusing"), "cheap");
  EXPECT_STREQ(chosen({&cheap, &dear}, "unknown"), "cheap");
}

TEST(Choose, DoesNotDependOnTheNumberOfThreads) { EXPECT_STREQ(chosen({&threads, &dear}, "", 8), "threads"); }

TEST(Judge, TellsWhatEachSays) {
  const Tactic* list[] = {&refusing, &dear, &first};
  const auto all = judge(list, Problem{});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].accept.why(), "it is a test");
  EXPECT_EQ(all[0].cost, 0) << "of what it refuses it tells no cost";
  EXPECT_EQ(all[1].cost, 30);
  EXPECT_TRUE(all[2].accept);
  EXPECT_EQ(cheapest(all), &all[1]);
}

}  // namespace
}  // namespace hone
