#include <cmath>
#include <limits>

#include "harness.h"

namespace hone::test {
namespace {

int64_t pick(int64_t from, int64_t to) { return std::uniform_int_distribution<int64_t>(from, to)(rng()); }

struct Sizes {
  int64_t batch = 1, heads = 1, key_heads = 1, queries = 1, keys = 1, size = 1, value_size = 1;
};

Case attention(const Sizes& s, bool folded, Shape mask = Shape::unranked(),
               std::vector<Attrs::Item> more = {}) {
  Case c{.op = "Attention", .absolute = 1e-5f, .relative = 1e-5f};
  const auto operand = [&](int64_t heads, int64_t length, int64_t size) {
    return folded ? random_f32({s.batch, length, heads * size}) : random_f32({s.batch, heads, length, size});
  };
  c.in = {operand(s.heads, s.queries, s.size), operand(s.key_heads, s.keys, s.size),
          operand(s.key_heads, s.keys, s.value_size)};
  if (mask.ranked()) c.in.push_back(random_f32(mask, -3, 3));
  if (folded) {
    more.push_back({"q_num_heads", s.heads});
    more.push_back({"kv_num_heads", s.key_heads});
  }
  c.attrs = attrs(std::move(more));
  return c;
}

TEST(Attention, AgreesWithTheReferenceOnSizesAroundTilesAndBlocks) {
  const Sizes sizes[] = {{},
                         {1, 3, 3, 197, 197, 64, 64},   // a small vision transformer
                         {4, 3, 3, 49, 49, 32, 32},     // windows
                         {1, 2, 2, 1, 300, 16, 16},     // one query, as when text is generated
                         {2, 4, 2, 33, 17, 24, 40},     // heads that share keys
                         {1, 1, 1, 13, 384, 5, 7},      // the most keys of a single block
                         {1, 2, 1, 40, 385, 8, 65},     // one more
                         {1, 1, 1, 100, 1000, 20, 3}};  // several
  for (const Sizes& s : sizes)
    for (const bool folded : {false, true}) EXPECT_EQ(check(attention(s, folded)), 1);
}

TEST(Attention, AgreesWithTheReferenceAtRandom) {
  for (int i = 0; i < 60 && !HasFailure(); i++) {
    Sizes s{pick(1, 3), pick(1, 4), 1, pick(1, 70), pick(1, 70), pick(1, 40), pick(1, 40)};
    if (pick(0, 7) == 0) s.keys = pick(380, 600);
    s.key_heads = pick(0, 1) ? s.heads : 1;
    Shape mask = Shape::unranked();
    if (pick(0, 1)) {
      mask = {pick(0, 1) ? s.batch : 1, pick(0, 1) ? s.heads : 1, pick(0, 1) ? s.queries : 1, s.keys};
      const Shape whole = mask;
      if (const auto skip = pick(0, 2)) mask = Shape(whole.dims().subspan(static_cast<size_t>(skip)));
    }
    std::vector<Attrs::Item> more;
    if (pick(0, 1)) more.push_back({"scale", pick(0, 1) ? 0.3f : -0.2f});
    if (pick(0, 2) == 0) more.push_back({"is_causal", int64_t{1}});
    EXPECT_EQ(check(attention(s, pick(0, 1), mask, more)), 1);
  }
}

TEST(Attention, QueriesThatMayLookAtNothingGiveZeros) {
  Case c = attention({1, 2, 2, 3, 20, 8, 8}, false, {3, 20});
  for (int64_t i = 20; i < 47; i++) c.in[3].data<float>()[i] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(check(c), 1);
}

TEST(Attention, LargeScoresDoNotOverflow) {
  // Scores reach 280, far beyond where e^x ends. A float of that size, a sum of 8 products, is known to some
  // 5e-5, an error that goes into the weights as it is, and twice into a mean of values up to 2.
  Case c = attention({1, 1, 1, 9, 500, 8, 8}, false, Shape::unranked(), {{"scale", 20.0f}});
  c.absolute = 2e-4f;
  EXPECT_EQ(check(c), 1);
}

TEST(Attention, LeavesTheRestToTheReference) {
  EXPECT_NE(refusal(attention({}, false, Shape::unranked(), {{"softcap", 2.0f}}), "attention_blocks_f32"),
            "");
  EXPECT_NE(refusal(attention({1, 1, 1, 2, 5, 2, 2}, false, {2, 8}), "attention_blocks_f32"), "");
}

}  // namespace
}  // namespace hone::test
