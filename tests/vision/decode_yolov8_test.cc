#include "decode_testing.h"

namespace hone::vision {
namespace {
using namespace testing;

// 9 boxes of 2 classes, so that no two dimensions are alike.
std::vector<float> two_boxes() {
  std::vector<float> rows(9 * 6, 0);
  const float a[] = {32, 20, 10, 8, 0.1f, 0.9f}, b[] = {10, 10, 4, 4, 0.6f, 0.2f};
  std::copy(a, a + 6, rows.begin() + 2 * 6);
  std::copy(b, b + 6, rows.begin() + 8 * 6);
  return rows;
}

TEST(Yolov8, EitherOrderOfDimensionsByHand) {
  for (int labels : {0, 2})
    for (bool wide : {false, true}) {
      const auto rows = two_boxes();
      const Output y = wide ? output("y", {1, 6, 9}, transposed(rows, 6)) : output("y", {1, 9, 6}, rows);
      const auto r = decode(head_of("yolov8"), {64, 64, labels}, {y});
      ASSERT_TRUE(r) << message(r);
      ASSERT_EQ(r->detections.size(), 2u);
      EXPECT_EQ(r->detections[0].label, 1);
      EXPECT_FLOAT_EQ(r->detections[0].score, 0.9f);
      expect_box(r->detections[0].box, 27, 16, 37, 24);
      EXPECT_EQ(r->detections[1].label, 0);
      expect_box(r->detections[1].box, 8, 8, 12, 12);
    }
}

TEST(Yolov8, LabelsDecideWhichDimensionIsWhich) {
  // 6 boxes of 9 values: the smaller dimension is the boxes here.
  std::vector<float> rows(6 * 9, 0);
  const float a[] = {32, 20, 10, 8, 0, 0, 0, 0, 0.9f};
  std::copy(a, a + 9, rows.begin() + 9);
  const auto r = decode(head_of("yolov8"), {64, 64, 5}, {output("y", {1, 6, 9}, rows)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 4);
}

TEST(Yolov8, NormalisedAndCornerBoxes) {
  Head head = head_of("yolov8");
  head.normalised = true;
  head.box_format = "xyxy";
  std::vector<float> rows(9 * 6, 0);
  const float a[] = {0.25f, 0.5f, 0.75f, 1, 0.9f, 0};
  std::copy(a, a + 6, rows.begin());
  const auto r = decode(head, {64, 32, 2}, {output("y", {1, 9, 6}, rows)});
  expect_box(r->detections.at(0).box, 16, 16, 48, 32);
}

TEST(Yolov8, WrongNumbersOfValuesAreExplained) {
  const auto r = decode(head_of("yolov8"), {64, 64, 3}, {output("y", {1, 9, 6}, two_boxes())});
  ASSERT_FALSE(r);
  EXPECT_NE(message(r).find("'y' is [1,9,6]"), std::string::npos) << message(r);
  EXPECT_NE(message(r).find("7 values of a box for 3 classes"), std::string::npos) << message(r);
  Head head = head_of("yolov8");
  head.activation = "softmax";
  EXPECT_FALSE(decode(head, {64, 64, 2}, {output("y", {1, 9, 6}, two_boxes())}));
}

TEST(Yolov8, TheVectorsEndIsNoSpecialCase) {
  // Every number of boxes and classes modulo the width of a vector; one box in each place.
  for (int boxes = 12; boxes < 21; boxes++)
    for (int classes = 1; classes < 7; classes++)
      for (int at = 0; at < boxes; at++) {
        const auto columns = static_cast<size_t>(4 + classes);
        std::vector<float> rows(static_cast<size_t>(boxes) * columns, 0.1f);
        float* row = rows.data() + static_cast<size_t>(at) * columns;
        row[2] = row[3] = 8;
        row[4 + at % classes] = 0.7f;
        for (bool wide : {false, true}) {
          const Output y = wide ? output("y", {1, 4 + classes, boxes}, transposed(rows, columns))
                                : output("y", {1, boxes, 4 + classes}, rows);
          const auto r = decode(head_of("yolov8"), {64, 64, classes}, {y});
          ASSERT_TRUE(r) << message(r);
          ASSERT_EQ(r->detections.size(), 1u) << boxes << " " << classes << " " << at;
          EXPECT_EQ(r->detections[0].label, at % classes);
        }
      }
}

// Raw head: distributions with all weight on two neighbouring bins have their mean between them.
TEST(Yolov8, KnownBoxesComeBackFromDistributions) {
  Random random;
  Head head = head_of("yolov8");
  head.reg_max = 15;
  head.iou_threshold = 1;
  const int classes = 3;
  const size_t columns = 4 * 16 + classes;
  std::vector<float> rows;
  std::vector<Detection> expected;
  for (int stride : {8, 16, 32})
    for (int y = 0; y < 64 / stride; y++)
      for (int x = 0; x < 64 / stride; x++) {
        std::vector<float> row(columns, -60);
        if (random.whole(0, 3) == 0) {
          const auto s = static_cast<float>(stride);
          const float cx = (static_cast<float>(x) + 0.5f) * s, cy = (static_cast<float>(y) + 0.5f) * s;
          float distance[4];
          for (size_t side = 0; side < 4; side++) {
            const float bin = random.between(0.1f, 14.9f), part = bin - std::floor(bin);
            row[side * 16 + static_cast<size_t>(bin)] = std::log(1 - part);
            row[side * 16 + static_cast<size_t>(bin) + 1] = std::log(part);
            distance[side] = bin * s;
          }
          const float score = random.between(0.4f, 0.95f);
          const int label = random.whole(0, classes - 1);
          row[static_cast<size_t>(64 + label)] = inverse_sigmoid(score);
          expected.push_back(
              {{cx - distance[0], cy - distance[1], cx + distance[2], cy + distance[3]}, label, score, {}});
        }
        rows.insert(rows.end(), row.begin(), row.end());
      }
  for (bool wide : {false, true}) {
    const int64_t n = static_cast<int64_t>(rows.size() / columns);
    const Output y =
        wide ? output("y", {1, 67, n}, transposed(rows, columns)) : output("y", {1, n, 67}, rows);
    const auto r = decode(head, {64, 64, classes}, {y});
    ASSERT_TRUE(r) << message(r);
    expect_detections(expected, r->detections, 2e-2f);
  }
}

TEST(Yolov8, HostileNumbersGiveNoUnsoundBoxes) {
  Random random;
  for (int round = 0; round < 60; round++) {
    Head head = head_of("yolov8");
    head.reg_max = round % 2 ? 15 : 0;
    head.score_threshold = round % 3 ? 0.1f : 0;
    head.one_class_per_box = round % 5;
    const int64_t columns = round % 2 ? 66 : 6;
    const auto r =
        decode(head, {64, 64, 2},
               {output("y", {1, 84, columns}, hostile(random, static_cast<size_t>(84 * columns)))});
    ASSERT_TRUE(r) << message(r);
    expect_sound(*r, head.score_threshold);
  }
}

TEST(Yolov8, ValuesOfTheTaskOutOfRangeAreRefused) {
  Head head = head_of("yolov8");
  head.reg_max = 2000000000;
  EXPECT_FALSE(decode(head, {64, 64, 2}, {output("y", {1, 9, 6}, two_boxes())}));
}

TEST(Yolov8Pose, KeypointsComeWithTheirBox) {
  // One class and two keypoints: 4 + 1 + 6 values.
  std::vector<float> rows(20 * 11, 0);
  const float a[] = {30, 20, 10, 8, 0.9f, 28, 18, 0.7f, 33, 22, 0.2f};
  std::copy(a, a + 11, rows.begin() + 5 * 11);
  for (int keypoints : {0, 2}) {
    Head head = head_of("yolov8-pose");
    head.keypoints = keypoints;
    const auto r = decode(head, {64, 64, 1}, {output("y", {1, 11, 20}, transposed(rows, 11))});
    ASSERT_TRUE(r) << message(r);
    ASSERT_EQ(r->detections.size(), 1u);
    const Detection& d = r->detections[0];
    expect_box(d.box, 25, 16, 35, 24);
    ASSERT_EQ(d.keypoints.size(), 2u);
    EXPECT_FLOAT_EQ(d.keypoints[0].x, 28);
    EXPECT_FLOAT_EQ(d.keypoints[0].y, 18);
    EXPECT_FLOAT_EQ(d.keypoints[0].score, 0.7f);
    EXPECT_FLOAT_EQ(d.keypoints[1].x, 33);
  }
}

TEST(Yolov8Pose, SeveralClassesStandBeforeTheKeypoints) {
  std::vector<float> rows(20 * 9, 0);  // 4 + 2 + 3
  const float a[] = {30, 20, 10, 8, 0.1f, 0.9f, 28, 18, 0.7f};
  std::copy(a, a + 9, rows.begin());
  const auto r = decode(head_of("yolov8-pose"), {64, 64, 2}, {output("y", {1, 20, 9}, rows)});
  ASSERT_TRUE(r) << message(r);
  EXPECT_EQ(r->detections.at(0).label, 1);
  EXPECT_EQ(r->detections.at(0).keypoints.size(), 1u);
}

TEST(Yolov8Pose, AWrongNumberOfKeypointsIsRefused) {
  Head head = head_of("yolov8-pose");
  EXPECT_FALSE(decode(head, {64, 64, 1}, {output("y", {1, 12, 20}, std::vector<float>(240))}));
  head.keypoints = 3;
  EXPECT_FALSE(decode(head, {64, 64, 1}, {output("y", {1, 11, 20}, std::vector<float>(220))}));
}

TEST(Yolov8Pose, HostileNumbersGiveNoUnsoundPoints) {
  Random random;
  for (int round = 0; round < 50; round++) {
    Head head = head_of("yolov8-pose");
    head.score_threshold = 0;
    const auto r = decode(head, {64, 64, 1}, {output("y", {1, 84, 11}, hostile(random, 84 * 11))});
    ASSERT_TRUE(r) << message(r);
    expect_sound(*r);
  }
}

}  // namespace
}  // namespace hone::vision
