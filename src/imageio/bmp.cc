// Windows and OS/2 bitmaps: a file header of 14 bytes, an information header whose length tells its version
// (12: OS/2 1; 16..64: OS/2 2; 40, 52, 56, 108, 124: Windows), masks or a palette, rows of pixels padded to
// four bytes, from the bottom up unless the height is negative.
#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "imageio/codec.h"

namespace hone::imageio {
namespace {

using vision::PixelFormat;

constexpr const char* title = "BMP";
constexpr size_t file_header = 14;

enum Compression : uint32_t { none = 0, rle8 = 1, rle4 = 2, bit_fields = 3, alpha_bit_fields = 6 };

// Where a channel is in a pixel's word.
struct Field {
  int shift = 0;
  uint32_t max = 0;  // 0: the channel is absent
  uint8_t of(uint32_t word) const { return max ? to_8_bits(word >> shift & max, max) : 0; }
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  Result<Decoded> decode() {
    HONE_CHECK(header());
    const bool run_length = compression_ == rle8 || compression_ == rle4;
    const uint64_t row_bytes = (uint64_t(width_) * bits_ + 31) / 32 * 4;
    const uint64_t pixel_bytes = bytes_.size() - pixels_at_;
    if (run_length) {
      // Two bytes repeat a pixel 255 times; what is not written at all stays black.
      HONE_CHECK(check_density(title, width_, height_, pixel_bytes, 128, int64_t{1} << 24));
    } else if (row_bytes * uint64_t(height_) > pixel_bytes) {
      return cut_off(title, bytes_.size(), pixels_at_ + row_bytes * uint64_t(height_));
    }
    HONE_TRY(Image image,
             Image::allocate(width_, height_, fields_[3].max ? PixelFormat::rgba8 : PixelFormat::rgb8));
    if (run_length) {
      HONE_CHECK(runs(image));
      return Decoded{std::move(image)};
    }
    for (int y = 0; y < height_; y++) {
      const Bytes row = bytes_.subspan(pixels_at_ + row_bytes * uint64_t(y), row_bytes);
      uint8_t* out = image.row(top_down_ ? y : height_ - 1 - y);
      if (bits_ <= 8) HONE_CHECK(indexed(row, out));
      else packed(row, out);
    }
    return Decoded{std::move(image)};
  }

 private:
  uint32_t word(size_t at) const { return little_endian(bytes_, file_header + at, 4); }
  uint32_t half(size_t at) const { return little_endian(bytes_, file_header + at, 2); }

  Status header() {
    if (bytes_.size() < file_header + 12) return cut_off(title, bytes_.size(), file_header + 12);
    pixels_at_ = little_endian(bytes_, 10, 4);
    const uint32_t length = word(0);
    const bool short_header = length == 12;
    if (!short_header && (length < 16 || length > 4096))
      return error(Code::corrupt, "BMP: has a header of %u bytes: 12, and 16 to 124, are known", length);
    if (bytes_.size() < file_header + length) return cut_off(title, bytes_.size(), file_header + length);
    int64_t height;
    int64_t width;
    uint32_t planes, colours = 0;
    if (short_header) {
      width = half(4), height = half(6), planes = half(8), bits_ = static_cast<int>(half(10));
    } else {
      width = static_cast<int32_t>(word(4)), height = static_cast<int32_t>(word(8));
      planes = half(12), bits_ = static_cast<int>(half(14));
      if (length >= 20) compression_ = word(16);
      if (length >= 36) colours = word(32);
    }
    top_down_ = height < 0;
    if (top_down_) height = -height;
    HONE_CHECK(check_size(title, width, height));
    width_ = static_cast<int>(width), height_ = static_cast<int>(height);
    if (planes != 1) return error(Code::corrupt, "BMP: has %u planes: 1 is right", planes);
    if (pixels_at_ < file_header + length || pixels_at_ > bytes_.size())
      return error(Code::corrupt,
                   "BMP: its pixels begin at byte %zu: the file has %zu bytes, %zu of them headers",
                   pixels_at_, bytes_.size(), file_header + length);
    HONE_CHECK(check_kind(length));
    if (bits_ <= 8) return palette(length, colours, short_header ? 3 : 4);
    return masks(length);
  }

  Status check_kind(uint32_t length) const {
    const bool os2 = length < 40 || length == 64;
    bool fine = false;
    switch (compression_) {
      case none:
        fine = bits_ == 1 || bits_ == 4 || bits_ == 8 || bits_ == 16 || bits_ == 24 || bits_ == 32;
        break;
      case rle8:
        fine = bits_ == 8 && !top_down_;
        break;
      case rle4:
        fine = bits_ == 4 && !top_down_;
        break;
      case bit_fields:
      case alpha_bit_fields:
        fine = !os2 && (bits_ == 16 || bits_ == 32);
        break;
    }
    if (fine) return {};
    return error(Code::unsupported, "BMP: %d bits a pixel with compression %u are not read: save it as PNG",
                 bits_, compression_);
  }

  Status palette(uint32_t length, uint32_t colours, int entry) {
    const uint32_t most = 1u << bits_;
    if (colours == 0 || colours > most) colours = most;
    const size_t at = file_header + length;
    // Some programs leave colours out that no pixel has.
    colours =
        std::min<uint32_t>(colours, static_cast<uint32_t>((pixels_at_ - at) / static_cast<size_t>(entry)));
    for (uint32_t i = 0; i < colours; i++) {
      const size_t p = at + i * static_cast<size_t>(entry);
      palette_.push_back({byte_at(bytes_, p + 2), byte_at(bytes_, p + 1), byte_at(bytes_, p)});
    }
    return {};
  }

  Status masks(uint32_t length) {
    std::array<uint32_t, 4> mask = {0xff0000, 0xff00, 0xff, 0};
    if (bits_ == 16) mask = {0x7c00, 0x3e0, 0x1f, 0};
    if (compression_ != none) {
      // They follow a header of 40 bytes, and are part of a longer one.
      const int count = compression_ == alpha_bit_fields || length >= 56 ? 4 : 3;
      const size_t end = file_header + 40 + static_cast<size_t>(count) * 4;
      if (pixels_at_ < end) return damaged(title, "its pixels begin within its masks");
      for (int c = 0; c < count; c++) mask[static_cast<size_t>(c)] = word(40 + static_cast<size_t>(c) * 4);
    }
    for (size_t c = 0; c < 4; c++) {
      if (!mask[c]) continue;
      const int shift = std::countr_zero(mask[c]);
      const uint32_t max = mask[c] >> shift;
      if (max & (max + 1))
        return error(Code::corrupt, "BMP: the mask 0x%08x has gaps: the file is damaged; save it as PNG",
                     mask[c]);
      fields_[c] = {shift, max};
    }
    return {};
  }

  Status put(uint8_t* out, size_t index) const {
    if (index >= palette_.size())
      return error(Code::corrupt, "BMP: a pixel has colour %zu of a palette of %zu: the file is damaged",
                   index, palette_.size());
    std::copy(palette_[index].begin(), palette_[index].end(), out);
    return {};
  }

  Status indexed(Bytes row, uint8_t* out) const {
    for (int x = 0; x < width_; x++) {
      const int at = x * bits_;
      const int index =
          byte_at(row, static_cast<size_t>(at / 8)) >> (8 - bits_ - at % 8) & ((1 << bits_) - 1);
      HONE_CHECK(put(out + x * 3, static_cast<size_t>(index)));
    }
    return {};
  }

  void packed(Bytes row, uint8_t* out) const {
    const int step = bits_ / 8;
    const bool alpha = fields_[3].max != 0;
    for (int x = 0; x < width_; x++) {
      const uint32_t w = little_endian(row, static_cast<size_t>(x * step), step);
      for (size_t c = 0; c < 3; c++) *out++ = fields_[c].of(w);
      if (alpha) *out++ = fields_[3].of(w);
    }
  }

  // Pairs of a count and the value to be repeated; a count of 0 is an escape: 0 end of row, 1 end of the
  // picture, 2 move by (dx, dy), n >= 3: n pixels as they are, padded to two bytes.
  Status runs(Image& image) const {
    size_t at = pixels_at_;
    int x = 0, y = 0;
    const auto pixel = [&](int index) -> Status {
      if (x >= width_ || y >= height_) return damaged(title, "a run leads out of the picture");
      return put(image.row(height_ - 1 - y) + 3 * x++, static_cast<size_t>(index));
    };
    // The i-th index in bytes that hold one (8 bits) or two (4 bits, the high one first).
    const auto index = [&](size_t from, int i) {
      if (bits_ == 8) return int{byte_at(bytes_, from + static_cast<size_t>(i))};
      return byte_at(bytes_, from + static_cast<size_t>(i / 2)) >> (i % 2 ? 0 : 4) & 15;
    };
    for (;;) {
      if (bytes_.size() - at < 2) return cut_off(title, bytes_.size(), at + 2);
      const int count = byte_at(bytes_, at), value = byte_at(bytes_, at + 1);
      at += 2;
      if (count) {
        for (int i = 0; i < count; i++) HONE_CHECK(pixel(bits_ == 8 ? value : value >> (i % 2 ? 0 : 4) & 15));
      } else if (value == 0) {
        x = 0;
        if (++y > height_) return damaged(title, "it has more rows than its height");
      } else if (value == 1) {
        return {};
      } else if (value == 2) {
        if (bytes_.size() - at < 2) return cut_off(title, bytes_.size(), at + 2);
        x = std::min(x + byte_at(bytes_, at), width_);
        y = std::min(y + byte_at(bytes_, at + 1), height_);
        at += 2;
      } else {
        const size_t length = (static_cast<size_t>(value * bits_ + 7) / 8 + 1) / 2 * 2;
        if (bytes_.size() - at < length) return cut_off(title, bytes_.size(), at + length);
        for (int i = 0; i < value; i++) HONE_CHECK(pixel(index(at, i)));
        at += length;
      }
    }
  }

  Bytes bytes_;
  size_t pixels_at_ = 0;
  int width_ = 0, height_ = 0, bits_ = 0;
  bool top_down_ = false;
  uint32_t compression_ = none;
  std::vector<vision::Rgb> palette_;
  std::array<Field, 4> fields_;  // red, green, blue, alpha
};

}  // namespace

Result<Decoded> decode_bmp(Bytes bytes) { return Reader(bytes).decode(); }

}  // namespace hone::imageio
