#include "decode_testing.h"

namespace hone::vision {
namespace {
using namespace testing;

Head classify(int top_k = 5, const std::string& activation = "") {
  Head head = head_of("classify");
  head.top_k = top_k;
  head.activation = activation;
  return head;
}

TEST(Classify, LogitsGoThroughSoftmaxBestFirst) {
  const auto r = decode(classify(), {}, {output("y", {1, 3}, {0, std::log(2.0f), std::log(5.0f)})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->classes.size(), 3u);
  EXPECT_EQ(r->classes[0].label, 2);
  EXPECT_NEAR(r->classes[0].score, 5.0 / 8, 1e-6);
  EXPECT_NEAR(r->classes[1].score, 2.0 / 8, 1e-6);
  EXPECT_NEAR(r->classes[2].score, 1.0 / 8, 1e-6);
}

TEST(Classify, GreatLogitsDoNotOverflow) {
  const auto r = decode(classify(), {}, {output("y", {1, 2}, {3e38f, -3e38f})});
  ASSERT_TRUE(r);
  EXPECT_FLOAT_EQ(r->classes[0].score, 1);
  EXPECT_FLOAT_EQ(r->classes[1].score, 0);
}

TEST(Classify, ScoresThatRoundToTheSameKeepTheOrderOfTheLogits) {
  const auto r = decode(classify(), {}, {output("y", {1, 3}, {-3000, 8000, 2000})});
  ASSERT_TRUE(r);
  EXPECT_EQ(r->classes[1].score, r->classes[2].score);
  EXPECT_EQ(r->classes[1].label, 2);
}

TEST(Classify, ADistributionIsTakenAsItIs) {
  const auto r = decode(classify(), {}, {output("y", {1, 3}, {0.2f, 0.7f, 0.1f})});
  ASSERT_TRUE(r);
  EXPECT_EQ(r->classes[0].label, 1);
  EXPECT_FLOAT_EQ(r->classes[0].score, 0.7f);
  const auto again = decode(classify(5, "softmax"), {}, {output("y", {1, 3}, {0.2f, 0.7f, 0.1f})});
  EXPECT_LT(again->classes[0].score, 0.6f);
}

TEST(Classify, SigmoidIsOfEachClassByItself) {
  const auto r = decode(classify(5, "sigmoid"), {}, {output("y", {1, 2}, {0, std::log(3.0f)})});
  ASSERT_TRUE(r);
  EXPECT_NEAR(r->classes[0].score, 0.75, 1e-6);
  EXPECT_NEAR(r->classes[1].score, 0.5, 1e-6);
}

TEST(Classify, NoActivationGivesTheNumbers) {
  const auto r = decode(classify(1, "none"), {}, {output("y", {1, 2}, {17, 4})});
  ASSERT_TRUE(r);
  ASSERT_EQ(r->classes.size(), 1u);
  EXPECT_FLOAT_EQ(r->classes[0].score, 17);
}

TEST(Classify, ShapesOfOldNetworksAreTaken) {
  for (const auto& dims :
       std::vector<std::vector<int64_t>>{{3}, {1, 3}, {1, 3, 1, 1}, {1, 1, 1, 3}, {1, 1, 3}}) {
    const auto r = decode(classify(), {}, {output("y", dims, {1, 9, 2})});
    ASSERT_TRUE(r) << message(r);
    EXPECT_EQ(r->classes[0].label, 1);
  }
}

TEST(Classify, OnePictureAtATime) {
  EXPECT_FALSE(decode(classify(), {}, {output("y", {2, 3}, {1, 2, 3, 4, 5, 6})}));
}

TEST(Classify, TheBackgroundIsNoAnswer) {
  Head head = classify(5, "none");
  head.background = 0;
  const Output y = output("y", {1, 4}, {0.9f, 0.1f, 0.3f, 0.2f});
  auto with_name = decode(head, {64, 64, 4}, {y});  // its name is among the labels
  ASSERT_EQ(with_name->classes.size(), 3u);
  EXPECT_EQ(with_name->classes[0].label, 2);
  auto without = decode(head, {64, 64, 3}, {y});
  EXPECT_EQ(without->classes[0].label, 1);
  EXPECT_EQ(without->classes[2].label, 0);
}

TEST(Classify, EqualScoresComeInTheOrderOfClasses) {
  const auto r = decode(classify(2, "none"), {}, {output("y", {1, 4}, {1, 2, 2, 2})});
  ASSERT_EQ(r->classes.size(), 2u);
  EXPECT_EQ(r->classes[0].label, 1);
  EXPECT_EQ(r->classes[1].label, 2);
}

TEST(Classify, WhatIsNotANumberIsNoAnswer) {
  const float nan = std::nanf(""), inf = HUGE_VALF;
  for (const char* activation : {"", "none", "sigmoid", "softmax"}) {
    const auto r = decode(classify(9, activation), {}, {output("y", {1, 5}, {nan, 1, inf, -inf, 0})});
    ASSERT_TRUE(r) << message(r);
    ASSERT_EQ(r->classes.size(), 2u);
    EXPECT_EQ(r->classes[0].label, 1);
    expect_sound(*r);
    EXPECT_TRUE(decode(classify(9, activation), {}, {output("y", {1, 2}, {nan, nan})})->classes.empty());
  }
}

TEST(Classify, TopKBeyondTheClassesAndBelowOneAreHarmless) {
  const Output y = output("y", {1, 2}, {1, 2});
  EXPECT_EQ(decode(classify(100), {}, {y})->classes.size(), 2u);
  EXPECT_EQ(decode(classify(0), {}, {y})->classes.size(), 0u);
  EXPECT_EQ(decode(classify(-3), {}, {y})->classes.size(), 0u);
}

TEST(Classify, AnUnknownActivationIsNamed) {
  const auto r = decode(classify(5, "relu"), {}, {output("y", {1, 2}, {1, 2})});
  ASSERT_FALSE(r);
  EXPECT_NE(message(r).find("'relu'"), std::string::npos);
}

TEST(Classify, SeveralOutputsNeedAName) {
  const std::vector<Output> two = {output("a", {1, 2}, {1, 2}), output("b", {1, 3}, {5, 2, 3})};
  const auto r = decode(classify(), {}, two);
  ASSERT_FALSE(r);
  EXPECT_NE(message(r).find("'a' and 'b'"), std::string::npos) << message(r);
  Head head = classify();
  head.outputs["scores"] = "b";
  EXPECT_EQ(decode(head, {}, two)->classes.size(), 3u);
  head.outputs["scores"] = "c";
  EXPECT_NE(message(decode(head, {}, two)).find("no such output"), std::string::npos);
}

TEST(Classify, SqueezenetSeesTheEgyptianCat) {
  const auto y = read_npy(data_folder() + "/models/onnx/squeezenet1.1/ref/out0.npy");
  if (!y) GTEST_SKIP() << y.error().message;
  const auto r = decode(classify(3), {227, 227, 1000}, {{"y", y->view()}});
  ASSERT_TRUE(r) << message(r);
  EXPECT_EQ(r->classes[0].label, 285);
  EXPECT_NEAR(r->classes[0].score, 0.8044, 1e-4);
  EXPECT_EQ(r->classes[1].label, 281);
  EXPECT_EQ(r->classes[2].label, 282);
}

TEST(Raw, LeavesTheOutputsAlone) {
  const auto r = decode(head_of("raw"), {}, {output("y", {1, 2, 3}, {1, 2, 3, 4, 5, 6})});
  ASSERT_TRUE(r);
  EXPECT_TRUE(r->classes.empty() && r->detections.empty() && r->segmentation.labels.empty());
}

}  // namespace
}  // namespace hone::vision
