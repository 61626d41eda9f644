// Antialiased shapes on pictures of any format, each pixel covered as far as its middle is from the shape's
// edge. Coordinates in pixels, (0, 0) the top left corner of the picture. Whatever they are, nothing outside
// the picture is touched; shapes with a coordinate that is not finite are not drawn.
#pragma once
#include <span>

#include "vision/font.h"
#include "vision/image.h"

namespace hone::vision {

struct Area {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

struct Paint {
  Rgb colour = {};
  double opacity = 1;
};

// Rounded at the corners: filled, or as a frame of that thickness, half of it on either side of the edge.
void fill_area(Image&, const Area&, double radius, const Paint&);
void frame_area(Image&, const Area&, double radius, double thickness, const Paint&);
// Lines with a round pen. They are one shape: where they cross, nothing is painted twice.
void stroke(Image&, std::span<const Polyline>, double pen, const Paint&);
void blend(Image&, int x, int y, const Paint&);

// Relative luminance and contrast as the Web Content Accessibility Guidelines (2.1) define them.
double luminance(Rgb);
double contrast(Rgb, Rgb);
// Black or white, whichever is read better on the colour: the contrast is at least sqrt(21) = 4.58.
Rgb ink_on(Rgb);

}  // namespace hone::vision
