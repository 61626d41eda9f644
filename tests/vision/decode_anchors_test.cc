// YOLOv3 and YOLOv5.
#include "decode_testing.h"

namespace hone::vision {
namespace {
using namespace testing;

// The map of n anchors in each of the layouts, from rows in the order anchor, cell.
enum class Order { nchw, nhwc, anchors_first, anchors_last };

Output map_of(const std::string& name, Order order, int64_t n, int64_t h, int64_t w,
              const std::vector<float>& rows, int64_t columns) {
  std::vector<float> v(rows.size());
  for (int64_t a = 0; a < n; a++)
    for (int64_t i = 0; i < h * w; i++)
      for (int64_t c = 0; c < columns; c++) {
        int64_t to = (i * n + a) * columns + c;
        if (order == Order::nchw) to = (a * columns + c) * h * w + i;
        if (order == Order::anchors_first) to = (a * h * w + i) * columns + c;
        v[static_cast<size_t>(to)] = rows[static_cast<size_t>((a * h * w + i) * columns + c)];
      }
  switch (order) {
    case Order::nchw:
      return output(name, {1, n * columns, h, w}, v);
    case Order::nhwc:
      return output(name, {1, h, w, n * columns}, v);
    case Order::anchors_first:
      return output(name, {1, n, h, w, columns}, v);
    default:
      return output(name, {1, h, w, n, columns}, v);
  }
}

TEST(Yolov3, ACellByHand) {
  // 64 x 32 at stride 16: 4 x 2 cells; one anchor of 10 x 20; one class. Sigmoid(0) is a half.
  Head head = head_of("yolov3");
  head.strides = {16};
  head.anchors = {10, 20};
  std::vector<float> rows(8 * 6, -20);
  const float a[] = {0, 0, 0, std::log(2.0f), 20, inverse_sigmoid(0.75f)};
  std::copy(a, a + 6, rows.begin() + 6 * 6);  // cell (2, 1)
  const auto r = decode(head, {64, 32, 1}, {map_of("y", Order::nchw, 1, 2, 4, rows, 6)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_NEAR(r->detections[0].score, 0.75f, 1e-5);
  expect_box(r->detections[0].box, 40 - 5, 24 - 20, 40 + 5, 24 + 20);
}

TEST(Yolov5, ACellOfAMapByHand) {
  Head head = head_of("yolov5");
  head.strides = {16, 32};
  head.anchors = {10, 20, 30, 40};
  std::vector<float> rows(8 * 6, -20), other(2 * 6, -20);
  const float a[] = {0, inverse_sigmoid(0.75f), 0, inverse_sigmoid(0.75f), 20, 0};
  std::copy(a, a + 6, rows.begin() + 6 * 6);
  const auto r =
      decode(head, {64, 32, 1},
             {map_of("other", Order::nchw, 1, 1, 2, other, 6), map_of("y", Order::nchw, 1, 2, 4, rows, 6)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_NEAR(r->detections[0].score, 0.5f, 1e-5);
  // x = (1 - 0.5 + 2) * 16, y = (1.5 - 0.5 + 1) * 16; w = 10 * 1, h = 20 * 1.5^2
  expect_box(r->detections[0].box, 40 - 5, 32 - 22.5f, 40 + 5, 32 + 22.5f);
}

TEST(Yolov5, RowsDecodedInTheGraphByHand) {
  std::vector<float> rows(10 * 7, 0);
  const float a[] = {20, 10, 8, 4, 0.9f, 0.1f, 0.5f};
  std::copy(a, a + 7, rows.begin() + 3 * 7);
  auto r = decode(head_of("yolov5"), {64, 64, 2}, {output("y", {1, 10, 7}, rows)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 1);
  EXPECT_FLOAT_EQ(r->detections[0].score, 0.45f);
  expect_box(r->detections[0].box, 16, 8, 24, 12);
  // Beside the maps of old exports, the decoded output is the one that is taken.
  r = decode(head_of("yolov5"), {64, 64, 2},
             {output("y", {1, 10, 7}, rows), output("m", {1, 3, 8, 8, 7}, std::vector<float>(3 * 64 * 7))});
  ASSERT_TRUE(r) << message(r);
  EXPECT_EQ(r->detections.size(), 1u);
  const auto wrong = decode(head_of("yolov5"), {64, 64, 3}, {output("y", {1, 10, 7}, rows)});
  EXPECT_NE(message(wrong).find("5 + 3 classes"), std::string::npos) << message(wrong);
}

TEST(Yolov3, KnownBoxesComeBackInEveryOrder) {
  Random random;
  const float anchors[] = {10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326};
  const int classes = 4;
  for (const char* name : {"yolov3", "yolov5"})
    for (bool activated : {false, true})
      for (Order order : {Order::nchw, Order::nhwc, Order::anchors_first, Order::anchors_last}) {
        const bool v5 = std::string(name) == "yolov5";
        std::vector<Output> outputs;
        std::vector<Detection> expected;
        int level = 0;
        for (int stride : {8, 16, 32}) {
          const int w = 128 / stride, h = 96 / stride;
          const auto s = static_cast<float>(stride);
          std::vector<float> rows;
          for (int a = 0; a < 3; a++)
            for (int y = 0; y < h; y++)
              for (int x = 0; x < w; x++) {
                std::vector<float> row(5 + classes, activated ? 1e-4f : -9);
                if (random.whole(0, 19) == 0) {
                  const auto raw = [&](float p) { return activated ? p : inverse_sigmoid(p); };
                  const float px = random.between(0.1f, 0.9f), py = random.between(0.1f, 0.9f);
                  const float pw = random.between(0.2f, 0.9f), ph = random.between(0.2f, 0.9f);
                  const float aw = anchors[level * 6 + a * 2], ah = anchors[level * 6 + a * 2 + 1];
                  float cx, cy, bw, bh;
                  if (v5) {
                    cx = (2 * px - 0.5f + static_cast<float>(x)) * s;
                    cy = (2 * py - 0.5f + static_cast<float>(y)) * s;
                    bw = 4 * pw * pw * aw;
                    bh = 4 * ph * ph * ah;
                    row[2] = raw(pw);
                    row[3] = raw(ph);
                  } else {
                    cx = (px + static_cast<float>(x)) * s;
                    cy = (py + static_cast<float>(y)) * s;
                    bw = pw * aw;
                    bh = ph * ah;
                    row[2] = std::log(pw);
                    row[3] = std::log(ph);
                  }
                  const float object = random.between(0.7f, 0.99f), score = random.between(0.5f, 0.99f);
                  const int label = random.whole(0, classes - 1);
                  row[0] = raw(px);
                  row[1] = raw(py);
                  row[4] = raw(object);
                  row[static_cast<size_t>(5 + label)] = raw(score);
                  expected.push_back(
                      {{cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2}, label, object * score, {}});
                }
                rows.insert(rows.end(), row.begin(), row.end());
              }
          // Outputs in any order of strides.
          outputs.insert(outputs.begin(), map_of(std::to_string(stride), order, 3, h, w, rows, 5 + classes));
          level++;
        }
        Head head = head_of(name);
        head.iou_threshold = 1;
        head.max_detections = 1000;
        if (activated) head.activation = "none";
        const auto r = decode(head, {128, 96, classes}, outputs);
        ASSERT_TRUE(r) << name << ": " << message(r);
        expect_detections(expected, r->detections, 2e-2f);
      }
}

TEST(Yolov3, TinyHasTwoStridesOfItsOwn) {
  Head head = head_of("yolov3");
  head.strides = {16, 32};
  const std::vector<Output> outputs = {output("a", {1, 18, 2, 4}, std::vector<float>(144, -9)),
                                       output("b", {1, 18, 1, 2}, std::vector<float>(36, -9))};
  EXPECT_NE(message(decode(head, {64, 32, 1}, outputs)).find("2 strides"), std::string::npos);
  head.anchors = {23, 27, 37, 58, 81, 82, 81, 82, 135, 169, 344, 319};
  EXPECT_TRUE(decode(head, {64, 32, 1}, outputs));
}

TEST(Yolov3, MissingMapsAndWrongClassesAreExplained) {
  Head head = head_of("yolov3");
  head.strides = {16, 32};
  head.anchors = {10, 20, 30, 40};
  const Output a = output("a", {1, 6, 2, 4}, std::vector<float>(48)),
               b = output("b", {1, 6, 1, 2}, std::vector<float>(12));
  EXPECT_TRUE(decode(head, {64, 32, 1}, {a, b}));
  const auto missing = decode(head, {64, 32, 1}, {a, a});
  EXPECT_NE(message(missing).find("could both be the map of stride 16"), std::string::npos)
      << message(missing);
  const auto none = decode(head, {64, 32, 1}, {a, output("c", {1, 6, 3, 3}, std::vector<float>(54))});
  EXPECT_NE(message(none).find("stride 32"), std::string::npos) << message(none);
  EXPECT_NE(message(none).find("'c' [1,6,3,3] f32"), std::string::npos) << message(none);
  const auto labels = decode(head, {64, 32, 2}, {a, b});
  EXPECT_NE(message(labels).find("2 labels"), std::string::npos) << message(labels);
}

TEST(Yolov3, HostileNumbersGiveNoUnsoundBoxes) {
  Random random;
  for (const char* name : {"yolov3", "yolov5"})
    for (int round = 0; round < 30; round++) {
      Head head = head_of(name);
      head.strides = {16, 32};
      head.anchors = {10, 20, 30, 40};
      head.score_threshold = round % 2 ? 0.1f : 0;
      if (round % 3 == 0) head.activation = "none";
      const auto r = decode(
          head, {64, 32, 1},
          {output("a", {1, 6, 2, 4}, hostile(random, 48)), output("b", {1, 6, 1, 2}, hostile(random, 12))});
      ASSERT_TRUE(r) << message(r);
      expect_sound(*r, head.score_threshold);
    }
}

}  // namespace
}  // namespace hone::vision
