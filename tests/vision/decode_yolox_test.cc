#include "decode_testing.h"

namespace hone::vision {
namespace {
using namespace testing;

// 64 x 32 with strides 16 and 32: 4 x 2 + 2 x 1 = 10 cells; 2 classes.
Head small() {
  Head head = head_of("yolox");
  head.strides = {16, 32};
  return head;
}
const Network network{64, 32, 2};

void put(std::vector<float>& v, int row, std::vector<float> values) {
  std::copy(values.begin(), values.end(), v.begin() + row * 7);
}

TEST(Yolox, ACellOfEachStrideByHand) {
  std::vector<float> v(10 * 7, 0);
  put(v, 5, {0.5f, 0.25f, 0, std::log(2.0f), 0.9f, 0.1f, 0.8f});  // cell (1, 1) of stride 16
  put(v, 9, {0, 0, 0, 0, 0.8f, 1, 0.2f});                         // cell (1, 0) of stride 32
  const auto r = decode(small(), network, {output("y", {1, 10, 7}, v)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 2u);
  EXPECT_EQ(r->detections[0].label, 0);
  EXPECT_FLOAT_EQ(r->detections[0].score, 0.8f);
  expect_box(r->detections[0].box, 16, -16, 48, 16);  // not clipped
  EXPECT_EQ(r->detections[1].label, 1);
  EXPECT_FLOAT_EQ(r->detections[1].score, 0.72f);
  expect_box(r->detections[1].box, 16, 4, 32, 36);
}

TEST(Yolox, ScoresBelowTheThresholdAreLeftOut) {
  std::vector<float> v(10 * 7, 0);
  put(v, 0, {0, 0, 0, 0, 0.5f, 0.5f, 0.1f});
  Head head = small();
  EXPECT_EQ(decode(head, network, {output("y", {1, 10, 7}, v)})->detections.size(), 0u);
  head.score_threshold = 0.25f;
  EXPECT_EQ(decode(head, network, {output("y", {1, 10, 7}, v)})->detections.size(), 1u);
}

TEST(Yolox, ABoxHasOneClassUnlessAskedOtherwise) {
  std::vector<float> v(10 * 7, 0);
  put(v, 0, {0, 0, 0, 0, 1, 0.6f, 0.7f});
  Head head = small();
  auto r = decode(head, network, {output("y", {1, 10, 7}, v)});
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 1);
  head.one_class_per_box = false;
  r = decode(head, network, {output("y", {1, 10, 7}, v)});
  ASSERT_EQ(r->detections.size(), 2u);
  EXPECT_EQ(r->detections[1].label, 0);
  head.class_agnostic = true;
  EXPECT_EQ(decode(head, network, {output("y", {1, 10, 7}, v)})->detections.size(), 1u);
}

TEST(Yolox, LogitsAreTakenWhereTheTaskSaysSo) {
  std::vector<float> v(10 * 7, -9);
  put(v, 0, {0, 0, 0, 0, inverse_sigmoid(0.9f), inverse_sigmoid(0.5f), -3});
  Head head = small();
  head.activation = "sigmoid";
  const auto r = decode(head, network, {output("y", {1, 10, 7}, v)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_NEAR(r->detections[0].score, 0.45f, 1e-6);
}

TEST(Yolox, BoxesDecodedInTheGraphAreTakenAsTheyAre) {
  Head head = small();
  head.box_format = "cxcywh";
  const std::vector<float> v = {20, 10, 8, 4, 0.9f, 1, 0};
  auto r = decode(head, network, {output("y", {1, 1, 7}, v)});
  ASSERT_TRUE(r) << message(r);
  expect_box(r->detections.at(0).box, 16, 8, 24, 12);
  head.box_format = "xyxy";
  head.normalised = true;
  r = decode(head, network, {output("y", {1, 1, 7}, {0.25f, 0.5f, 0.5f, 1, 0.9f, 1, 0})});
  expect_box(r->detections.at(0).box, 16, 16, 32, 32);
}

TEST(Yolox, AWrongNumberOfCellsIsExplained) {
  const auto r = decode(small(), network, {output("y", {1, 11, 7}, std::vector<float>(77))});
  ASSERT_FALSE(r);
  EXPECT_NE(message(r).find("'y' is [1,11,7] f32"), std::string::npos) << message(r);
  EXPECT_NE(message(r).find("4x2 + 2x1 = 10"), std::string::npos) << message(r);
  const auto labels = decode(small(), {64, 32, 3}, {output("y", {1, 10, 7}, std::vector<float>(70))});
  EXPECT_NE(message(labels).find("3 classes"), std::string::npos) << message(labels);
  EXPECT_FALSE(decode(small(), network, {output("y", {2, 10, 7}, std::vector<float>(140))}));
  EXPECT_FALSE(decode(small(), {0, 0, 2}, {output("y", {1, 10, 7}, std::vector<float>(70))}));
  Head head = small();
  head.strides = {0};
  EXPECT_FALSE(decode(head, network, {output("y", {1, 10, 7}, std::vector<float>(70))}));
}

// Boxes into the network's numbers by the inverse of the formula, and back.
TEST(Yolox, KnownBoxesComeBack) {
  Random random;
  const int strides[] = {8, 16, 32}, classes = 5;
  for (int round = 0; round < 20; round++) {
    std::vector<float> v;
    std::vector<Detection> expected;
    for (int stride : strides)
      for (int y = 0; y < 96 / stride; y++)
        for (int x = 0; x < 128 / stride; x++) {
          std::vector<float> row(5 + classes, 0);
          if (random.whole(0, 9) == 0) {
            const auto s = static_cast<float>(stride);
            const float cx = random.between(0, 128), cy = random.between(0, 96);
            const float w = random.between(1, 100), h = random.between(1, 100);
            const int label = random.whole(0, classes - 1);
            row[0] = cx / s - static_cast<float>(x);
            row[1] = cy / s - static_cast<float>(y);
            row[2] = std::log(w / s);
            row[3] = std::log(h / s);
            row[4] = random.between(0.8f, 1);
            row[static_cast<size_t>(5 + label)] = random.between(0.5f, 1);
            expected.push_back({{cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2},
                                label,
                                row[4] * row[static_cast<size_t>(5 + label)],
                                {}});
          }
          v.insert(v.end(), row.begin(), row.end());
        }
    Head head = head_of("yolox");
    head.iou_threshold = 1;
    head.max_detections = 1000;
    const auto r =
        decode(head, {128, 96, classes}, {output("y", {1, 16 * 12 + 8 * 6 + 4 * 3, 5 + classes}, v)});
    ASSERT_TRUE(r) << message(r);
    expect_detections(expected, r->detections, 1e-2f);
  }
}

TEST(Yolox, HostileNumbersGiveNoUnsoundBoxes) {
  Random random;
  for (int round = 0; round < 50; round++) {
    Head head = small();
    head.score_threshold = round % 2 ? 0 : 0.1f;
    head.one_class_per_box = round % 3;
    head.activation = round % 5 ? "" : "sigmoid";
    const auto r = decode(head, network, {output("y", {1, 10, 7}, hostile(random, 70))});
    ASSERT_TRUE(r) << message(r);
    expect_sound(*r, head.score_threshold);
  }
}

TEST(Yolox, CandidatesBeyondTheLimitAreTheWorst) {
  // 512 x 512 with stride 2 gives 65536 cells, all above the threshold; the best is the last.
  Head head = head_of("yolox");
  head.strides = {2};
  head.iou_threshold = 1;
  head.max_detections = 100000;
  std::vector<float> v;
  for (int i = 0; i < 65536; i++)
    v.insert(v.end(), {0, 0, 0, 0, 1, 0.4f + static_cast<float>(i) / 65536 / 2});
  const auto r = decode(head, {512, 512, 1}, {output("y", {1, 65536, 6}, v)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 30000u);
  EXPECT_FLOAT_EQ(r->detections[0].score, v[65535 * 6 + 5]);
  EXPECT_FLOAT_EQ(r->detections[29999].score, v[(65536 - 30000) * 6 + 5]);
}

TEST(Yolox, NanoFindsPeopleAndCarsInTheStreet) {
  const auto y = read_npy(data_folder() + "/models/onnx/yolox_nano/ref/out0.npy");
  if (!y) GTEST_SKIP() << y.error().message;
  const auto r = decode(head_of("yolox"), {416, 416, 80}, {{"output", y->view()}});
  ASSERT_TRUE(r) << message(r);
  int people = 0, cars = 0;
  for (const Detection& d : r->detections) {
    people += d.label == 0;
    cars += d.label == 2;
    EXPECT_GT(d.box.x1, 0);
    EXPECT_LT(d.box.x0, 416);
    EXPECT_GT(d.box.y1, 0);
    EXPECT_LT(d.box.y0, 416);
  }
  // The woman in the middle, as seen in the picture.
  EXPECT_GT(intersection_over_union(r->detections.at(0).box, {160, 73, 223, 341}), 0.9f);
  EXPECT_GE(people, 3);
  EXPECT_GE(cars, 1);
}

}  // namespace
}  // namespace hone::vision
