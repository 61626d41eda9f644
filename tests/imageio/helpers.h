// Pictures that the tests of imageio share: the files of fuzz/seeds/image, and what their pixels are.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "imageio/imageio.h"

namespace hone::imageio {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view s) {
  const auto* p = reinterpret_cast<const std::byte*>(s.data());
  return {p, p + s.size()};
}
inline std::filesystem::path seeds() { return HONE_SOURCE_DIR "/fuzz/seeds/image"; }
inline Bytes load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::string s{std::istreambuf_iterator<char>(file), {}};
  return bytes_of(s);
}
inline Bytes seed(const std::string& name) { return load(seeds() / name); }

// The same as in make_seeds.py.
inline constexpr int seed_width = 12, seed_height = 10;
inline int sample(int x, int y, int c) {
  const int v[] = {x * 20 + y, y * 20 + x, 100 + x - y, 250 - 10 * x - y};
  return v[c];
}
inline int index(int x, int y, int bits) { return (x / 3 + y) % (1 << bits); }
inline vision::Rgb palette_entry(int i) {
  return {static_cast<uint8_t>(i * 13 % 256), static_cast<uint8_t>(255 - i),
          static_cast<uint8_t>(i * 7 % 256)};
}

}  // namespace hone::imageio
