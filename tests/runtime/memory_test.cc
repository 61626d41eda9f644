#include "runtime/memory.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace hone {
namespace {

void expect_valid(const std::vector<MemoryBlock>& blocks, const MemoryUse& use) {
  for (size_t i = 0; i < blocks.size(); i++) {
    const MemoryBlock& a = blocks[i];
    EXPECT_GE(a.offset, 0);
    EXPECT_EQ(a.offset % arena_alignment, 0);
    EXPECT_LE(a.offset + a.bytes, use.peak);
    for (size_t k = 0; k < i; k++) {
      const MemoryBlock& b = blocks[k];
      const bool meet = a.first <= b.last && b.first <= a.last;
      const bool overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
      EXPECT_FALSE(meet && overlap) << "blocks " << i << " and " << k;
    }
  }
  EXPECT_LE(use.lower_bound, use.peak);
  EXPECT_LE(use.peak, use.sum);
}

TEST(Memory, NothingTakesNothing) {
  const MemoryUse use = place_blocks({});
  EXPECT_EQ(use.peak, 0);
  EXPECT_EQ(use.lower_bound, 0);
}

TEST(Memory, AChainNeedsTwoBuffers) {
  std::vector<MemoryBlock> blocks;
  for (int i = 0; i < 10; i++) blocks.push_back({1000, i, i + 1});
  const MemoryUse use = place_blocks(blocks);
  expect_valid(blocks, use);
  EXPECT_EQ(use.peak, 2 * 1024);
  EXPECT_EQ(use.lower_bound, use.peak);
  EXPECT_EQ(use.sum, 10 * 1024);
}

TEST(Memory, BlocksThatMeetNeverOverlap) {
  const unsigned seed =
      std::getenv("HONE_SEED") ? static_cast<unsigned>(std::atoi(std::getenv("HONE_SEED"))) : 1;
  RecordProperty("seed", static_cast<int>(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; round++) {
    std::vector<MemoryBlock> blocks(random() % 60 + 1);
    for (MemoryBlock& b : blocks) {
      b.bytes = static_cast<int64_t>(random() % 10000);
      b.first = static_cast<int>(random() % 40);
      b.last = b.first + static_cast<int>(random() % 10);
    }
    const MemoryUse use = place_blocks(blocks);
    expect_valid(blocks, use);
  }
}

}  // namespace
}  // namespace hone
