#include "ops/image_decoder.h"

#include "capi/runtime/handles.h"

namespace {
using namespace hone;

// What the C decoder's call for memory reaches.
struct Request {
  const PlaceImage& place;
  Status refused;
};

unsigned char* place_c(int64_t width, int64_t height, void* context) {
  auto& request = *static_cast<Request*>(context);
  try {
    auto memory = request.place(height, width);
    if (memory) return *memory;
    request.refused = memory.take_error();
  } catch (const std::bad_alloc&) { request.refused = Error{Code::limit, "out of memory"}; }
  return nullptr;
}
}  // namespace

void hone_set_image_decoder(hone_image_decoder_fn decode, void* user) {
  if (!decode) return set_image_decoder(nullptr);
  set_image_decoder([decode, user](std::span<const std::byte> file, const PlaceImage& place) -> Status {
    Request request{place, {}};
    hone_status* failed = decode(file.data(), file.size(), place_c, &request, user);
    if (!request.refused) {
      hone_status_free(failed);
      return request.refused.take_error();
    }
    if (!failed) return {};
    Error e = failed->error;
    hone_status_free(failed);
    return e;
  });
}
