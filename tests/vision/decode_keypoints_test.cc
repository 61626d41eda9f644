// Heat maps and keypoints as numbers.
#include "decode_testing.h"

namespace hone::vision {
namespace {
using namespace testing;

TEST(Heatmap, TheGreatestCellAndAQuarterTowardsTheGreaterNeighbour) {
  // Two keypoints on 5 wide, 4 high; a cell is 8 x 10 pixels of the input.
  std::vector<float> maps(40, 0);
  maps[1 * 5 + 2] = 0.9f;       // (2, 1)
  maps[1 * 5 + 3] = 0.5f;       // right is greater than left
  maps[0 * 5 + 2] = 0.4f;       // above is greater than below
  maps[20 + 3 * 5 + 4] = 0.7f;  // (4, 3): the corner is not refined
  for (bool last : {false, true}) {
    const Output y = last ? output("y", {1, 4, 5, 2}, transposed(maps, 20)) : output("y", {1, 2, 4, 5}, maps);
    const auto r = decode(head_of("heatmap"), {40, 40, 0}, {y});
    ASSERT_TRUE(r) << message(r);
    ASSERT_EQ(r->detections.size(), 1u);
    const Detection& d = r->detections[0];
    ASSERT_EQ(d.keypoints.size(), 2u);
    EXPECT_FLOAT_EQ(d.keypoints[0].x, 2.75f * 8);
    EXPECT_FLOAT_EQ(d.keypoints[0].y, 1.25f * 10);
    EXPECT_FLOAT_EQ(d.keypoints[0].score, 0.9f);
    EXPECT_FLOAT_EQ(d.keypoints[1].x, 4.5f * 8);
    EXPECT_FLOAT_EQ(d.keypoints[1].y, 3.5f * 10);
    EXPECT_FLOAT_EQ(d.score, 0.8f);
    expect_box(d.box, 22, 12.5f, 36, 35);
  }
}

TEST(Heatmap, KeypointsDecideWhichDimensionIsTheirs) {
  // 5 keypoints on 3 x 4 cells.
  std::vector<float> maps(60, 0);
  for (size_t k = 0; k < 5; k++) maps[k * 12 + k] = 1;
  Head head = head_of("heatmap");
  head.keypoints = 5;
  const auto r = decode(head, {40, 30, 0}, {output("y", {1, 5, 3, 4}, maps)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.at(0).keypoints.size(), 5u);
  EXPECT_FLOAT_EQ(r->detections[0].keypoints[4].y, 15);
  head.keypoints = 6;
  const auto wrong = decode(head, {40, 30, 0}, {output("y", {1, 5, 3, 4}, maps)});
  EXPECT_NE(message(wrong).find("6 keypoints"), std::string::npos) << message(wrong);
}

TEST(Heatmap, AFaintPersonIsNone) {
  EXPECT_TRUE(
      decode(head_of("heatmap"), {40, 40, 0}, {output("y", {1, 2, 4, 5}, std::vector<float>(40, 0.1f))})
          ->detections.empty());
  Head head = head_of("heatmap");
  head.activation = "sigmoid";
  const auto r = decode(head, {40, 40, 0}, {output("y", {1, 2, 4, 5}, std::vector<float>(40, 0))});
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_FLOAT_EQ(r->detections[0].score, 0.5f);
}

// A bell's mean comes back to within a quarter of a cell or so.
TEST(Heatmap, BellsComeBack) {
  Random random;
  for (int round = 0; round < 20; round++) {
    const int n = 17, h = 64, w = 48;
    std::vector<float> maps, xs, ys;
    for (int k = 0; k < n; k++) {
      xs.push_back(random.between(3, w - 3));
      ys.push_back(random.between(3, h - 3));
      for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
          const float dx = static_cast<float>(x) + 0.5f - xs.back(),
                      dy = static_cast<float>(y) + 0.5f - ys.back();
          maps.push_back(std::exp(-(dx * dx + dy * dy) / 8));
        }
    }
    const auto r = decode(head_of("heatmap"), {192, 256, 0}, {output("y", {1, n, h, w}, maps)});
    ASSERT_TRUE(r) << message(r);
    for (size_t k = 0; k < n; k++) {
      EXPECT_NEAR(r->detections.at(0).keypoints[k].x, xs[k] * 4, 1.01f);
      EXPECT_NEAR(r->detections.at(0).keypoints[k].y, ys[k] * 4, 1.01f);
    }
  }
}

TEST(Keypoints, NumbersByTwoAndByThree) {
  Head head = head_of("keypoints");
  auto r = decode(head, {100, 50, 0}, {output("y", {1, 8}, {1, 2, 3, 4, 5, 6, 7, 8})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.at(0).keypoints.size(), 4u);
  EXPECT_FLOAT_EQ(r->detections[0].keypoints[3].y, 8);
  EXPECT_FLOAT_EQ(r->detections[0].score, 1);
  expect_box(r->detections[0].box, 1, 2, 7, 8);
  r = decode(head, {100, 50, 0}, {output("y", {1, 9}, {1, 2, 0.9f, 3, 4, 0.1f, 5, 6, 0.8f})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.at(0).keypoints.size(), 3u);
  EXPECT_FLOAT_EQ(r->detections[0].keypoints[2].score, 0.8f);
  EXPECT_FLOAT_EQ(r->detections[0].score, 0.6f);
}

TEST(Keypoints, SixNumbersMayBeEither) {
  Head head = head_of("keypoints");
  const Output y = output("y", {1, 6}, {1, 2, 0.9f, 3, 4, 0.8f});
  EXPECT_NE(message(decode(head, {100, 50, 0}, {y})).find("`keypoints`"), std::string::npos);
  head.keypoints = 2;
  EXPECT_EQ(decode(head, {100, 50, 0}, {y})->detections.at(0).keypoints.size(), 2u);
  head.keypoints = 3;
  EXPECT_EQ(decode(head, {100, 50, 0}, {y})->detections.at(0).keypoints.size(), 3u);
  head.keypoints = 4;
  EXPECT_FALSE(decode(head, {100, 50, 0}, {y}));
}

TEST(Keypoints, MovenetsYComesFirst) {
  Head head = head_of("keypoints");
  head.normalised = true;
  head.box_format = "yxyx";
  const auto r = decode(head, {100, 50, 0}, {output("y", {1, 1, 2, 3}, {0.5f, 0.2f, 0.9f, 1, 0.1f, 0.7f})});
  ASSERT_TRUE(r) << message(r);
  EXPECT_FLOAT_EQ(r->detections.at(0).keypoints.at(0).x, 20);
  EXPECT_FLOAT_EQ(r->detections.at(0).keypoints.at(0).y, 25);
  expect_box(r->detections[0].box, 10, 25, 20, 50);
}

TEST(Keypoints, HostileNumbersGiveNoUnsoundPoints) {
  Random random;
  for (int round = 0; round < 60; round++) {
    Head head = head_of(round % 2 ? "keypoints" : "heatmap");
    head.score_threshold = round % 3 ? 0 : 0.2f;
    head.activation = round % 5 ? "" : "sigmoid";
    const auto r = decode(head, {64, 64, 0},
                          {round % 2 ? output("y", {1, 17, 3}, hostile(random, 51))
                                     : output("y", {1, 3, 8, 9}, hostile(random, 216))});
    ASSERT_TRUE(r) << message(r);
    expect_sound(*r, head.score_threshold);
  }
}

}  // namespace
}  // namespace hone::vision
