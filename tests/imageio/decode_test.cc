// Every kind of file that fuzz/seeds/image holds, against the formulas its pixels were made by.
#include <cstdio>
#include <cstdlib>
#include <functional>
// libjpeg's header needs <cstdio>.
#include <jpeglib.h>

#include "helpers.h"

namespace hone::imageio {
namespace {

using vision::PixelFormat;
using Pixel = std::array<int, 4>;
using Expected = std::function<Pixel(int x, int y)>;

struct Case {
  std::string file;
  const char* format;
  PixelFormat pixels;
  int tolerance;
  Expected expected;
};

Pixel colour(int x, int y) { return {sample(x, y, 0), sample(x, y, 1), sample(x, y, 2), sample(x, y, 3)}; }
Pixel grey(int x, int y) { return {sample(x, y, 0)}; }
Pixel grey_alpha(int x, int y) {
  const int v = sample(x, y, 0);
  return {v, v, v, sample(x, y, 3)};
}
// 16 bits: sample * 257 + 200 is nearer to sample + 1.
Expected one_more(Expected of) {
  return [=](int x, int y) {
    Pixel p = of(x, y);
    for (int& v : p) v++;
    return p;
  };
}
Expected grey_bits(int bits) {
  return [=](int x, int y) { return Pixel{index(x, y, bits) * 255 / ((1 << bits) - 1)}; };
}
Expected palette(int bits) {
  return [=](int x, int y) {
    const vision::Rgb c = palette_entry(index(x, y, bits));
    return Pixel{c[0], c[1], c[2]};
  };
}
Expected clear_at_3_4(Expected of) {
  return [=](int x, int y) {
    Pixel p = of(x, y);
    if (sample(x, y, 0) == sample(3, 4, 0) && (p[0] == p[1] || sample(x, y, 1) == sample(3, 4, 1))) p[3] = 0;
    else p[3] = 255;
    return p;
  };
}
Pixel palette_trns(int x, int y) {
  Pixel p = palette(4)(x, y);
  const int i = index(x, y, 4);
  p[3] = i < 8 ? 255 - i * 10 : 255;
  return p;
}
Pixel rgb555(int x, int y) {
  const auto five = [](int v) { return (v * 255 + 15) / 31; };
  return {five(x), five(y), five(x + y)};
}
Pixel rgb565(int x, int y) {
  const auto five = [](int v) { return (v * 255 + 15) / 31; };
  return {five(x), ((x * 2 + y) * 255 + 31) / 63, five(x + y)};
}
Pixel spread_grey(int x, int y) {
  const int v = sample(x, y, 0);
  return {v, v, v};
}

std::vector<Case> cases() {
  const auto g = PixelFormat::gray8, rgb = PixelFormat::rgb8, rgba = PixelFormat::rgba8;
  std::vector<Case> all = {
      {"rgb.jpg", "jpeg", rgb, 4, colour},
      {"rgb_420.jpg", "jpeg", rgb, 24, colour},
      {"progressive.jpg", "jpeg", rgb, 4, colour},
      {"grey.jpg", "jpeg", g, 2, grey},
      {"cmyk.jpg", "jpeg", rgb, 4, colour},
      {"palette_trns.png", "png", rgba, 0, palette_trns},
      {"grey_trns.png", "png", rgba, 0, clear_at_3_4(spread_grey)},
      {"rgb_trns.png", "png", rgba, 0, clear_at_3_4(colour)},
      {"rgb16_trns.png", "png", rgba, 0, clear_at_3_4(one_more(colour))},
      {"lossy.webp", "webp", rgb, 24, colour},
      {"lossless.webp", "webp", rgb, 0, colour},
      {"alpha.webp", "webp", rgba, 0, colour},
      {"lossy_alpha.webp", "webp", rgba, 40, colour},
      {"palette1.bmp", "bmp", rgb, 0, palette(1)},
      {"palette4.bmp", "bmp", rgb, 0, palette(4)},
      {"palette8.bmp", "bmp", rgb, 0, palette(8)},
      {"os2_palette4.bmp", "bmp", rgb, 0, palette(4)},
      {"rle8.bmp", "bmp", rgb, 0, palette(8)},
      {"rle4.bmp", "bmp", rgb, 0, palette(4)},
      {"rgb24.bmp", "bmp", rgb, 0, colour},
      {"rgb24_top_down.bmp", "bmp", rgb, 0, colour},
      {"rgb32.bmp", "bmp", rgb, 0, colour},
      {"rgba32.bmp", "bmp", rgba, 0, colour},
      {"rgb555.bmp", "bmp", rgb, 0, rgb555},
      {"rgb565.bmp", "bmp", rgb, 0, rgb565},
      {"grey_text.pgm", "ppm", g, 0, grey},
      {"rgb_text.ppm", "ppm", rgb, 0, colour},
      {"grey8.pgm", "ppm", g, 0, grey},
      {"rgb8.ppm", "ppm", rgb, 0, colour},
      {"rgb16.ppm", "ppm", rgb, 0, one_more(colour)},
      {"rgb.tif", "tiff", rgb, 0, colour},
      {"rgb_deflate.tif", "tiff", rgb, 0, colour},
      {"grey_packbits.tif", "tiff", rgb, 0, spread_grey},
      {"palette4.tif", "tiff", rgb, 0, palette(4)},
      {"rgba.tif", "tiff", rgba, 1, colour},
      {"rgb.jp2", "jpeg2000", rgb, 0, colour},
      {"grey.j2k", "jpeg2000", g, 0, grey},
  };
  for (const std::string tail : {".png", "_interlaced.png"}) {
    for (const int bits : {1, 2, 4})
      all.push_back({strf("grey%d", bits) + tail, "png", g, 0, grey_bits(bits)});
    for (const int bits : {1, 2, 4, 8})
      all.push_back({strf("palette%d", bits) + tail, "png", rgb, 0, palette(bits)});
    for (const bool wide : {false, true}) {
      const auto add = [&](const char* name, PixelFormat f, const Expected& e) {
        all.push_back({name + std::string(wide ? "16" : "8") + tail, "png", f, 0, wide ? one_more(e) : e});
      };
      add("grey", g, grey);
      add("rgb", rgb, colour);
      add("grey_alpha", rgba, grey_alpha);
      add("rgba", rgba, colour);
    }
  }
  return all;
}

TEST(Decode, gives_the_pixels_that_each_kind_of_file_was_made_of) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.file);
    const Bytes bytes = seed(c.file);
    EXPECT_STREQ(format_of(bytes), c.format);
    const auto image = decode(bytes);
    ASSERT_TRUE(image) << image.error().message;
    ASSERT_EQ(image->width(), seed_width);
    ASSERT_EQ(image->height(), seed_height);
    ASSERT_EQ(image->format(), c.pixels);
    const int channels = image->view().channels();
    for (int y = 0; y < seed_height; y++)
      for (int x = 0; x < seed_width; x++)
        for (int k = 0; k < channels; k++)
          ASSERT_NEAR(image->row(y)[x * channels + k], c.expected(x, y)[static_cast<size_t>(k)], c.tolerance)
              << "channel " << k << " of (" << x << ", " << y << ")";
  }
}

TEST(Decode, has_a_test_for_every_seed) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(seeds())) {
    files++;
    EXPECT_LE(entry.file_size(), 2048u) << entry.path();
  }
  const size_t turned = 4;  // below
  EXPECT_EQ(files, cases().size() + turned);
}

// 16 x 16 pixels of these four inks.
Bytes four_inks(std::array<JSAMPLE, 4> inks, J_COLOR_SPACE stored, bool adobe) {
  jpeg_compress_struct cinfo = {};
  jpeg_error_mgr errors;
  cinfo.err = jpeg_std_error(&errors);
  jpeg_create_compress(&cinfo);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&cinfo, &out, &size);
  cinfo.image_width = cinfo.image_height = 16;
  cinfo.input_components = 4;
  cinfo.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&cinfo);
  jpeg_set_colorspace(&cinfo, stored);
  jpeg_set_quality(&cinfo, 100, TRUE);
  cinfo.write_Adobe_marker = adobe;
  jpeg_start_compress(&cinfo, TRUE);
  std::vector<JSAMPLE> row;
  for (int x = 0; x < 16; x++) row.insert(row.end(), inks.begin(), inks.end());
  for (JSAMPROW p = row.data(); cinfo.next_scanline < 16;) jpeg_write_scanlines(&cinfo, &p, 1);
  jpeg_finish_compress(&cinfo);
  jpeg_destroy_compress(&cinfo);
  const Bytes bytes = bytes_of({reinterpret_cast<const char*>(out), size});
  std::free(out);
  return bytes;
}

TEST(Decode, four_inks_become_red_green_and_blue) {
  // (255 - ink) * (255 - black) / 255, or ink * black / 255 where Adobe's programs have inverted all four.
  const int expected[] = {200 * 128 / 255, 100 * 128 / 255, 30 * 128 / 255};
  const auto expect = [&](const Bytes& bytes, const char* what) {
    const auto image = decode(bytes);
    ASSERT_TRUE(image) << what << ": " << image.error().message;
    ASSERT_EQ(image->format(), PixelFormat::rgb8);
    for (int c = 0; c < 3; c++) EXPECT_NEAR(image->row(5)[15 + c], expected[c], 3) << what;
  };
  expect(four_inks({200, 100, 30, 128}, JCS_CMYK, true), "CMYK of Adobe");
  expect(four_inks({200, 100, 30, 128}, JCS_YCCK, true), "YCCK of Adobe");
  expect(four_inks({55, 155, 225, 127}, JCS_CMYK, false), "CMYK");
}

// Where the stored picture's (x, y) is shown.
struct Place {
  int x, y;
};
Place shown(int x, int y, int orientation, int width, int height) {
  const int right = width - 1 - x, below = height - 1 - y;
  switch (orientation) {
    case 2:
      return {right, y};
    case 3:
      return {right, below};
    case 4:
      return {x, below};
    case 5:
      return {y, x};
    case 6:
      return {below, x};
    case 7:
      return {below, right};
    case 8:
      return {y, right};
  }
  return {x, y};
}

void expect_turned(const Image& image, int orientation, int tolerance) {
  const bool swapped = orientation >= 5;
  ASSERT_EQ(image.width(), swapped ? seed_height : seed_width);
  ASSERT_EQ(image.height(), swapped ? seed_width : seed_height);
  const int channels = image.view().channels();
  for (int y = 0; y < seed_height; y++)
    for (int x = 0; x < seed_width; x++) {
      const Place at = shown(x, y, orientation, seed_width, seed_height);
      ASSERT_NEAR(image.row(at.y)[at.x * channels], sample(x, y, 0), tolerance) << x << ", " << y;
    }
}

TEST(Orientation, turns_jpeg_png_webp_and_tiff) {
  expect_turned(*decode(seed("turned6.jpg")), 6, 2);
  expect_turned(*decode(seed("turned8.png")), 8, 0);
  expect_turned(*decode(seed("turned3.webp")), 3, 0);
  expect_turned(*decode(seed("turned6.tif")), 6, 0);
}

TEST(Orientation, can_be_left_as_it_is) {
  expect_turned(*decode(seed("turned6.jpg"), false), 1, 2);
  expect_turned(*decode(seed("turned6.tif"), false), 1, 0);
}

TEST(Orientation, knows_all_eight_and_ignores_nonsense) {
  const Bytes file = seed("turned6.jpg");
  // The entry: tag 0x0112, type 3, count 1, the value.
  const Bytes entry = bytes_of(std::string_view("\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00", 10));
  const auto found = std::search(file.begin(), file.end(), entry.begin(), entry.end());
  ASSERT_NE(found, file.end());
  for (int value = 0; value < 12; value++) {
    SCOPED_TRACE(value);
    Bytes changed = file;
    changed[static_cast<size_t>(found - file.begin()) + 8] = static_cast<std::byte>(value);
    const auto image = decode(changed);
    ASSERT_TRUE(image) << image.error().message;
    expect_turned(*image, value >= 1 && value <= 8 ? value : 1, 2);
  }
}

}  // namespace
}  // namespace hone::imageio
