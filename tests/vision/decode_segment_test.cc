#include "decode_testing.h"

namespace hone::vision {
namespace {
using namespace testing;
using Labels = std::vector<uint16_t>;

TEST(Segment, TheGreatestScoreDecides) {
  // Three classes, 2 x 3 pixels, at stride 8 of the input.
  const std::vector<float> planes = {5, 0, 0, 1, 1, 2, /**/ 0, 5, 0, 1, 2, 1, /**/ 0, 0, 5, 1, 2, 3};
  const auto r = decode(head_of("segment"), {24, 16, 3}, {output("y", {1, 3, 2, 3}, planes)});
  ASSERT_TRUE(r) << message(r);
  EXPECT_EQ(r->segmentation.width, 3);
  EXPECT_EQ(r->segmentation.height, 2);
  EXPECT_EQ(r->segmentation.labels, (Labels{0, 1, 2, 0, 1, 2}));  // equal scores: the first class
}

TEST(Segment, EitherOrderOfDimensions) {
  Random random;
  for (int round = 0; round < 40; round++) {
    const int c = random.whole(2, 6), h = random.whole(7, 12), w = random.whole(7, 13);
    std::vector<float> planes(static_cast<size_t>(c * h * w)), pixels(planes.size());
    Labels expected;
    for (int i = 0; i < h * w; i++) {
      const int label = random.whole(0, c - 1);
      expected.push_back(static_cast<uint16_t>(label));
      for (int k = 0; k < c; k++) {
        const float v = random.between(-5, 0) + (k == label ? 6.0f : 0);
        planes[static_cast<size_t>(k * h * w + i)] = pixels[static_cast<size_t>(i * c + k)] = v;
      }
    }
    for (int labels : {0, c}) {
      const auto a = decode(head_of("segment"), {64, 64, labels}, {output("y", {1, c, h, w}, planes)});
      const auto b = decode(head_of("segment"), {64, 64, labels}, {output("y", {1, h, w, c}, pixels)});
      ASSERT_TRUE(a && b) << message(a) << message(b);
      EXPECT_EQ(a->segmentation.labels, expected) << c << " " << h << " " << w;
      EXPECT_EQ(b->segmentation.labels, expected) << c << " " << h << " " << w;
      EXPECT_EQ(a->segmentation.width, w);
      EXPECT_EQ(b->segmentation.height, h);
    }
  }
}

TEST(Segment, LabelsDecideWhichDimensionIsClasses) {
  // 5 classes on 3 x 4 pixels: the classes are the greatest dimension.
  std::vector<float> planes(60, 0);
  planes[4 * 12 + 7] = 1;
  const auto r = decode(head_of("segment"), {64, 64, 5}, {output("y", {1, 5, 3, 4}, planes)});
  ASSERT_TRUE(r) << message(r);
  EXPECT_EQ(r->segmentation.width, 4);
  EXPECT_EQ(r->segmentation.labels[7], 4);
}

TEST(Segment, OneChannelIsHeldAgainstTheThreshold) {
  Head head = head_of("segment");
  head.score_threshold = 0.5f;
  const std::vector<float> probabilities = {0, 0.49f, 0.5f, 1};
  for (const auto& dims : std::vector<std::vector<int64_t>>{{1, 1, 2, 2}, {1, 2, 2, 1}, {1, 2, 2}, {2, 2}}) {
    const auto r = decode(head, {64, 64, 2}, {output("y", dims, probabilities)});
    ASSERT_TRUE(r) << message(r);
    EXPECT_EQ(r->segmentation.labels, (Labels{0, 0, 1, 1}));
    EXPECT_EQ(r->segmentation.width, 2);
  }
  const auto logits = decode(head, {64, 64, 2}, {output("y", {1, 1, 2, 2}, {-3, -0.1f, 0.1f, 3})});
  EXPECT_EQ(logits->segmentation.labels, (Labels{0, 0, 1, 1}));
  head.activation = "none";
  const auto numbers = decode(head, {64, 64, 2}, {output("y", {1, 1, 2, 2}, {-3, -0.1f, 0.1f, 3})});
  EXPECT_EQ(numbers->segmentation.labels, (Labels{0, 0, 0, 1}));
  head.activation = "softmax";
  EXPECT_FALSE(decode(head, {64, 64, 2}, {output("y", {1, 1, 2, 2}, {-3, 0, 1, 3})}));
}

TEST(Segment, IntegersAreLabels) {
  for (const auto& dims : std::vector<std::vector<int64_t>>{{1, 1, 2, 3}, {1, 2, 3}, {1, 2, 3, 1}}) {
    const auto r =
        decode(head_of("segment"), {64, 64, 0}, {int_output("y", dims, {0, 1, 255, 20, 3, 65535})});
    ASSERT_TRUE(r) << message(r);
    EXPECT_EQ(r->segmentation.labels, (Labels{0, 1, 255, 20, 3, 65535}));
  }
  for (int64_t bad : {int64_t{-1}, int64_t{65536}}) {
    const auto r = decode(head_of("segment"), {64, 64, 0}, {int_output("y", {1, 1, 2}, {0, bad})});
    ASSERT_FALSE(r);
    EXPECT_NE(message(r).find(std::to_string(bad)), std::string::npos) << message(r);
  }
}

TEST(Segment, WhatIsNotANumberIsNeverTheGreatest) {
  const float nan = std::nanf(""), inf = HUGE_VALF;
  const auto r = decode(head_of("segment"), {64, 64, 2},
                        {output("y", {1, 2, 1, 5}, {nan, 0, nan, -inf, nan, /**/ 0, nan, nan, -inf, inf})});
  ASSERT_TRUE(r) << message(r);
  EXPECT_EQ(r->segmentation.labels, (Labels{1, 0, 0, 0, 1}));
  EXPECT_TRUE(decode(head_of("segment"), {}, {output("y", {1, 1, 1, 3}, {nan, inf, -inf})}));
}

TEST(Segment, OtherShapesAreRefused) {
  for (const auto& dims : std::vector<std::vector<int64_t>>{{2, 3, 2, 2}, {24}, {2, 1, 3, 4, 1}})
    EXPECT_FALSE(decode(head_of("segment"), {}, {output("y", dims, std::vector<float>(24))})) << dims.size();
}

TEST(Segment, EspnetSeesTheStreet) {
  const std::string folder = data_folder() + "/models/onnx/espnet_camvid/ref/";
  const auto scores = read_npy(folder + "out0_stride8.npy"), labels = read_npy(folder + "out0_argmax_c.npy");
  if (!scores || !labels) GTEST_SKIP() << "no " << folder;
  const auto r = decode(head_of("segment"), {480, 360, 12}, {{"y", scores->view()}});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->segmentation.width, 60);
  ASSERT_EQ(r->segmentation.height, 45);
  for (int y = 0; y < 45; y++)
    for (int x = 0; x < 60; x++)
      EXPECT_EQ(r->segmentation.labels[static_cast<size_t>(y * 60 + x)],
                labels->data<uint8_t>()[y * 8 * 480 + x * 8]);
  const auto whole = decode(head_of("segment"), {480, 360, 12}, {{"y", labels->view()}});
  ASSERT_TRUE(whole) << message(whole);
  EXPECT_EQ(whole->segmentation.labels[100], labels->data<uint8_t>()[100]);
}

}  // namespace
}  // namespace hone::vision
