// Pictures for the operator ImageDecoder.
#include <cstring>

#include "hone/hone.h"
#include "imageio/imageio.h"

namespace hone::imageio {
namespace {

Status decode_for_model(std::span<const std::byte> file, hone_image_place_fn place, void* context) {
  HONE_TRY(const Image stored, decode(file, false));
  HONE_TRY(const Image image, vision::converted(stored, vision::PixelFormat::rgb8));
  unsigned char* to = place(image.width(), image.height(), context);
  if (!to) return error(Code::limit, "there is no room for %d x %d pixels", image.width(), image.height());
  std::memcpy(to, image.row(0), static_cast<size_t>(image.stride()) * static_cast<size_t>(image.height()));
  return {};
}

hone_status* decode_c(const void* bytes, size_t byte_count, hone_image_place_fn place, void* context, void*) {
  try {
    const Status s = decode_for_model({static_cast<const std::byte*>(bytes), byte_count}, place, context);
    return s ? nullptr : hone_status_new(static_cast<int>(s.error().code), s.error().message.c_str());
  } catch (const std::bad_alloc&) { return hone_status_new(HONE_LIMIT, "out of memory"); }
}

}  // namespace

void serve_models() { hone_set_image_decoder(decode_c, nullptr); }

}  // namespace hone::imageio
