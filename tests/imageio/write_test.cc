#include <cstdlib>

#include "helpers.h"

namespace hone::imageio {
namespace {

using vision::PixelFormat;

Image picture(PixelFormat f, int width, int height) {
  Image image = *Image::allocate(width, height, f);
  const int channels = channels_of(f);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      for (int c = 0; c < channels; c++)
        image.row(y)[x * channels + c] = static_cast<uint8_t>(x * 3 + y * (c + 1) + c * 50);
  return image;
}

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "hone-imageio-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ / name; }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

constexpr PixelFormat formats[] = {PixelFormat::gray8, PixelFormat::rgb8, PixelFormat::bgr8,
                                   PixelFormat::rgba8, PixelFormat::bgra8};

TEST(Write, png_keeps_every_byte_of_every_format) {
  for (const PixelFormat f : formats) {
    SCOPED_TRACE(vision::pixel_format_name(f));
    const Image before = picture(f, 37, 23);
    const auto bytes = encode_png(before);
    ASSERT_TRUE(bytes) << bytes.error().message;
    const auto after = decode(*bytes);
    ASSERT_TRUE(after) << after.error().message;
    const Image again = *converted(*after, f);
    for (int y = 0; y < 23; y++)
      EXPECT_TRUE(std::equal(before.row(y), before.row(y) + before.stride(), again.row(y))) << y;
    EXPECT_EQ(after->view().channels(), channels_of(f));
  }
}

TEST(Write, jpeg_keeps_pictures_nearly) {
  for (const PixelFormat f : formats) {
    SCOPED_TRACE(vision::pixel_format_name(f));
    const Image before = *converted(picture(f, 37, 23), f == PixelFormat::gray8 ? f : PixelFormat::rgb8);
    const auto after = decode(*encode_jpeg(picture(f, 37, 23), {.quality = 100}));
    ASSERT_TRUE(after) << after.error().message;
    ASSERT_EQ(after->format(), before.format());
    for (int y = 0; y < 23; y++)
      for (int i = 0; i < before.stride(); i++) ASSERT_NEAR(before.row(y)[i], after->row(y)[i], 6);
  }
}

TEST(Write, quality_decides_the_size) {
  const Image image = picture(PixelFormat::rgb8, 200, 100);
  EXPECT_LT(encode_jpeg(image, {.quality = 20})->size(), encode_jpeg(image, {.quality = 95})->size());
  EXPECT_EQ(encode_jpeg(image, {.quality = 0}).error().message,
            "JPEG: the quality is 0: 1 to 100 are possible");
  EXPECT_EQ(encode_jpeg(image, {.quality = 101}).error().code, Code::invalid_argument);
}

TEST(Write, rows_may_have_gaps) {
  const Image whole = picture(PixelFormat::rgb8, 20, 10);
  ImageView part = whole;
  part.width = 7;
  const Image png = *decode(*encode_png(part));
  ASSERT_EQ(png.width(), 7);
  for (int y = 0; y < 10; y++) EXPECT_TRUE(std::equal(png.row(y), png.row(y) + 21, whole.row(y)));
  EXPECT_EQ(decode(*encode_jpeg(part))->width(), 7);
}

TEST(Write, the_name_decides_the_format_and_no_temporary_is_left) {
  const Folder folder;
  const Image image = picture(PixelFormat::rgba8, 9, 5);
  for (const char* name : {"a.jpg", "b.JPEG", "c.png", "d.x.PNG"}) {
    const Status s = write(image, folder / name);
    ASSERT_TRUE(s) << s.error().message;
    const auto back = read(folder / name);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->format(), name[0] < 'c' ? PixelFormat::rgb8 : PixelFormat::rgba8);
  }
  EXPECT_EQ(folder.files(), 4u);
  for (const char* name : {"a.gif", "a", "png", ".hidden/x"})
    EXPECT_EQ(write(image, folder / name).error().code, Code::unsupported) << name;
  EXPECT_EQ(write(image, folder / "absent/a.png").error().code, Code::io);
  EXPECT_FALSE(write({}, folder / "a.png"));
  EXPECT_EQ(folder.files(), 4u);
}

}  // namespace
}  // namespace hone::imageio
