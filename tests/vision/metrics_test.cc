#include "vision/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hone::vision {
namespace {

Detection found(float x0, float y0, float x1, float y1, float score, int label = 0) {
  return {{x0, y0, x1, y1}, label, score, {}};
}
Truth truth(float x0, float y0, float x1, float y1, int label = 0, bool crowd = false) {
  return {{x0, y0, x1, y1}, label, crowd, 0};
}
using Found = std::vector<Detection>;
using Truths = std::vector<Truth>;

TEST(TopK, counts_the_right_class_among_one_and_five) {
  TopK k;
  EXPECT_EQ(k.top1(), 0);
  const std::vector<Classification> answers = {{7, .5f}, {3, .2f}, {1, .1f}, {0, .05f}, {2, .04f}, {9, .01f}};
  for (int truth : {7, 3, 2, 9}) k.add(answers, truth);
  k.add({}, 7);
  EXPECT_EQ(k.pictures(), 5);
  EXPECT_DOUBLE_EQ(k.top1(), 0.2);
  EXPECT_DOUBLE_EQ(k.top5(), 0.6);
}

TEST(MeanAveragePrecision, is_one_for_what_is_right_and_zero_for_nothing) {
  MeanAveragePrecision m;
  EXPECT_EQ(m.score().at50_95, 0);
  m.add(Found{found(10, 10, 50, 50, .9f)}, Truths{truth(10, 10, 50, 50)});
  m.add(Found{}, Truths{});
  EXPECT_DOUBLE_EQ(m.score().at50_95, 1);
  MeanAveragePrecision nothing;
  nothing.add(Found{}, Truths{truth(10, 10, 50, 50)});
  const auto s = nothing.score();
  EXPECT_EQ(s.at50, 0);
  ASSERT_EQ(s.classes.size(), 1u);
  EXPECT_EQ(s.classes[0].truths, 1);
}

// Boxes of 10 x 10 shifted by 2: IoU = 80 / 120 = 0.667, so right at 0.50 to 0.65: 4 of 10 thresholds.
TEST(MeanAveragePrecision, averages_over_ten_thresholds) {
  MeanAveragePrecision m;
  m.add(Found{found(2, 0, 12, 10, .9f)}, Truths{truth(0, 0, 10, 10)});
  const auto s = m.score();
  EXPECT_DOUBLE_EQ(s.at50, 1);
  EXPECT_DOUBLE_EQ(s.at75, 0);
  EXPECT_DOUBLE_EQ(s.at50_95, 0.4);
}

// Of 2 truths, found in the order right, wrong, right: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1; made
// monotone 1, 2/3, 2/3. Recalls 0 to 0.50 are 51 samples, 0.51 to 1 are 50: (51 + 50 * 2/3) / 101.
TEST(MeanAveragePrecision, samples_the_monotone_precision_at_101_recalls) {
  MeanAveragePrecision m;
  m.add(Found{found(0, 0, 10, 10, .9f), found(100, 0, 110, 10, .8f), found(50, 0, 60, 10, .7f)},
        Truths{truth(0, 0, 10, 10), truth(50, 0, 60, 10)});
  EXPECT_NEAR(m.score().at50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

// The same over two pictures: what counts is the order of all scores.
TEST(MeanAveragePrecision, orders_the_detections_of_all_pictures_by_score) {
  MeanAveragePrecision m;
  m.add(Found{found(50, 0, 60, 10, .7f)}, Truths{truth(50, 0, 60, 10)});
  m.add(Found{found(100, 0, 110, 10, .8f), found(0, 0, 10, 10, .9f)}, Truths{truth(0, 0, 10, 10)});
  EXPECT_NEAR(m.score().at50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

// Equal scores keep the order in which they came: wrong before right halves the precision.
TEST(MeanAveragePrecision, breaks_ties_by_order) {
  MeanAveragePrecision first, last;
  first.add(Found{found(0, 0, 10, 10, .5f), found(50, 0, 60, 10, .5f)}, Truths{truth(0, 0, 10, 10)});
  last.add(Found{found(50, 0, 60, 10, .5f), found(0, 0, 10, 10, .5f)}, Truths{truth(0, 0, 10, 10)});
  EXPECT_DOUBLE_EQ(first.score().at50, 1);
  EXPECT_DOUBLE_EQ(last.score().at50, 0.5);
}

// A truth is found once; the second box on it is wrong.
TEST(MeanAveragePrecision, counts_a_second_box_on_the_same_truth_as_wrong) {
  MeanAveragePrecision m;
  m.add(Found{found(0, 0, 10, 10, .9f), found(0, 0, 10, 9, .8f), found(50, 0, 60, 10, .7f)},
        Truths{truth(0, 0, 10, 10), truth(50, 0, 60, 10)});
  EXPECT_NEAR(m.score().at50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

// The better box takes the truth that it overlaps most, though another comes first and would do.
TEST(MeanAveragePrecision, matches_the_truth_of_greatest_overlap) {
  MeanAveragePrecision m;
  m.add(Found{found(1, 0, 11, 10, .9f), found(0, 0, 10, 10, .8f)},
        Truths{truth(0, 0, 10, 10), truth(2, 0, 12, 10)});
  EXPECT_DOUBLE_EQ(m.score().at50, 1);
  m = {};
  m.add(Found{found(2, 0, 12, 10, .9f), found(-2, 0, 8, 10, .8f)},
        Truths{truth(0, 0, 10, 10), truth(2, 0, 12, 10)});
  EXPECT_DOUBLE_EQ(m.score().at50, 1);
}

TEST(MeanAveragePrecision, ignores_what_lies_in_a_crowd) {
  const Truths crowd = {truth(0, 0, 100, 100, 0, true), truth(200, 0, 210, 10)};
  MeanAveragePrecision m;
  // Three boxes in the crowd count neither way; half in it is IoU 0.5 by the area of the box.
  m.add(Found{found(0, 0, 10, 10, .9f), found(20, 20, 30, 30, .9f), found(95, 0, 105, 10, .9f),
              found(200, 0, 210, 10, .5f)},
        crowd);
  EXPECT_DOUBLE_EQ(m.score().at50, 1);
  EXPECT_EQ(m.score().classes[0].truths, 1);
  // A third in it is wrong.
  m = {};
  m.add(Found{found(97, 0, 107, 10, .9f), found(200, 0, 210, 10, .5f)}, crowd);
  EXPECT_DOUBLE_EQ(m.score().at50, 0.5);
  // A truth that is no crowd goes first, even where the crowd overlaps more.
  m = {};
  m.add(Found{found(0, 0, 10, 10, .9f)}, Truths{truth(0, 0, 100, 100, 0, true), truth(0, 0, 10, 9)});
  EXPECT_DOUBLE_EQ(m.score().at50, 1);
}

TEST(MeanAveragePrecision, averages_over_the_classes_that_have_truths) {
  MeanAveragePrecision m;
  m.add(Found{found(0, 0, 10, 10, .9f, 3), found(0, 0, 10, 10, .9f, 5), found(20, 0, 30, 10, .9f, 8)},
        Truths{truth(0, 0, 10, 10, 3), truth(0, 0, 10, 10, 4), truth(20, 0, 30, 10, 8, true)});
  const auto s = m.score();  // 3 is found, 4 is not; 5 has no truth, 8 a crowd only
  EXPECT_DOUBLE_EQ(s.at50, 0.5);
  ASSERT_EQ(s.classes.size(), 2u);
  EXPECT_EQ(s.classes[0].label, 3);
  EXPECT_DOUBLE_EQ(s.classes[0].at50_95, 1);
  EXPECT_EQ(s.classes[1].label, 4);
  EXPECT_DOUBLE_EQ(s.classes[1].at50, 0);
}

TEST(MeanAveragePrecision, looks_at_the_best_hundred_of_a_picture_and_class) {
  Found many;
  for (int i = 0; i < 100; i++) many.push_back(found(1000, 0, 1010, 10, .9f));
  MeanAveragePrecision m;
  many.push_back(found(0, 0, 10, 10, .8f));
  many.push_back(found(0, 0, 10, 10, .8f, 1));
  m.add(many, Truths{truth(0, 0, 10, 10), truth(0, 0, 10, 10, 1)});
  EXPECT_DOUBLE_EQ(m.score().classes[0].at50, 0);
  EXPECT_DOUBLE_EQ(m.score().classes[1].at50, 1);
}

// The figures are what a separate program in plain Python, written after cocoeval, gives for the same boxes.
TEST(MeanAveragePrecision, agrees_with_another_program_on_random_boxes) {
  uint32_t state = 12345;
  auto next = [&](uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
  };
  MeanAveragePrecision m;
  for (int picture = 0; picture < 40; picture++) {
    Truths truths;
    Found boxes;
    for (uint32_t n = next(8), i = 0; i < n; i++) {
      const auto x = static_cast<float>(next(200)), y = static_cast<float>(next(200));
      const auto w = static_cast<float>(10 + next(60)), h = static_cast<float>(10 + next(60));
      const auto label = static_cast<int>(next(5));
      truths.push_back(truth(x, y, x + w, y + h, label, next(10) == 0));
      for (uint32_t k = next(3), j = 0; j < k; j++) {
        const auto dx = static_cast<float>(next(13)) - 6, dy = static_cast<float>(next(13)) - 6;
        const int seen = next(8) == 0 ? static_cast<int>(next(5)) : label;
        boxes.push_back(
            found(x + dx, y + dy, x + dx + w, y + dy + h, static_cast<float>(next(64)) / 64, seen));
      }
    }
    m.add(boxes, truths);
  }
  const auto s = m.score();
  EXPECT_NEAR(s.at50, 0.340971496309, 1e-9);
  EXPECT_NEAR(s.at75, 0.116468112977, 1e-9);
  EXPECT_NEAR(s.at50_95, 0.160705544637, 1e-9);
}

// Two classes; truth 0 0 1 1 and void, predicted 0 1 1 1 and 0: class 0 has 1 of 2, class 1 has 2 of 3.
TEST(MeanIou, leaves_out_void) {
  MeanIou m(2);
  const uint16_t truth[] = {0, 0, 1, 1, 255}, predicted[] = {0, 1, 1, 1, 0};
  m.add(predicted, truth, 5);
  const auto s = m.score();
  EXPECT_DOUBLE_EQ(s.classes[0], 1.0 / 2);
  EXPECT_DOUBLE_EQ(s.classes[1], 2.0 / 3);
  EXPECT_DOUBLE_EQ(s.mean, (1.0 / 2 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(s.pixel_accuracy, 0.75);
}

TEST(MeanIou, takes_other_predictions_as_misses) {
  MeanIou m(2);
  const uint16_t truth[] = {0, 0, 1, 1}, predicted[] = {0, 2, 1, 65535};
  m.add(predicted, truth, 4);
  EXPECT_DOUBLE_EQ(m.score().classes[0], 0.5);
  EXPECT_DOUBLE_EQ(m.score().mean, 0.5);
  EXPECT_DOUBLE_EQ(m.score().pixel_accuracy, 0.5);
}

TEST(MeanIou, averages_over_classes_that_occur_in_all_pictures_together) {
  MeanIou m(4);
  EXPECT_EQ(m.score().mean, 0);
  const uint16_t truth[] = {0, 0}, right[] = {0, 0}, half[] = {0, 3};
  m.add(right, truth, 2);
  m.add(half, truth, 2);
  const auto s = m.score();  // 0: 3 of 4; 3: predicted once, never there
  EXPECT_DOUBLE_EQ(s.classes[0], 0.75);
  EXPECT_TRUE(std::isnan(s.classes[1]));
  EXPECT_DOUBLE_EQ(s.classes[3], 0);
  EXPECT_DOUBLE_EQ(s.mean, 0.375);
}

}  // namespace
}  // namespace hone::vision
