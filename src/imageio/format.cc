#include <cstring>

#include "imageio/imageio.h"

namespace hone::imageio {

const char* format_of(std::span<const std::byte> bytes) {
  auto begins = [&](size_t at, const char* with, size_t n) {
    return bytes.size() >= at + n && std::memcmp(bytes.data() + at, with, n) == 0;
  };
  if (begins(0, "\xff\xd8\xff", 3)) return "jpeg";
  if (begins(0, "\x89PNG\r\n\x1a\n", 8)) return "png";
  if (begins(0, "RIFF", 4) && begins(8, "WEBP", 4)) return "webp";
  if (begins(0, "BM", 2)) return "bmp";
  if (bytes.size() >= 2 && begins(0, "P", 1)) {
    const char kind = static_cast<char>(bytes[1]);
    if (kind == '2' || kind == '3' || kind == '5' || kind == '6') return "ppm";
  }
  return nullptr;
}

}  // namespace hone::imageio
