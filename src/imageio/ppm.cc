// Netpbm's PGM (P2, P5) and PPM (P3, P6): width, height and largest value in decimal, then samples in decimal
// (P2, P3) or as bytes, two each and big-endian where the largest value is above 255. "#" begins a comment,
// which ends with its line.
#include "imageio/codec.h"

namespace hone::imageio {
namespace {

constexpr const char* title = "PPM";

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  Result<Decoded> decode() {
    const uint8_t kind = byte_at(bytes_, 1);
    const bool text = kind < '4';
    const int channels = kind == '2' || kind == '5' ? 1 : 3;
    HONE_TRY(const uint32_t width, number("the width"));
    HONE_TRY(const uint32_t height, number("the height"));
    HONE_TRY(const uint32_t max, number("the largest value"));
    HONE_CHECK(check_size(title, width, height));
    if (max < 1 || max > 65535)
      return error(Code::corrupt, "PPM: the largest value is %u: 1 to 65535 are possible", max);
    if (at_ == bytes_.size() || !is_space(byte_at(bytes_, at_)))
      return damaged(title, "no white space follows the largest value");
    at_++;
    const uint64_t samples = uint64_t{width} * height * static_cast<uint64_t>(channels);
    const uint64_t sample_bytes = text ? 2 : max > 255 ? 2 : 1;
    // In text, the last sample needs no space after it.
    const uint64_t wanted = at_ + samples * sample_bytes - (text ? 1 : 0);
    if (wanted > bytes_.size()) return cut_off(title, bytes_.size(), wanted);
    HONE_TRY(Image image,
             Image::allocate(static_cast<int>(width), static_cast<int>(height),
                             channels == 1 ? vision::PixelFormat::gray8 : vision::PixelFormat::rgb8));
    uint8_t* out = image.row(0);
    for (uint64_t i = 0; i < samples; i++) {
      uint32_t v;
      if (text) {
        HONE_TRY(v, number("a sample"));
      } else {
        v = big_endian(bytes_, at_, static_cast<int>(sample_bytes));
        at_ += sample_bytes;
      }
      if (v > max) return error(Code::corrupt, "PPM: a sample is %u, but the largest value is %u", v, max);
      *out++ = to_8_bits(v, max);
    }
    return Decoded{std::move(image)};
  }

 private:
  static bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

  Result<uint32_t> number(const char* what) {
    while (at_ < bytes_.size() && (is_space(byte_at(bytes_, at_)) || byte_at(bytes_, at_) == '#'))
      if (byte_at(bytes_, at_++) == '#')
        while (at_ < bytes_.size() && byte_at(bytes_, at_) != '\n' && byte_at(bytes_, at_) != '\r') at_++;
    if (at_ == bytes_.size())
      return error(Code::corrupt, "PPM: ends after %zu bytes, before %s: the file is cut off; copy it again",
                   at_, what);
    const size_t start = at_;
    uint32_t v = 0;
    for (; at_ < bytes_.size() && byte_at(bytes_, at_) >= '0' && byte_at(bytes_, at_) <= '9'; at_++) {
      v = v * 10 + (byte_at(bytes_, at_) - '0');
      if (v > 100000000)
        return error(Code::corrupt, "PPM: %s, at byte %zu, has too many digits", what, start);
    }
    if (at_ == start)
      return error(Code::corrupt, "PPM: %s is expected at byte %zu: the byte 0x%02x is no digit", what, at_,
                   byte_at(bytes_, at_));
    return v;
  }

  Bytes bytes_;
  size_t at_ = 2;
};

}  // namespace

Result<Decoded> decode_ppm(Bytes bytes) { return Reader(bytes).decode(); }

}  // namespace hone::imageio
