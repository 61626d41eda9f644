// The decoder of picture files that the operator ImageDecoder calls. The runtime has none, as it has no
// third-party code: who has one (libhone_vision) sets it, for the whole process.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"

namespace hone {

// Memory for height * width pixels of red, green and blue; called once, when the size is known.
using PlaceImage = std::function<Result<uint8_t*>(int64_t height, int64_t width)>;
// Decodes a file as it is stored (no EXIF orientation). Errors of code corrupt and unsupported: it cannot be decoded.
using DecodeImage = std::function<Status(std::span<const std::byte> file, const PlaceImage&)>;

// Thread-safe; null: none. Runs that have begun keep the one they have.
void set_image_decoder(DecodeImage);

}  // namespace hone
