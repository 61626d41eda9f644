// Files that are cut off, damaged, lying or something else: a decoder refuses them with a sentence.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
// libjpeg's header needs <cstdio>.
#include <jpeglib.h>

#include "helpers.h"

namespace hone::imageio {
namespace {

std::vector<std::filesystem::path> all_seeds() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(seeds())) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string message_of(std::string_view bytes) {
  const auto image = decode(bytes_of(bytes));
  return image ? "decoded" : image.error().message;
}

void big_endian(Bytes& b, size_t at, uint32_t v, int n) {
  for (int i = n; i-- > 0; v >>= 8) b[at + static_cast<size_t>(i)] = static_cast<std::byte>(v);
}
void little_endian(Bytes& b, size_t at, uint32_t v, int n) {
  for (int i = 0; i < n; i++, v >>= 8) b[at + static_cast<size_t>(i)] = static_cast<std::byte>(v);
}

TEST(Hostile, every_prefix_of_every_format_is_refused) {
  for (const auto& path : all_seeds()) {
    SCOPED_TRACE(path.filename());
    const Bytes whole = load(path);
    size_t needed = whole.size();
    // Text may end with its last digit, or within its last number.
    if (path.filename() == "grey_text.pgm") needed -= 3;
    if (path.filename() == "rgb_text.ppm") needed -= 2;
    for (size_t n = 0; n < needed; n++) {
      // Bytes of its own, so that the sanitizer sees a read past the end.
      const auto image = decode(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n)));
      ASSERT_FALSE(image) << n << " of " << whole.size() << " bytes were decoded";
      ASSERT_FALSE(image.error().message.empty());
      ASSERT_EQ(image.error().message.find('\n'), std::string::npos);
    }
  }
}

TEST(Hostile, flipped_bytes_are_decoded_or_refused) {
  for (const auto& path : all_seeds()) {
    SCOPED_TRACE(path.filename());
    Bytes bytes = load(path);
    for (size_t i = 0; i < bytes.size(); i++)
      for (const int change : {0x01, 0x80, 0xff}) {
        bytes[i] ^= static_cast<std::byte>(change);
        const auto image = decode(bytes);
        if (!image) { ASSERT_FALSE(image.error().message.empty()) << i; }
        bytes[i] ^= static_cast<std::byte>(change);
      }
  }
}

// Where the first frame header (SOF0 or SOF2) of a JPEG has its height; the width follows.
size_t jpeg_height(const Bytes& b) {
  for (size_t i = 2; i + 9 < b.size();) {
    const int marker = static_cast<int>(b[i + 1]);
    if (marker == 0xc0 || marker == 0xc2) return i + 5;
    i += 2 + static_cast<size_t>(b[i + 2]) * 256 + static_cast<size_t>(b[i + 3]);
  }
  ADD_FAILURE() << "no frame header";
  return 0;
}

// The same file with another size in its header.
Bytes resized(const char* name, uint32_t width, uint32_t height) {
  Bytes b = seed(name);
  const std::string n = name;
  if (n.ends_with(".jpg")) {
    const size_t at = jpeg_height(b);
    big_endian(b, at, height, 2);
    big_endian(b, at + 2, width, 2);
  } else if (n.ends_with(".png")) {
    big_endian(b, 16, width, 4);
    big_endian(b, 20, height, 4);
    uint32_t crc = ~0u;  // of name and data, as the PNG specification has it
    for (size_t i = 12; i < 29; i++) {
      crc ^= static_cast<uint32_t>(b[i]);
      for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    big_endian(b, 29, ~crc, 4);
  } else if (n.ends_with(".bmp")) {
    little_endian(b, 18, width, 4);
    little_endian(b, 22, height, 4);
  } else if (n.ends_with(".tif")) {
    // The first two entries of the directory; the type becomes 4, of 32 bits. The strip has all rows.
    for (size_t at = 10; at < 10 + 12 * 10; at += 12) {
      const int tag = static_cast<int>(b[at]) + static_cast<int>(b[at + 1]) * 256;
      if (tag != 256 && tag != 257 && tag != 278) continue;
      little_endian(b, at + 2, 4, 2);
      little_endian(b, at + 8, tag == 256 ? width : height, 4);
    }
  } else if (n.ends_with(".j2k")) {
    // SIZ follows SOC: marker, length, capabilities, width, height, offsets, then those of a tile.
    for (const size_t at : {8u, 24u}) {
      big_endian(b, at, width, 4);
      big_endian(b, at + 4, height, 4);
    }
  } else {
    const std::string head = "P6 " + std::to_string(width) + " " + std::to_string(height) + " 255\n";
    b = bytes_of(head + std::string(100, '.'));
  }
  return b;
}

TEST(Hostile, sizes_beyond_the_limits_are_refused_before_decoding) {
  for (const char* name : {"rgb.jpg", "progressive.jpg", "rgb8.png", "rgb8_interlaced.png", "rgb24.bmp",
                           "rle8.bmp", "rgb8.ppm", "rgb.tif", "grey.j2k"})
    for (const auto& [width, height] : {std::pair{60000, 60000}, {32769, 1}, {1, 32769}, {32768, 32768}}) {
      const auto image = decode(resized(name, static_cast<uint32_t>(width), static_cast<uint32_t>(height)));
      ASSERT_FALSE(image) << name;
      EXPECT_EQ(image.error().code, Code::limit) << name << ": " << image.error().message;
      EXPECT_NE(image.error().message.find(strf("%d x %d pixels: at most 32768", width, height)),
                std::string::npos)
          << image.error().message;
    }
}

TEST(Hostile, sizes_that_the_file_cannot_hold_are_refused) {
  for (const char* name : {"rgb.jpg", "progressive.jpg", "rgb8.png", "rgb8_interlaced.png", "rgb16.png",
                           "palette1.png", "rgb24.bmp", "rle8.bmp", "rgb8.ppm", "rgb.tif", "grey.j2k"})
    for (const auto& [width, height] : {std::pair{11000, 12000}, {32768, 4096}, {32768, 20}}) {
      // Runs and blocks may leave pixels out.
      if (height == 20 && (name == std::string("rle8.bmp") || name == std::string("grey.j2k"))) continue;
      const auto image = decode(resized(name, static_cast<uint32_t>(width), static_cast<uint32_t>(height)));
      ASSERT_FALSE(image) << name;
      EXPECT_EQ(image.error().code, Code::corrupt) << name << ": " << image.error().message;
    }
}

TEST(Hostile, empty_sizes_are_refused) {
  for (const char* name : {"rgb.jpg", "rgb8.png", "rgb24.bmp", "rgb8.ppm", "rgb.tif", "grey.j2k"})
    for (const auto& [width, height] : {std::pair{0, 0}, {0, 10}, {12, 0}}) {
      const auto image = decode(resized(name, static_cast<uint32_t>(width), static_cast<uint32_t>(height)));
      ASSERT_FALSE(image) << name;
      EXPECT_EQ(image.error().code, Code::corrupt) << image.error().message;
    }
}

// A progressive JPEG of one block, with that many scans of a coefficient each.
Bytes with_scans(int scans) {
  jpeg_compress_struct cinfo = {};
  jpeg_error_mgr errors;
  cinfo.err = jpeg_std_error(&errors);
  jpeg_create_compress(&cinfo);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&cinfo, &out, &size);
  cinfo.image_width = cinfo.image_height = 8;
  cinfo.input_components = 3;
  cinfo.in_color_space = JCS_RGB;
  jpeg_set_defaults(&cinfo);
  std::vector<jpeg_scan_info> script = {{3, {0, 1, 2}, 0, 0, 0, 0}};
  for (int i = 0; i + 1 < scans; i++) script.push_back({1, {i / 63}, i % 63 + 1, i % 63 + 1, 0, 0});
  cinfo.scan_info = script.data();
  cinfo.num_scans = scans;
  jpeg_start_compress(&cinfo, TRUE);
  JSAMPLE row[24] = {};
  for (JSAMPROW p = row; cinfo.next_scanline < 8;) jpeg_write_scanlines(&cinfo, &p, 1);
  jpeg_finish_compress(&cinfo);
  jpeg_destroy_compress(&cinfo);
  const Bytes bytes = bytes_of({reinterpret_cast<const char*>(out), size});
  std::free(out);
  return bytes;
}

TEST(Hostile, scans_without_end_are_refused) {
  const auto many = decode(with_scans(100));
  EXPECT_TRUE(many) << many.error().message;
  const auto more = decode(with_scans(150));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().message, "JPEG: has more than 100 scans: save it as a baseline JPEG");
}

TEST(Hostile, messages_name_format_value_and_remedy) {
  Bytes png = seed("rgb8.png");
  png.resize(300);
  EXPECT_EQ(decode(png).error().message,
            "PNG: ends after 300 of 416 bytes: the file is cut off; copy it again");
  Bytes jpeg = seed("rgb.jpg");
  jpeg.resize(700);
  EXPECT_EQ(decode(jpeg).error().message,
            "JPEG: ends after 700 bytes, before its last marker: the file is cut off; copy it again");
  Bytes webp = seed("lossless.webp");
  webp.resize(60);
  EXPECT_EQ(decode(webp).error().message,
            "WebP: ends after 60 of 64 bytes: the file is cut off; copy it again");
  Bytes bmp = seed("rgb24.bmp");
  bmp.resize(100);
  EXPECT_EQ(decode(bmp).error().message,
            "BMP: ends after 100 of 414 bytes: the file is cut off; copy it again");
  EXPECT_EQ(message_of("P6 2 2 255\n12345"),
            "PPM: ends after 16 of 23 bytes: the file is cut off; copy it again");
  EXPECT_EQ(message_of("P2 2 x"), "PPM: the height is expected at byte 5: the byte 0x78 is no digit");
  EXPECT_EQ(message_of("P2 1 1 9 10"), "PPM: a sample is 10, but the largest value is 9");
  EXPECT_EQ(message_of("P5 1 1 70000\n.."), "PPM: the largest value is 70000: 1 to 65535 are possible");
  EXPECT_EQ(message_of("P5 99999999999 1 255\n"), "PPM: the width, at byte 3, has too many digits");
}

TEST(Hostile, what_is_no_picture_is_told_by_what_it_is) {
  const char* read = "JPEG, PNG, WebP, BMP, PPM, PGM, TIFF and JPEG 2000 are read";
  EXPECT_EQ(message_of(""), "is not a picture: it is empty");
  EXPECT_EQ(message_of("Dear Sir or Madam, attached"),
            strf("is not a picture: begins with 'Dear Sir or Mada'; %s", read));
  EXPECT_EQ(message_of(std::string_view("\x00\x01\xfe", 3)),
            strf("is not a picture: begins with bytes 00 01 fe; %s", read));
  const std::pair<std::string_view, const char*> others[] = {
      {"GIF89a......", "a GIF"},
      {"%PDF-1.7", "a PDF"},
      {std::string_view("\0\0\0\x18"
                        "ftypheic\0\0\0\0",
                        16),
       "a HEIC"},
      {std::string_view("\0\0\0\x1c"
                        "ftypavif\0\0\0\0",
                        16),
       "an AVIF"},
      {"P4 8 8 ........", "a bitmap of one bit (PBM)"},
  };
  for (const auto& [bytes, title] : others)
    EXPECT_EQ(message_of(bytes), strf("is %s, which is not read: convert it; %s", title, read));
}

TEST(Hostile, errors_of_files_begin_with_the_path) {
  const auto text = read(HONE_SOURCE_DIR "/README.md");
  ASSERT_FALSE(text);
  EXPECT_TRUE(text.error().message.starts_with(HONE_SOURCE_DIR "/README.md: is not a picture: begins with"));
  const auto absent = read("/nowhere/a.jpg");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::not_found);
  EXPECT_NE(absent.error().message.find("/nowhere/a.jpg"), std::string::npos);
  EXPECT_FALSE(read(HONE_SOURCE_DIR));
}

}  // namespace
}  // namespace hone::imageio
