#include "vision/canvas.h"

#include <algorithm>
#include <cmath>

namespace hone::vision {
namespace {

// A range of whole pixels; empty where last < first.
struct Range {
  int first, last;
};
// Those whose middles are within [from, to], and a pixel more for the soft edge.
Range pixels(double from, double to, int size) {
  const double most = size;
  return {static_cast<int>(std::clamp(std::floor(from - 1), 0.0, most)),
          static_cast<int>(std::clamp(std::ceil(to + 1), -1.0, most - 1))};
}

// Several times faster than std::hypot; what overflows is far away, and that is all that matters.
double length(double x, double y) { return std::sqrt(x * x + y * y); }
double coverage(double distance) { return std::clamp(0.5 - distance, 0.0, 1.0); }

bool finite(const Area& a) {
  return std::isfinite(a.x0) && std::isfinite(a.y0) && std::isfinite(a.x1) && std::isfinite(a.y1);
}

// Signed distance of a point from the edge of a rounded rectangle; negative inside.
class RoundedArea {
 public:
  RoundedArea(const Area& a, double radius)
      : x_(a.x0 / 2 + a.x1 / 2),
        y_(a.y0 / 2 + a.y1 / 2),
        half_w_(a.x1 / 2 - a.x0 / 2),
        half_h_(a.y1 / 2 - a.y0 / 2) {
    radius_ = std::clamp(radius, 0.0, std::max(0.0, std::min(half_w_, half_h_)));
  }
  double distance(double x, double y) const {
    const double dx = std::abs(x - x_) - half_w_ + radius_, dy = std::abs(y - y_) - half_h_ + radius_;
    const double outside = length(std::max(dx, 0.0), std::max(dy, 0.0));
    return outside + std::min(std::max(dx, dy), 0.0) - radius_;
  }

 private:
  double x_, y_, half_w_, half_h_, radius_;
};

// Cuts the line to a rectangle (Liang and Barsky). False: nothing is left.
bool cut(Point& a, Point& b, const Area& to) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  double first = 0, last = 1;
  int first_side = -1, last_side = -1;  // left, right, top, bottom
  const double step[] = {-dx, dx, -dy, dy};
  const double room[] = {a.x - to.x0, to.x1 - a.x, a.y - to.y0, to.y1 - a.y};
  for (int i = 0; i < 4; i++) {
    if (step[i] == 0) {
      if (room[i] < 0) return false;
      continue;
    }
    const double t = room[i] / step[i];
    if (step[i] < 0 && t > first) first = t, first_side = i;
    if (step[i] > 0 && t < last) last = t, last_side = i;
  }
  if (!(first <= last)) return false;
  // For a line from far away, t has too few digits: the end that is cut lies on its side exactly.
  const auto at = [&](double t, int side) {
    Point p{std::clamp(a.x + t * dx, to.x0, to.x1), std::clamp(a.y + t * dy, to.y0, to.y1)};
    if (side == 0 || side == 1) p.x = side == 0 ? to.x0 : to.x1;
    if (side == 2 || side == 3) p.y = side == 2 ? to.y0 : to.y1;
    return p;
  };
  const Point p = at(first, first_side), q = at(last, last_side);
  a = p, b = q;
  return true;
}

// How much of each pixel in a part of the picture is covered, in 255ths.
class Mask {
 public:
  Mask(const Image& image, const Area& a)
      : x_(pixels(a.x0, a.x1, image.width())), y_(pixels(a.y0, a.y1, image.height())) {
    if (!empty())
      covered_.resize(static_cast<size_t>(x_.last - x_.first + 1) *
                      static_cast<size_t>(y_.last - y_.first + 1));
  }
  bool empty() const { return x_.last < x_.first || y_.last < y_.first; }

  // A line from a to b with round ends.
  void add(Point a, Point b, double radius) {
    const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
    const double reach = radius + 1;
    const Range ys = rows(std::min(a.y, b.y) - reach, std::max(a.y, b.y) + reach);
    for (int y = ys.first; y <= ys.last; y++) {
      const double py = y + 0.5 - a.y;
      double x0 = std::min(a.x, b.x) - reach, x1 = std::max(a.x, b.x) + reach;
      if (dy != 0) {  // only what is near the line: |dx py - dy px| <= reach length
        const double middle = a.x + dx * py / dy, half = reach * std::sqrt(length2) / std::abs(dy);
        x0 = std::max(x0, middle - half), x1 = std::min(x1, middle + half);
      }
      const Range xs = columns(x0, x1);
      uint8_t* row =
          covered_.data() + static_cast<size_t>(y - y_.first) * static_cast<size_t>(x_.last - x_.first + 1);
      for (int x = xs.first; x <= xs.last; x++) {
        const double px = x + 0.5 - a.x;
        const double t = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0;
        const double c = coverage(length(px - t * dx, py - t * dy) - radius);
        uint8_t& v = row[x - x_.first];
        v = std::max(v, static_cast<uint8_t>(c * 255 + 0.5));
      }
    }
  }

  void paint(Image& image, const Paint& paint) const {
    const uint8_t* v = covered_.data();
    for (int y = y_.first; y <= y_.last; y++)
      for (int x = x_.first; x <= x_.last; x++, v++)
        if (*v) blend(image, x, y, {paint.colour, paint.opacity * *v / 255});
  }

 private:
  static Range within(double from, double to, const Range& r) {
    return {static_cast<int>(std::clamp<double>(std::floor(from), r.first, r.last + 1)),
            static_cast<int>(std::clamp<double>(std::ceil(to), r.first - 1, r.last))};
  }
  Range columns(double from, double to) const { return within(from, to, x_); }
  Range rows(double from, double to) const { return within(from, to, y_); }

  Range x_, y_;
  std::vector<uint8_t> covered_;
};

}  // namespace

void blend(Image& image, int x, int y, const Paint& paint) {
  uint8_t* p = image.row(y) + static_cast<int64_t>(x) * channels_of(image.format());
  const int weight = static_cast<int>(paint.opacity * 256 + 0.5);
  const auto mix = [&](uint8_t& to, int with) {
    to = static_cast<uint8_t>(to + (((with - to) * weight + 128) >> 8));
  };
  const Rgb& c = paint.colour;
  switch (image.format()) {
    case PixelFormat::gray8:
      mix(p[0], (19595 * c[0] + 38470 * c[1] + 7471 * c[2] + 32768) >> 16);
      break;
    case PixelFormat::rgb8:
    case PixelFormat::rgba8:
      for (size_t i = 0; i < 3; i++) mix(p[i], c[i]);
      break;
    case PixelFormat::bgr8:
    case PixelFormat::bgra8:
      for (size_t i = 0; i < 3; i++) mix(p[i], c[2 - i]);
      break;
  }
}

void fill_area(Image& image, const Area& a, double radius, const Paint& paint) {
  if (!finite(a) || a.x1 <= a.x0 || a.y1 <= a.y0) return;
  const RoundedArea shape(a, radius);
  const Range xs = pixels(a.x0, a.x1, image.width()), ys = pixels(a.y0, a.y1, image.height());
  for (int y = ys.first; y <= ys.last; y++)
    for (int x = xs.first; x <= xs.last; x++)
      if (const double c = coverage(shape.distance(x + 0.5, y + 0.5)); c > 0)
        blend(image, x, y, {paint.colour, paint.opacity * c});
}

void frame_area(Image& image, const Area& a, double radius, double thickness, const Paint& paint) {
  if (!finite(a) || !std::isfinite(thickness) || thickness <= 0 || a.x1 < a.x0 || a.y1 < a.y0) return;
  const RoundedArea shape(a, radius);
  const double half = thickness / 2, band = half + std::max(radius, 0.0) + 1;
  const Range xs = pixels(a.x0 - half, a.x1 + half, image.width());
  const Range ys = pixels(a.y0 - half, a.y1 + half, image.height());
  const Range left = pixels(a.x0 - half, a.x0 + band, image.width());
  const Range right = pixels(a.x1 - band, a.x1 + half, image.width());
  for (int y = ys.first; y <= ys.last; y++) {
    const auto part = [&](int from, int to) {
      for (int x = from; x <= to; x++)
        if (const double c = coverage(std::abs(shape.distance(x + 0.5, y + 0.5)) - half); c > 0)
          blend(image, x, y, {paint.colour, paint.opacity * c});
    };
    const bool between = y > a.y0 + band && y + 1 < a.y1 - band && left.last < right.first;
    if (between) {
      part(left.first, left.last);
      part(right.first, right.last);
    } else {
      part(xs.first, xs.last);
    }
  }
}

void stroke(Image& image, std::span<const Polyline> lines, double pen, const Paint& paint) {
  if (!std::isfinite(pen) || pen <= 0) return;
  // A pen of any size is as good as one that covers the picture from outside.
  const double radius = std::min(pen / 2, 4.0 * std::max(image.width(), image.height()));
  const double reach = radius + 2;
  const Area visible{-reach, -reach, image.width() + reach, image.height() + reach};
  std::vector<std::pair<Point, Point>> parts;
  Area bounds{visible.x1, visible.y1, visible.x0, visible.y0};
  for (const Polyline& line : lines)
    for (size_t i = 0; i < line.size(); i++) {
      if (i + 1 == line.size() && i > 0) break;
      Point a = line[i], b = line[std::min(i + 1, line.size() - 1)];
      if (!finite({a.x, a.y, b.x, b.y})) continue;
      // Where differences would be infinite, directions no longer matter.
      for (double* v : {&a.x, &a.y, &b.x, &b.y}) *v = std::clamp(*v, -1e100, 1e100);
      if (!cut(a, b, visible)) continue;
      parts.emplace_back(a, b);
      bounds = {std::min({bounds.x0, a.x, b.x}), std::min({bounds.y0, a.y, b.y}),
                std::max({bounds.x1, a.x, b.x}), std::max({bounds.y1, a.y, b.y})};
    }
  if (parts.empty()) return;
  Mask mask(image, {bounds.x0 - radius, bounds.y0 - radius, bounds.x1 + radius, bounds.y1 + radius});
  if (mask.empty()) return;
  for (const auto& [a, b] : parts) mask.add(a, b, radius);
  mask.paint(image, paint);
}

double luminance(Rgb c) {
  const auto linear = [](uint8_t v) {
    const double s = v / 255.0;
    return s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
}

double contrast(Rgb a, Rgb b) {
  const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
  return std::max(x, y) / std::min(x, y);
}

Rgb ink_on(Rgb c) {
  constexpr Rgb black = {0, 0, 0}, white = {255, 255, 255};
  return contrast(c, black) >= contrast(c, white) ? black : white;
}

}  // namespace hone::vision
