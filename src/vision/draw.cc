#include "vision/draw.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "vision/text.h"

namespace hone::vision {
namespace {

// Spread as far from each other as can be in the OKLab space, with lightness counted three quarters, for
// lightnesses of 0.5 to 0.9.
constexpr Rgb palette[] = {{255, 45, 45},   {75, 165, 255}, {0, 180, 0},     {255, 180, 120}, {240, 0, 255},
                           {210, 225, 45},  {135, 0, 255},  {75, 255, 210},  {165, 135, 0},   {255, 180, 255},
                           {0, 75, 255},    {60, 240, 60},  {255, 0, 150},   {0, 180, 165},   {165, 60, 45},
                           {180, 120, 255}, {0, 120, 60},   {210, 120, 150}, {90, 90, 165},   {165, 30, 165}};
constexpr int palette_size = static_cast<int>(std::size(palette));

Rgb mixed(Rgb a, Rgb b, int percent) {
  for (size_t i = 0; i < 3; i++) a[i] = static_cast<uint8_t>((a[i] * (100 - percent) + b[i] * percent) / 100);
  return a;
}

// Text larger than any picture has nothing to show.
bool drawable(double size) { return size > 0 && size <= 4 * max_image_side; }

// Moves the pen over the text: f(glyph, x of its left edge) in units of the typeface. Returns the width.
template <class F>
double walk(std::string_view text, F&& f) {
  double x = font::space_between / 2;
  for (size_t at = 0; at < text.size();) {
    const int32_t c = next_utf8(text, at);
    const Glyph& g = glyph(c < 0 ? 0 : static_cast<uint32_t>(c));
    f(g, x);
    x += g.width + font::space_between;
  }
  return text.empty() ? 0 : x - font::space_between / 2;
}

void draw_strokes(Image& image, double x, double y, std::string_view text, double size, double pen,
                  Rgb colour) {
  const double unit = size / font::units, margin = 2 * font::units * unit;
  const double baseline = y + font::ascent * unit;
  walk(text, [&](const Glyph& g, double at) {
    const double left = x + at * unit;
    if (!(left - margin < image.width() && left + g.width * unit + margin > 0)) return;
    std::vector<Polyline> strokes = g.strokes;
    for (Polyline& s : strokes)
      for (Point& p : s) p = {left + p.x * unit, baseline - p.y * unit};
    stroke(image, strokes, pen, {colour});
  });
}

// Thinner than a pixel, letters fade.
double pen_width(double size) { return std::max(size * font::pen / font::units, 1.1); }

}  // namespace

Rgb class_colour(const Task& task, int label) {
  if (label >= 0 && static_cast<size_t>(label) < task.colours.size())
    return task.colours[static_cast<size_t>(label)];
  const auto n = static_cast<uint32_t>(label);
  const Rgb c = palette[n % palette_size];
  switch (n / palette_size % 4) {
    case 1:
      return mixed(c, {255, 255, 255}, 45);
    case 2:
      return mixed(c, {0, 0, 0}, 40);
    case 3:
      return mixed(c, {128, 128, 128}, 50);
  }
  return c;
}

void draw_box(Image& image, const Box& box, Rgb colour, double thickness) {
  if (!std::isfinite(thickness) || thickness <= 0) return;
  // Edges on whole pixels are sharp.
  const double half = std::min(thickness, 1e6) / 2;
  const auto sharp = [&](float v) { return std::round(v - half) + half; };
  const Area a{sharp(box.x0), sharp(box.y0), sharp(box.x1), sharp(box.y1)};
  const double radius = thickness;
  // A dark rim parts it from ground of its own colour.
  const double rim = std::max(1.0, std::floor(thickness / 3));
  frame_area(image, a, radius, thickness + 2 * rim, {{0, 0, 0}, 0.35});
  frame_area(image, a, radius, thickness, {colour});
}

void draw_line(Image& image, double x0, double y0, double x1, double y1, Rgb colour, double thickness) {
  const Polyline line[] = {{{x0, y0}, {x1, y1}}};
  stroke(image, line, thickness, {colour});
}

void draw_disc(Image& image, double x, double y, double radius, Rgb colour) {
  const Polyline point[] = {{{x, y}}};
  stroke(image, point, 2 * radius, {colour});
}

double text_width(std::string_view text, double size) {
  return drawable(size) ? walk(text, [](const Glyph&, double) {}) * size / font::units : 0;
}

double draw_text(Image& image, double x, double y, std::string_view text, double size, Rgb colour, Rgb rim) {
  if (!drawable(size)) return 0;
  if (std::isfinite(x) && std::isfinite(y)) {
    const double pen = pen_width(size);
    // All rims first: a letter's must not cover the one before it.
    draw_strokes(image, x, y, text, size, pen + 2 * std::max(size / 16, 1.0), rim);
    draw_strokes(image, x, y, text, size, pen, colour);
  }
  return text_width(text, size);
}

void draw_plain_text(Image& image, double x, double y, std::string_view text, double size, Rgb colour) {
  if (drawable(size) && std::isfinite(x) && std::isfinite(y))
    draw_strokes(image, x, y, text, size, pen_width(size), colour);
}

std::string shortened(std::string_view text, double size, double width) {
  if (text_width(text, size) <= width) return std::string(text);
  constexpr std::string_view dots = "\u2026";
  const double room = width - text_width(dots, size);
  size_t end = 0;
  for (size_t at = 0; at < text.size(); end = at) {
    next_utf8(text, at);
    if (text_width(text.substr(0, at), size) > room) break;
  }
  return std::string(text.substr(0, end)) + std::string(dots);
}

}  // namespace hone::vision
