// Any bytes are a picture within the limits, or refused; the first bytes choose the reader. What is decoded
// survives being written as PNG and read again.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "imageio/imageio.h"

namespace {
using namespace hone;

uint32_t big_endian(const uint8_t* p) { return uint32_t{p[0]} << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

// Puts the checksums of PNG's chunks right: the fuzzer would otherwise never get behind them.
void mend_png(std::vector<uint8_t>& b) {
  for (size_t at = 8; b.size() > at && b.size() - at >= 12;) {
    const size_t length = big_endian(&b[at]);
    if (length > b.size() - at - 12) return;
    uint32_t crc = ~0u;
    for (size_t i = at + 4; i < at + 8 + length; i++) {
      crc ^= b[i];
      for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    for (int i = 0; i < 4; i++)
      b[at + 8 + length + static_cast<size_t>(i)] = static_cast<uint8_t>(~crc >> (24 - 8 * i));
    at += 12 + length;
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> bytes(data, data + size);
  const char* format = imageio::format_of(std::as_bytes(std::span(bytes)));
  if (format && std::strcmp(format, "png") == 0) mend_png(bytes);
  const auto image = imageio::decode(std::as_bytes(std::span(bytes)));
  if (!image) {
    if (image.error().message.empty()) std::abort();
    return 0;
  }
  if (!format || !vision::check_image(*image, "the picture")) std::abort();
  if (int64_t{image->width()} * image->height() > 1 << 14) return 0;
  const auto again = imageio::decode(*imageio::encode_png(*image));
  if (!again || again->format() != image->format() || again->width() != image->width() ||
      again->height() != image->height() ||
      std::memcmp(again->row(0), image->row(0), static_cast<size_t>(image->stride() * image->height())) != 0)
    std::abort();
  return 0;
}
