#include "vision/draw.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/utf8.h"
#include "vision/canvas.h"
#include "vision/text.h"

namespace hone::vision {
namespace {

constexpr Rgb ground = {90, 120, 60}, red = {255, 0, 0}, white = {255, 255, 255}, black = {0, 0, 0};

Image plain(int width, int height, Rgb colour = ground) {
  Image image = *Image::allocate(width, height, PixelFormat::rgb8);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) std::copy(colour.begin(), colour.end(), image.row(y) + x * 3);
  return image;
}
Rgb at(const Image& image, int x, int y) {
  const uint8_t* p = image.row(y) + x * 3;
  return {p[0], p[1], p[2]};
}

struct Touched {
  int x0 = std::numeric_limits<int>::max(), y0 = x0, x1 = -1, y1 = -1, count = 0;
};
Touched touched(const Image& image, Rgb before = ground) {
  Touched t;
  for (int y = 0; y < image.height(); y++)
    for (int x = 0; x < image.width(); x++) {
      if (at(image, x, y) == before) continue;
      t = {std::min(t.x0, x), std::min(t.y0, y), std::max(t.x1, x), std::max(t.y1, y), t.count + 1};
    }
  return t;
}
Task task_with(std::vector<std::string> labels) {
  Task task;
  task.labels = std::move(labels);
  return task;
}

TEST(Canvas, fills_by_how_much_of_a_pixel_is_covered) {
  Image image = plain(10, 10, black);
  fill_area(image, {2, 3, 6, 5}, 0, {white});
  for (int y = 0; y < 10; y++)
    for (int x = 0; x < 10; x++)
      EXPECT_EQ(at(image, x, y), x >= 2 && x < 6 && y >= 3 && y < 5 ? white : black) << x << ", " << y;
  image = plain(10, 10, black);
  fill_area(image, {2.25, 2, 8, 8}, 0, {white});
  EXPECT_NEAR(at(image, 2, 4)[0], 0.75 * 255, 2);
  EXPECT_EQ(at(image, 3, 4), white);
  // The area of a disc.
  image = plain(100, 100, black);
  draw_disc(image, 50.3, 49.8, 30, white);
  double sum = 0;
  for (int y = 0; y < 100; y++)
    for (int x = 0; x < 100; x++) sum += at(image, x, y)[0] / 255.0;
  EXPECT_NEAR(sum, std::acos(-1) * 900, 5);
}

TEST(Canvas, paints_nothing_twice_where_lines_cross) {
  Image image = plain(20, 20, black);
  const Polyline cross[] = {{{2, 10}, {18, 10}}, {{10, 2}, {10, 18}, {2, 10}}};
  stroke(image, cross, 4, {white, 0.5});
  EXPECT_EQ(at(image, 10, 10), at(image, 16, 10));
  EXPECT_NEAR(at(image, 10, 10)[0], 128, 1);
}

TEST(Canvas, colours_go_where_the_format_has_them) {
  const Rgb colour = {200, 100, 50};
  const std::pair<PixelFormat, std::vector<uint8_t>> expected[] = {{PixelFormat::rgb8, {200, 100, 50}},
                                                                   {PixelFormat::bgr8, {50, 100, 200}},
                                                                   {PixelFormat::rgba8, {200, 100, 50, 0}},
                                                                   {PixelFormat::bgra8, {50, 100, 200, 0}},
                                                                   {PixelFormat::gray8, {124}}};
  for (const auto& [format, bytes] : expected) {
    Image image = *Image::allocate(5, 5, format);
    draw_disc(image, 2.5, 2.5, 2, colour);
    const uint8_t* p = image.row(2) + 2 * channels_of(format);
    EXPECT_EQ(std::vector<uint8_t>(p, p + channels_of(format)), bytes) << pixel_format_name(format);
  }
}

TEST(Draw, a_picture_that_ends_shows_the_same_as_a_larger_one) {
  const auto paint = [](Image& image, float dx, float dy) {
    draw_box(image, {-20 + dx, 10 + dy, 50 + dx, 90 + dy}, red, 5);
    draw_box(image, {30 + dx, -9 + dy, 75 + dx, 30 + dy}, {0, 0, 255}, 2);
    draw_line(image, -30 + dx, -10 + dy, 90 + dx, 70 + dy, {0, 255, 0}, 7);
    draw_disc(image, 62 + dx, 41 + dy, 9, {255, 0, 255});
    draw_text(image, -8 + dx, 30 + dy, "Wagons 0.87", 19, white, black);
    draw_text(image, 40 + dx, -6 + dy, "above", 14, black, white);
  };
  Image small = plain(64, 48), large = plain(264, 248);
  paint(small, 0, 0);
  paint(large, 100, 100);
  for (int y = 0; y < 48; y++)
    for (int x = 0; x < 64; x++) ASSERT_EQ(at(small, x, y), at(large, x + 100, y + 100)) << x << ", " << y;
}

TEST(Draw, a_box_touches_its_frame_only) {
  Image image = plain(100, 80);
  draw_box(image, {20, 15, 70, 60}, red, 4);
  const Touched t = touched(image);
  EXPECT_GE(t.x0, 20 - 4);
  EXPECT_GE(t.y0, 15 - 4);
  EXPECT_LE(t.x1, 70 + 4);
  EXPECT_LE(t.y1, 60 + 4);
  for (int y = 20; y < 55; y++)
    for (int x = 25; x < 65; x++) ASSERT_EQ(at(image, x, y), ground);
  for (int x = 26; x < 64; x++) ASSERT_EQ(at(image, x, 15), red);
}

// Every character that has a glyph of its own.
std::vector<std::string> characters() {
  std::vector<std::string> all;
  for (uint32_t c = 33; c < 0x180; c++) {
    if (&glyph(c) == &glyph(0) || glyph(c).strokes.empty()) continue;
    all.emplace_back();
    append_utf8(all.back(), c);
  }
  return all;
}

TEST(Text, has_all_of_ASCII_and_the_letters_of_Latin_1) {
  for (uint32_t c = 32; c < 127; c++) EXPECT_NE(&glyph(c), &glyph(0)) << static_cast<char>(c);
  for (uint32_t c = 0xc0; c < 0x100; c++) EXPECT_NE(&glyph(c), &glyph(0)) << c;
  EXPECT_EQ(&glyph(0x65e5), &glyph(0));
  EXPECT_EQ(&glyph('\n'), &glyph(0));
}

TEST(Text, no_two_characters_look_the_same) {
  std::set<std::vector<uint8_t>> seen;
  for (const std::string& c : characters()) {
    Image image = plain(60, 50);
    draw_plain_text(image, 5, 5, c, 36, black);
    EXPECT_GT(touched(image).count, 4) << c;
    EXPECT_TRUE(seen.insert({image.row(0), image.row(0) + 60 * 50 * 3}).second) << c;
  }
  EXPECT_GE(seen.size(), 94u + 64u);
}

TEST(Text, stays_within_its_line_and_its_width) {
  std::vector<std::string> texts = characters();
  texts.insert(texts.end(), {"person 0.87", "Straße", "jÅgÇ|{}", "\xff\xff", "日本"});
  for (const std::string& text : texts)
    for (const double size : {9.0, 14.0, 33.5}) {
      SCOPED_TRACE(text + strf(" at %g", size));
      const double x = 20.4, y = 12.7, rim = std::max(size / 16, 1.0);
      Image image = plain(400, 70);
      const double width = draw_text(image, x, y, text, size, white, black);
      EXPECT_DOUBLE_EQ(width, text_width(text, size));
      const Touched t = touched(image);
      EXPECT_GE(t.x0, std::floor(x - rim - 1));
      EXPECT_LE(t.x1, std::ceil(x + width + rim + 1));
      EXPECT_GE(t.y0, std::floor(y - rim - 1));
      EXPECT_LE(t.y1, std::ceil(y + size + rim + 1));
      // The letters themselves, without rims.
      image = plain(400, 70);
      draw_plain_text(image, x, y, text, size, white);
      EXPECT_GE(touched(image).x0, std::floor(x));
      EXPECT_LE(touched(image).x1, std::ceil(x + width));
    }
}

TEST(Text, width_adds_up_and_grows_with_size) {
  EXPECT_EQ(text_width("", 20), 0);
  EXPECT_NEAR(text_width("ab", 20), text_width("a", 20) + text_width("b", 20), 1e-9);
  EXPECT_NEAR(text_width("person", 40), 2 * text_width("person", 20), 1e-9);
  EXPECT_EQ(text_width("0.87", 20), text_width("1.23", 20)) << "digits are of one width";
}

TEST(Text, is_shortened_to_a_width) {
  EXPECT_EQ(shortened("person", 20, 1000), "person");
  const std::string cut = shortened("a rather long name", 20, 120);
  EXPECT_TRUE(cut.starts_with("a rath") && cut.ends_with("\u2026")) << cut;
  EXPECT_LE(text_width(cut, 20), 120);
  EXPECT_EQ(shortened("person", 20, -5), "\u2026");
  // Characters are not cut in half.
  EXPECT_EQ(shortened("ÄÖÜÄÖÜÄÖÜ", 20, 60).size() % 2, 1u);
}

TEST(Draw, any_coordinates_are_safe) {
  constexpr double inf = std::numeric_limits<double>::infinity(),
                   nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double values[] = {0,     -3,     7.5,     1e5,      1e9,    -1e9, 1e30, -1e30,
                               1e300, -1e300, 1.7e308, -1.7e308, 1e-300, inf,  -inf, nan};
  Image image = plain(31, 17);
  for (const double a : values)
    for (const double b : values) {
      const auto f = static_cast<float>(std::clamp(a, -1e38, 1e38)),
                 g = static_cast<float>(std::clamp(b, -1e38, 1e38));
      for (const double size : {2.0, b}) {
        draw_line(image, a, b, 5, 5, red, size);
        draw_line(image, a, a, b, b, red, size);
        draw_line(image, -a, a, a, b, red, size);
        draw_disc(image, a, b, size, red);
        draw_box(image, {f, g, 10, 10}, red, size);
        draw_box(image, {0, 0, f, g}, red, size);
        draw_box(image, {g, g, f, f}, red, size);
        draw_text(image, a, b, "Text", size, red, black);
      }
      fill_area(image, {a, b, b, a}, b, {red});
      fill_area(image, {-3, -3, a, b}, a, {red});
      frame_area(image, {-3, -3, a, b}, a, b, {red});
    }
  image = plain(31, 17);
  draw_line(image, nan, 3, 9, 9, red, 3);
  draw_disc(image, 5, inf, 3, red);
  draw_text(image, nan, 3, "Text", 12, red, black);
  draw_text(image, 3, 3, "Text", nan, red, black);
  EXPECT_EQ(touched(image).count, 0);
  EXPECT_EQ(text_width("Text", nan), 0);
  // A line from one end of the world to the other runs through the picture.
  draw_line(image, -1e30, 8.5, 1e30, 8.5, red, 2);
  EXPECT_EQ(at(image, 15, 8), red);
}

TEST(Colour, labels_are_read_on_every_class) {
  EXPECT_NEAR(luminance(white), 1, 1e-9);
  EXPECT_NEAR(contrast(black, white), 21, 1e-9);
  EXPECT_NEAR(contrast({119, 119, 119}, white), 4.48, 0.01);  // the WCAG's own border case: #777
  const Task task;
  for (int label = 0; label < 300; label++) {
    const Rgb c = class_colour(task, label);
    EXPECT_GE(contrast(c, ink_on(c)), 4.5) << label;
  }
  for (int v = 0; v < 256; v++) {
    const Rgb grey = {static_cast<uint8_t>(v), static_cast<uint8_t>(v), static_cast<uint8_t>(v)};
    EXPECT_GE(contrast(grey, ink_on(grey)), 4.5);
  }
}

TEST(Colour, classes_are_told_apart) {
  const Task task;
  for (int a = 0; a < 80; a++)
    for (int b = 0; b < a; b++) {
      const Rgb p = class_colour(task, a), q = class_colour(task, b);
      const double distance = std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
      EXPECT_GT(distance, a < 20 ? 60 : 0) << a << " and " << b;
    }
  Task own;
  own.colours = {{1, 2, 3}};
  EXPECT_EQ(class_colour(own, 0), (Rgb{1, 2, 3}));
  EXPECT_EQ(class_colour(own, 1), class_colour(task, 1));
  for (const int label : {-1, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()})
    class_colour(own, label);
}

TEST(Draw, a_detection_gets_a_tab_above_its_box_or_inside) {
  const Task task = task_with({"person"});
  const Rgb colour = class_colour(task, 0);
  for (const bool room : {true, false}) {
    Image image = plain(320, 240);
    const float top = room ? 80 : 2;
    Results r;
    r.detections = {{{100, top, 200, 200}, 0, 0.87f}};
    ASSERT_TRUE(draw(image, task, r));
    const int inside_tab = room ? 72 : 8;
    int coloured = 0, ink = 0;
    for (int x = 101; x < 180; x++) {
      coloured += at(image, x, inside_tab) == colour;
      ink += contrast(at(image, x, inside_tab), colour) > 4.4;
    }
    EXPECT_GT(coloured, 20);
    EXPECT_GT(ink, 5) << "the label is written";
    const Touched t = touched(image);
    EXPECT_GE(t.y0, room ? 60 : 0);
    EXPECT_LE(t.y1, 205);
    EXPECT_LE(t.x1, 205);
    EXPECT_EQ(at(image, 150, 120), ground);
  }
}

TEST(Draw, a_label_does_not_hide_a_small_box_at_the_top) {
  const Task task = task_with({"person"});
  Image image = plain(320, 240);
  Results r;
  r.detections = {{{100, 4, 140, 18}, 0, 0.87f}};
  ASSERT_TRUE(draw(image, task, r));
  EXPECT_EQ(at(image, 120, 11), ground);
  EXPECT_GT(touched(image).y1, 30) << "it is below";
}

TEST(Draw, labels_avoid_each_other) {
  const Task task = task_with({"a", "b"});
  Image image = plain(640, 480);
  Results r;
  r.detections = {{{100, 100, 300, 300}, 0, 0.9f}, {{102, 101, 300, 302}, 1, 0.8f}};
  ASSERT_TRUE(draw(image, task, r));
  const auto pixels_of = [&](Rgb c) {
    int n = 0;
    for (int y = 0; y < 480; y++)
      for (int x = 101; x < 140; x++) n += at(image, x, y) == c;
    return n;
  };
  EXPECT_GT(pixels_of(class_colour(task, 0)), 250);
  EXPECT_GT(pixels_of(class_colour(task, 1)), 250);
}

TEST(Draw, regions_are_tinted_and_bordered_and_the_background_is_left) {
  Task task = task_with({"background", "road", "sky"});
  task.head.background = 0;
  Results r;
  r.segmentation = {4, 4, {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 2, 2, 0, 0, 2, 2}};
  Image image = plain(400, 400);
  ASSERT_TRUE(draw(image, task, r));
  const auto tinted = [](Rgb c) {
    for (size_t i = 0; i < 3; i++) c[i] = static_cast<uint8_t>(std::lround(ground[i] * 0.55 + c[i] * 0.45));
    return c;
  };
  const auto expect_near = [&](int x, int y, Rgb c) {
    for (size_t i = 0; i < 3; i++) EXPECT_NEAR(at(image, x, y)[i], c[i], 2) << x << ", " << y;
  };
  EXPECT_EQ(at(image, 100, 100), ground);
  expect_near(300, 100, tinted(class_colour(task, 1)));
  expect_near(300, 300, tinted(class_colour(task, 2)));
  EXPECT_LT(luminance(at(image, 300, 199)), luminance(at(image, 300, 190))) << "the border is darker";
  // The legend at the bottom left is dark and has a patch of each class.
  std::set<Rgb> colours;
  for (int y = 300; y < 400; y++)
    for (int x = 0; x < 150; x++) colours.insert(at(image, x, y));
  EXPECT_TRUE(colours.contains(class_colour(task, 1)));
  EXPECT_TRUE(colours.contains(class_colour(task, 2)));
  EXPECT_FALSE(colours.contains(class_colour(task, 0)));
}

TEST(Draw, classes_get_bars_as_long_as_their_scores) {
  const Task task = task_with({"cat", "dog"});
  Results r;
  r.classes = {{1, 0.75f}, {0, 0.25f}};
  Image image = plain(640, 480);
  ASSERT_TRUE(draw(image, task, r));
  const auto length = [&](Rgb c) {
    int most = 0;
    for (int y = 0; y < 240; y++) {
      int n = 0;
      for (int x = 0; x < 640; x++) n += at(image, x, y) == c;
      most = std::max(most, n);
    }
    return most;
  };
  // Colours go by rank.
  EXPECT_NEAR(length(class_colour(task, 0)), 3.0 * length(class_colour(task, 1)), 6);
}

TEST(Draw, skeletons_join_points_that_were_seen) {
  Task task = task_with({"person"});
  task.head.skeleton = {0, 1, 1, 2, 7, 0};
  Results r;
  Detection d;
  d.keypoints = {{50, 50, 0.9f}, {150, 50, 0.9f}, {150, 150, 0.1f}};
  r.detections = {d};
  Image image = plain(200, 200);
  ASSERT_TRUE(draw(image, task, r));
  EXPECT_EQ(at(image, 100, 50), class_colour(task, 0));
  EXPECT_EQ(at(image, 50, 50), white);
  EXPECT_EQ(at(image, 150, 100), ground);
  EXPECT_EQ(at(image, 150, 150), ground);
}

TEST(Draw, any_results_are_safe_on_any_size) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), far = 1e30f;
  Task task = task_with({"person", std::string(5000, 'W'), "\xff\xfe"});
  task.head.skeleton = {0, 1, -5, 1, 1, 1000, 2};
  Results r;
  for (const Box& b : {Box{nan, 0, 5, 5}, Box{-far, -far, far, far}, Box{9, 9, 1, 1}, Box{far, far, far, far},
                       Box{-50, -50, -20, -20}, Box{0, 0, 3, 2}})
    for (const int label : {-7, 0, 1, 2, 70000}) {
      Detection d{b, label, label == 0 ? nan : 0.5f, {}};
      d.keypoints = {{nan, 1, 1}, {far, -far, 1}, {3, 3, 1}, {1, 1, nan}};
      r.detections.push_back(d);
    }
  r.classes = {{-1, nan}, {1, far}, {2, -far}, {0, 0.5f}};
  r.segmentation = {3, 2, {0, 1, 65535, 2, 2, 2}};
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 2}, {1, 300}, {300, 1}, {57, 33}, {640, 480}}) {
    Image image = plain(width, height);
    const Status s = draw(image, task, r);
    EXPECT_TRUE(s) << s.error().message;
  }
}

TEST(Draw, refuses_what_does_not_fit) {
  const Task task;
  Image grey = *Image::allocate(4, 4, PixelFormat::gray8), image = plain(4, 4), none;
  EXPECT_EQ(draw(grey, task, {}).error().message, "the picture to draw on is gray8: convert it to rgb8");
  EXPECT_FALSE(draw(none, task, {}));
  Results r;
  r.picture_width = r.picture_height = 5;
  EXPECT_EQ(draw(image, task, r).error().message,
            "the results are of a picture of 5 x 5 pixels, to be drawn on one of 4 x 4");
  r = {};
  r.segmentation = {3, 3, {1}};
  EXPECT_EQ(draw(image, task, r).error().message, "a segmentation of 3 x 3 has 1 labels");
  EXPECT_TRUE(draw(image, task, {}));
  EXPECT_EQ(touched(image).count, 0);
}

}  // namespace
}  // namespace hone::vision
