// Annotates pictures: boxes, labels, masks, skeletons, in colours and type that can be read on any background
// (light type on a dark rim, or the other way round, by luminance). Sizes follow the picture's.
#pragma once
#include <string>
#include <string_view>

#include "vision/image.h"
#include "vision/results.h"
#include "vision/task.h"

namespace hone::vision {

// Colours of classes: well apart from each other for the first 20, then repeating with changed lightness.
Rgb class_colour(const Task&, int label);

// Everything that the results hold. The picture must be rgb8.
Status draw(Image&, const Task&, const Results&);

// The parts, for own overlays. Coordinates in pixels, anything outside the picture is clipped; thickness and
// type size in pixels. Text is UTF-8; characters without a glyph show as a box.
void draw_box(Image&, const Box&, Rgb, double thickness);
void draw_line(Image&, double x0, double y0, double x1, double y1, Rgb, double thickness);
void draw_disc(Image&, double x, double y, double radius, Rgb);
// Left end and top of the line of text; returns its width.
double draw_text(Image&, double x, double y, std::string_view, double size, Rgb, Rgb rim);
double text_width(std::string_view, double size);

}  // namespace hone::vision
