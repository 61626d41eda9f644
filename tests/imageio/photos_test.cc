// Photographs as cameras and programs wrote them (HONE_DATA/sets/images), against what Pillow 9.4 makes of
// them.
#include <algorithm>
#include <cstdlib>

#include "helpers.h"

namespace hone::imageio {
namespace {

std::filesystem::path photos() {
  const char* env = std::getenv("HONE_DATA");
  return std::filesystem::path(env ? env : HONE_SOURCE_DIR "/../shared/data") / "sets/images";
}

struct Photo {
  const char* path;
  int width, height;
  double mean[3];
  int quarters[3][3];  // the pixels at 1/4, 2/4 and 3/4 of width and height
};
constexpr Photo known[] = {
    {"faces/10.jpg", 1024, 715, {122.074, 112.588, 98.984}, {{255, 253, 250}, {44, 42, 29}, {107, 77, 51}}},
    {"jetson/city_0.jpg",
     1024,
     512,
     {59.281, 72.070, 63.569},
     {{83, 109, 61}, {104, 123, 121}, {21, 30, 29}}},
    {"jetson/peds_0.jpg",
     1920,
     1080,
     {102.225, 109.360, 107.643},
     {{74, 77, 60}, {26, 33, 41}, {102, 109, 115}}},
    {"jetson/cat_1.jpg",
     350,
     441,
     {124.582, 118.387, 116.293},
     {{139, 129, 140}, {107, 101, 101}, {65, 63, 64}}},
    {"coral/cat.bmp", 512, 341, {156.754, 103.149, 80.980}, {{183, 73, 52}, {176, 94, 55}, {192, 169, 135}}},
};

TEST(Photos, are_what_Pillow_makes_of_them) {
  for (const Photo& p : known) {
    SCOPED_TRACE(p.path);
    if (!std::filesystem::exists(photos() / p.path))
      GTEST_SKIP() << photos() / p.path << " is absent (set HONE_DATA)";
    const auto image = read((photos() / p.path).string());
    ASSERT_TRUE(image) << image.error().message;
    ASSERT_EQ(image->width(), p.width);
    ASSERT_EQ(image->height(), p.height);
    ASSERT_EQ(image->format(), vision::PixelFormat::rgb8);
    for (int c = 0; c < 3; c++) {
      double sum = 0;
      for (int y = 0; y < p.height; y++)
        for (int x = 0; x < p.width; x++) sum += image->row(y)[x * 3 + c];
      EXPECT_NEAR(sum / p.width / p.height, p.mean[c], 0.2);
      for (int k = 1; k <= 3; k++)
        EXPECT_NEAR(image->row(p.height * k / 4)[p.width * k / 4 * 3 + c], p.quarters[k - 1][c], 2);
    }
  }
}

TEST(Photos, are_all_decoded) {
  if (!std::filesystem::exists(photos())) GTEST_SKIP() << photos() << " is absent (set HONE_DATA)";
  int decoded = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(photos())) {
    const std::string e = entry.path().extension();
    if (e != ".jpg" && e != ".png" && e != ".bmp" && e != ".webp") continue;
    const auto image = read(entry.path().string());
    EXPECT_TRUE(image) << image.error().message;
    decoded++;
  }
  EXPECT_GT(decoded, 0);
}

}  // namespace
}  // namespace hone::imageio
