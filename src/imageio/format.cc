#include <algorithm>
#include <cstring>

#include "imageio/codec.h"

namespace hone::imageio {
namespace {

using namespace std::string_view_literals;

bool has(Bytes bytes, size_t at, std::string_view what) {
  return bytes.size() >= at + what.size() && std::memcmp(bytes.data() + at, what.data(), what.size()) == 0;
}
bool is_jpeg(Bytes b) { return has(b, 0, "\xff\xd8\xff"); }
bool is_png(Bytes b) { return has(b, 0, "\x89PNG\r\n\x1a\n"); }
bool is_webp(Bytes b) { return has(b, 0, "RIFF") && has(b, 8, "WEBP"); }
bool is_bmp(Bytes b) { return has(b, 0, "BM"); }
bool is_tiff(Bytes b) {
  return has(b, 0, "II*\0"sv) || has(b, 0, "MM\0*"sv) || has(b, 0, "II+\0"sv) || has(b, 0, "MM\0+"sv);
}
bool is_jpeg2000(Bytes b) {
  return has(b, 0, "\0\0\0\x0cjP  \r\n\x87\n"sv) || has(b, 0, "\xff\x4f\xff\x51"sv);
}
bool is_ppm(Bytes b) { return has(b, 0, "P2") || has(b, 0, "P3") || has(b, 0, "P5") || has(b, 0, "P6"); }

constexpr Codec all[] = {{"jpeg", "JPEG", is_jpeg, decode_jpeg},
                         {"png", "PNG", is_png, decode_png},
                         {"webp", "WebP", is_webp, decode_webp},
                         {"bmp", "BMP", is_bmp, decode_bmp},
                         {"ppm", "PPM", is_ppm, decode_ppm},
                         {"tiff", "TIFF", is_tiff, decode_tiff},
                         {"jpeg2000", "JPEG 2000", is_jpeg2000, decode_jpeg2000}};

// What else people have under the name of a picture.
struct Other {
  size_t at;
  std::string_view begins;
  const char* title;
};
constexpr Other others[] = {
    {0, "GIF8"sv, "a GIF"},
    {4, "ftypavif"sv, "an AVIF"},
    {4, "ftypavis"sv, "an AVIF"},
    {4, "ftyphe"sv, "a HEIC"},
    {4, "ftypmif1"sv, "a HEIC or AVIF"},
    {4, "ftypmsf1"sv, "a HEIC or AVIF"},
    {4, "ftypqt"sv, "a QuickTime film"},
    {4, "ftyp"sv, "an MP4 film"},
    {0, "%PDF"sv, "a PDF"},
    {0, "8BPS"sv, "a Photoshop document"},
    {0, "\xff\x0a"sv, "a JPEG XL"},
    {0, "\0\0\0\x0cJXL "sv, "a JPEG XL"},
    {0, "\0\0\x01\0"sv, "an icon (ICO)"},
    {0, "P1"sv, "a bitmap of one bit (PBM)"},
    {0, "P4"sv, "a bitmap of one bit (PBM)"},
    {0, "P7"sv, "a PAM"},
    {0, "qoif"sv, "a QOI"},
    {0, "v/1\x01"sv, "an OpenEXR"},
    {0, "#?RADIANCE"sv, "a Radiance HDR"},
    {0, "<svg"sv, "an SVG drawing"},
    {0, "<?xml"sv, "XML, perhaps an SVG drawing"},
    {0, "<!DOCTYPE html"sv, "a web page"},
    {0, "<html"sv, "a web page"},
    {0, "\x1f\x8b"sv, "compressed by gzip"},
    {0, "PK\x03\x04"sv, "a ZIP archive"},
    {0, "\x1a\x45\xdf\xa3"sv, "a Matroska or WebM film"},
    {0, "RIFF"sv, "a RIFF file (sound or film)"},
};

constexpr const char* what_is_read = "JPEG, PNG, WebP, BMP, PPM, PGM, TIFF and JPEG 2000 are read";

// 'Hello, worl' or bytes in hexadecimal.
std::string beginning(Bytes bytes) {
  const Bytes head = bytes.first(std::min<size_t>(bytes.size(), 16));
  const bool text =
      std::ranges::all_of(head, [](std::byte b) { return b >= std::byte{32} && b < std::byte{127}; });
  std::string s = text ? "'" : "bytes";
  for (const std::byte b : head)
    s += text ? std::string(1, static_cast<char>(b)) : strf(" %02x", static_cast<unsigned>(b));
  return text ? s + "'" : s;
}

Error not_a_picture(Bytes bytes) {
  if (bytes.empty()) return error(Code::corrupt, "is not a picture: it is empty");
  for (const Other& o : others)
    if (has(bytes, o.at, o.begins))
      return error(Code::unsupported, "is %s, which is not read: convert it; %s", o.title, what_is_read);
  return error(Code::unsupported, "is not a picture: begins with %s; %s", beginning(bytes).c_str(),
               what_is_read);
}

}  // namespace

std::span<const Codec> codecs() { return all; }

const char* format_of(Bytes bytes) {
  for (const Codec& c : all)
    if (c.begins(bytes)) return c.name;
  return nullptr;
}

Result<Image> decode(Bytes bytes, bool turn) {
  for (const Codec& c : all) {
    if (!c.begins(bytes)) continue;
    HONE_TRY(Decoded d, c.decode(bytes));
    return turn ? upright(std::move(d.image), d.orientation) : std::move(d.image);
  }
  return not_a_picture(bytes);
}

Status check_size(const char* title, int64_t width, int64_t height) {
  if (width < 1 || height < 1)
    return error(Code::corrupt, "%s: %lld x %lld pixels: the picture is empty", title,
                 static_cast<long long>(width), static_cast<long long>(height));
  if (width > vision::max_image_side || height > vision::max_image_side ||
      width * height > vision::max_image_pixels)
    return error(Code::limit,
                 "%s: %lld x %lld pixels: at most %d on a side and %lld in all are read; scale it down",
                 title, static_cast<long long>(width), static_cast<long long>(height), vision::max_image_side,
                 static_cast<long long>(vision::max_image_pixels));
  return {};
}

Status check_density(const char* title, int64_t width, int64_t height, size_t bytes, int64_t per_byte,
                     int64_t free) {
  const int64_t pixels = width * height;
  if (pixels <= free || (pixels - free) / per_byte <= static_cast<int64_t>(bytes)) return {};
  return error(Code::corrupt,
               "%s: says %lld x %lld pixels but has %zu bytes for them: the header lies, or the file is cut "
               "off; save it again",
               title, static_cast<long long>(width), static_cast<long long>(height), bytes);
}

Error cut_off(const char* title, uint64_t bytes, uint64_t wanted) {
  return error(Code::corrupt, "%s: ends after %llu of %llu bytes: the file is cut off; copy it again", title,
               static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(wanted));
}

Error damaged(const char* title, const char* how) {
  return error(Code::corrupt, "%s: %s: the file is damaged; copy or save it again", title, how);
}

}  // namespace hone::imageio
