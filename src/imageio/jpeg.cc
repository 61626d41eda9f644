#include "imageio/jpeg.h"

#include <jerror.h>

#include <cstring>
#include <new>
#include <vector>

#include "imageio/codec.h"

namespace hone::imageio {
namespace {

constexpr const char* title = "JPEG";

[[noreturn]] void leave(j_common_ptr cinfo) {
  auto* errors = reinterpret_cast<JpegErrors*>(cinfo->err);
  errors->code = cinfo->err->msg_code;
  cinfo->err->format_message(cinfo, errors->message);
  std::longjmp(errors->exit, 1);
}

// Warnings mean that libjpeg made pixels up, except for some that cameras and programs are known for.
void warn(j_common_ptr cinfo, int level) {
  if (level >= 0) return;
  const int code = cinfo->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM) return;
  leave(cinfo);
}

// A progressive file may revisit all pixels with a scan of a few bytes, so their number is limited. Encoders
// write about ten.
constexpr int max_scans = 100;
void count_scans(j_common_ptr cinfo) {
  if (!cinfo->is_decompressor || reinterpret_cast<j_decompress_ptr>(cinfo)->input_scan_number <= max_scans)
    return;
  cinfo->err->msg_code = JERR_BAD_PROGRESSION;
  leave(cinfo);
}

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {
    cinfo_.err = prepare(errors_);
    ready_ = try_jpeg(errors_, [this] {
      jpeg_create_decompress(&cinfo_);
      jpeg_mem_src(&cinfo_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
      jpeg_save_markers(&cinfo_, JPEG_APP0 + 1, 0xffff);
      progress_.progress_monitor = count_scans;
      cinfo_.progress = &progress_;
      jpeg_read_header(&cinfo_, TRUE);
    });
  }
  ~Reader() { jpeg_destroy_decompress(&cinfo_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Result<Decoded> decode() {
    if (!ready_) return failure();
    HONE_CHECK(check_size(title, cinfo_.image_width, cinfo_.image_height));
    if (cinfo_.arith_code)
      return error(Code::unsupported, "JPEG: has arithmetic coding: save it with Huffman coding");
    // A block of 8 x 8 pixels takes a bit at least; more pixels than that share one where two components
    // are sampled more sparsely in one direction each.
    HONE_CHECK(check_density(title, cinfo_.image_width, cinfo_.image_height, bytes_.size(), 1024, 0));
    const bool grey = cinfo_.jpeg_color_space == JCS_GRAYSCALE;
    const bool four = cinfo_.num_components == 4;
    if (!grey && !four && cinfo_.num_components != 3)
      return error(Code::unsupported,
                   "JPEG: has %d components: grey (1), colour (3) and CMYK (4) are read; save it as RGB",
                   cinfo_.num_components);
    cinfo_.out_color_space = grey ? JCS_GRAYSCALE : four ? JCS_CMYK : JCS_RGB;
    const int width = static_cast<int>(cinfo_.image_width);
    HONE_TRY(Image image, Image::allocate(width, static_cast<int>(cinfo_.image_height),
                                          grey ? vision::PixelFormat::gray8 : vision::PixelFormat::rgb8));
    std::vector<uint8_t> line(four ? static_cast<size_t>(width) * 4 : 0);
    const int turned = orientation();  // libjpeg forgets its markers at the end
    if (!pixels(image, line.data(), width)) return failure();
    return Decoded{std::move(image), turned};
  }

 private:
  bool pixels(Image& image, uint8_t* line, int width) {
    return try_jpeg(errors_, [&] {
      jpeg_start_decompress(&cinfo_);
      while (cinfo_.output_scanline < cinfo_.output_height) {
        uint8_t* out = image.row(static_cast<int>(cinfo_.output_scanline));
        JSAMPROW row = line ? line : out;
        jpeg_read_scanlines(&cinfo_, &row, 1);
        if (line) from_cmyk(line, out, width);
      }
      jpeg_finish_decompress(&cinfo_);
    });
  }

  // Adobe's programs store CMYK the other way round, and say that it is theirs.
  void from_cmyk(const uint8_t* in, uint8_t* out, int width) const {
    const uint32_t flip = cinfo_.saw_Adobe_marker ? 0 : 255;
    for (int x = 0; x < width; x++, in += 4, out += 3)
      for (int c = 0; c < 3; c++) out[c] = to_8_bits((in[c] ^ flip) * (in[3] ^ flip), 255 * 255);
  }

  int orientation() const {
    for (auto* m = cinfo_.marker_list; m; m = m->next) {
      const Bytes data = std::as_bytes(std::span(m->data, m->data_length));
      if (data.size() > 6 && std::memcmp(data.data(), "Exif\0", 6) == 0) return exif_orientation(data);
    }
    return 1;
  }

  Error failure() const {
    switch (errors_.code) {
      case JWRN_JPEG_EOF:
      case JERR_INPUT_EOF:
        return error(Code::corrupt,
                     "JPEG: ends after %zu bytes, before its last marker: the file is cut off; "
                     "copy it again",
                     bytes_.size());
      case JERR_OUT_OF_MEMORY:
        return error(Code::limit, "JPEG: out of memory for %u x %u pixels", cinfo_.image_width,
                     cinfo_.image_height);
      case JERR_BAD_PROGRESSION:
        if (cinfo_.input_scan_number > max_scans)
          return error(Code::limit, "JPEG: has more than %d scans: save it as a baseline JPEG", max_scans);
        break;
      case JERR_BAD_PRECISION:
      case JERR_SOF_UNSUPPORTED:
      case JERR_CONVERSION_NOTIMPL:
      case JERR_CCIR601_NOTIMPL:
      case JERR_FRACT_SAMPLE_NOTIMPL:
        return error(Code::unsupported, "JPEG: %s: save it as a baseline JPEG of 8 bits", errors_.message);
    }
    return damaged(title, errors_.message);
  }

  Bytes bytes_;
  jpeg_decompress_struct cinfo_ = {};
  jpeg_progress_mgr progress_ = {};
  JpegErrors errors_;
  bool ready_ = false;
};

}  // namespace

jpeg_error_mgr* prepare(JpegErrors& errors) {
  jpeg_std_error(&errors.manager);
  errors.manager.error_exit = leave;
  errors.manager.emit_message = warn;
  return &errors.manager;
}

Result<Decoded> decode_jpeg(Bytes bytes) {
  try {
    return Reader(bytes).decode();
  } catch (const std::bad_alloc&) { return error(Code::limit, "JPEG: out of memory"); }
}

}  // namespace hone::imageio
