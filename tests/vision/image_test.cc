#include "vision/image.h"

#include <gtest/gtest.h>

namespace hone::vision {
namespace {

Image pixel(PixelFormat f, std::initializer_list<uint8_t> bytes) {
  Image image = *Image::allocate(1, 1, f);
  std::copy(bytes.begin(), bytes.end(), image.row(0));
  return image;
}

TEST(Image, turns_into_every_other_format) {
  const Image rgba = pixel(PixelFormat::rgba8, {10, 20, 30, 40});
  const Image bgra = *converted(rgba, PixelFormat::bgra8);
  EXPECT_EQ((std::vector<uint8_t>{bgra.row(0), bgra.row(0) + 4}), (std::vector<uint8_t>{30, 20, 10, 40}));
  const Image bgr = *converted(bgra, PixelFormat::bgr8);
  EXPECT_EQ((std::vector<uint8_t>{bgr.row(0), bgr.row(0) + 3}), (std::vector<uint8_t>{30, 20, 10}));
  const Image opaque = *converted(bgr, PixelFormat::rgba8);
  EXPECT_EQ((std::vector<uint8_t>{opaque.row(0), opaque.row(0) + 4}),
            (std::vector<uint8_t>{10, 20, 30, 255}));
  // 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15
  EXPECT_EQ(converted(bgr, PixelFormat::gray8)->row(0)[0], 18);
  const Image grey = *converted(*converted(bgr, PixelFormat::gray8), PixelFormat::rgb8);
  EXPECT_EQ((std::vector<uint8_t>{grey.row(0), grey.row(0) + 3}), (std::vector<uint8_t>{18, 18, 18}));
}

TEST(Image, refuses_sizes_that_nobody_has) {
  EXPECT_EQ(Image::allocate(0, 5, PixelFormat::rgb8).error().code, Code::invalid_argument);
  EXPECT_EQ(Image::allocate(60000, 60000, PixelFormat::rgb8).error().code, Code::limit);
  EXPECT_EQ(Image::allocate(32768, 32768, PixelFormat::rgb8).error().code, Code::limit);
  const Image image = *Image::allocate(4, 4, PixelFormat::rgb8);
  ImageView view = image;
  view.stride = 11;
  EXPECT_EQ(check_image(view, "the frame").error().message,
            "the frame has rows of 11 bytes: 4 pixels of rgb8 need 12");
}

}  // namespace
}  // namespace hone::vision
