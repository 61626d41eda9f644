#include "vision/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <random>

#include "vision/decoder.h"

namespace hone::vision {
namespace {

uint32_t seed() {
  const char* text = std::getenv("HONE_SEED");
  return text ? static_cast<uint32_t>(std::strtoul(text, nullptr, 10)) : std::random_device()();
}

struct Random {
  std::mt19937 engine;
  int upto(int n) { return std::uniform_int_distribution<int>(0, n)(engine); }
  bool coin() { return upto(1); }
  float number(float low, float high) {
    const float v = std::uniform_real_distribution<float>(low, high)(engine);
    return upto(3) ? v : std::clamp(std::round(v), low, high);
  }
  std::string text(int most) {
    static const std::vector<std::string> pieces = {
        "a",       "Z", " ",      "\"",          "\\",           "'",
        "#",       "[", "=",      "\xc3\xa9",    "\xe2\x82\xac", "\xf0\x9f\x94\xa9",
        "\\u0041", "0", "\"\"\"", "\xef\xbf\xbd"};
    std::string out;
    for (int n = upto(most); n > 0; n--) out += pieces[static_cast<size_t>(upto(15))];
    return out;
  }
  template <class T>
  std::vector<T> list(int most, float low, float high) {
    std::vector<T> out(static_cast<size_t>(upto(most)));
    for (T& v : out) v = static_cast<T>(number(low, high));
    return out;
  }
};

Task random_task(Random& r) {
  Task t;
  const Decoder& d = decoders()[static_cast<size_t>(r.upto(static_cast<int>(decoders().size()) - 1))];
  t.kind = d.kind;
  t.head.decoder = d.name;
  t.licence = r.text(20);
  t.note = r.text(40);
  for (int n = r.upto(60); n > 0; n--) t.labels.push_back(r.text(8));
  for (int n = r.upto(40); n > 0; n--)
    t.colours.push_back({static_cast<uint8_t>(r.upto(255)), static_cast<uint8_t>(r.upto(255)), 7});
  for (int n = r.upto(4); n > 0; n--) t.pictures.push_back(std::to_string(n) + r.text(3));
  Preprocess& p = t.input;
  if (r.coin()) p.width = 1 + r.upto(4095), p.height = 1 + r.upto(4095);
  p.fit = static_cast<Fit>(r.upto(2));
  p.interpolation = static_cast<Interpolation>(r.upto(3));
  p.channels = static_cast<Channels>(r.upto(2));
  for (size_t c = 0; c < 3; c++) {
    p.mean[c] = r.number(-1000, 1000);
    p.scale[c] = r.number(1, 2) * std::pow(10.0f, static_cast<float>(r.upto(8) - 4));
  }
  if (p.fit == Fit::letterbox) {
    p.anchor = static_cast<Anchor>(r.upto(1));
    p.pad.fill(r.number(0, 255));
  }
  if (p.fit == Fit::crop && r.coin()) p.short_side = r.number(1, 4096);
  t.layout_given = r.coin();
  if (t.layout_given) p.layout = static_cast<Layout>(r.upto(1));
  t.type_given = r.coin();
  if (t.type_given)
    p.type = std::array{DType::f32, DType::f16, DType::u8, DType::i8}[static_cast<size_t>(r.upto(3))];
  Head& h = t.head;
  for (int n = r.upto(3); n > 0; n--) h.outputs["r" + r.text(3)] = r.text(10);
  h.score_threshold = r.number(0, 1);
  h.iou_threshold = r.number(0, 1);
  h.class_agnostic = r.coin();
  h.max_detections = 1 + r.upto(99999);
  h.top_k = 1 + r.upto(65535);
  h.activation = std::array{"", "softmax", "sigmoid", "none"}[static_cast<size_t>(r.upto(3))];
  h.background = r.upto(10) - 1;
  h.one_class_per_box = r.coin();
  h.strides = r.list<int>(5, 1, 128);
  h.anchors = r.list<float>(24, 0, 600);
  h.variances = r.list<float>(4, 0.01f, 1);
  h.min_sizes = r.list<float>(6, 0, 300);
  h.max_sizes = r.list<float>(6, 0, 300);
  h.aspect_ratios = r.list<float>(6, 0.1f, 4);
  h.even_cells = r.coin();
  h.reg_max = r.upto(32);
  h.box_format = std::array{"", "xyxy", "cxcywh", "yxyx"}[static_cast<size_t>(r.upto(3))];
  h.normalised = r.coin();
  h.keypoints = r.upto(200);
  h.skeleton = r.list<int>(40, 0, 16);
  return t;
}

TEST(Task, of_any_values_reads_back_as_it_was_printed) {
  const uint32_t s = seed();
  SCOPED_TRACE("HONE_SEED=" + std::to_string(s));
  Random r{std::mt19937(s)};
  for (int i = 0; i < 500; i++) {
    const Task t = random_task(r);
    const std::string text = print_task(t);
    auto parsed = parse_task(text);
    ASSERT_TRUE(parsed) << parsed.error().message << "\n" << text;
    const Task& back = *parsed;
    ASSERT_EQ(print_task(back), text);
    ASSERT_EQ(back.labels, t.labels);
    ASSERT_EQ(back.colours, t.colours);
    ASSERT_EQ(back.pictures, t.pictures);
    ASSERT_EQ(back.licence, t.licence);
    ASSERT_EQ(back.head.outputs, t.head.outputs);
    ASSERT_EQ(back.input.mean, t.input.mean) << text;
    ASSERT_EQ(back.input.scale, t.input.scale) << text;
    ASSERT_EQ(back.input.pad, t.input.pad);
    ASSERT_EQ(back.input.short_side, t.input.short_side);
    ASSERT_EQ(back.head.score_threshold, t.head.score_threshold);
  }
}

}  // namespace
}  // namespace hone::vision
