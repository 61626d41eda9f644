#include <algorithm>
#include <cmath>

#include "base/convert.h"
#include "vision/axis.h"

namespace hone::vision {
namespace {

// One axis: the picture as a function of a real coordinate, pixel j at j + 0.5.
struct Line {
  Interpolation how;
  int pixels;
  double step, offset;

  double centre(int output) const { return (output - offset + 0.5) * step; }
  // The share that pixel j has at `centre`; not yet divided by the sum over all pixels.
  double weight(double centre, int j) const {
    if (how == Interpolation::nearest)
      return j == std::clamp(static_cast<int>(std::floor(centre)), 0, pixels - 1);
    const double distance = std::fabs(j + 0.5 - centre);
    if (how == Interpolation::bilinear || step <= 1) return std::max(0.0, 1 - distance);
    if (j < 0 || j >= pixels) return 0;
    if (how == Interpolation::smooth) return std::max(0.0, 1 - distance / step);
    return std::max(0.0, std::min(j + 1.0, centre + step / 2) - std::max<double>(j, centre - step / 2));
  }
  int from(double centre) const { return static_cast<int>(std::floor(centre - std::max(1.0, step))) - 1; }
  int to(double centre) const { return static_cast<int>(std::ceil(centre + std::max(1.0, step))) + 1; }
};

// The byte at `channel` of the pixel at (x, y), interpolated.
double sample(const ImageView& image, const Line& across, const Line& down, double x, double y, int channel) {
  double sum = 0, weights = 0;
  for (int j = down.from(y); j <= down.to(y); j++) {
    const double wy = down.weight(y, j);
    if (wy == 0) continue;
    const uint8_t* row = image.row(std::clamp(j, 0, image.height - 1));
    for (int i = across.from(x); i <= across.to(x); i++) {
      const double w = wy * across.weight(x, i);
      sum += w * row[std::clamp(i, 0, image.width - 1) * image.channels() + channel];
      weights += w;
    }
  }
  return sum / weights;
}

void put(DType type, void* out, int64_t i, double value) {
  switch (type) {
    case DType::f32:
      static_cast<float*>(out)[i] = static_cast<float>(value);
      break;
    case DType::f16:
      static_cast<uint16_t*>(out)[i] =
          static_cast<uint16_t>(to_small_float(value, small_float<f16_t>, /*saturate=*/false));
      break;
    case DType::u8:
      static_cast<uint8_t*>(out)[i] = static_cast<uint8_t>(std::nearbyint(std::clamp(value, 0.0, 255.0)));
      break;
    default:
      static_cast<int8_t*>(out)[i] = static_cast<int8_t>(std::nearbyint(std::clamp(value, -128.0, 127.0)));
  }
}

}  // namespace

Result<Placement> preprocess_reference(const Preprocess& p, const ImageView& image, void* out, bool rounded) {
  HONE_CHECK(check_image(image, "the picture"));
  HONE_TRY(const Placement at, place(p, image.width, image.height));
  const Line across{p.interpolation, image.width, step_of(image.width, at.scale_x), at.offset_x};
  const Line down{p.interpolation, image.height, step_of(image.height, at.scale_y), at.offset_y};
  const ChannelOrder order = channel_order(image.format);
  const int channels = p.channels == Channels::gray ? 1 : 3;
  for (int c = 0; c < channels; c++)
    for (int y = 0; y < p.height; y++)
      for (int x = 0; x < p.width; x++) {
        const size_t k = static_cast<size_t>(c);
        double pixel = p.pad[k];
        if (x >= at.x0 && x < at.x1 && y >= at.y0 && y < at.y1) {
          const double sx = across.centre(x), sy = down.centre(y);
          const auto colour = [&](int byte) {
            const double level = sample(image, across, down, sx, sy, byte);
            return rounded ? std::nearbyint(level) : level;
          };
          if (image.format == PixelFormat::gray8) pixel = colour(0);
          else if (p.channels == Channels::gray)
            pixel = (grey_weights[0] * colour(order.r) + grey_weights[1] * colour(order.g) +
                     grey_weights[2] * colour(order.b)) /
                    65536;
          else
            pixel = colour(c == 1 ? order.g : (c == 0) == (p.channels == Channels::rgb) ? order.r : order.b);
        }
        const int64_t plane = int64_t{p.width} * p.height, i = int64_t{y} * p.width + x;
        put(p.type, out, p.layout == Layout::nchw ? c * plane + i : i * channels + c,
            (pixel - p.mean[k]) * p.scale[k]);
      }
  return at;
}

}  // namespace hone::vision
