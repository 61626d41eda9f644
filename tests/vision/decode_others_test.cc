// NanoDet, UltraFace and DETR.
#include "decode_testing.h"

namespace hone::vision {
namespace {
using namespace testing;

// ---- NanoDet

struct Made {
  std::vector<std::vector<float>> scores, distances;  // of each stride
  std::vector<float> all;
  std::vector<Detection> expected;
  int64_t cells = 0;
};

// Distances between two bins, their weights on those alone; 100 x 70 leaves parts of strides over.
Made make(Random& random, const std::vector<int>& strides, float offset, int classes, bool activated) {
  Made m;
  for (int stride : strides) {
    const auto s = static_cast<float>(stride);
    auto& scores = m.scores.emplace_back();
    auto& distances = m.distances.emplace_back();
    for (int y = 0; y < (70 + stride - 1) / stride; y++)
      for (int x = 0; x < (100 + stride - 1) / stride; x++, m.cells++) {
        std::vector<float> score(static_cast<size_t>(classes), activated ? 0.01f : -7), bins(32, -60);
        if (random.whole(0, 5) == 0) {
          float d[4];
          for (size_t side = 0; side < 4; side++) {
            const float bin = random.between(0.1f, 6.9f), part = bin - std::floor(bin);
            bins[side * 8 + static_cast<size_t>(bin)] = std::log(1 - part);
            bins[side * 8 + static_cast<size_t>(bin) + 1] = std::log(part);
            d[side] = bin * s;
          }
          const int label = random.whole(0, classes - 1);
          const float p = random.between(0.4f, 0.95f);
          score[static_cast<size_t>(label)] = activated ? p : inverse_sigmoid(p);
          const float cx = (static_cast<float>(x) + offset) * s, cy = (static_cast<float>(y) + offset) * s;
          m.expected.push_back({{cx - d[0], cy - d[1], cx + d[2], cy + d[3]}, label, p, {}});
        }
        scores.insert(scores.end(), score.begin(), score.end());
        distances.insert(distances.end(), bins.begin(), bins.end());
        m.all.insert(m.all.end(), score.begin(), score.end());
        m.all.insert(m.all.end(), bins.begin(), bins.end());
      }
  }
  return m;
}

TEST(Nanodet, KnownBoxesComeBack) {
  Random random;
  const int classes = 5;
  for (bool plus : {false, true})
    for (bool activated : {false, true}) {
      const std::vector<int> strides = plus ? std::vector<int>{8, 16, 32, 64} : std::vector<int>{8, 16, 32};
      const Made m = make(random, strides, plus ? 0 : 0.5f, classes, activated);
      Head head = head_of("nanodet");
      head.iou_threshold = 1;
      head.max_detections = 1000;
      auto r = decode(head, {100, 70, classes}, {output("y", {1, m.cells, classes + 32}, m.all)});
      ASSERT_TRUE(r) << message(r);
      expect_detections(m.expected, r->detections, 2e-2f);
      // The same by strides.
      std::vector<Output> outputs;
      for (size_t k = 0; k < strides.size(); k++) {
        outputs.push_back(output("dis" + std::to_string(k),
                                 {1, static_cast<int64_t>(m.distances[k].size() / 32), 32}, m.distances[k]));
        outputs.push_back(output("cls" + std::to_string(k),
                                 {1, static_cast<int64_t>(m.distances[k].size() / 32), classes},
                                 m.scores[k]));
      }
      r = decode(head, {100, 70, classes}, outputs);
      ASSERT_TRUE(r) << message(r);
      expect_detections(m.expected, r->detections, 2e-2f);
      outputs.pop_back();
      EXPECT_FALSE(decode(head, {100, 70, classes}, outputs));
    }
}

TEST(Nanodet, WrongShapesAreExplained) {
  Head head = head_of("nanodet");
  const auto r = decode(head, {64, 64, 0}, {output("y", {1, 50, 40}, std::vector<float>(2000))});
  EXPECT_NE(message(r).find("8x8 + 4x4 + 2x2 + 1x1 = 85"), std::string::npos) << message(r);
  const auto labels = decode(head, {64, 64, 3}, {output("y", {1, 85, 34}, std::vector<float>(85 * 34))});
  EXPECT_NE(message(labels).find("3 classes"), std::string::npos) << message(labels);
  EXPECT_FALSE(decode(head, {64, 64, 0}, {output("y", {1, 85, 32}, std::vector<float>(85 * 32))}));
  head.reg_max = 1 << 30;
  EXPECT_FALSE(decode(head, {64, 64, 0}, {output("y", {1, 85, 34}, std::vector<float>(85 * 34))}));
}

TEST(Nanodet, HostileNumbersGiveNoUnsoundBoxes) {
  Random random;
  for (int round = 0; round < 30; round++) {
    Head head = head_of("nanodet");
    head.score_threshold = round % 2 ? 0.1f : 0;
    const auto r = decode(head, {64, 64, 2}, {output("y", {1, 85, 34}, hostile(random, 85 * 34))});
    ASSERT_TRUE(r) << message(r);
    expect_sound(*r, head.score_threshold);
  }
}

// ---- UltraFace

TEST(Ultraface, FacesByHand) {
  const auto r =
      decode(head_of("ultraface"), {320, 240, 1},
             {output("scores", {1, 3, 2}, {0.1f, 0.9f, 0.2f, 0.8f, 0.9f, 0.1f}),
              output("boxes", {1, 3, 4}, {0.1f, 0.2f, 0.3f, 0.4f, 0.1f, 0.2f, 0.3f, 0.41f, 0, 0, 1, 1})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 0);
  EXPECT_FLOAT_EQ(r->detections[0].score, 0.9f);
  expect_box(r->detections[0].box, 32, 48, 96, 96);
}

TEST(Ultraface, OtherClassesAreRefused) {
  const auto r =
      decode(head_of("ultraface"), {320, 240, 1},
             {output("s", {1, 3, 3}, std::vector<float>(9)), output("b", {1, 3, 4}, std::vector<float>(12))});
  EXPECT_NE(message(r).find("[1,boxes,2]"), std::string::npos) << message(r);
}

TEST(Ultraface, FindsTheFacesOfARealPicture) {
  const std::string folder = data_folder() + "/models/onnx/ultraface_rfb320/ref/";
  const auto scores = read_npy(folder + "out0.npy"), boxes = read_npy(folder + "out1.npy");
  if (!boxes || !scores) GTEST_SKIP() << "no " << folder;
  Head head = head_of("ultraface");
  head.score_threshold = 0.7f;
  const auto r = decode(head, {320, 240, 1}, {{"scores", scores->view()}, {"boxes", boxes->view()}});
  ASSERT_TRUE(r) << message(r);
  ASSERT_GE(r->detections.size(), 30u);  // a group picture
  for (const Detection& d : r->detections) {
    EXPECT_GT(d.box.x1, 0);
    EXPECT_LT(d.box.x0, 320);
    EXPECT_LT(d.box.width(), 320);
    EXPECT_GT(d.box.height(), 5);
  }
}

// ---- DETR

TEST(Detr, QueriesByHand) {
  // Two classes and "no object".
  const std::vector<Output> outputs = {
      output("logits", {1, 3, 3}, {0, std::log(2.0f), 0, 9, 0, 99, std::log(8.0f), 0, 0}),
      output("boxes", {1, 3, 4}, {0.5f, 0.5f, 0.2f, 0.4f, 0, 0, 1, 1, 0.5f, 0.5f, 0.2f, 0.4f})};
  for (int labels : {0, 2, 3}) {
    const auto r = decode(head_of("detr"), {100, 50, labels}, outputs);
    ASSERT_TRUE(r) << message(r);
    ASSERT_EQ(r->detections.size(), 2u);  // alike, but of two queries
    EXPECT_EQ(r->detections[0].label, 0);
    EXPECT_NEAR(r->detections[0].score, 0.8f, 1e-6);
    EXPECT_EQ(r->detections[1].label, 1);
    EXPECT_NEAR(r->detections[1].score, 0.5f, 1e-6);
    expect_box(r->detections[1].box, 40, 15, 60, 35);
  }
  EXPECT_NE(message(decode(head_of("detr"), {100, 50, 7}, outputs)).find("7 classes"), std::string::npos);
}

TEST(Detr, WithSigmoidsThereIsNoClassForNothing) {
  Head head = head_of("detr");
  head.activation = "sigmoid";
  const auto r = decode(head, {100, 50, 2},
                        {output("logits", {1, 1, 2}, {-1, std::log(3.0f)}),
                         output("boxes", {1, 1, 4}, {0.5f, 0.5f, 0.2f, 0.4f})});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 1);
  EXPECT_NEAR(r->detections[0].score, 0.75f, 1e-6);
}

TEST(Detr, KnownBoxesComeBack) {
  Random random;
  const int classes = 7;
  std::vector<float> logits, boxes;
  std::vector<Detection> expected;
  for (int i = 0; i < 100; i++) {
    const float x = random.between(0, 1), y = random.between(0, 1), w = random.between(0.1f, 1),
                h = random.between(0.1f, 1);
    boxes.insert(boxes.end(), {x, y, w, h});
    std::vector<float> row(classes + 1, -30);
    row[classes] = 0;
    if (random.whole(0, 2) == 0) {
      const float p = random.between(0.35f, 0.95f);
      const int label = random.whole(0, classes - 1);
      row[static_cast<size_t>(label)] = std::log(p);
      row[classes] = std::log(1 - p);
      expected.push_back(
          {{(x - w / 2) * 200, (y - h / 2) * 100, (x + w / 2) * 200, (y + h / 2) * 100}, label, p, {}});
    }
    logits.insert(logits.end(), row.begin(), row.end());
  }
  const auto r = decode(head_of("detr"), {200, 100, classes},
                        {output("l", {1, 100, classes + 1}, logits), output("b", {1, 100, 4}, boxes)});
  ASSERT_TRUE(r) << message(r);
  expect_detections(expected, r->detections, 1e-2f);
}

TEST(Detr, HostileNumbersGiveNoUnsoundBoxes) {
  Random random;
  for (const char* name : {"detr", "ultraface"})
    for (int round = 0; round < 40; round++) {
      Head head = head_of(name);
      head.score_threshold = round % 2 ? 0.1f : 0;
      const auto r = decode(
          head, {64, 64, 1},
          {output("s", {1, 20, 2}, hostile(random, 40)), output("b", {1, 20, 4}, hostile(random, 80))});
      ASSERT_TRUE(r) << message(r);
      expect_sound(*r, head.score_threshold);
    }
}

}  // namespace
}  // namespace hone::vision
