// LinearAttention, CausalConvWithState, FlexAttention and the optimisation steps: what they refuse.
#include <cmath>
#include <limits>

#include "ops/eval_op.h"

namespace hone {
namespace {
constexpr int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();

Attrs heads(int64_t q, int64_t kv, const char* rule) {
  return attrs_of({{"q_num_heads", q}, {"kv_num_heads", kv}, {"update_rule", std::string(rule)}});
}

TEST(LinearAttention, HandsItsStateOn) {
  Numbers numbers;
  const Tensor q = numbers.floats({1, 4, 4}), k = numbers.floats({1, 4, 2}), v = numbers.floats({1, 4, 3});
  const auto half = [](const Tensor& t, int64_t from) {
    const int64_t n = t.shape()[2];
    return floats({1, 2, n}, {t.data<float>() + 2 * from * n, t.data<float>() + 2 * (from + 1) * n});
  };
  const auto whole = elements<float>(eval_op("LinearAttention", {q, k, v}, heads(2, 1, "linear"), 2));
  const auto first =
      eval_op("LinearAttention", {half(q, 0), half(k, 0), half(v, 0)}, heads(2, 1, "linear"), 2);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = elements<float>(eval_op(
      "LinearAttention", {half(q, 1), half(k, 1), half(v, 1), (*first)[1]}, heads(2, 1, "linear"), 2));
  ASSERT_EQ(second.size(), 12u);
  for (size_t i = 0; i < 12; i++) ASSERT_NEAR(second[i], whole[12 + i], 1e-5f) << i;
}

TEST(LinearAttention, RefusesHeadsRulesAndShapesThatDoNotFit) {
  const Tensor x = floats({1, 1, 2}, {1, 2}), other = floats({1, 1, 3}, {1, 2, 3}),
               one = floats({1, 1, 1}, {1});
  expect_refused(eval_op("LinearAttention", {x, x, x}, heads(2, 1, "linear"), 2), "those of the key 2");
  expect_refused(eval_op("LinearAttention", {x, x, x}, heads(1, 2, "linear"), 2), "multiple");
  for (const int64_t bad : {int64_t{0}, least})
    expect_refused(eval_op("LinearAttention", {x, x, x}, heads(1, bad, "linear"), 2), std::to_string(bad));
  expect_refused(eval_op("LinearAttention", {x, x, x}, heads(most, most, "linear"), 2), "divide");
  expect_refused(eval_op("LinearAttention", {x, x, x}, heads(1, 1, "quadratic"), 2), "'quadratic'");
  expect_refused(eval_op("LinearAttention", {x, x, x}, heads(1, 1, "gated"), 2), "needs the decay");
  expect_refused(eval_op("LinearAttention", {x, x, x, Value(), Value(), one}, heads(1, 1, "gated_delta"), 2),
                 "needs the decay");
  expect_refused(eval_op("LinearAttention", {x, x, x}, heads(1, 1, "delta"), 2), "needs beta");
  expect_refused(eval_op("LinearAttention", {x, x, x, x}, heads(1, 1, "linear"), 2), "past_state");
  expect_refused(eval_op("LinearAttention", {x, x, x, Value(), other}, heads(1, 1, "gated"), 2), "the decay");
  expect_refused(eval_op("LinearAttention", {x, x, x, Value(), Value(), other}, heads(1, 1, "delta"), 2),
                 "beta has shape");
}

TEST(CausalConvWithState, HandsItsStateOnAndRefusesWhatDoesNotFit) {
  const Tensor w = floats({1, 1, 3}, {1, 10, 100});
  const auto first = eval_op("CausalConvWithState", {floats({1, 1, 1}, {1}), w}, {}, 2);
  EXPECT_EQ(elements<float>(first), std::vector<float>{100});
  EXPECT_EQ(elements<float>(first, 1), (std::vector<float>{0, 1}));
  const Tensor x = floats({1, 1, 2}, {2, 3}), past = (*first)[1].tensor;
  EXPECT_EQ(elements<float>(eval_op("CausalConvWithState", {x, w, Value(), past}, {}, 2)),
            (std::vector<float>{210, 321}));
  expect_refused(eval_op("CausalConvWithState", {x, w}, with("activation", std::string("relu")), 2),
                 "'relu'");
  expect_refused(eval_op("CausalConvWithState", {x, floats({2, 1, 1}, {1, 2})}, {}, 2), "[C,1,K]");
  expect_refused(eval_op("CausalConvWithState", {x, claim(DType::f32, {1, 1, 0})}, {}, 2), "[C,1,K]");
  expect_refused(eval_op("CausalConvWithState", {x, w, floats({2}, {1, 2})}, {}, 2), "bias");
  expect_refused(eval_op("CausalConvWithState", {x, w, Value(), floats({1, 1, 1}, {1})}, {}, 2),
                 "past_state");
}

TEST(FlexAttention, RefusesHeadsAndTypesThatDoNotFit) {
  const auto run = [](const Shape& q, const Shape& k, const Shape& v, Attrs a) {
    return run_op("FlexAttention", std::move(a),
                  {claim(DType::f32, q), claim(DType::f32, k), claim(DType::f32, v)}, 1, "ai.onnx.preview");
  };
  expect_refused(run({1, 2, 2}, {1, 1, 1, 1}, {1, 1, 1, 1}, {}), "4 dimensions");
  expect_refused(run({1, 3, 1, 1}, {1, 2, 1, 1}, {1, 2, 1, 1}, {}), "do not fit");
  expect_refused(run({1, 1, 1, 2}, {1, 1, 1, 1}, {1, 1, 1, 1}, {}), "do not fit");
  expect_refused(run({1, 0, 1, 1}, {1, 0, 1, 1}, {1, 0, 1, 1}, {}), "do not fit");
  expect_refused(run({1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, with("softmax_precision", int64_t{7})), "7");
}

TEST(Momentum, RefusesListsThatAreIncomplete) {
  const Tensor r = Tensor::scalar(DType::f32, 0.1f), t = Tensor::scalar(DType::i64, int64_t{0});
  const Tensor x = floats({2}, {1, 2}), other = floats({1}, {1});
  const auto run = [&](std::vector<Value> in, size_t outputs, const char* mode) {
    return run_op(
        "Momentum",
        attrs_of({{"alpha", 0.5f}, {"beta", 1.0f}, {"mode", std::string(mode)}, {"norm_coefficient", 0.0f}}),
        in, outputs, "ai.onnx.preview.training");
  };
  EXPECT_TRUE(run({r, t, x, x, x}, 2, "standard"));
  expect_refused(run({r, t, x, x, x, x}, 2, "standard"), "4 tensors and 2 outputs");
  expect_refused(run({r, t, x, x, other}, 2, "standard"), "must be the same");
  expect_refused(run({x, t, x, x, x}, 2, "standard"), "the rate");
  expect_refused(run({r, t, x, x, x}, 2, "heavy"), "'heavy'");
}

}  // namespace
}  // namespace hone
