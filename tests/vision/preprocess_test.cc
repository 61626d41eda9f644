#include "vision/preprocess.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "base/convert.h"
#include "base/cpu.h"
#include "preprocess_golden.h"

namespace hone::vision {
namespace {

std::mt19937& rng() {
  static std::mt19937 random = [] {
    const char* text = std::getenv("HONE_SEED");
    const unsigned seed =
        text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : std::random_device{}();
    std::printf("HONE_SEED=%u\n", seed);
    return std::mt19937(seed);
  }();
  return random;
}
int random_int(int from, int to) { return std::uniform_int_distribution<int>(from, to)(rng()); }

// Forces an instruction set while it lives.
class Forced {
 public:
  explicit Forced(Isa isa) {
    if (const char* was = std::getenv("HONE_ISA")) was_ = was;
    setenv("HONE_ISA", isa_name(isa), 1);
  }
  ~Forced() {
    if (was_.empty()) unsetenv("HONE_ISA");
    else setenv("HONE_ISA", was_.c_str(), 1);
  }

 private:
  std::string was_;
};

// A picture between two pages that must not be touched, flush with one of them; bytes between its rows are
// random.
class Guarded {
 public:
  Guarded(int width, int height, PixelFormat format, int gap, bool at_end) {
    const int64_t row = int64_t{width} * channels_of(format), stride = row + gap;
    const size_t bytes = static_cast<size_t>(stride * (height - 1) + row);
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), room = (bytes + page - 1) / page * page;
    size_ = room + 2 * page;
    base_ = static_cast<uint8_t*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_, page, PROT_NONE);
    mprotect(base_ + page + room, page, PROT_NONE);
    data_ = base_ + page + (at_end ? room - bytes : 0);
    for (size_t i = 0; i < bytes; i++) data_[i] = static_cast<uint8_t>(rng()());
    view = {data_, width, height, stride, format};
  }
  Guarded(const Guarded&) = delete;
  ~Guarded() { munmap(base_, size_); }
  void scribble_between_rows() {
    const int64_t row = int64_t{view.width} * view.channels();
    for (int y = 0; y + 1 < view.height; y++)
      for (int64_t i = row; i < view.stride; i++) data_[y * view.stride + i] ^= 0xff;
  }
  ImageView view;

 private:
  uint8_t *base_, *data_;
  size_t size_;
};

std::string describe(const Preprocess& p, const ImageView& v) {
  return strf("%dx%d %s -> %dx%d fit %d anchor %d short side %g interpolation %d channels %d layout %d %s",
              v.width, v.height, pixel_format_name(v.format), p.width, p.height, int(p.fit), int(p.anchor),
              p.short_side, int(p.interpolation), int(p.channels), int(p.layout), dtype_name(p.type));
}

float element(DType type, const std::vector<uint8_t>& bytes, size_t i) {
  const auto as = [&]<class T>(T v) {
    std::memcpy(&v, bytes.data() + i * sizeof(T), sizeof(T));
    return v;
  };
  if (type == DType::f32) return as(0.0f);
  if (type == DType::f16) return to_float(as(f16_t{}));
  return type == DType::u8 ? static_cast<float>(bytes[i]) : static_cast<float>(as(int8_t{}));
}

template <class P>  // an lvalue or not
std::vector<uint8_t> run(P&& preprocessor, const ImageView& view) {
  std::vector<uint8_t> out(static_cast<size_t>(preprocessor.output_bytes()), 0xcd);
  const auto at = preprocessor.run(view, out.data());
  EXPECT_TRUE(at) << at.error().message;
  return out;
}

std::shared_ptr<ThreadPool> pool_of(int threads) {
  static const std::array pools{std::make_shared<ThreadPool>(2), std::make_shared<ThreadPool>(3)};
  return pools[static_cast<size_t>(threads - 2)];
}

// Bytes of the input on each instruction set against the reference; bytes between rows do not matter.
void check(const Preprocess& p, Guarded& picture) {
  SCOPED_TRACE(describe(p, picture.view));
  std::vector<uint8_t> expected;
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(isa_name(isa));
    const Forced forced(isa);
    auto one = Preprocessor::make(p, nullptr);
    ASSERT_TRUE(one) << one.error().message;
    if (expected.empty()) {
      expected.resize(static_cast<size_t>(one->output_bytes()));
      ASSERT_TRUE(preprocess_reference(p, picture.view, expected.data(), false));
    }
    const auto bytes = run(*one, picture.view);
    const size_t n = static_cast<size_t>(one->output_shape().elements());
    for (size_t i = 0; i < n; i++) {
      const float want = element(p.type, expected, i), have = element(p.type, bytes, i);
      // In grey levels: half of one, and what weights of 15 bits make of 255; and the last bit of the type.
      const float levels = p.interpolation == Interpolation::nearest ? 2e-3f : 0.506f;
      const float scale = std::max({std::fabs(p.scale[0]), std::fabs(p.scale[1]), std::fabs(p.scale[2])});
      const float step = p.type == DType::f32 ? 0 : p.type == DType::f16 ? std::fabs(want) / 1024 + 1e-7f : 1;
      ASSERT_LE(std::fabs(want - have), levels * scale + step)
          << "element " << i << ": " << want << ", " << have;
    }
    picture.scribble_between_rows();
    ASSERT_TRUE(run(*Preprocessor::make(p, pool_of(2)), picture.view) == bytes) << "bytes between rows";
  }
}

Preprocess random_settings(int width, int height) {
  Preprocess p;
  p.width = width;
  p.height = height;
  p.fit = static_cast<Fit>(random_int(0, 2));
  p.anchor = static_cast<Anchor>(random_int(0, 1));
  p.short_side = random_int(0, 1) ? 0 : random_int(1, 2 * std::max(width, height));
  p.interpolation = static_cast<Interpolation>(random_int(0, 3));
  p.channels = static_cast<Channels>(random_int(0, 2));
  p.layout = static_cast<Layout>(random_int(0, 1));
  p.type = std::array{DType::f32, DType::f16, DType::u8, DType::i8}[static_cast<size_t>(random_int(0, 3))];
  std::uniform_real_distribution<float> mean(0, 200), scale(0.2f, 2);
  for (size_t c = 0; c < 3; c++) {
    p.mean[c] = mean(rng());
    p.scale[c] = scale(rng()) * (p.type == DType::f32 ? 1.0f / 57 : 1);
    p.pad[c] = static_cast<float>(random_int(0, 255));
  }
  return p;
}

TEST(Preprocess, equals_the_reference_whatever_is_asked_for) {
  const auto side = [](int most) { return random_int(0, 3) ? random_int(1, most) : random_int(1, 3); };
  for (int i = 0; i < 600 && !testing::Test::HasFailure(); i++) {
    Guarded picture(side(90), side(60), static_cast<PixelFormat>(i % 5), random_int(0, 1) * random_int(1, 40),
                    i % 2);
    check(random_settings(side(70), side(50)), picture);
  }
}

TEST(Preprocess, equals_the_reference_in_every_combination) {
  Guarded colour(23, 19, PixelFormat::bgr8, 3, true), grey(23, 19, PixelFormat::gray8, 0, true),
      four(23, 19, PixelFormat::rgba8, 8, true);
  Preprocess p{
      .width = 18, .height = 21, .mean = {123.5f, 116.25f, 103}, .scale = {0.5f, 0.25f, 2}, .pad = {1, 2, 3}};
  for (int fit = 0; fit < 3; fit++)
    for (int how = 0; how < 4; how++)
      for (int channels = 0; channels < 3; channels++)
        for (int layout = 0; layout < 2; layout++)
          for (DType type : {DType::f32, DType::f16, DType::u8, DType::i8}) {
            p.fit = static_cast<Fit>(fit);
            p.interpolation = static_cast<Interpolation>(how);
            p.channels = static_cast<Channels>(channels);
            p.layout = static_cast<Layout>(layout);
            p.type = type;
            for (Guarded* picture : {&colour, &grey, &four}) check(p, *picture);
          }
}

TEST(Preprocess, equals_the_reference_at_extreme_proportions) {
  const int sizes[][4] = {{1, 1, 1, 1},    {1, 1, 40, 30},   {3000, 1, 20, 20}, {1, 3000, 20, 20},
                          {2000, 3, 7, 5}, {5, 700, 333, 2}, {640, 480, 1, 1},  {17, 1, 1, 17}};
  for (const auto& s : sizes)
    for (int fit = 0; fit < 3; fit++)
      for (int how = 0; how < 4; how++) {
        Guarded picture(s[0], s[1], PixelFormat::rgb8, 0, true);
        Preprocess p{.width = s[2], .height = s[3]};
        p.fit = static_cast<Fit>(fit);
        p.interpolation = static_cast<Interpolation>(how);
        check(p, picture);
      }
}

TEST(Preprocess, gives_the_same_bits_with_any_number_of_threads) {
  // Large enough to be shared; small pictures are not.
  for (int i = 0; i < 60; i++) {
    Guarded picture(random_int(300, 900), random_int(300, 600), static_cast<PixelFormat>(i % 5), 5, i % 2);
    Preprocess p = random_settings(random_int(350, 450), random_int(350, 450));
    if (p.fit == Fit::crop) p.short_side = 0;
    SCOPED_TRACE(describe(p, picture.view));
    const auto expected = run(*Preprocessor::make(p, nullptr), picture.view);
    for (int threads : {2, 3})
      ASSERT_TRUE(run(*Preprocessor::make(p, pool_of(threads)), picture.view) == expected);
  }
}

TEST(Preprocess, copies_pixels_where_nothing_is_resized) {
  Guarded picture(37, 5, PixelFormat::rgb8, 0, false);
  for (int how = 0; how < 4; how++) {
    Preprocess p{.width = 37, .height = 5, .layout = Layout::nhwc, .type = DType::u8};
    p.interpolation = static_cast<Interpolation>(how);
    auto preprocessor = Preprocessor::make(p, nullptr);
    const auto bytes = run(*preprocessor, picture.view);
    EXPECT_EQ(std::memcmp(bytes.data(), picture.view.data, bytes.size()), 0) << how;
  }
}

TEST(Preprocess, agrees_with_other_libraries_within_a_grey_level) {
  for (const Golden& golden : goldens) {
    SCOPED_TRACE(strf("%s to %d x %d", golden.made_by, golden.width, golden.height));
    Image picture = *Image::allocate(golden_width, golden_height,
                                     golden.channels == 3 ? PixelFormat::rgb8 : PixelFormat::gray8);
    for (int y = 0; y < golden_height; y++)
      for (int x = 0; x < golden_width; x++)
        for (int c = 0; c < golden.channels; c++)
          picture.row(y)[x * golden.channels + c] =
              static_cast<uint8_t>(37 * x + 59 * y + 83 * c + 7 * x * y);
    const Preprocess p{.width = golden.width,
                       .height = golden.height,
                       .interpolation = golden.interpolation,
                       .channels = golden.channels == 3 ? Channels::rgb : Channels::gray,
                       .layout = Layout::nhwc};
    std::vector<float> expected(static_cast<size_t>(golden.width * golden.height * golden.channels));
    ASSERT_EQ(std::strlen(golden.hex), 2 * expected.size());
    std::vector<float> plain(expected.size()), fast(expected.size());
    ASSERT_TRUE(preprocess_reference(p, picture, plain.data()));
    ASSERT_TRUE(Preprocessor::make(p, nullptr)->run(picture, fast.data()));
    for (size_t i = 0; i < expected.size(); i++) {
      const std::string digits(golden.hex + 2 * i, 2);
      const float want = static_cast<float>(std::stoi(digits, nullptr, 16));
      EXPECT_NEAR(plain[i], want, 1) << i;
      EXPECT_NEAR(fast[i], want, 1) << i;
    }
  }
}

TEST(Preprocess, gives_whole_levels_as_the_reference_does) {
  for (const Isa isa : available_isas()) {
    const Forced forced(isa);
    for (int how = 0; how < 4; how++)
      for (PixelFormat format : {PixelFormat::rgb8, PixelFormat::bgra8, PixelFormat::gray8}) {
        Guarded picture(97, 61, format, 0, true);
        Preprocess p{.width = 40, .height = 30};
        p.interpolation = static_cast<Interpolation>(how);
        const auto bytes = run(*Preprocessor::make(p, nullptr), picture.view);
        std::vector<uint8_t> expected(bytes.size());
        ASSERT_TRUE(preprocess_reference(p, picture.view, expected.data()));
        size_t other = 0;
        const size_t n = 3 * 40 * 30;
        for (size_t i = 0; i < n; i++) {
          const float have = element(DType::f32, bytes, i), want = element(DType::f32, expected, i);
          ASSERT_EQ(have, std::rint(have));
          ASSERT_LE(std::fabs(have - want), 1);  // where the level is all but half-way
          other += have != want;
        }
        EXPECT_LE(other, n / 50) << isa_name(isa) << " interpolation " << how;
      }
  }
}

TEST(Preprocess, takes_the_pixel_under_the_centre_as_the_nearest) {
  Image picture = *Image::allocate(7, 1, PixelFormat::gray8);
  for (int x = 0; x < 7; x++) picture.row(0)[x] = static_cast<uint8_t>(10 * x);
  const auto row = [&](int width) {
    const Preprocess p{.width = width,
                       .height = 1,
                       .interpolation = Interpolation::nearest,
                       .channels = Channels::gray,
                       .type = DType::u8};
    return run(*Preprocessor::make(p, nullptr), picture);
  };
  EXPECT_EQ(row(3), (std::vector<uint8_t>{10, 30, 50}));  // centres 1.17, 3.5, 5.83
  EXPECT_EQ(row(14), (std::vector<uint8_t>{0, 0, 10, 10, 20, 20, 30, 30, 40, 40, 50, 50, 60, 60}));
}

TEST(Preprocess, follows_the_format_and_size_from_picture_to_picture) {
  const Preprocess p{.width = 31, .height = 22, .fit = Fit::letterbox, .scale = {0.1f, 0.2f, 0.3f}};
  auto kept = Preprocessor::make(p, pool_of(2));
  for (int i = 0; i < 40; i++) {
    Guarded picture(random_int(1, 3) * 20, random_int(1, 3) * 15, static_cast<PixelFormat>(random_int(0, 4)),
                    0, true);
    EXPECT_EQ(run(*kept, picture.view), run(*Preprocessor::make(p, nullptr), picture.view));
  }
}

TEST(Preprocess, refuses_what_it_cannot_work_with) {
  const auto refusal = [](const Preprocess& p) {
    const auto made = Preprocessor::make(p, nullptr);
    return made ? "" : made.error().message;
  };
  EXPECT_EQ(refusal({.width = 8, .height = 8}), "");
  EXPECT_NE(refusal({}), "");
  EXPECT_NE(refusal({.width = 8, .height = -1}), "");
  EXPECT_NE(refusal({.width = 1 << 30, .height = 8}), "");
  EXPECT_NE(refusal({.width = 32768, .height = 32768}), "");
  EXPECT_NE(refusal({.width = 8, .height = 8, .type = DType::i64}), "");
  EXPECT_NE(refusal({.width = 8, .height = 8, .scale = {1, INFINITY, 1}}), "");
  EXPECT_NE(refusal({.width = 8, .height = 8, .mean = {0, 0, NAN}}), "");
  EXPECT_NE(refusal({.width = 8, .height = 8, .fit = Fit::crop, .short_side = 1e9}), "");
  EXPECT_NE(refusal({.width = 8, .height = 8, .fit = Fit::crop, .short_side = NAN}), "");

  auto preprocessor = Preprocessor::make({.width = 8, .height = 8}, nullptr);
  std::vector<float> out(3 * 8 * 8);
  const uint8_t byte = 0;
  EXPECT_FALSE(preprocessor->run({nullptr, 4, 4, 12}, out.data()));
  EXPECT_FALSE(preprocessor->run({&byte, 0, 4, 12}, out.data()));
  EXPECT_FALSE(preprocessor->run({&byte, 4, 4, 11}, out.data()));
  EXPECT_FALSE(preprocessor->run({&byte, 60000, 60000, 180000}, out.data()));
  EXPECT_FALSE(place({.width = 8, .height = 8}, 4, 1 << 20));
}

TEST(Place, letterboxes_in_proportion) {
  const Placement middle = *place({.width = 416, .height = 416, .fit = Fit::letterbox}, 1920, 1080);
  EXPECT_EQ((std::array{middle.x0, middle.y0, middle.x1, middle.y1}), (std::array{0, 91, 416, 325}));
  const Placement odd = *place({.width = 10, .height = 10, .fit = Fit::letterbox}, 100, 70);
  EXPECT_EQ((std::array{odd.x0, odd.y0, odd.x1, odd.y1}), (std::array{0, 1, 10, 8}));  // 1 above, 2 below
  const Placement corner =
      *place({.width = 416, .height = 416, .fit = Fit::letterbox, .anchor = Anchor::top_left}, 500, 333);
  EXPECT_EQ((std::array{corner.x0, corner.y0, corner.x1, corner.y1}),
            (std::array{0, 0, 416, 277}));  // of 277.06
  const Placement thin = *place({.width = 416, .height = 416, .fit = Fit::letterbox}, 32768, 1);
  EXPECT_EQ(thin.y1 - thin.y0, 1);
}

TEST(Place, crops_the_middle) {
  // 341.3 x 256, of which 117 and 32 pixels are too much.
  const Placement at = *place({.width = 224, .height = 224, .fit = Fit::crop, .short_side = 256}, 640, 480);
  EXPECT_EQ(at.offset_x, -58);
  EXPECT_EQ(at.offset_y, -16);
  EXPECT_NEAR(at.scale_x, 341.0 / 640, 1e-12);
  EXPECT_EQ((std::array{at.x0, at.y0, at.x1, at.y1}), (std::array{0, 0, 224, 224}));
  // A resized picture smaller than the input is padded.
  const Placement small =
      *place({.width = 224, .height = 224, .fit = Fit::crop, .short_side = 100}, 100, 300);
  EXPECT_EQ((std::array{small.x0, small.y0, small.x1, small.y1}), (std::array{62, 0, 162, 224}));
  const Placement most = *place({.width = 50, .height = 100, .fit = Fit::crop}, 300, 200);
  EXPECT_EQ(most.offset_x, -50);
  EXPECT_EQ(most.scale_y, 0.5);
}

TEST(Place, leads_there_and_back) {
  for (int i = 0; i < 200; i++) {
    const Preprocess p = random_settings(random_int(1, 800), random_int(1, 800));
    const int w = random_int(1, 2000), h = random_int(1, 2000);
    const Placement at = *place(p, w, h);
    ASSERT_LE(0, at.x0);
    ASSERT_LT(at.x0, at.x1);
    ASSERT_LE(at.x1, p.width);
    for (double x : {0.0, 0.3 * w, double(w)})
      ASSERT_NEAR(at.picture_x(x * at.scale_x + at.offset_x), x, 1e-6);
    for (double y : {0.0, 0.7 * h, double(h)})
      ASSERT_NEAR(at.picture_y(y * at.scale_y + at.offset_y), y, 1e-6);
    if (p.fit == Fit::crop) continue;
    // The picture's corners are those of its place in the input.
    EXPECT_NEAR(at.picture_x(at.x0), 0, 1e-6);
    EXPECT_NEAR(at.picture_x(at.x1), w, 1e-6);
    EXPECT_NEAR(at.picture_y(at.y0), 0, 1e-6);
    EXPECT_NEAR(at.picture_y(at.y1), h, 1e-6);
  }
}

}  // namespace
}  // namespace hone::vision
