#include "ops/image_decoder.h"

#include <mutex>
#include <vector>

#include "base/log.h"
#include "ops/types.h"

namespace hone {
namespace {

struct Slot {
  std::mutex mutex;
  DecodeImage decode;
};
Slot& slot() {
  static Slot s;
  return s;
}
DecodeImage decoder() {
  const std::lock_guard lock(slot().mutex);
  return slot().decode;
}

enum class Pixels { rgb, bgr, grey };

Result<Pixels> pixels_of(const Attrs& attrs) {
  const std::string& name = attrs.s("pixel_format");
  if (name == "RGB") return Pixels::rgb;
  if (name == "BGR") return Pixels::bgr;
  if (name == "Grayscale") return Pixels::grey;
  return error(Code::invalid_argument, "pixel_format '%s' is none of RGB, BGR, Grayscale", name.c_str());
}

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, TypeSet{DType::u8}));
  HONE_CHECK(length_of(c, 0));
  HONE_TRY(const Pixels pixels, pixels_of(c.attrs));
  c.set(0, DType::u8, Shape{unknown_dim, unknown_dim, pixels == Pixels::grey ? 1 : 3});
  return {};
}

// Grey as ITU-R BT.601 has it, in 65536ths, rounded.
uint8_t grey_of(const uint8_t* p) {
  return static_cast<uint8_t>((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 32768u) >> 16);
}

Status reference(EvalContext& c) {
  HONE_TRY(const Pixels pixels, pixels_of(c.attrs));
  const DecodeImage decode = decoder();
  if (!decode)
    return error(
        Code::unsupported,
        "this process has no decoder of pictures: call hone_vision_serve_models() of libhone_vision, or "
        "hone_set_image_decoder()");
  const TensorView file = c.input(0);
  TensorView out;
  std::vector<uint8_t> colour;  // that grey is made of
  uint8_t* rgb = nullptr;
  int64_t count = 0;
  const PlaceImage place = [&](int64_t height, int64_t width) -> Result<uint8_t*> {
    HONE_TRY(count, checked_elements(Shape{height, width}));
    HONE_TRY(out, c.output(0, DType::u8, Shape{height, width, pixels == Pixels::grey ? 1 : 3}));
    if (pixels != Pixels::grey) return rgb = out.data<uint8_t>();
    HONE_CHECK(checked_elements(Shape{height, width, 3}));
    colour.resize(static_cast<size_t>(count) * 3);
    return rgb = colour.data();
  };
  Status decoded = decode({file.data<std::byte>(), static_cast<size_t>(file.elements())}, place);
  if (!decoded) {
    Error e = decoded.take_error();
    if ((e.code != Code::corrupt && e.code != Code::unsupported) || rgb) return e;
    // The specification's answer to what cannot be decoded.
    log(LogLevel::warning, "ImageDecoder: %s; the result is an empty picture", e.message.c_str());
    HONE_CHECK(c.output(0, DType::u8, Shape{0, 0, pixels == Pixels::grey ? 1 : 3}));
    return {};
  }
  if (!rgb) return error(Code::internal, "the decoder of pictures gave neither a picture nor an error");
  for (int64_t i = 0; i < count && pixels == Pixels::bgr; i++) std::swap(rgb[3 * i], rgb[3 * i + 2]);
  for (int64_t i = 0; i < count && pixels == Pixels::grey; i++) out.data<uint8_t>()[i] = grey_of(rgb + 3 * i);
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::def_s("pixel_format", "RGB")};
}  // namespace

void set_image_decoder(DecodeImage decode) {
  const std::lock_guard lock(slot().mutex);
  slot().decode = std::move(decode);
}

extern const OpDef op_ImageDecoder{.name = "ImageDecoder",
                                   .doc = "the pixels of a picture file, height x width x channels",
                                   .attrs = attrs,
                                   .since = 20,
                                   .infer = infer,
                                   .reference = reference};

}  // namespace hone
