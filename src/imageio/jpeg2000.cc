// JPEG 2000 by openjpeg: files (.jp2) and bare codestreams (.j2k) of grey or RGB, with or without alpha.
#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "imageio/codec.h"

namespace hone::imageio {
namespace {

constexpr const char* title = "JPEG 2000";

struct Source {
  Bytes bytes;
  size_t at = 0;
};

OPJ_SIZE_T read(void* to, OPJ_SIZE_T size, void* user) {
  auto& s = *static_cast<Source*>(user);
  const size_t n = std::min<size_t>(size, s.bytes.size() - s.at);
  if (n == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(to, s.bytes.data() + s.at, n);
  s.at += n;
  return n;
}
OPJ_OFF_T skip(OPJ_OFF_T by, void* user) {
  auto& s = *static_cast<Source*>(user);
  if (by < 0 || static_cast<uint64_t>(by) > s.bytes.size() - s.at) return -1;
  s.at += static_cast<size_t>(by);
  return by;
}
OPJ_BOOL seek(OPJ_OFF_T to, void* user) {
  auto& s = *static_cast<Source*>(user);
  if (to < 0 || static_cast<uint64_t>(to) > s.bytes.size()) return OPJ_FALSE;
  s.at = static_cast<size_t>(to);
  return OPJ_TRUE;
}

void note_error(const char* text, void* user) {
  auto& complaint = *static_cast<std::string*>(user);
  if (!complaint.empty()) return;
  complaint = std::string(text).substr(0, 200);
  while (!complaint.empty() && static_cast<unsigned char>(complaint.back()) <= ' ') complaint.pop_back();
}

// openjpeg's handles are all void*.
template <auto destroy>
struct Free {
  template <class T>
  void operator()(T* t) const {
    destroy(t);
  }
};
template <class T, auto destroy>
using Handle = std::unique_ptr<T, Free<destroy>>;

// All components cover the picture, and are of 1 to 16 bits.
Status check_components(const opj_image_t& image, int64_t width, int64_t height) {
  for (uint32_t i = 0; i < image.numcomps; i++) {
    const opj_image_comp_t& c = image.comps[i];
    if (!c.data) return damaged(title, "a component has no pixels");
    if (c.w != width || c.h != height)
      return error(
          Code::unsupported,
          "JPEG 2000: component %u has %u x %u samples for %lld x %lld pixels: save it without subsampling",
          i, c.w, c.h, static_cast<long long>(width), static_cast<long long>(height));
    if (c.prec < 1 || c.prec > 16)
      return error(Code::unsupported, "JPEG 2000: component %u has %u bits: 1 to 16 are read", i, c.prec);
  }
  if (image.numcomps >= 3 && image.color_space != OPJ_CLRSPC_SRGB &&
      image.color_space != OPJ_CLRSPC_UNSPECIFIED && image.color_space != OPJ_CLRSPC_UNKNOWN)
    return error(Code::unsupported, "JPEG 2000: its colours are not RGB: save it as RGB");
  return {};
}

Result<Image> interleaved(const opj_image_t& from, int64_t width, int64_t height) {
  HONE_CHECK(check_components(from, width, height));
  constexpr vision::PixelFormat formats[] = {vision::PixelFormat::gray8, vision::PixelFormat::rgba8,
                                             vision::PixelFormat::rgb8, vision::PixelFormat::rgba8};
  HONE_TRY(Image image,
           Image::allocate(static_cast<int>(width), static_cast<int>(height), formats[from.numcomps - 1]));
  const int channels = vision::channels_of(image.format());
  uint8_t* out = image.row(0);
  for (int64_t i = 0, n = width * height; i < n; i++)
    for (int k = 0; k < channels; k++) {
      // Grey with alpha is stored as two components.
      const opj_image_comp_t& c = from.comps[from.numcomps == 2 ? k / 3 : k];
      const int64_t max = (int64_t{1} << c.prec) - 1, offset = c.sgnd ? int64_t{1} << (c.prec - 1) : 0;
      *out++ = to_8_bits(static_cast<uint32_t>(std::clamp<int64_t>(c.data[i] + offset, 0, max)),
                         static_cast<uint32_t>(max));
    }
  return image;
}

}  // namespace

Result<Decoded> decode_jpeg2000(Bytes bytes) {
  const bool bare = byte_at(bytes, 0) == 0xff;
  const Handle<opj_codec_t, opj_destroy_codec> codec(
      opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2));
  const Handle<opj_stream_t, opj_stream_destroy> stream(opj_stream_create(size_t{1} << 16, OPJ_TRUE));
  if (!codec || !stream) return error(Code::limit, "JPEG 2000: out of memory");
  std::string complaint;
  const auto failure = [&] {
    return damaged(title, complaint.empty() ? "its pixels cannot be decoded" : complaint.c_str());
  };
  opj_set_error_handler(codec.get(), note_error, &complaint);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  if (!opj_setup_decoder(codec.get(), &parameters)) return failure();
  Source source{bytes};
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), bytes.size());
  opj_stream_set_read_function(stream.get(), read);
  opj_stream_set_skip_function(stream.get(), skip);
  opj_stream_set_seek_function(stream.get(), seek);

  opj_image_t* header = nullptr;
  const bool begun = opj_read_header(stream.get(), codec.get(), &header);
  const Handle<opj_image_t, opj_image_destroy> image(header);
  if (!begun || !image) return failure();
  const int64_t width = int64_t{image->x1} - image->x0, height = int64_t{image->y1} - image->y0;
  HONE_CHECK(check_size(title, width, height));
  HONE_CHECK(check_density(title, width, height, bytes.size(), 16384, int64_t{1} << 22));
  // A palette, of one component, becomes up to four.
  if (image->numcomps < 1 || image->numcomps > 4)
    return error(Code::unsupported, "JPEG 2000: has %u components: 1 to 4 are read; save it as RGB",
                 image->numcomps);
  if (!opj_decode(codec.get(), stream.get(), image.get()) || !opj_end_decompress(codec.get(), stream.get()))
    return failure();
  if (image->numcomps < 1 || image->numcomps > 4) return damaged(title, "its palette has no colours");
  HONE_TRY(Image pixels, interleaved(*image, width, height));
  return Decoded{std::move(pixels)};
}

}  // namespace hone::imageio
