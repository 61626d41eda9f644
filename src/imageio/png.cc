#include <spng.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "base/mapped_file.h"
#include "imageio/codec.h"

namespace hone::imageio {
namespace {

using vision::PixelFormat;

constexpr const char* title = "PNG";

struct FreeContext {
  void operator()(spng_ctx* c) const { spng_ctx_free(c); }
};

Error failure(int code) {
  if (code == SPNG_EMEM) return error(Code::limit, "PNG: out of memory");
  return damaged(title, spng_strerror(code));
}

struct Chunks {
  uint32_t width = 0, height = 0;
  size_t pixel_bytes = 0;  // compressed
  Bytes exif;
};

// Walks the chunks (length, name, data, checksum), so that a file that ends too early is refused as that.
Result<Chunks> find_chunks(Bytes bytes) {
  Chunks chunks;
  size_t at = 8;
  for (;;) {
    if (bytes.size() - at < 12) return cut_off(title, bytes.size(), at + 12);
    const uint32_t length = big_endian(bytes, at, 4);
    if (length > bytes.size() - at - 12) return cut_off(title, bytes.size(), at + 12 + uint64_t{length});
    const auto is = [&](const char* name) { return std::memcmp(bytes.data() + at + 4, name, 4) == 0; };
    if (at == 8) {
      if (!is("IHDR") || length < 8) return damaged(title, "its first chunk is not a header");
      chunks.width = big_endian(bytes, 16, 4);
      chunks.height = big_endian(bytes, 20, 4);
    }
    if (is("IDAT")) chunks.pixel_bytes += length;
    if (is("eXIf")) chunks.exif = bytes.subspan(at + 8, length);
    if (is("IEND")) return chunks;
    at += 12 + size_t{length};
  }
}

// Rows come as 16-bit RGBA, in the host's byte order.
void to_8_bits(const uint8_t* in, uint8_t* out, int width, int channels) {
  for (int x = 0; x < width; x++, in += 8) {
    uint16_t v[4];
    std::memcpy(v, in, 8);
    for (int c = 0; c < channels; c++) *out++ = imageio::to_8_bits(v[c], 65535);
  }
}

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  Result<Decoded> decode() {
    HONE_TRY(const Chunks chunks, open());
    spng_ctx* c = context_.get();
    spng_trns unused;
    const int transparency = spng_get_trns(c, &unused);
    if (transparency && transparency != SPNG_ECHUNKAVAIL) return failure(transparency);
    const bool alpha = !transparency || header_.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
                       header_.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
    const bool grey = header_.color_type == SPNG_COLOR_TYPE_GRAYSCALE;
    HONE_TRY(Image image, Image::allocate(static_cast<int>(header_.width), static_cast<int>(header_.height),
                                          alpha  ? PixelFormat::rgba8
                                          : grey ? PixelFormat::gray8
                                                 : PixelFormat::rgb8));
    const int code = header_.bit_depth == 16 ? wide_pixels(image) : pixels(image, alpha, grey);
    if (code) return failure(code);
    return Decoded{std::move(image), exif_orientation(chunks.exif)};
  }

  // The numbers that the file holds, one per pixel.
  Result<Image> indices() {
    HONE_CHECK(open());
    const bool palette = header_.color_type == SPNG_COLOR_TYPE_INDEXED;
    if (!palette && (header_.color_type != SPNG_COLOR_TYPE_GRAYSCALE || header_.bit_depth > 8))
      return error(Code::unsupported,
                   "PNG: has colours or 16 bits; class indices are 8-bit grey or a palette's");
    HONE_TRY(Image image, Image::allocate(static_cast<int>(header_.width), static_cast<int>(header_.height),
                                          PixelFormat::gray8));
    const size_t row = (size_t{header_.width} * header_.bit_depth + 7) / 8;
    std::vector<uint8_t> packed(row * header_.height);
    if (const int code = spng_decode_image(context_.get(), packed.data(), packed.size(), SPNG_FMT_RAW, 0))
      return failure(code);
    const unsigned mask = (1u << header_.bit_depth) - 1, per_byte = 8u / header_.bit_depth;
    for (uint32_t y = 0; y < header_.height; y++)
      for (uint32_t x = 0; x < header_.width; x++) {
        const unsigned byte = packed[row * y + x / per_byte];
        const unsigned shift = 8 - header_.bit_depth * (x % per_byte + 1);
        image.row(static_cast<int>(y))[x] = static_cast<uint8_t>(byte >> shift & mask);
      }
    return image;
  }

 private:
  // Header and limits.
  Result<Chunks> open() {
    HONE_TRY(const Chunks chunks, find_chunks(bytes_));
    HONE_CHECK(check_size(title, chunks.width, chunks.height));
    if (!context_) return failure(SPNG_EMEM);
    spng_ctx* c = context_.get();
    spng_set_image_limits(c, vision::max_image_side, vision::max_image_side);
    // A chunk that was read is no larger than the file; what is unpacked of texts and profiles is limited.
    const size_t most = std::max<size_t>(bytes_.size(), 16 << 20);
    spng_set_chunk_limits(c, most, most);
    spng_set_png_buffer(c, bytes_.data(), bytes_.size());
    if (const int code = spng_get_ihdr(c, &header_)) return failure(code);
    // Deflate makes 1032 bytes of one at most, and a pixel has a bit at least.
    HONE_CHECK(check_density(title, header_.width, header_.height, chunks.pixel_bytes, 1032 * 8, 0));
    return chunks;
  }

  int pixels(Image& image, bool alpha, bool grey) {
    const int format = alpha ? SPNG_FMT_RGBA8 : grey ? SPNG_FMT_G8 : SPNG_FMT_RGB8;
    return spng_decode_image(context_.get(), image.row(0),
                             static_cast<size_t>(image.stride()) * header_.height, format, SPNG_DECODE_TRNS);
  }

  // libspng cuts 16 bits to 8 instead of rounding. An interlaced picture's rows come several times, each time
  // with more of their pixels, so all of them have to be kept.
  int wide_pixels(Image& image) {
    spng_ctx* c = context_.get();
    const size_t row_bytes = size_t{header_.width} * 8;
    const bool interlaced = header_.interlace_method != SPNG_INTERLACE_NONE;
    std::vector<uint8_t> wide(row_bytes * (interlaced ? header_.height : 1));
    const int step = image.view().channels();
    int code = spng_decode_image(c, nullptr, 0, SPNG_FMT_RGBA16, SPNG_DECODE_PROGRESSIVE | SPNG_DECODE_TRNS);
    while (!code) {
      spng_row_info info;
      code = spng_get_row_info(c, &info);
      if (code) break;
      uint8_t* row = wide.data() + (interlaced ? row_bytes * info.row_num : 0);
      code = spng_decode_row(c, row, row_bytes);
      if (code && code != SPNG_EOI) break;
      to_8_bits(row, image.row(static_cast<int>(info.row_num)), image.width(), step);
    }
    return code == SPNG_EOI ? 0 : code;
  }

  Bytes bytes_;
  std::unique_ptr<spng_ctx, FreeContext> context_{spng_ctx_new(0)};
  spng_ihdr header_ = {};
};

}  // namespace

Result<Decoded> decode_png(Bytes bytes) {
  try {
    return Reader(bytes).decode();
  } catch (const std::bad_alloc&) { return error(Code::limit, "PNG: out of memory"); }
}

Result<Image> read_indices(const std::string& path) {
  HONE_TRY(const auto file, MappedFile::open(path));
  const char* format = format_of(file->bytes());
  if (!format || std::strcmp(format, "png") != 0)
    return error(Code::unsupported, "%s: is no PNG, as pictures of class indices are", path.c_str());
  try {
    auto image = Reader(file->bytes()).indices();
    if (!image) return in(path, image.take_error());
    return image;
  } catch (const std::bad_alloc&) { return error(Code::limit, "%s: PNG: out of memory", path.c_str()); }
}

}  // namespace hone::imageio
