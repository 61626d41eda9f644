#include <algorithm>
#include <cmath>

#include "vision/axis.h"

namespace hone::vision {

Status check_settings(const Preprocess& p) {
  HONE_CHECK(check_image_size(p.width, p.height, "the network's input"));
  if (p.type != DType::f32 && p.type != DType::f16 && p.type != DType::u8 && p.type != DType::i8)
    return error(Code::unsupported, "the network's input is of type %s: pictures become f32, f16, u8 or i8",
                 dtype_name(p.type));
  for (size_t c = 0; c < 3; c++) {
    const float values[] = {p.mean[c] * p.scale[c], (255 - p.mean[c]) * p.scale[c],
                            (p.pad[c] - p.mean[c]) * p.scale[c]};
    for (float v : values)
      if (!std::isfinite(v))
        return error(Code::invalid_argument,
                     "mean %g, scale %g and pad %g of channel %d give an input that is not finite", p.mean[c],
                     p.scale[c], p.pad[c], static_cast<int>(c));
  }
  if (p.fit == Fit::crop && !(p.short_side == 0 || (p.short_side >= 1 && p.short_side <= max_image_side)))
    return error(Code::invalid_argument, "short_side is %g: it is 0 or 1 to %d pixels", p.short_side,
                 max_image_side);
  return {};
}

namespace {
// Where `content` pixels begin on an axis of `input` pixels.
double middle(int input, double content) {
  return content < input ? std::floor((input - content) / 2) : -std::floor((content - input) / 2);
}
}  // namespace

Result<Placement> place(const Preprocess& p, int picture_width, int picture_height) {
  HONE_CHECK(check_settings(p));
  HONE_CHECK(check_image_size(picture_width, picture_height, "the picture"));
  const double w = picture_width, h = picture_height;
  double to_w = p.width, to_h = p.height;  // of the whole picture, resized
  if (p.fit == Fit::letterbox) {
    const double scale = std::min(p.width / w, p.height / h);
    const auto whole = [&](double x, int most) {
      // The side that decides the scale fills the input; division and multiplication may have taken a bit.
      x = p.anchor == Anchor::top_left ? std::floor(x + 1e-6) : std::nearbyint(x);
      return std::clamp<double>(x, 1, most);
    };
    to_w = whole(w * scale, p.width);
    to_h = whole(h * scale, p.height);
  } else if (p.fit == Fit::crop && p.short_side > 0) {
    to_w = std::max(1.0, std::nearbyint(w * p.short_side / std::min(w, h)));
    to_h = std::max(1.0, std::nearbyint(h * p.short_side / std::min(w, h)));
  } else if (p.fit == Fit::crop) {
    const double scale = std::max(p.width / w, p.height / h);
    to_w = std::max<double>(p.width, std::nearbyint(w * scale));
    to_h = std::max<double>(p.height, std::nearbyint(h * scale));
  }
  const bool corner = p.fit == Fit::letterbox && p.anchor == Anchor::top_left;
  Placement at;
  at.scale_x = to_w / w;
  at.scale_y = to_h / h;
  at.offset_x = corner ? 0 : middle(p.width, to_w);
  at.offset_y = corner ? 0 : middle(p.height, to_h);
  at.width = picture_width;
  at.height = picture_height;
  at.input_width = p.width;
  at.input_height = p.height;
  at.x0 = static_cast<int>(std::max(0.0, at.offset_x));
  at.y0 = static_cast<int>(std::max(0.0, at.offset_y));
  at.x1 = static_cast<int>(std::min<double>(p.width, at.offset_x + to_w));
  at.y1 = static_cast<int>(std::min<double>(p.height, at.offset_y + to_h));
  return at;
}

double step_of(int pixels, double scale) { return pixels / std::nearbyint(pixels * scale); }

}  // namespace hone::vision
