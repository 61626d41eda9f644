#include "base/write_file.h"

#include <spng.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "imageio/imageio.h"
#include "imageio/jpeg.h"

namespace hone::imageio {
namespace {

using vision::PixelFormat;

struct Free {
  void operator()(void* p) const { std::free(p); }
  void operator()(spng_ctx* c) const { spng_ctx_free(c); }
};

std::vector<std::byte> copy_of(const void* data, size_t n) {
  const auto* p = static_cast<const std::byte*>(data);
  return {p, p + n};
}

std::string extension_of(const std::string& path) {
  const size_t dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] == '/') return "";
  std::string e = path.substr(dot);
  for (char& c : e)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return e;
}

}  // namespace

Result<std::vector<std::byte>> encode_jpeg(const ImageView& image, const WriteOptions& options) {
  HONE_CHECK(check_image(image, "the picture"));
  if (options.quality < 1 || options.quality > 100)
    return error(Code::invalid_argument, "JPEG: the quality is %d: 1 to 100 are possible", options.quality);
  const bool grey = image.format == PixelFormat::gray8;
  if (!grey && image.format != PixelFormat::rgb8) {
    HONE_TRY(const Image rgb, converted(image, PixelFormat::rgb8));
    return encode_jpeg(rgb, options);
  }
  jpeg_compress_struct cinfo = {};
  JpegErrors errors;
  cinfo.err = prepare(errors);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  const bool done = try_jpeg(errors, [&] {
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &out, &size);
    cinfo.image_width = static_cast<JDIMENSION>(image.width);
    cinfo.image_height = static_cast<JDIMENSION>(image.height);
    cinfo.input_components = grey ? 1 : 3;
    cinfo.in_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, options.quality, TRUE);
    // Thin coloured lines are what we draw: colour keeps its resolution where quality is asked for.
    if (!grey && options.quality >= 90)
      cinfo.comp_info[0].h_samp_factor = cinfo.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&cinfo, TRUE);
    while (cinfo.next_scanline < cinfo.image_height) {
      auto* row = const_cast<JSAMPROW>(image.row(static_cast<int>(cinfo.next_scanline)));
      jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
  });
  jpeg_destroy_compress(&cinfo);
  const std::unique_ptr<unsigned char, Free> owner(out);
  if (!done) return error(Code::limit, "JPEG: cannot encode: %s", errors.message);
  return copy_of(out, size);
}

Result<std::vector<std::byte>> encode_png(const ImageView& image) {
  HONE_CHECK(check_image(image, "the picture"));
  if (image.format == PixelFormat::bgr8 || image.format == PixelFormat::bgra8) {
    HONE_TRY(const Image rgb,
             converted(image, image.format == PixelFormat::bgr8 ? PixelFormat::rgb8 : PixelFormat::rgba8));
    return encode_png(rgb);
  }
  const std::unique_ptr<spng_ctx, Free> context(spng_ctx_new(SPNG_CTX_ENCODER));
  if (!context) return error(Code::limit, "PNG: out of memory");
  spng_ctx* c = context.get();
  spng_set_option(c, SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header = {};
  header.width = static_cast<uint32_t>(image.width);
  header.height = static_cast<uint32_t>(image.height);
  header.bit_depth = 8;
  header.color_type = image.channels() == 1   ? SPNG_COLOR_TYPE_GRAYSCALE
                      : image.channels() == 3 ? SPNG_COLOR_TYPE_TRUECOLOR
                                              : SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  int code = spng_set_ihdr(c, &header);
  if (!code)
    code = spng_encode_image(c, nullptr, 0, SPNG_FMT_PNG, SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE);
  for (int y = 0; y < image.height && !code; y++)
    code = spng_encode_row(c, image.row(y),
                           static_cast<size_t>(image.width) * static_cast<size_t>(image.channels()));
  size_t size = 0;
  std::unique_ptr<void, Free> out;
  if (code == SPNG_EOI) out.reset(spng_get_png_buffer(c, &size, &code));
  if (!out) return error(Code::limit, "PNG: cannot encode: %s", spng_strerror(code));
  return copy_of(out.get(), size);
}

Status write(const ImageView& image, const std::string& path, const WriteOptions& options) {
  const std::string e = extension_of(path);
  const bool jpeg = e == ".jpg" || e == ".jpeg";
  if (!jpeg && e != ".png")
    return error(Code::unsupported, "%s: pictures are written as .jpg, .jpeg and .png: change the name",
                 path.c_str());
  auto bytes = jpeg ? encode_jpeg(image, options) : encode_png(image);
  if (!bytes) return in(path, bytes.take_error());
  const std::span<const std::byte> piece = *bytes;
  return write_file(path, {&piece, 1});
}

}  // namespace hone::imageio
