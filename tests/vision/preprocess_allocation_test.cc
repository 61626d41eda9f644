// Counts every allocation of this program: none may happen in Preprocessor::run() while pictures stay as they
// are.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "vision/preprocess.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored \
    "-Wmismatched-new-delete"  // inlined, g++ 12 takes our own pair for a mixed one
#endif

namespace {
std::atomic<long> allocations{0};
}

void* operator new(size_t n) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
void* operator new[](size_t n) { return operator new(n); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t) noexcept { std::free(p); }

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
