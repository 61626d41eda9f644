// Nothing is allocated in Preprocessor::run() while pictures stay as they are.
#include <gtest/gtest.h>

#include "count_allocations.h"
#include "vision/preprocess.h"

namespace hone::vision {
namespace {

TEST(Preprocess, allocates_nothing_while_pictures_stay_the_same) {
  const Image picture = *Image::allocate(333, 222, PixelFormat::bgr8);
  const Image other = *Image::allocate(100, 50, PixelFormat::gray8);
  for (const DType type : {DType::f32, DType::u8})
    for (const Interpolation how : {Interpolation::nearest, Interpolation::smooth}) {
      const Preprocess p{
          .width = 64, .height = 48, .fit = Fit::letterbox, .interpolation = how, .type = type};
      auto preprocessor = Preprocessor::make(p, std::make_shared<ThreadPool>(2));
      ASSERT_TRUE(preprocessor);
      std::vector<uint8_t> out(static_cast<size_t>(preprocessor->output_bytes()));
      long before = allocations;
      for (int i = 0; i < 2; i++) {
        ASSERT_TRUE(preprocessor->run(picture, out.data()));
        EXPECT_EQ(allocations > before, i == 0);
        before = allocations;
      }
      ASSERT_TRUE(preprocessor->run(other, out.data()));
      EXPECT_GT(allocations, before);
    }
}

}  // namespace
}  // namespace hone::vision
