// TIFF by libtiff: whatever it can turn into 8 bits of red, green, blue and alpha. Of several pictures the first.
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <vector>

#include "imageio/codec.h"

namespace hone::imageio {
namespace {

constexpr const char* title = "TIFF";

// The file in memory, as libtiff's callbacks see it.
struct Source {
  Bytes bytes;
  uint64_t at = 0;
  std::string complaint;  // the first error, for people
};

tmsize_t read(thandle_t handle, void* to, tmsize_t size) {
  auto& s = *static_cast<Source*>(handle);
  const uint64_t left = s.at < s.bytes.size() ? s.bytes.size() - s.at : 0;
  const uint64_t n = std::min(left, static_cast<uint64_t>(std::max<tmsize_t>(size, 0)));
  if (n) std::memcpy(to, s.bytes.data() + s.at, n);
  s.at += n;
  return static_cast<tmsize_t>(n);
}
tmsize_t refuse_write(thandle_t, void*, tmsize_t) { return 0; }
toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& s = *static_cast<Source*>(handle);
  s.at = whence == SEEK_SET ? offset : offset + (whence == SEEK_CUR ? s.at : s.bytes.size());
  return s.at;
}
int close(thandle_t) { return 0; }
toff_t size(thandle_t handle) { return static_cast<Source*>(handle)->bytes.size(); }

[[gnu::format(printf, 4, 0)]] int note_error(TIFF*, void* user, const char*, const char* format,
                                             va_list list) {
  auto& s = *static_cast<Source*>(user);
  if (!s.complaint.empty()) return 1;
  char text[200];
  std::vsnprintf(text, sizeof text, format, list);
  s.complaint = text;
  return 1;
}
int ignore_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct Free {
  void operator()(TIFF* t) const { TIFFClose(t); }
  void operator()(TIFFOpenOptions* o) const { TIFFOpenOptionsFree(o); }
};

Error failure(const Source& s) {
  return error(Code::corrupt, "TIFF: %s: the file is damaged, or of a kind that is not read; save it as PNG",
               s.complaint.empty() ? "its pixels cannot be decoded" : s.complaint.c_str());
}

}  // namespace

Result<Decoded> decode_tiff(Bytes bytes) {
  // No piece of a picture within the limits is larger.
  constexpr tmsize_t most_memory = tmsize_t{8} * vision::max_image_pixels;
  Source source{.bytes = bytes, .at = 0, .complaint = {}};
  const std::unique_ptr<TIFFOpenOptions, Free> options(TIFFOpenOptionsAlloc());
  if (!options) return error(Code::limit, "TIFF: out of memory");
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), note_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_warning, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), most_memory);
  // 'm': not mapped.
  const std::unique_ptr<TIFF, Free> tiff(TIFFClientOpenExt("TIFF", "rm", &source, read, refuse_write, seek,
                                                           close, size, nullptr, nullptr, options.get()));
  if (!tiff) return failure(source);
  uint32_t width = 0, height = 0;
  uint16_t orientation = ORIENTATION_TOPLEFT, samples = 1, *kinds = nullptr, extra = 0;
  if (!TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width) ||
      !TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height))
    return damaged(title, "it does not say how large the picture is");
  HONE_CHECK(check_size(title, width, height));
  HONE_CHECK(check_density(title, width, height, bytes.size(), 16384, int64_t{1} << 24));
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ORIENTATION, &orientation);
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_SAMPLESPERPIXEL, &samples);
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_EXTRASAMPLES, &extra, &kinds);
  if (orientation < 1 || orientation > 8) orientation = ORIENTATION_TOPLEFT;
  const bool alpha = extra > 0 && (kinds[0] == EXTRASAMPLE_ASSOCALPHA || kinds[0] == EXTRASAMPLE_UNASSALPHA);

  std::vector<uint32_t> raster(static_cast<size_t>(width) * height);
  // In the orientation it is stored in, so that nothing is turned.
  if (!TIFFReadRGBAImageOriented(tiff.get(), width, height, raster.data(), orientation, 1))
    return failure(source);
  HONE_TRY(Image image, Image::allocate(static_cast<int>(width), static_cast<int>(height),
                                        alpha ? vision::PixelFormat::rgba8 : vision::PixelFormat::rgb8));
  uint8_t* out = image.row(0);
  for (const uint32_t p : raster) {
    const uint32_t a = TIFFGetA(p);
    for (const uint32_t c : {TIFFGetR(p), TIFFGetG(p), TIFFGetB(p)})
      // Colours come multiplied by their alpha.
      *out++ = static_cast<uint8_t>(alpha && a ? std::min<uint32_t>((c * 255 + a / 2) / a, 255) : c);
    if (alpha) *out++ = static_cast<uint8_t>(a);
  }
  return Decoded{std::move(image), orientation};
}

}  // namespace hone::imageio
