#include "vision/image.h"

#include <new>

namespace hone::vision {

const char* pixel_format_name(PixelFormat f) {
  constexpr const char* names[] = {"gray8", "rgb8", "bgr8", "rgba8", "bgra8"};
  return names[static_cast<int>(f)];
}

Status check_image_size(int width, int height, const char* what) {
  if (width < 1 || height < 1)
    return error(Code::invalid_argument, "%s is %d x %d pixels: it is empty", what, width, height);
  if (width > max_image_side || height > max_image_side || int64_t{width} * height > max_image_pixels)
    return error(Code::limit, "%s is %d x %d pixels: at most %d on a side and %lld in all are taken", what,
                 width, height, max_image_side, static_cast<long long>(max_image_pixels));
  return {};
}

Result<Image> Image::allocate(int width, int height, PixelFormat format) {
  HONE_CHECK(check_image_size(width, height, "a picture"));
  Image image;
  image.width_ = width;
  image.height_ = height;
  image.format_ = format;
  try {
    image.bytes_.resize(static_cast<size_t>(image.stride() * height));
  } catch (const std::bad_alloc&) {
    return error(Code::limit, "out of memory: a picture of %d x %d pixels", width, height);
  }
  return image;
}

Status check_image(const ImageView& image, const char* what) {
  HONE_CHECK(check_image_size(image.width, image.height, what));
  if (!image.data) return error(Code::invalid_argument, "%s has no pixels: its data is NULL", what);
  if (image.stride < int64_t{image.width} * image.channels())
    return error(Code::invalid_argument, "%s has rows of %lld bytes: %d pixels of %s need %d", what,
                 static_cast<long long>(image.stride), image.width, pixel_format_name(image.format),
                 image.width * image.channels());
  return {};
}

ChannelOrder channel_order(PixelFormat f) {
  switch (f) {
    case PixelFormat::gray8:
      return {0, 0, 0, -1};
    case PixelFormat::rgb8:
      return {0, 1, 2, -1};
    case PixelFormat::bgr8:
      return {2, 1, 0, -1};
    case PixelFormat::rgba8:
      return {0, 1, 2, 3};
    case PixelFormat::bgra8:
      return {2, 1, 0, 3};
  }
  return {};
}

Result<Image> converted(const ImageView& from, PixelFormat format) {
  HONE_CHECK(check_image(from, "the picture"));
  HONE_TRY(Image to, Image::allocate(from.width, from.height, format));
  const ChannelOrder f = channel_order(from.format), t = channel_order(format);
  const int from_step = from.channels(), to_step = channels_of(format);
  for (int y = 0; y < from.height; y++) {
    const uint8_t* in = from.row(y);
    uint8_t* out = to.row(y);
    for (int x = 0; x < from.width; x++, in += from_step, out += to_step) {
      const uint32_t r = in[f.r], g = in[f.g], b = in[f.b];
      if (format == PixelFormat::gray8) {
        out[0] = static_cast<uint8_t>(
            (grey_weights[0] * r + grey_weights[1] * g + grey_weights[2] * b + 32768) >> 16);
        continue;
      }
      out[t.r] = static_cast<uint8_t>(r);
      out[t.g] = static_cast<uint8_t>(g);
      out[t.b] = static_cast<uint8_t>(b);
      if (t.a >= 0) out[t.a] = f.a >= 0 ? in[f.a] : 255;
    }
  }
  return to;
}

}  // namespace hone::vision
