#include "harness.h"

namespace hone::test {
namespace {

Case resize(const Tensor& x, const std::vector<float>& scales, std::vector<Attrs::Item> items) {
  return {.op = "Resize",
          .attrs = attrs(std::move(items)),
          .in = {x, Tensor(), f32({static_cast<Dim>(scales.size())}, scales)},
          .constants = {2},
          .absolute = 1e-5f};
}
Attrs::Item s(const char* name, const char* value) { return {name, std::string(value)}; }
const Attrs::Item last = {"channels_last", int64_t{1}};

constexpr const char* coordinates[] = {"half_pixel",    "half_pixel_symmetric", "pytorch_half_pixel",
                                       "align_corners", "asymmetric",           "tf_half_pixel_for_nn"};

TEST(ResizeTactics, HandleEveryCoordinateTransformation) {
  for (const char* mode : {"nearest", "linear", "cubic"})
    for (const char* c : coordinates)
      for (const auto& [y, x] : {std::pair{2.0f, 2.0f}, std::pair{1.5f, 0.6f}, std::pair{0.5f, 3.0f}}) {
        // Made for nearest neighbours; with others it shifts even axes that keep their size.
        if (std::string(c) == "tf_half_pixel_for_nn" && std::string(mode) != "nearest") continue;
        const Attrs::Item m = s("mode", mode), t = s("coordinate_transformation_mode", c);
        EXPECT_GE(check(resize(random_f32({2, 6, 5, 7}), {1, 1, y, x}, {m, t, last})), 2);
        EXPECT_GE(check(resize(random_f32({2, 3, 6, 5}), {1, 1, y, x}, {m, t})), 1);
      }
}

TEST(ResizeTactics, HandleEveryNumberOfChannels) {
  for (const char* mode : {"nearest", "linear"})
    for (int64_t c = 1; c <= 70; c += c < 36 ? 1 : 11)
      EXPECT_GE(check(resize(random_f32({1, 3, 4, c}), {1, 1, 2, 2}, {s("mode", mode), last})), 2);
}

TEST(ResizeTactics, HandleOneAxis) {
  for (const char* mode : {"nearest", "linear"}) {
    EXPECT_GE(check(resize(random_f32({2, 5, 4, 3}), {1, 1, 2, 1}, {s("mode", mode), last})), 1);
    EXPECT_GE(check(resize(random_f32({2, 5, 4, 3}), {1, 1, 1, 2}, {s("mode", mode), last})), 1);
    EXPECT_GE(check(resize(random_f32({2, 3, 9}), {1, 1, 1.7f}, {s("mode", mode)})), 1);
  }
}

TEST(ResizeTactics, HandleSizesAndAntialias) {
  for (int64_t h : {1, 3, 9, 20})
    EXPECT_GE(check({.op = "Resize",
                     .attrs = attrs({s("mode", "linear"), {"antialias", int64_t{1}}, last}),
                     .in = {random_f32({1, 9, 7, 5}), Tensor(), Tensor(), i64s({1, 5, h, 4})},
                     .constants = {3},
                     .absolute = 1e-5f}),
              1);
}

TEST(ResizeTactics, MoveNearestElementsOfAnyType) {
  for (DType d : {DType::u8, DType::u16, DType::i64})
    for (int64_t c : {1, 3})
      EXPECT_GE(check(resize(random_ints(d, {1, 4, 5, c}, 0, 200), {1, 1, 2, 1.5f}, {last})), 1);
}

TEST(ResizeTactics, HandleLargeMaps) {
  EXPECT_GE(check(resize(random_f32({1, 40, 40, 33}), {1, 1, 2, 2}, {s("mode", "linear"), last})), 1);
  EXPECT_GE(check(resize(random_f32({1, 40, 40, 33}), {1, 1, 2, 2}, {last})), 1);
  for (const char* mode : {"linear", "cubic"}) {
    EXPECT_GE(check(resize(random_f32({2, 5, 21, 20}), {1, 1, 15.3f, 11.9f}, {s("mode", mode)})), 1);
    EXPECT_GE(check(resize(random_f32({3, 21, 20, 5}), {1, 1, 7.7f, 1.1f}, {s("mode", mode), last})), 1);
  }
}

TEST(ResizeTactics, RefuseWhatTheyCannotDo) {
  Case c = resize(random_f32({1, 4, 5, 3}), {1, 1, 2, 2}, {last});
  EXPECT_EQ(refusal(c, "resize_pixels"), "");
  c.constants.clear();
  EXPECT_NE(refusal(c, "resize_pixels"), "");
  EXPECT_NE(refusal(resize(random_f32({1, 4, 5, 3}), {1, 2, 2, 1}, {last}), "resize_pixels"), "");
}

}  // namespace
}  // namespace hone::test
