#include "bench/ceiling.h"

#include <gtest/gtest.h>

namespace hone::bench {
namespace {

TEST(Ceiling, EveryInstructionSetOfTheMachineIsMeasured) {
  for (Isa isa : available_isas())
    for (int threads : {1, 2, 3}) {
      // An emulator makes tens of millions a second, and no processor a hundred thousand billions.
      EXPECT_GT(multiply_add_rate(isa, threads, 0.01), 1e6) << isa_name(isa);
      EXPECT_LT(multiply_add_rate(isa, threads, 0.01), 1e14) << isa_name(isa);
    }
}

TEST(Ceiling, ReadingTakesTheWholeSet) {
  for (Isa isa : available_isas())
    for (int64_t bytes : {1, 1500, 100 << 10}) {
      EXPECT_GT(read_rate(isa, bytes, 2, 0.01), 1e6) << isa_name(isa);
      EXPECT_LT(read_rate(isa, bytes, 2, 0.01), 1e14) << isa_name(isa);
    }
}

TEST(Ceiling, LevelsGrowAndSetsFitThem) {
  int64_t below = 0;
  const Levels levels = cache_levels(2);
  ASSERT_GT(levels.count, 0);
  for (const Level& level : levels) {
    EXPECT_GT(level.capacity, below) << level.name;
    EXPECT_LE(level.set_bytes * 2, level.capacity) << level.name;
    EXPECT_GT(level.set_bytes, 0) << level.name;
    below = level.capacity;
  }
}

}  // namespace
}  // namespace hone::bench
