// Picture files: JPEG, PNG, WebP, BMP, PPM/PGM, TIFF (the first picture) and JPEG 2000 in; JPEG and PNG out. The format is told by the first
// bytes, never by the name.
//
// What comes in is gray8, rgb8 or rgba8 (only where the file has transparency), 16 bits reduced to 8
// (rounded), palettes resolved, turned upright as the EXIF orientation says. Files are untrusted: sizes are
// checked against the limits of vision/image.h before anything is allocated, and a file that ends too early
// is an error, not half a picture.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "vision/image.h"

namespace hone::imageio {

using vision::Image;
using vision::ImageView;

// Errors begin with the path, and name format, offending value and remedy.
Result<Image> read(const std::string& path);
// The same from memory; `upright` false: as it is stored.
Result<Image> decode(std::span<const std::byte> bytes, bool upright = true);
// A picture of class indices: a PNG of grey or with a palette, up to 8 bits, whose numbers come as gray8
// unscaled and without the palette's colours. Errors as of read; another format or kind of PNG.
Result<Image> read_indices(const std::string& path);
// Whether the bytes begin as one of the formats does ("jpeg", ...; nullptr: none of them).
const char* format_of(std::span<const std::byte> bytes);

struct WriteOptions {
  int quality = 90;  // of JPEG, 1..100
};
// By the path's extension: .jpg, .jpeg, .png. Written to a temporary, then renamed. Transparency is kept by
// PNG, dropped by JPEG.
Status write(const ImageView&, const std::string& path, const WriteOptions& = {});
Result<std::vector<std::byte>> encode_jpeg(const ImageView&, const WriteOptions& = {});
Result<std::vector<std::byte>> encode_png(const ImageView&);

// From now on the operator ImageDecoder of models decodes by this module (hone_set_image_decoder).
void serve_models();

}  // namespace hone::imageio
