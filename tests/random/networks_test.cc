// Random networks: every engine against the reference executor. HONE_SEED=N --gtest_filter=RandomNetworks.*
// replays one; HONE_RANDOM_SECONDS is the time.
//
// An answer is right if it is no further from the reference's than that itself moves when inputs and weights are
// changed by 2^-14 of their values, up or down at random: 512 units in the last place. The sums of the few dozen
// operators in the longest path lose less, amplified by whatever the network amplifies, also where the signs of
// the changes cancel.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "ir/eval.h"
#include "ir/text.h"
#include "random/network.h"
#include "random/run.h"

namespace hone::test {
namespace {

Tensor moved(const Tensor& t, float by, std::mt19937_64& random) {
  if (t.dtype() != DType::f32) return t;
  Tensor out = *Tensor::allocate(t.dtype(), t.shape());
  for (int64_t i = 0; i < t.elements(); i++)
    out.data<float>()[i] = t.data<float>()[i] * (random() & 1 ? 1 + by : 1 - by);
  return out;
}

// How far each output moves.
std::vector<Judge> bounds(const ir::Graph& graph, const std::vector<Value>& inputs, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto plain = ir::evaluate(graph, inputs);
  float by = 0x1p-14f;
  for (const ir::Node* n : graph.nodes())
    if (n->op == find_op("Cast") || n->op == find_op("QuantizeLinear")) by = 0x1p-11f;
  std::vector<Judge> out;
  if (!plain) return {Judge{}};
  for (const Value& v : *plain) {
    double largest = 0;
    for (int64_t i = 0; i < v.tensor.elements(); i++)
      if (const double x = std::fabs(number_at(v.tensor, i)); std::isfinite(x))
        largest = std::max(largest, x);
    out.push_back({Judge::bound, 64 * largest});
  }
  for (int round = 0; round < 3; round++) {
    const auto copy = graph.clone();
    for (ir::Value* v : copy->values()) {
      const bool scales = !v->uses.empty() && v->uses[0].node->op == find_op("Resize");
      if (v->is_constant() && !scales && v->type.shape.rank() > 0)
        v->constant = moved(v->constant, by, random);
    }
    std::vector<Value> changed;
    for (const Value& v : inputs) changed.emplace_back(moved(v.tensor, by, random));
    const auto other = ir::evaluate(*copy, changed);
    EXPECT_TRUE(other) << other.error().message;
    for (size_t o = 0; other && o < out.size(); o++) {
      if ((*plain)[o].tensor.shape() != (*other)[o].tensor.shape()) continue;  // a constant that is a size
      for (int64_t i = 0; i < (*plain)[o].tensor.elements(); i++)
        if (const double x = std::fabs(number_at((*plain)[o].tensor, i) - number_at((*other)[o].tensor, i));
            std::isfinite(x))
          out[o].n = std::max(out[o].n, x * 0x1p23);
    }
  }
  return out;
}

TEST(RandomNetworks, AnswersAreTheReferences) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(budget(0.4));
  uint64_t seed = base_seed();
  int drawn = 0, refused = 0;
  do {
    const std::string replay = "HONE_SEED=" + std::to_string(seed) + " --gtest_filter=RandomNetworks.*";
    note_case(replay);
    const Network n = draw_network(seed, 3 + static_cast<int>(seed % 23));
    auto graph = imported(n.graph);
    ASSERT_TRUE(graph) << replay << "\n" << graph.error().message << "\n" << ir::print(*n.graph);
    const Verdict v = check(*graph, n.inputs, bounds(**graph, n.inputs, seed), {}, seed);
    ASSERT_EQ(v.failure, "") << replay << "\n" << ir::print(*n.graph);
    drawn++, seed++;
    refused += !v.accepted;  // a dimension that was not known does not fit
  } while (!seed_given() && Clock::now() < end);
  RecordProperty("drawn", drawn);
  EXPECT_LE(10 * refused, drawn + 9);
}

}  // namespace
}  // namespace hone::test
