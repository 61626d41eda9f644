#include <algorithm>
#include <chrono>

#include "decode_testing.h"
#include "vision/task_fields.h"

namespace hone::vision {
namespace {
using namespace testing;

Detection box(float x0, float y0, float x1, float y1, float score, int label = 0) {
  return {{x0, y0, x1, y1}, label, score, {}};
}

TEST(Suppression, OverlapIsSharedAreaOverAllArea) {
  EXPECT_FLOAT_EQ(intersection_over_union({0, 0, 2, 2}, {0, 0, 2, 2}), 1);
  EXPECT_FLOAT_EQ(intersection_over_union({0, 0, 2, 2}, {1, 1, 3, 3}), 1.0f / 7);
  EXPECT_FLOAT_EQ(intersection_over_union({0, 0, 4, 4}, {0, 0, 4, 2}), 0.5f);
  EXPECT_FLOAT_EQ(intersection_over_union({0, 0, 1, 1}, {1, 0, 2, 1}), 0);
  EXPECT_FLOAT_EQ(intersection_over_union({0, 0, 0, 0}, {0, 0, 0, 0}), 0);
  EXPECT_FLOAT_EQ(intersection_over_union({2, 2, 0, 0}, {0, 0, 2, 2}), 0);
}

TEST(Suppression, TheBestOfOverlappingBoxesStays) {
  const auto kept = suppress({box(0, 0, 10, 10, 0.5f), box(1, 0, 11, 10, 0.9f), box(50, 0, 60, 10, 0.4f)},
                             0.5f, false, 100);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_FLOAT_EQ(kept[0].score, 0.9f);
  EXPECT_FLOAT_EQ(kept[1].score, 0.4f);
}

TEST(Suppression, AnOverlapOfExactlyTheThresholdStays) {
  const auto kept = suppress({box(0, 0, 4, 4, 0.9f), box(0, 0, 4, 2, 0.8f)}, 0.5f, false, 100);
  EXPECT_EQ(kept.size(), 2u);
}

TEST(Suppression, ClassesAreApartUnlessAskedOtherwise) {
  const std::vector<Detection> two = {box(0, 0, 10, 10, 0.9f, 1), box(0, 0, 10, 10, 0.8f, 2)};
  EXPECT_EQ(suppress(two, 0.5f, false, 100).size(), 2u);
  EXPECT_EQ(suppress(two, 0.5f, true, 100).size(), 1u);
}

TEST(Suppression, AThresholdOfOneKeepsEverything) {
  EXPECT_EQ(suppress({box(0, 0, 1, 1, 0.9f), box(0, 0, 1, 1, 0.8f)}, 1, true, 100).size(), 2u);
}

TEST(Suppression, EqualScoresComeOutInTheirOrder) {
  std::vector<Detection> many;
  for (int i = 0; i < 100; i++) {
    const float x = static_cast<float>(i) * 10;
    many.push_back(box(x, 0, x + 5, 5, 0.5f, i % 3));
  }
  const auto kept = suppress(many, 0.5f, false, 100);
  ASSERT_EQ(kept.size(), 100u);
  for (size_t i = 0; i < 100; i++) EXPECT_FLOAT_EQ(kept[i].box.x0, static_cast<float>(i) * 10);
}

TEST(Suppression, AtMostSoManyAreKept) {
  std::vector<Detection> many;
  for (int i = 0; i < 50; i++)
    many.push_back(box(static_cast<float>(i) * 10, 0, static_cast<float>(i) * 10 + 5, 5, 0.5f));
  EXPECT_EQ(suppress(many, 0.5f, false, 7).size(), 7u);
  EXPECT_EQ(suppress(many, 0.5f, false, 0).size(), 0u);
  EXPECT_EQ(suppress(many, 0.5f, false, -1).size(), 0u);
}

TEST(Suppression, WhatIsNotFiniteGoes) {
  const float nan = std::nanf(""), inf = HUGE_VALF;
  const auto kept = suppress({box(0, 0, 1, 1, nan), box(nan, 0, 1, 1, 0.9f), box(0, 0, inf, 1, 0.9f),
                              box(0, 0, 1, 1, inf), box(0, 0, 1, 1, 0.3f)},
                             0.5f, false, 100);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_FLOAT_EQ(kept[0].score, 0.3f);
}

// The definition, pair by pair.
std::vector<Detection> plainly(std::vector<Detection> boxes, float threshold, bool agnostic) {
  std::stable_sort(boxes.begin(), boxes.end(), [](auto& a, auto& b) { return a.score > b.score; });
  std::vector<bool> gone(boxes.size());
  std::vector<Detection> kept;
  for (size_t i = 0; i < boxes.size(); i++) {
    if (gone[i]) continue;
    kept.push_back(boxes[i]);
    for (size_t j = i + 1; j < boxes.size(); j++)
      if ((agnostic || boxes[i].label == boxes[j].label) &&
          intersection_over_union(boxes[i].box, boxes[j].box) > threshold)
        gone[j] = true;
  }
  return kept;
}

TEST(Suppression, IsTheDefinitionOnRandomBoxes) {
  Random random;
  for (int round = 0; round < 60; round++) {
    std::vector<Detection> boxes;
    for (int i = random.whole(0, 300); i > 0; i--) {
      // On whole numbers, so that equal scores and equal boxes occur, and no overlap is a matter of rounding.
      const auto x = static_cast<float>(random.whole(0, 40)), y = static_cast<float>(random.whole(0, 40));
      boxes.push_back(box(x, y, x + static_cast<float>(random.whole(1, 20)),
                          y + static_cast<float>(random.whole(1, 20)),
                          static_cast<float>(random.whole(1, 50)) / 50, random.whole(0, 2)));
    }
    const float threshold = random.between(0.1f, 0.9f);
    const bool agnostic = random.whole(0, 1);
    const auto kept = suppress(boxes, threshold, agnostic, 1000),
               expected = plainly(boxes, threshold, agnostic);
    ASSERT_EQ(kept.size(), expected.size()) << "round " << round;
    for (size_t i = 0; i < kept.size(); i++) {
      EXPECT_EQ(kept[i].score, expected[i].score);
      EXPECT_EQ(kept[i].label, expected[i].label);
      EXPECT_EQ(kept[i].box.x0, expected[i].box.x0);
      EXPECT_EQ(kept[i].box.y1, expected[i].box.y1);
    }
  }
}

// Not to be quadratic: 30,000 boxes would be 450 million pairs.
TEST(Suppression, ThirtyThousandBoxesTakeNoTime) {
  Random random;
  std::vector<Detection> boxes;
  for (int i = 0; i < 30000; i++) {
    const float x = random.between(0, 5000), y = random.between(0, 5000);
    boxes.push_back(box(x, y, x + 10, y + 10, random.between(0.3f, 1)));
  }
  const auto start = std::chrono::steady_clock::now();
  const auto kept = suppress(boxes, 0.5f, true, 300);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(kept.size(), 300u);
  std::printf("30000 boxes: %.1f ms\n", took.count());
  EXPECT_LT(took.count(), 1000);  // sanitizers and busy machines included; some 10 ms in fact
}

TEST(Decoders, AreFoundByNameAndTheErrorListsThem) {
  for (const Decoder& d : decoders()) {
    auto found = find_decoder(d.name);
    ASSERT_TRUE(found) << d.name;
    EXPECT_EQ(*found, &d);
    EXPECT_TRUE(d.about[0] != 0 && d.decode);
  }
  auto none = find_decoder("yolo99");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("'yolo99'"), std::string::npos);
  EXPECT_NE(none.error().message.find("yolox"), std::string::npos);
}

TEST(Decoders, ReadFieldsThatATaskHas) {
  for (const Decoder& d : decoders())
    for (const char* field : d.fields)
      EXPECT_TRUE(std::any_of(task_fields().begin(), task_fields().end(),
                              [&](const TaskField& f) {
                                return std::string(f.section) == "head" && std::string(f.key) == field;
                              }))
          << d.name << " reads " << field;
}

TEST(Decoders, RefuseOutputsThatCannotBeTheirsByNameAndShape) {
  for (const Decoder& d : decoders()) {
    if (std::string(d.name) == "raw") continue;
    Head head = head_of(d.name);
    for (const auto& wrong :
         {output("odd", {2, 3, 1, 7, 5}, std::vector<float>(210)), output("odd", {0}, {})}) {
      const auto r = decode(head, {}, {wrong});
      ASSERT_FALSE(r) << d.name;
      EXPECT_NE(message(r).find("'odd'"), std::string::npos) << d.name << ": " << message(r);
      EXPECT_NE(message(r).find(wrong.tensor.shape.str()), std::string::npos) << d.name << ": " << message(r);
    }
    EXPECT_FALSE(decode(head, {}, {})) << d.name;
    head.outputs["no such role"] = "odd";
    EXPECT_NE(message(decode(head, {}, {output("odd", {1, 4}, {1, 2, 3, 4})})).find("no such role"),
              std::string::npos);
  }
}

TEST(Floats, EveryTypeIsRead) {
  const auto check = [](DType type, auto one, auto two) {
    const Tensor t = Tensor::of<decltype(one)>(type, {one, two});
    std::vector<float> keep;
    const auto v = floats({"x", t.view()}, keep);
    ASSERT_TRUE(v) << dtype_name(type);
    EXPECT_EQ((*v)[0], 1);
    EXPECT_EQ((*v)[1], 2);
  };
  check(DType::f32, 1.0f, 2.0f);
  check(DType::f64, 1.0, 2.0);
  check(DType::f16, f16_t{0x3c00}, f16_t{0x4000});
  check(DType::i8, int8_t{1}, int8_t{2});
  check(DType::u8, uint8_t{1}, uint8_t{2});
  check(DType::i16, int16_t{1}, int16_t{2});
  check(DType::u16, uint16_t{1}, uint16_t{2});
  check(DType::i32, int32_t{1}, int32_t{2});
  check(DType::u32, uint32_t{1}, uint32_t{2});
  check(DType::i64, int64_t{1}, int64_t{2});
  check(DType::u64, uint64_t{1}, uint64_t{2});
  const Tensor t = Tensor::of<bf16_t>(DType::bf16, {bf16_t{0}, bf16_t{0}});
  std::vector<float> keep;
  EXPECT_FALSE(floats({"x", t.view()}, keep));
}

}  // namespace
}  // namespace hone::vision
