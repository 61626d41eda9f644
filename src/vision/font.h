// Hone's own typeface: letters as strokes (centre lines), to be drawn with a round pen. Printable ASCII, the
// letters of Latin-1, and a few signs.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace hone::vision {

struct Point {
  double x = 0, y = 0;
};
using Polyline = std::vector<Point>;

// In units of the typeface: x to the right from the glyph's left edge, y up from the baseline.
struct Glyph {
  double width = 0;  // of the strokes; space between letters is the typeface's
  std::vector<Polyline> strokes;
};

// Of a line of text of size 1: multiply by the size in pixels.
namespace font {
inline constexpr double units = 23;           // to a line's height
inline constexpr double ascent = 18.3;        // from the line's top to the baseline
inline constexpr double capital_height = 14;  // of capitals and digits
inline constexpr double pen = 1.95;           // width of strokes
inline constexpr double space_between = 3.7;  // between the centre lines of neighbouring letters
}  // namespace font

// A box for what has no glyph.
const Glyph& glyph(uint32_t character);

}  // namespace hone::vision
