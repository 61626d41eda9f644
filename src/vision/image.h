// Pictures: interleaved 8-bit pixels, rows from top to bottom.
//   ImageView  a picture that someone else owns (a camera's buffer, a frame of a video).
//   Image      the same with its bytes. Copies are deep.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "base/result.h"

namespace hone::vision {

// In the order of the bytes in memory.
enum class PixelFormat : uint8_t { gray8, rgb8, bgr8, rgba8, bgra8 };
constexpr int channels_of(PixelFormat f) {
  return f == PixelFormat::gray8 ? 1 : f == PixelFormat::rgb8 || f == PixelFormat::bgr8 ? 3 : 4;
}
// "rgb8".
const char* pixel_format_name(PixelFormat);
// Where red, green, blue and alpha stand in a pixel (grey is all three); -1: nowhere.
struct ChannelOrder {
  int r, g, b, a;
};
ChannelOrder channel_order(PixelFormat);
// Of red, green and blue in grey, in 65536ths (ITU-R BT.601, as Pillow's "L").
inline constexpr std::array<uint32_t, 3> grey_weights{19595, 38470, 7471};

// Larger pictures are refused, by readers before they allocate and by everything that is handed one.
inline constexpr int max_image_side = 32768;
inline constexpr int64_t max_image_pixels = int64_t{1} << 27;  // 134 megapixels

using Rgb = std::array<uint8_t, 3>;

struct ImageView {
  const uint8_t* data = nullptr;
  int width = 0, height = 0;  // pixels
  int64_t stride = 0;         // bytes from a row to the next; at least width * channels
  PixelFormat format = PixelFormat::rgb8;
  const uint8_t* row(int y) const { return data + y * stride; }
  int channels() const { return channels_of(format); }
};

class Image {
 public:
  Image() = default;
  // Zeroed pixels, rows without gaps. Errors: a side below 1 or beyond the limits above, out of memory.
  static Result<Image> allocate(int width, int height, PixelFormat);
  explicit operator bool() const { return width_ > 0; }
  int width() const { return width_; }
  int height() const { return height_; }
  PixelFormat format() const { return format_; }
  int64_t stride() const { return int64_t{width_} * channels_of(format_); }
  uint8_t* row(int y) { return bytes_.data() + y * stride(); }
  const uint8_t* row(int y) const { return bytes_.data() + y * stride(); }
  ImageView view() const { return {bytes_.data(), width_, height_, stride(), format_}; }
  operator ImageView() const { return view(); }

 private:
  int width_ = 0, height_ = 0;
  PixelFormat format_ = PixelFormat::rgb8;
  std::vector<uint8_t> bytes_;
};

// The limits above; the error names `what`.
Status check_image_size(int width, int height, const char* what);
// A picture that is a sensible size and whose rows do not overlap.
Status check_image(const ImageView&, const char* what);
// A copy in another format. Grey from colour is rounded to the nearest. Alpha is dropped, or set to 255.
Result<Image> converted(const ImageView&, PixelFormat);

}  // namespace hone::vision
