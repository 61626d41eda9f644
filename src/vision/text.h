// Text within draw.h's functions: widths, shortening, labels on coloured ground.
#pragma once
#include <string>
#include <string_view>

#include "vision/canvas.h"

namespace hone::vision {

// The text, or as much of it as is `width` wide with "..." after it.
std::string shortened(std::string_view, double size, double width);
// Without a rim. Left end and top of the line.
void draw_plain_text(Image&, double x, double y, std::string_view, double size, Rgb);

}  // namespace hone::vision
