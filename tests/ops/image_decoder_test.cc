// ImageDecoder with decoders of our own: the runtime has none.
#include "ops/image_decoder.h"

#include "ops/eval_op.h"

namespace hone {
namespace {

// Sets a decoder for the length of a test.
class Decoder {
 public:
  explicit Decoder(DecodeImage d) { set_image_decoder(std::move(d)); }
  ~Decoder() { set_image_decoder(nullptr); }
};

const Tensor file = Tensor::of<uint8_t>(DType::u8, {7, 8, 9});

Outputs decode(const char* format, const Tensor& bytes = file) {
  return eval_op("ImageDecoder", {bytes}, with("pixel_format", std::string(format)));
}

// Two pixels, the first of the file's own bytes.
Status two_pixels(std::span<const std::byte> bytes, const PlaceImage& place) {
  HONE_TRY(uint8_t* const to, place(1, 2));
  for (size_t i = 0; i < 3; i++) to[i] = static_cast<uint8_t>(bytes[i]), to[3 + i] = i == 0 ? 255 : 0;
  return {};
}

TEST(ImageDecoder, GivesThePixelsInTheOrderAskedFor) {
  const Decoder set(two_pixels);
  using Row = std::vector<uint8_t>;
  EXPECT_EQ(elements<uint8_t>(decode("RGB")), (Row{7, 8, 9, 255, 0, 0}));
  EXPECT_EQ(elements<uint8_t>(decode("BGR")), (Row{9, 8, 7, 0, 0, 255}));
  // 0.299 * 255
  EXPECT_EQ(elements<uint8_t>(decode("Grayscale")), (Row{8, 76}));
  EXPECT_EQ((*decode("RGB"))[0].tensor.shape(), (Shape{1, 2, 3}));
  EXPECT_EQ((*decode("Grayscale"))[0].tensor.shape(), (Shape{1, 2, 1}));
}

TEST(ImageDecoder, GivesAnEmptyPictureForWhatCannotBeDecoded) {
  const Decoder set([](auto, const PlaceImage&) -> Status { return error(Code::corrupt, "no picture"); });
  for (const char* format : {"RGB", "Grayscale"}) {
    const auto out = decode(format);
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ((*out)[0].tensor.shape(), (Shape{0, 0, format[0] == 'R' ? 3 : 1}));
  }
}

TEST(ImageDecoder, HandsOtherErrorsOn) {
  const Decoder set([](auto, const PlaceImage&) -> Status { return error(Code::limit, "too large"); });
  const auto out = decode("RGB");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::limit);
}

TEST(ImageDecoder, RefusesSizesThatNoTensorHas) {
  const Decoder set([](auto, const PlaceImage& place) -> Status {
    HONE_TRY(uint8_t* const to, place(int64_t{1} << 40, int64_t{1} << 40));
    *to = 0;
    return {};
  });
  for (const char* format : {"RGB", "BGR", "Grayscale"}) EXPECT_FALSE(decode(format));
}

TEST(ImageDecoder, SaysWhatIsMissingWithoutADecoder) {
  const auto out = decode("RGB");
  ASSERT_FALSE(out);
  EXPECT_NE(out.error().message.find("hone_vision_serve_models()"), std::string::npos) << out.error().message;
}

TEST(ImageDecoder, RefusesOtherFormatsAndInputs) {
  const Decoder set(two_pixels);
  EXPECT_FALSE(decode("CMYK"));
  EXPECT_FALSE(decode("RGB", Tensor::of<float>(DType::f32, {1})));
  EXPECT_FALSE(decode("RGB", file.reshaped(Shape{1, 3})));
}

}  // namespace
}  // namespace hone
