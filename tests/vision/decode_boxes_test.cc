#include "decode_testing.h"

namespace hone::vision {
namespace {
using namespace testing;
const Network network{100, 50, 0};

TEST(Boxes, SixNumbersAreABoxItsScoreAndClass) {
  for (const auto& dims : std::vector<std::vector<int64_t>>{{1, 3, 6}, {3, 6}}) {
    const auto r = decode(head_of("boxes"), network,
                          {output("y", dims, {1, 2, 3, 4, 0.5f, 7, 5, 6, 9, 9, 0.9f, 2, 0, 0, 0, 0, 0, 0})});
    ASSERT_TRUE(r) << message(r);
    ASSERT_EQ(r->detections.size(), 2u);
    EXPECT_EQ(r->detections[0].label, 2);
    EXPECT_FLOAT_EQ(r->detections[0].score, 0.9f);
    expect_box(r->detections[0].box, 5, 6, 9, 9);
    EXPECT_EQ(r->detections[1].label, 7);
  }
}

TEST(Boxes, WhatTheGraphHasKeptIsNotSuppressedAgain) {
  Head head = head_of("boxes");
  const Output y = output("y", {1, 2, 6}, {1, 1, 9, 9, 0.5f, 0, 1, 1, 9, 9, 0.9f, 0});
  EXPECT_EQ(decode(head, network, {y})->detections.size(), 2u);
  head.max_detections = 1;
  EXPECT_EQ(decode(head, network, {y})->detections.size(), 1u);
}

TEST(Boxes, SevenNumbersBeginWithThePicture) {
  const auto r = decode(head_of("boxes"), network,
                        {output("y", {2, 7}, {0, 1, 2, 3, 4, 7, 0.5f, 1, 5, 6, 9, 9, 2, 0.9f})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 7);
  EXPECT_FLOAT_EQ(r->detections[0].score, 0.5f);
  expect_box(r->detections[0].box, 1, 2, 3, 4);
}

TEST(Boxes, DetectionOutputEndsAtANegativePicture) {
  Head head = head_of("boxes");
  head.background = 0;
  const auto r = decode(head, network, {output("y", {1, 1, 3, 7}, {0,  1, 0.9f, 0.1f, 0.2f, 0.3f, 0.4f,  //
                                                                   -1, 0, 0,    0,    0,    0,    0,     //
                                                                   0,  2, 0.8f, 0,    0,    1,    1})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 0);
  expect_box(r->detections[0].box, 10, 10, 30, 20);
}

TEST(Boxes, TensorflowsFourOutputs) {
  const std::vector<Output> outputs = {
      output("num_detections", {1}, {2}),
      output("detection_boxes", {1, 3, 4}, {0.2f, 0.1f, 0.4f, 0.3f, 0, 0, 1, 1, 0, 0, 1, 1}),
      output("detection_scores", {1, 3}, {0.9f, 0.8f, 0.7f}),
      output("detection_classes", {1, 3}, {1, 17, 5})};
  auto r = decode(head_of("boxes"), network, outputs);
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 2u);  // as many as num_detections says
  EXPECT_EQ(r->detections[0].label, 1);
  expect_box(r->detections[0].box, 10, 10, 30, 20);
  Head head = head_of("boxes");
  head.background = 0;  // classes count from 1
  r = decode(head, network, outputs);
  EXPECT_EQ(r->detections.at(0).label, 0);
  EXPECT_EQ(r->detections.at(1).label, 16);
}

TEST(Boxes, NamesMeanNothingAreGivenByRoles) {
  const std::vector<Output> outputs = {output("a", {1, 2, 4}, {0, 0, 0.5f, 0.5f, 0, 0, 1, 1}),
                                       output("b", {1, 2}, {3, 1}), output("c", {1, 2}, {0.9f, 0.8f}),
                                       output("d", {1}, {2})};
  const auto unsure = decode(head_of("boxes"), network, outputs);
  ASSERT_FALSE(unsure);
  EXPECT_NE(message(unsure).find("[head] outputs"), std::string::npos) << message(unsure);
  Head head = head_of("boxes");
  head.outputs = {{"boxes", "a"}, {"labels", "b"}, {"scores", "c"}, {"count", "d"}};
  const auto r = decode(head, network, outputs);
  ASSERT_TRUE(r) << message(r);
  EXPECT_EQ(r->detections.at(0).label, 3);
  expect_box(r->detections.at(0).box, 0, 0, 50, 25);
}

TEST(Boxes, TorchvisionsThreeOutputs) {
  const auto r = decode(head_of("boxes"), network,
                        {output("boxes", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}), int_output("labels", {2}, {9, 4}),
                         output("scores", {2}, {0.2f, 0.6f})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 4);
  expect_box(r->detections[0].box, 5, 6, 7, 8);
}

TEST(Boxes, NoDetectionsAreNoError) {
  EXPECT_TRUE(decode(head_of("boxes"), network, {output("y", {1, 0, 6}, {})}));
  EXPECT_TRUE(decode(head_of("boxes"), network, {output("y", {0, 7}, {})}));
  EXPECT_TRUE(
      decode(head_of("boxes"), network,
             {output("boxes", {0, 4}, {}), int_output("labels", {0}, {}), output("scores", {0}, {})}));
}

TEST(Boxes, MmdetectionsFiveNumbersAndLabels) {
  const auto r = decode(head_of("boxes"), network,
                        {output("dets", {1, 2, 5}, {1, 2, 3, 4, 0.5f, 5, 6, 7, 8, 0.1f}),
                         int_output("labels", {1, 2}, {3, 2})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 3);
}

TEST(Boxes, IndicesOfNonMaxSuppressionChoose) {
  const std::vector<float> boxes = {0,  0,  10, 10, 30, 40,
                                    20, 20, 5,  5,  6,  6};                // the second with corners swapped
  const std::vector<float> scores = {0.1f, 0.9f, 0.2f, 0.7f, 0.3f, 0.4f};  // two classes
  std::vector<Output> outputs = {output("boxes", {1, 3, 4}, boxes), output("scores", {1, 2, 3}, scores),
                                 int_output("selected", {4, 3}, {0, 0, 1, 0, 1, 0, 1, 0, 0, -1, -1, -1})};
  const auto r = decode(head_of("boxes"), network, outputs);
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 2u);
  EXPECT_EQ(r->detections[0].label, 0);
  EXPECT_FLOAT_EQ(r->detections[0].score, 0.9f);
  expect_box(r->detections[0].box, 20, 20, 30, 40);
  EXPECT_EQ(r->detections[1].label, 1);
  EXPECT_FLOAT_EQ(r->detections[1].score, 0.7f);
  for (const std::vector<int64_t>& bad :
       {std::vector<int64_t>{0, 2, 0}, {0, 0, 3}, {0, INT64_MAX, INT64_MAX}}) {
    outputs[2] = int_output("selected", {1, 3}, bad);
    const auto wrong = decode(head_of("boxes"), network, outputs);
    ASSERT_FALSE(wrong);
    EXPECT_NE(message(wrong).find("'selected'"), std::string::npos) << message(wrong);
  }
}

TEST(Boxes, ScoresOfAllClassesAreSuppressedHere) {
  // Three boxes, the first two alike; two classes and a background.
  const std::vector<Output> outputs = {
      output("boxes", {1, 3, 4}, {0, 0, 10, 10, 0, 0, 10, 11, 30, 30, 40, 40}),
      output("scores", {1, 3, 3}, {0.1f, 0.8f, 0.1f, 0.1f, 0.6f, 0.3f, 0.4f, 0.1f, 0.5f})};
  Head head = head_of("boxes");
  head.background = 0;
  const auto r = decode(head, {100, 50, 2}, outputs);
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 2u);
  EXPECT_EQ(r->detections[0].label, 0);
  EXPECT_FLOAT_EQ(r->detections[0].score, 0.8f);
  EXPECT_EQ(r->detections[1].label, 1);
  expect_box(r->detections[1].box, 30, 30, 40, 40);
}

TEST(Boxes, ListsOfOtherLengthsAreExplained) {
  const Output b = output("boxes", {1, 2, 4}, std::vector<float>(8));
  Head head = head_of("boxes");
  head.outputs = {{"boxes", "boxes"}, {"scores", "s"}, {"labels", "l"}};
  const auto r = decode(head, network, {b, output("s", {1, 3}, {1, 1, 1}), output("l", {1, 2}, {1, 1})});
  EXPECT_NE(message(r).find("'s' is [1,3] f32"), std::string::npos) << message(r);
  const auto l = decode(head, network, {b, output("s", {1, 2}, {1, 1}), output("l", {1, 3}, {1, 1, 1})});
  EXPECT_NE(message(l).find("'l' is [1,3] f32"), std::string::npos) << message(l);
}

TEST(Boxes, HostileNumbersGiveNoUnsoundBoxes) {
  Random random;
  for (int round = 0; round < 50; round++) {
    Head head = head_of("boxes");
    head.score_threshold = round % 2 ? 0.1f : 0;
    head.normalised = round % 3;
    for (const auto& outputs : std::vector<std::vector<Output>>{
             {output("y", {1, 9, 6}, hostile(random, 54))},
             {output("y", {9, 7}, hostile(random, 63))},
             {output("y", {1, 1, 9, 7}, hostile(random, 63))},
             {output("b", {1, 9, 4}, hostile(random, 36)), output("s", {1, 9, 3}, hostile(random, 27))},
             {output("b", {1, 9, 4}, hostile(random, 36)), output("scores", {1, 9}, hostile(random, 9)),
              output("classes", {1, 9}, hostile(random, 9)), output("n", {1}, hostile(random, 1))}}) {
      const auto r = decode(head, network, outputs);
      ASSERT_TRUE(r) << message(r);
      expect_sound(*r, head.score_threshold);
      for (const Detection& d : r->detections) EXPECT_GE(d.label, 0);
    }
  }
}

}  // namespace
}  // namespace hone::vision
