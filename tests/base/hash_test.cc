#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace hone {
namespace {

// Vectors of the XXH64 specification's reference implementation (xxhsum -H64), one for each path through the
// tail.
TEST(Hash64, agrees_with_the_reference_implementation) {
  EXPECT_EQ(hash64("", 0), 0xef46db3751d8e999u);
  EXPECT_EQ(hash64("a", 1), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(hash64("abc", 3), 0x44bc2cf5ad770999u);
  const std::string s = "Nobody inspects the spammish repetition";
  EXPECT_EQ(hash64(s.data(), s.size()), 0xfbcea83c8a378bf1u);
}

TEST(Hash64, depends_on_the_seed_and_on_every_byte) {
  std::string s(100, 'x');
  const uint64_t h = hash64(s.data(), s.size());
  EXPECT_NE(h, hash64(s.data(), s.size(), 1));
  for (char& c : s) {
    c = 'y';
    EXPECT_NE(h, hash64(s.data(), s.size()));
    c = 'x';
  }
}

}  // namespace
}  // namespace hone
