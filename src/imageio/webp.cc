#include <webp/decode.h>

#include <cstring>

#include "imageio/codec.h"

namespace hone::imageio {
namespace {

constexpr const char* title = "WebP";

struct Chunks {
  size_t pixel_bytes = 0;
  Bytes exif;
};

// RIFF: name, length, data, and a byte of padding where the length is odd.
Result<Chunks> find_chunks(Bytes bytes) {
  const uint64_t whole = uint64_t{little_endian(bytes, 4, 4)} + 8;
  if (whole > bytes.size()) return cut_off(title, bytes.size(), whole);
  bytes = bytes.first(whole);
  Chunks chunks;
  for (size_t at = 12; at < bytes.size();) {
    if (bytes.size() - at < 8) return cut_off(title, bytes.size(), at + 8);
    const uint32_t length = little_endian(bytes, at + 4, 4);
    if (length > bytes.size() - at - 8) return cut_off(title, bytes.size(), at + 8 + uint64_t{length});
    const Bytes data = bytes.subspan(at + 8, length);
    const auto is = [&](const char* name) { return std::memcmp(bytes.data() + at, name, 4) == 0; };
    if (is("VP8 ") || is("VP8L")) chunks.pixel_bytes += length;
    if (is("EXIF")) chunks.exif = data;
    at += 8 + size_t{length} + length % 2;
  }
  return chunks;
}

Error failure(VP8StatusCode code) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return error(Code::limit, "WebP: out of memory");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return error(Code::unsupported, "WebP: has a feature that libwebp does not know: save it as PNG");
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return damaged(title, "there are fewer bytes than pixels need");
    default:
      return damaged(title, "its pixels cannot be decoded");
  }
}

}  // namespace

Result<Decoded> decode_webp(Bytes bytes) {
  HONE_TRY(const Chunks chunks, find_chunks(bytes));
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config))
    return error(Code::unsupported, "WebP: libwebp is of another version than Hone was built with");
  if (const auto code = WebPGetFeatures(data, bytes.size(), &config.input); code != VP8_STATUS_OK)
    return failure(code);
  if (config.input.has_animation)
    return error(Code::unsupported, "WebP: is animated: save one of its pictures");
  HONE_CHECK(check_size(title, config.input.width, config.input.height));
  // One colour may take no bits at all, so a picture of a common size is taken at its word.
  HONE_CHECK(check_density(title, config.input.width, config.input.height, chunks.pixel_bytes, 16384,
                           int64_t{1} << 24));
  const bool alpha = config.input.has_alpha;
  HONE_TRY(Image image, Image::allocate(config.input.width, config.input.height,
                                        alpha ? vision::PixelFormat::rgba8 : vision::PixelFormat::rgb8));
  config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = image.row(0);
  config.output.u.RGBA.stride = static_cast<int>(image.stride());
  config.output.u.RGBA.size = static_cast<size_t>(image.stride()) * static_cast<size_t>(image.height());
  const auto code = WebPDecode(data, bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (code != VP8_STATUS_OK) return failure(code);
  return Decoded{std::move(image), exif_orientation(chunks.exif)};
}

}  // namespace hone::imageio
