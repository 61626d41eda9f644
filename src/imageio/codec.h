// What the readers of the single formats share. Each decodes the picture as it is stored and says how it is
// to be turned; imageio.h's decode() finds the reader and turns.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "imageio/imageio.h"

namespace hone::imageio {

using Bytes = std::span<const std::byte>;

struct Decoded {
  Image image;
  int orientation = 1;  // as EXIF counts, 1..8
};

// In the order in which formats are tried.
struct Codec {
  const char* name;   // "jpeg"
  const char* title;  // "JPEG"; begins the messages of its reader
  bool (*begins)(Bytes);
  Result<Decoded> (*decode)(Bytes);
};
std::span<const Codec> codecs();

Result<Decoded> decode_jpeg(Bytes);
Result<Decoded> decode_png(Bytes);
Result<Decoded> decode_webp(Bytes);
Result<Decoded> decode_bmp(Bytes);
Result<Decoded> decode_ppm(Bytes);
Result<Decoded> decode_tiff(Bytes);
Result<Decoded> decode_jpeg2000(Bytes);

// Whether a picture of this size may be decoded; before anything is allocated.
Status check_size(const char* title, int64_t width, int64_t height);
// Whether `bytes` of pixel data can be that picture's: `per_byte` pixels come out of one at most. Pictures
// of up to `free` pixels pass, for formats in which an empty picture takes nothing.
Status check_density(const char* title, int64_t width, int64_t height, size_t bytes, int64_t per_byte,
                     int64_t free);
// "PNG: ends after 1234 of 5678 bytes: ..."
Error cut_off(const char* title, uint64_t bytes, uint64_t wanted);
Error damaged(const char* title, const char* how);

// The orientation in a block of EXIF (with or without "Exif\0\0" before it). 1 where there is none, or
// nonsense: the picture itself is whole.
int exif_orientation(Bytes);
Result<Image> upright(Image, int orientation);

inline uint8_t byte_at(Bytes b, size_t i) { return static_cast<uint8_t>(b[i]); }
inline uint32_t big_endian(Bytes b, size_t at, int n) {
  uint32_t v = 0;
  for (int i = 0; i < n; i++) v = v << 8 | byte_at(b, at + static_cast<size_t>(i));
  return v;
}
inline uint32_t little_endian(Bytes b, size_t at, int n) {
  uint32_t v = 0;
  while (n-- > 0) v = v << 8 | byte_at(b, at + static_cast<size_t>(n));
  return v;
}
// A sample of 0..max in 0..255, rounded.
inline uint8_t to_8_bits(uint32_t v, uint32_t max) {
  return static_cast<uint8_t>((uint64_t{v} * 255 + max / 2) / max);
}

}  // namespace hone::imageio
