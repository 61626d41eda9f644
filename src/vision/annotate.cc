// draw(): masks below boxes, boxes below skeletons, labels on top of all.
#include <algorithm>
#include <cmath>
#include <map>

#include "vision/draw.h"
#include "vision/text.h"

namespace hone::vision {
namespace {

constexpr Rgb black = {0, 0, 0}, white = {255, 255, 255};

// Lengths that follow the picture's size.
struct Style {
  double line, text, pad;
  explicit Style(const Image& image) {
    const double side = std::min(image.width(), image.height());
    line = std::clamp(std::round(side / 280), side < 160 ? 1.0 : 2.0, 32.0);
    text = std::clamp(std::round(side / 36), side < 160 ? 10.0 : 14.0, 240.0);
    pad = std::round(text * 0.3);
  }
};

bool drawable(const Box& b) {
  return std::isfinite(b.x0) && std::isfinite(b.y0) && std::isfinite(b.x1) && std::isfinite(b.y1) &&
         b.x1 > b.x0 && b.y1 > b.y0;
}

std::string with_score(const std::string& name, float score) { return name + strf(" %.2f", score); }

// Regions of classes

class Regions {
 public:
  // At the picture's resolution: of the four nearest decisions, the class with the most weight, bilinearly,
  // so that edges run smoothly between the network's larger pixels.
  Regions(const Segmentation& s, int width, int height) : width_(width), height_(height) {
    labels_.resize(static_cast<size_t>(width) * static_cast<size_t>(height));
    struct Tap {
      int a, b;
      float weight;  // of b
    };
    const auto tap = [](int i, int from, int to) {
      const float c = std::clamp(
          (static_cast<float>(i) + 0.5f) * static_cast<float>(from) / static_cast<float>(to) - 0.5f, 0.0f,
          static_cast<float>(from - 1));
      const int a = static_cast<int>(c);
      return Tap{a, std::min(a + 1, from - 1), c - static_cast<float>(a)};
    };
    std::vector<Tap> columns;
    for (int x = 0; x < width; x++) columns.push_back(tap(x, s.width, width));
    uint16_t* out = labels_.data();
    for (int y = 0; y < height; y++) {
      const Tap row = tap(y, s.height, height);
      const uint16_t* top = s.labels.data() + static_cast<size_t>(row.a) * static_cast<size_t>(s.width);
      const uint16_t* bottom = s.labels.data() + static_cast<size_t>(row.b) * static_cast<size_t>(s.width);
      for (const Tap& t : columns) {
        const uint16_t near[4] = {top[t.a], top[t.b], bottom[t.a], bottom[t.b]};
        *out++ = heaviest(near, t.weight, row.weight);
      }
    }
  }

  const uint16_t* row(int y) const {
    return labels_.data() + static_cast<size_t>(y) * static_cast<size_t>(width_);
  }
  int width() const { return width_; }
  int height() const { return height_; }
  // Pixels of each class.
  std::map<int, int64_t> areas() const {
    std::vector<int64_t> count(65536);
    for (const uint16_t l : labels_) count[l]++;
    std::map<int, int64_t> areas;
    for (int l = 0; l < 65536; l++)
      if (count[static_cast<size_t>(l)]) areas[l] = count[static_cast<size_t>(l)];
    return areas;
  }

 private:
  static uint16_t heaviest(const uint16_t (&near)[4], float x, float y) {
    if (near[0] == near[1] && near[0] == near[2] && near[0] == near[3]) return near[0];
    const float weight[4] = {(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y};
    int best = 0;
    float most = -1;
    for (int i = 0; i < 4; i++) {
      float sum = 0;
      for (int k = 0; k < 4; k++) sum += near[k] == near[i] ? weight[k] : 0;
      if (sum > most) most = sum, best = i;
    }
    return near[best];
  }

  int width_, height_;
  std::vector<uint16_t> labels_;
};

struct Row {
  std::string name, value;
  Rgb colour = {};
  double share = -1;  // 0..1: with a bar
};

// A dark panel of rows: a patch of colour, a name, a value, perhaps a bar below.
void draw_panel(Image& image, std::vector<Row> rows, const Style& s, bool at_bottom) {
  const bool bars = !rows.empty() && rows[0].share >= 0;
  const double margin = s.pad * 2, patch = bars ? 0 : s.text * 0.7, gap = bars ? 0 : s.pad;
  const double pitch = std::round(bars ? s.text * 1.55 : s.text * 1.2);
  const double room = image.height() - 2 * margin - 2 * s.pad;
  rows.resize(std::min(rows.size(), static_cast<size_t>(std::max(1.0, std::floor(room / pitch)))));
  double names = 0, values = 0;
  for (const Row& r : rows) {
    names = std::max(names, text_width(r.name, s.text));
    values = std::max(values, text_width(r.value, s.text));
  }
  const double most =
      std::max(image.width() - 2 * margin, 4 * s.text) - 2 * margin - patch - gap - values - s.text;
  names = std::min(names, std::max(most, 2 * s.text));
  if (bars) names = std::min(std::clamp(names, 9 * s.text, 22 * s.text), std::max(most, 2 * s.text));
  const double width = std::ceil(patch + gap + names + (values > 0 ? values + s.text : 0));
  const double height = pitch * static_cast<double>(rows.size());
  const double x = 2 * margin;
  double y = (at_bottom ? std::max(margin, image.height() - margin - height - 2 * s.pad) : margin) + s.pad;
  fill_area(image, {margin, y - s.pad, x + width + margin, y + height + s.pad}, s.text * 0.4, {black, 0.66});
  for (const Row& r : rows) {
    if (!bars)
      fill_area(image, {x, y + (pitch - patch) / 2, x + patch, y + (pitch + patch) / 2}, patch / 4,
                {r.colour});
    const double top = bars ? y : y + (pitch - s.text) / 2;
    draw_plain_text(image, x + patch + gap, top, shortened(r.name, s.text, names), s.text, white);
    draw_plain_text(image, x + width - text_width(r.value, s.text), top, r.value, s.text, white);
    if (bars) {
      const double thick = std::max(2.0, std::round(s.text * 0.2)), bar = y + s.text * 1.08;
      fill_area(image, {x, bar, x + width, bar + thick}, thick / 2, {white, 0.22});
      fill_area(image, {x, bar, x + std::max(thick, width * std::clamp(r.share, 0.0, 1.0)), bar + thick},
                thick / 2, {r.colour});
    }
    y += pitch;
  }
}

// 45 % of the class's colour; of a darker one at edges, 80 %. The picture is rgb8.
void tint(Image& image, const Regions& regions, const std::map<int, Rgb>& colours, int background,
          int reach) {
  constexpr int inner = 115, edge = 205;  // of 256
  for (int y = 0; y < image.height(); y++) {
    const uint16_t* row = regions.row(y);
    const uint16_t* above = regions.row(std::max(y - reach, 0));
    const uint16_t* below = regions.row(std::min(y + reach, regions.height() - 1));
    uint8_t* p = image.row(y);
    int last = -1;
    Rgb colour = {};
    for (int x = 0; x < image.width(); x++, p += 3) {
      const int l = row[x];
      if (l == background) continue;
      if (l != last) colour = colours.at(last = l);
      const bool at_edge = row[std::max(x - reach, 0)] != l ||
                           row[std::min(x + reach, regions.width() - 1)] != l || above[x] != l ||
                           below[x] != l;
      const int weight = at_edge ? edge : inner, darker = at_edge ? 1 : 0;
      for (int c = 0; c < 3; c++) {
        const int to = colour[static_cast<size_t>(c)] >> darker;
        p[c] = static_cast<uint8_t>(p[c] + (((to - p[c]) * weight + 128) >> 8));
      }
    }
  }
}

void draw_regions(Image& image, const Task& task, const Segmentation& segmentation, const Style& s) {
  const Regions regions(segmentation, image.width(), image.height());
  std::map<int, Rgb> colours;
  const std::map<int, int64_t> areas = regions.areas();
  for (const auto& [label, area] : areas) colours[label] = class_colour(task, label);
  tint(image, regions, colours, task.head.background, std::max(1, static_cast<int>(s.line / 2)));
  std::vector<std::pair<int64_t, int>> by_area;
  const double all = static_cast<double>(image.width()) * image.height();
  for (const auto& [label, area] : areas)
    if (label != task.head.background && static_cast<double>(area) >= 0.001 * all)
      by_area.emplace_back(-area, label);
  std::sort(by_area.begin(), by_area.end());
  std::vector<Row> rows;
  for (const auto& [area, label] : by_area)
    rows.push_back({label_name(task, label),
                    strf("%.0f%%", std::max(1.0, 100 * static_cast<double>(-area) / all)), colours[label]});
  if (!rows.empty()) draw_panel(image, std::move(rows), s, true);
}

// Points and the lines between them

void draw_skeleton(Image& image, const Task& task, const Detection& d, Rgb colour, const Style& s) {
  constexpr float seen = 0.2f;
  const auto& points = d.keypoints;
  const auto shows = [&](int i) {
    return i >= 0 && static_cast<size_t>(i) < points.size() && points[static_cast<size_t>(i)].score >= seen;
  };
  const auto& pairs = task.head.skeleton;
  for (const double rim : {s.line * 0.8, 0.0})
    for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
      if (!shows(pairs[i]) || !shows(pairs[i + 1])) continue;
      const Keypoint &a = points[static_cast<size_t>(pairs[i])],
                     &b = points[static_cast<size_t>(pairs[i + 1])];
      draw_line(image, a.x, a.y, b.x, b.y, rim > 0 ? black : colour, s.line * 1.3 + rim);
    }
  for (size_t i = 0; i < points.size(); i++) {
    if (!shows(static_cast<int>(i))) continue;
    const double radius = s.line + 0.6;
    draw_disc(image, points[i].x, points[i].y, radius + std::max(1.0, s.line * 0.4), black);
    draw_disc(image, points[i].x, points[i].y, radius, pairs.empty() ? colour : white);
  }
}

// Labels

struct Tab {
  Area area;
  std::string text;
  Rgb colour;
};

bool overlap(const Area& a, const Area& b) {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

// Above the box; where there is no room, or another label, inside it (unless that would hide what is in it)
// or below.
Tab place_tab(const Image& image, const Detection& d, std::string text, Rgb colour, const Style& s,
              const std::vector<Tab>& others) {
  text = shortened(text, s.text, image.width() - 2 * s.pad);
  const double width = std::ceil(text_width(text, s.text) + 2 * s.pad), height = std::ceil(s.text * 1.12);
  const double half = s.line / 2;
  const double x = std::clamp(std::round(d.box.x0 - half), 0.0, std::max(0.0, image.width() - width));
  const double lowest = std::max(0.0, image.height() - height);
  const double inside = std::clamp(std::round(d.box.y0 - half), 0.0, lowest);
  const double above = std::round(d.box.y0 - half) - height + 1;
  const double below = std::clamp(std::round(d.box.y1 + half), 0.0, lowest);
  const auto at = [&](double y) { return Area{x, y, x + width, y + height}; };
  const auto is_free = [&](double y) {
    return std::none_of(others.begin(), others.end(), [&](const Tab& o) { return overlap(at(y), o.area); });
  };
  std::vector<double> places;
  if (above >= 0) places.push_back(above);
  if (d.box.height() >= 2.5 * height) places.push_back(inside);
  places.insert(places.end(), {below, inside});
  const auto found = std::find_if(places.begin(), places.end(), is_free);
  const double y = found != places.end() ? *found : places[0];
  return {at(y), std::move(text), colour};
}

void draw_tab(Image& image, const Tab& tab, const Style& s) {
  const Area& a = tab.area;
  fill_area(image, {a.x0 - 1, a.y0 - 1, a.x1 + 1, a.y1 + 1}, s.text * 0.25 + 1, {black, 0.35});
  fill_area(image, a, s.text * 0.25, {tab.colour});
  draw_plain_text(image, a.x0 + s.pad, a.y0 + (a.y1 - a.y0 - s.text) / 2, tab.text, s.text,
                  ink_on(tab.colour));
}

void draw_detections(Image& image, const Task& task, const std::vector<Detection>& detections,
                     const Style& s) {
  // Where all are people, their class says nothing: each gets a colour of their own.
  const bool by_turn = !task.head.skeleton.empty();
  const auto colour_of = [&](size_t i) {
    return class_colour(task, by_turn ? static_cast<int>(i) : detections[i].label);
  };
  std::vector<Tab> tabs;
  for (size_t i = 0; i < detections.size(); i++) {
    const Detection& d = detections[i];
    if (!drawable(d.box)) continue;
    tabs.push_back(
        place_tab(image, d, with_score(label_name(task, d.label), d.score), colour_of(i), s, tabs));
  }
  // The best last, so that it is on top.
  for (size_t i = detections.size(); i-- > 0;)
    if (drawable(detections[i].box)) draw_box(image, detections[i].box, colour_of(i), s.line);
  for (size_t i = detections.size(); i-- > 0;) draw_skeleton(image, task, detections[i], colour_of(i), s);
  for (size_t i = tabs.size(); i-- > 0;) draw_tab(image, tabs[i], s);
}

void draw_classes(Image& image, const Task& task, const std::vector<Classification>& classes,
                  const Style& s) {
  std::vector<Row> rows;
  for (const Classification& c : classes) {
    if (rows.size() == 5) break;
    rows.push_back({label_name(task, c.label), strf("%.1f%%", 100 * c.score),
                    class_colour(task, static_cast<int>(rows.size())),
                    std::isfinite(c.score) ? std::max(0.0f, c.score) : 0});
  }
  if (!rows.empty()) draw_panel(image, std::move(rows), s, false);
}

Status check(const Image& image, const Results& r) {
  HONE_CHECK(check_image(image, "the picture to draw on"));
  if (image.format() != PixelFormat::rgb8)
    return error(Code::invalid_argument, "the picture to draw on is %s: convert it to rgb8",
                 pixel_format_name(image.format()));
  if (r.picture_width > 0 && (r.picture_width != image.width() || r.picture_height != image.height()))
    return error(Code::invalid_argument,
                 "the results are of a picture of %d x %d pixels, to be drawn on one of %d x %d",
                 r.picture_width, r.picture_height, image.width(), image.height());
  const Segmentation& s = r.segmentation;
  if (s.width < 0 || s.height < 0 ||
      s.labels.size() != static_cast<size_t>(s.width) * static_cast<size_t>(s.height))
    return error(Code::invalid_argument, "a segmentation of %d x %d has %zu labels", s.width, s.height,
                 s.labels.size());
  return {};
}

}  // namespace

Status draw(Image& image, const Task& task, const Results& results) {
  HONE_CHECK(check(image, results));
  const Style style(image);
  if (!results.segmentation.labels.empty()) draw_regions(image, task, results.segmentation, style);
  draw_detections(image, task, results.detections, style);
  if (!results.classes.empty()) draw_classes(image, task, results.classes, style);
  return {};
}

}  // namespace hone::vision
