// From pixels to the network's input in one pass: placed (stretched, letterboxed or cropped), resized, its
// channels ordered, normalised, converted and laid out.
//
// Interpolation, all with half-pixel centres (pixel i covers [i, i + 1)), edges repeated:
//   nearest   the pixel that holds the centre: floor((x + 0.5) * step)
//   bilinear  as OpenCV's INTER_LINEAR: two taps per axis at any scale (aliases when shrinking much)
//   area      as OpenCV's INTER_AREA: the mean of what the new pixel covers, by overlap; an axis that is
//             enlarged is bilinear (OpenCV has a hybrid of its own where any is)
//   smooth    as Pillow's BILINEAR (and torchvision's, antialiased): a triangle as wide as the step;
//             enlarging it is bilinear
// Pixels of the input are sampled straight from the picture, with float32 in between (bilinear: weights along
// a row of 15 bits), and rounded to whole levels once, as a resized picture of those libraries holds them:
// networks were trained on such pictures, and the difference is seen (0.3 to 1.7 points of top-1 on 300
// photos). Results are within one level of theirs. Grey is made of the rounded colours, and not rounded
// itself.
#pragma once
#include <array>
#include <memory>
#include <string>

#include "base/tensor.h"
#include "base/thread_pool.h"
#include "vision/image.h"

namespace hone::vision {

enum class Fit : uint8_t {
  stretch,    // to the input's size, whatever the proportions
  letterbox,  // as large as fits, in proportion; the rest is `pad`
  crop,       // the short side to `short_side`, in proportion; then the middle
};
enum class Anchor : uint8_t { center, top_left };  // of the letterboxed picture
enum class Interpolation : uint8_t { nearest, bilinear, area, smooth };
enum class Channels : uint8_t { rgb, bgr, gray };
enum class Layout : uint8_t { nchw, nhwc };

// What a network wants. The input holds (pixel - mean) * scale, pixel in 0..255, in the order of `channels`
// (gray: the first of mean, scale and pad); `pad` is such a pixel. u8 and i8 are rounded to the nearest even
// and saturated.
struct Preprocess {
  int width = 0, height = 0;  // of the network's input; 0: what the engine fixes
  Fit fit = Fit::stretch;
  Anchor anchor = Anchor::center;
  double short_side = 0;  // crop: pixels; 0: as large a middle as there is in the input's proportions
  Interpolation interpolation = Interpolation::bilinear;
  Channels channels = Channels::rgb;
  std::array<float, 3> mean{0, 0, 0}, scale{1, 1, 1}, pad{114, 114, 114};
  Layout layout = Layout::nchw;
  DType type = DType::f32;  // f32, f16, u8 or i8
};

// Which part of the picture went where: network x = picture x * scale_x + offset_x, likewise y, in pixels
// with the origin at the top left corner of the top left pixel.
struct Placement {
  double scale_x = 1, scale_y = 1, offset_x = 0, offset_y = 0;
  int width = 0, height = 0;              // of the picture
  int input_width = 0, input_height = 0;  // of the network's input
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;     // of the input: pixels of the picture; outside is pad
  double picture_x(double x) const { return (x - offset_x) / scale_x; }
  double picture_y(double y) const { return (y - offset_y) / scale_y; }
};
// Where a picture of that size goes. The whole picture, resized, always has whole sides (at least 1), and
// scale_x, scale_y are exact quotients of those and the picture's:
//   letterbox  the picture's * min(W / w, H / h), rounded to the nearest (top_left: down, as YOLOX does);
//              padding split evenly, the odd pixel right and below
//   crop       the picture's * short_side / min(w, h); short_side 0: * max(W / w, H / h); rounded to the
//              nearest. The middle begins at half of what is too much, rounded down; where there is too
//              little, `pad` surrounds it as in a letterbox. (torchvision rounds the size down and the
//              beginning to even, so that its crop may lie a pixel beside this one.)
// Errors: sizes out of range.
Result<Placement> place(const Preprocess&, int picture_width, int picture_height);

// Writes the input tensor of one picture: 1 x channels x height x width (nchw) or 1 x height x width x
// channels, of `type`, contiguous. Keeps tables and buffers between pictures: it allocates nothing while the
// pictures' size and format stay the same. One thread at a time. The result depends neither on the number of
// threads nor on the instruction set by more than float rounding.
class Preprocessor {
 public:
  // width and height must be set. `pool` may be null: one thread. Errors: a size or type out of range.
  static Result<Preprocessor> make(const Preprocess&, std::shared_ptr<ThreadPool> pool);
  Preprocessor(Preprocessor&&) noexcept;
  Preprocessor& operator=(Preprocessor&&) noexcept;
  ~Preprocessor();

  const Preprocess& settings() const;
  int64_t output_bytes() const;
  Shape output_shape() const;
  // `out`: output_bytes(), aligned to the element, apart from the picture. Errors: the picture's size.
  Result<Placement> run(const ImageView&, void* out);

 private:
  struct Impl;
  explicit Preprocessor(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

// The plain loops that the fast path is tested against: one output value at a time, double precision. Not
// `rounded`: what the pixels were before they became whole levels.
Result<Placement> preprocess_reference(const Preprocess&, const ImageView&, void* out, bool rounded = true);

}  // namespace hone::vision
