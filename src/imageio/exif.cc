#include <cstring>

#include "imageio/codec.h"

namespace hone::imageio {

// EXIF is a TIFF file without a picture: byte order, 42, offset of the first directory; that is a count and
// entries of 12 bytes: tag, type, count, value.
int exif_orientation(Bytes exif) {
  constexpr char prefix[] = "Exif\0";  // and the literal's own zero
  if (exif.size() >= 6 && std::memcmp(exif.data(), prefix, 6) == 0) exif = exif.subspan(6);
  if (exif.size() < 8) return 1;
  const bool little = byte_at(exif, 0) == 'I';
  if (byte_at(exif, 0) != byte_at(exif, 1) || (!little && byte_at(exif, 0) != 'M')) return 1;
  auto number = [&](size_t at, int n) {
    return little ? little_endian(exif, at, n) : big_endian(exif, at, n);
  };
  const size_t directory = number(4, 4);
  if (number(2, 2) != 42 || directory > exif.size() - 2) return 1;
  const size_t entries = number(directory, 2);
  for (size_t i = 0, at = directory + 2; i < entries && exif.size() - at >= 12; i++, at += 12) {
    constexpr uint32_t orientation = 0x112, type_short = 3;
    if (number(at, 2) != orientation || number(at + 2, 2) != type_short) continue;
    const uint32_t value = number(at + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Result<Image> upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const int width = image.width(), height = image.height(), step = image.view().channels();
  // 5..8: rows are stored as columns.
  const bool swapped = orientation >= 5;
  HONE_TRY(Image to, Image::allocate(swapped ? height : width, swapped ? width : height, image.format()));
  // Where the upright picture's left and top are in the stored one.
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (int y = 0; y < to.height(); y++) {
    uint8_t* out = to.row(y);
    for (int x = 0; x < to.width(); x++, out += step) {
      const int u = swapped ? y : x, v = swapped ? x : y;
      const uint8_t* in =
          image.row(from_bottom ? height - 1 - v : v) + int64_t{from_right ? width - 1 - u : u} * step;
      for (int c = 0; c < step; c++) out[c] = in[c];
    }
  }
  return to;
}

}  // namespace hone::imageio
