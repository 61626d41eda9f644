#include "decode_testing.h"
#include "vision/decode/ssd_priors.h"

namespace hone::vision {
namespace {
using namespace testing;
using decoding::Prior;
using decoding::ssd_priors;

struct Row {
  size_t at;
  float cx, cy, w, h;
};

// Rows, and the sums of all and of their squares, as torchvision 0.14 gives them:
//   g = DefaultBoxGenerator(...); b = g._grid_default_boxes(grids, [side, side]).double() * side
void expect_priors(const std::vector<Prior>& priors, const std::vector<Row>& rows,
                   const std::vector<double>& sums, const std::vector<double>& squares) {
  for (const Row& r : rows) {
    const Prior& p = priors.at(r.at);
    EXPECT_NEAR(p.cx, r.cx, 1e-3) << r.at;
    EXPECT_NEAR(p.cy, r.cy, 1e-3) << r.at;
    EXPECT_NEAR(p.width, r.w, 1e-3) << r.at;
    EXPECT_NEAR(p.height, r.h, 1e-3) << r.at;
  }
  double sum[4] = {}, square[4] = {};
  for (const Prior& p : priors) {
    const float v[4] = {p.cx, p.cy, p.width, p.height};
    for (int i = 0; i < 4; i++) {
      sum[i] += static_cast<double>(v[i]);
      square[i] += static_cast<double>(v[i]) * static_cast<double>(v[i]);
    }
  }
  for (size_t i = 0; i < 4; i++) {
    EXPECT_NEAR(sum[i] / sums[i], 1, 1e-6) << i;
    EXPECT_NEAR(square[i] / squares[i], 1, 1e-6) << i;
  }
}

TEST(SsdPriors, AreTorchvisionsOfSsdlite320) {
  const Head head = head_of("ssd");
  const auto priors = ssd_priors({head, 320, 320, 0}, 3234);
  ASSERT_TRUE(priors) << priors.error().message;
  expect_priors(*priors,
                {{0, 8, 8, 64, 64},
                 {3, 8, 8, 45.2548f, 90.5097f},
                 {5, 8, 8, 36.9504f, 110.8512f},
                 {2399, 312, 312, 36.9504f, 110.8512f},
                 {2400, 16, 16, 112, 112},
                 {3000, 32, 32, 160, 160},
                 {3150, 53.3333f, 53.3333f, 208, 208},
                 {3204, 80, 80, 256, 256},
                 {3227, 240, 240, 147.8017f, 320},
                 {3233, 160, 160, 175.5145f, 320}},
                {517439.99927044, 517439.99927044, 292928.556633, 292928.556633},
                {1.10080000e+08, 1.10080000e+08, 3.46080427e+07, 3.46080427e+07});
}

TEST(SsdPriors, AreTorchvisionsOfSsd300) {
  const Head head = head_of("ssd");
  const auto priors = ssd_priors({head, 300, 300, 0}, 8732);
  ASSERT_TRUE(priors) << priors.error().message;
  expect_priors(*priors,
                {{0, 4, 4, 21, 21},
                 {3, 4, 4, 14.8492f, 29.6985f},
                 {5776, 8, 8, 45, 45},
                 {5779, 8, 8, 31.8198f, 63.6396f},
                 {7941, 296, 296, 25.9808f, 77.9423f},
                 {8700, 250, 50, 207, 207},
                 {8728, 150, 150, 261, 261},
                 {8731, 150, 150, 184.5549f, 300}},
                {1333184.0021722, 1333184.0021722, 351590.30344337, 351590.30344337},
                {2.71216545e+08, 2.71216545e+08, 2.53102324e+07, 2.53102324e+07});
}

TEST(SsdPriors, FieldsSayTheSameAsTheKnownNetworks) {
  const Head known = head_of("ssd");
  Head head = known;
  head.normalised = true;
  head.min_sizes = {0.2f, 0.35f, 0.5f, 0.65f, 0.8f, 0.95f};
  head.max_sizes = {0.35f, 0.5f, 0.65f, 0.8f, 0.95f, 1};
  head.aspect_ratios = {2, 3};
  const auto a = ssd_priors({known, 320, 320, 0}, 3234), b = ssd_priors({head, 320, 320, 0}, 3234);
  ASSERT_TRUE(a && b) << b.error().message;
  for (size_t i = 0; i < a->size(); i++) {
    EXPECT_EQ((*a)[i].cx, (*b)[i].cx);
    EXPECT_EQ((*a)[i].height, (*b)[i].height);
  }
  // In pixels, as Caffe has them; nothing is cut to the input.
  head.normalised = false;
  for (float& s : head.min_sizes) s *= 320;
  for (float& s : head.max_sizes) s *= 320;
  const auto c = ssd_priors({head, 320, 320, 0}, 3234);
  ASSERT_TRUE(c);
  EXPECT_NEAR((*c)[3].height, 90.5097f, 1e-3);
  EXPECT_GT((*c)[3233].height, 320);
}

TEST(SsdPriors, RatiosOfEachMapBeginWhereTheyDoNotRise) {
  Head head = head_of("ssd");
  head.strides = {32, 64};
  head.min_sizes = {10, 20};
  head.aspect_ratios = {2, 3, 2};
  const auto priors = ssd_priors({head, 64, 64, 0}, 4 * 5 + 3);
  ASSERT_TRUE(priors) << priors.error().message;
  EXPECT_FLOAT_EQ((*priors)[0].width, 10);
  EXPECT_NEAR((*priors)[1].width, 10 * std::sqrt(2.0f), 1e-4);
  EXPECT_NEAR((*priors)[4].height, 10 * std::sqrt(3.0f), 1e-4);
  EXPECT_FLOAT_EQ((*priors)[5].cx, 48);
  EXPECT_FLOAT_EQ((*priors)[20].cx, 32);
  head.aspect_ratios = {2, 3, 2, 2};
  EXPECT_FALSE(ssd_priors({head, 64, 64, 0}, 23));
}

TEST(SsdPriors, ContradictionsAreExplained) {
  const auto why = [](const Head& head, int64_t count) {
    const auto r = ssd_priors({head, 64, 64, 0}, count);
    return r ? std::string("no error") : r.error().message;
  };
  Head head = head_of("ssd");
  EXPECT_NE(why(head, 7).find("ssdlite320_mobilenet_v3_large has"), std::string::npos) << why(head, 7);
  head.min_sizes = {10, 20};
  head.strides = {32, 64};
  EXPECT_NE(why(head, 7).find("2x2x1 + 1x1x1 = 5"), std::string::npos) << why(head, 7);
  head.max_sizes = {20};
  EXPECT_NE(why(head, 5).find("2 min_sizes but 1 max_sizes"), std::string::npos);
  head.max_sizes.clear();
  head.strides = {32};
  EXPECT_NE(why(head, 5).find("1 strides but 2 min_sizes"), std::string::npos);
  head.strides = {0, 64};
  EXPECT_NE(why(head, 5).find("stride of 0"), std::string::npos);
  head.strides = {32, 64};
  head.anchors = {1, 2, 3};
  EXPECT_NE(why(head, 5).find("3 numbers in anchors"), std::string::npos);
}

// One map of 2 x 2 cells, one prior of 16 x 16 in each; background and two classes.
Head small() {
  Head head = head_of("ssd");
  head.strides = {32};
  head.min_sizes = {16};
  return head;
}
const Network network{64, 64, 3};

TEST(Ssd, ABoxByHand) {
  std::vector<float> deltas(16, 0), scores(12, 0);
  const float d[] = {1, -2, 5 * std::log(2.0f), 0};
  std::copy(d, d + 4, deltas.begin() + 4);  // prior 1: centre (48, 16)
  for (size_t i = 0; i < 4; i++) scores[3 * i] = 9;
  scores[3] = 0;
  scores[5] = std::log(2.0f);  // 1/4, 1/4, 2/4
  const auto r = decode(small(), network, {output("b", {1, 4, 4}, deltas), output("s", {1, 4, 3}, scores)});
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 2);
  EXPECT_NEAR(r->detections[0].score, 0.5f, 1e-6);
  const float cx = 48 + 0.1f * 16, cy = 16 - 0.2f * 16;
  expect_box(r->detections[0].box, cx - 16, cy - 8, cx + 16, cy + 8);
  // TensorFlow's order, other variances, labels without the background.
  Head head = small();
  head.box_format = "yxyx";
  head.variances = {0.2f, 0.1f};
  const float e[] = {-1, 0.5f, 0, 10 * std::log(2.0f)};
  std::copy(e, e + 4, deltas.begin() + 4);
  const auto t =
      decode(head, {64, 64, 2}, {output("b", {1, 4, 1, 4}, deltas), output("s", {1, 4, 3}, scores)});
  ASSERT_TRUE(t) << message(t);
  ASSERT_EQ(t->detections.size(), 1u);
  EXPECT_EQ(t->detections[0].label, 1);
  expect_box(t->detections[0].box, cx - 16, cy - 8, cx + 16, cy + 8);
}

TEST(Ssd, TheBackgroundIsNoClassUnlessScoresAreOfEachClassAlone) {
  const std::vector<float> deltas(16, 0);
  std::vector<float> scores(8, -9);
  scores[4] = 3;  // class 0 of prior 2
  Head head = small();
  const std::vector<Output> outputs = {output("b", {1, 4, 4}, deltas), output("s", {1, 4, 2}, scores)};
  EXPECT_EQ(decode(head, {64, 64, 0}, outputs)->detections.size(), 3u);  // where both are -9, each has a half
  head.activation = "sigmoid";
  const auto r = decode(head, {64, 64, 2}, outputs);
  ASSERT_TRUE(r) << message(r);
  ASSERT_EQ(r->detections.size(), 1u);
  EXPECT_EQ(r->detections[0].label, 0);
  head.background = 0;
  EXPECT_TRUE(decode(head, {64, 64, 2}, outputs)->detections.empty());
}

TEST(Ssd, KnownBoxesComeBack) {
  Random random;
  const Head plain = head_of("ssd");
  const auto priors = ssd_priors({plain, 320, 320, 0}, 3234);
  ASSERT_TRUE(priors);
  const int classes = 6;
  for (bool probabilities : {false, true}) {
    std::vector<float> deltas, scores;
    std::vector<Detection> expected;
    for (const Prior& p : *priors) {
      std::vector<float> d(4, 0), s(classes, probabilities ? 0.0f : -30);
      s[0] = probabilities ? 1.0f : 0;
      if (random.whole(0, 30) == 0) {
        const float cx = random.between(0, 320), cy = random.between(0, 320);
        const float w = random.between(5, 300), h = random.between(5, 300);
        d = {(cx - p.cx) / p.width * 10, (cy - p.cy) / p.height * 10, std::log(w / p.width) * 5,
             std::log(h / p.height) * 5};
        const int label = random.whole(1, classes - 1);
        const float score = random.between(0.4f, 0.9f);
        s[0] = probabilities ? 1 - score : std::log(1 - score);
        s[static_cast<size_t>(label)] = probabilities ? score : std::log(score);
        expected.push_back({{cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2}, label, score, {}});
      }
      deltas.insert(deltas.end(), d.begin(), d.end());
      scores.insert(scores.end(), s.begin(), s.end());
    }
    Head head = plain;
    head.iou_threshold = 1;
    head.max_detections = 1000;
    const auto r = decode(head, {320, 320, classes},
                          {output("b", {1, 3234, 4}, deltas), output("s", {1, 3234, classes}, scores)});
    ASSERT_TRUE(r) << message(r);
    expect_detections(expected, r->detections, 5e-2f);
  }
}

TEST(Ssd, WrongShapesAndFieldsAreExplained) {
  const Output b = output("b", {1, 4, 4}, std::vector<float>(16)),
               s = output("s", {1, 4, 3}, std::vector<float>(12));
  EXPECT_NE(message(decode(small(), {96, 64, 3}, {b, s})).find("3x2x1 = 6"), std::string::npos);
  EXPECT_NE(message(decode(small(), {64, 64, 7}, {b, s})).find("7 classes"), std::string::npos);
  EXPECT_NE(message(decode(small(), network, {b, output("s", {1, 5, 3}, std::vector<float>(15))}))
                .find("[1,4,classes]"),
            std::string::npos);
  EXPECT_NE(message(decode(small(), network, {b, b})).find("could both be the boxes"), std::string::npos);
  Head head = small();
  head.variances = {0.1f};
  EXPECT_FALSE(decode(head, network, {b, s}));
  head = small();
  head.box_format = "xyxy";
  EXPECT_FALSE(decode(head, network, {b, s}));
  // With as many classes as a box has numbers, names decide.
  head = small();
  head.outputs = {{"boxes", "b"}, {"scores", "c"}};
  EXPECT_TRUE(decode(head, {64, 64, 4}, {output("c", {1, 4, 4}, std::vector<float>(16)), b}));
}

TEST(Ssd, HostileNumbersGiveNoUnsoundBoxes) {
  Random random;
  for (int round = 0; round < 60; round++) {
    Head head = small();
    head.score_threshold = round % 2 ? 0.1f : 0;
    head.one_class_per_box = round % 3;
    head.activation = round % 5 ? "" : round % 2 ? "sigmoid" : "none";
    const auto r =
        decode(head, network,
               {output("b", {1, 4, 4}, hostile(random, 16)), output("s", {1, 4, 3}, hostile(random, 12))});
    ASSERT_TRUE(r) << message(r);
    expect_sound(*r, head.score_threshold);
  }
}

// A detector of faces with and without masks on a real picture: sigmoid scores, priors of its own, and cells
// that divide 260 pixels evenly. github.com/AIZOOTech/FaceMaskDetection says how the priors are made.
TEST(Ssd, FindsTheFacesOfARealPicture) {
  const std::string folder = data_folder() + "/models/caffe/face_mask_detection/ref/";
  const auto boxes = read_npy(folder + "out0.npy"), scores = read_npy(folder + "out1.npy");
  if (!boxes || !scores) GTEST_SKIP() << "no " << folder;
  Head head = head_of("ssd");
  head.strides = {8, 16, 32, 64, 128};
  head.even_cells = true;
  head.activation = "none";
  const float sizes[][2] = {{0.04f, 0.056f}, {0.08f, 0.11f}, {0.16f, 0.22f}, {0.32f, 0.45f}, {0.64f, 0.72f}};
  for (const auto& s : sizes) {
    for (float size : s) head.anchors.insert(head.anchors.end(), {size * 260, size * 260});
    for (float ratio : {0.62f, 0.42f})
      head.anchors.insert(head.anchors.end(), {s[0] * 260 * std::sqrt(ratio), s[0] * 260 / std::sqrt(ratio)});
  }
  const auto r = decode(head, {260, 260, 2}, {{"b", boxes->view()}, {"s", scores->view()}});
  ASSERT_TRUE(r) << message(r);
  // UltraFace, another network, on the same picture.
  const std::string other = data_folder() + "/models/onnx/ultraface_rfb320/ref/";
  const auto face_scores = read_npy(other + "out0.npy"), face_boxes = read_npy(other + "out1.npy");
  ASSERT_TRUE(face_scores && face_boxes);
  const auto faces = decode(head_of("ultraface"), {260, 260, 1},
                            {{"scores", face_scores->view()}, {"boxes", face_boxes->view()}});
  ASSERT_TRUE(faces) << message(faces);
  int alike = 0;
  for (const Detection& d : r->detections)
    alike += std::any_of(faces->detections.begin(), faces->detections.end(),
                         [&](const Detection& f) { return intersection_over_union(d.box, f.box) > 0.4f; });
  EXPECT_GE(r->detections.size(), 40u);
  EXPECT_GE(alike, static_cast<int>(r->detections.size()) * 3 / 4) << "of " << r->detections.size();
}

}  // namespace
}  // namespace hone::vision
