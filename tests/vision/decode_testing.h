// Shared by the decoders' tests: outputs out of numbers, one call to decode, random numbers with a seed that
// is printed, and files of the real data.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/npy.h"
#include "vision/decoder.h"

namespace hone::vision::testing {

inline Output output(const std::string& name, std::vector<int64_t> dims, std::vector<float> values) {
  Tensor t = *Tensor::allocate(DType::f32, Shape(dims));
  EXPECT_EQ(t.elements(), static_cast<int64_t>(values.size())) << name;
  std::copy(values.begin(), values.end(), t.data<float>());
  static std::vector<Tensor> kept;  // outputs own nothing; tests are short
  kept.push_back(t);
  return {name, t.view()};
}

inline Output int_output(const std::string& name, std::vector<int64_t> dims, std::vector<int64_t> values) {
  Tensor t = *Tensor::allocate(DType::i64, Shape(dims));
  EXPECT_EQ(t.elements(), static_cast<int64_t>(values.size())) << name;
  std::copy(values.begin(), values.end(), t.data<int64_t>());
  static std::vector<Tensor> kept;
  kept.push_back(t);
  return {name, t.view()};
}

struct Network {
  int width = 64, height = 64, labels = 0;
};

inline Result<Results> decode(Head head, const Network& network, const std::vector<Output>& outputs) {
  auto decoder = find_decoder(head.decoder);
  if (!decoder) return decoder.take_error();
  Results results;
  HONE_CHECK((*decoder)->decode({head, network.width, network.height, network.labels}, outputs, results));
  return results;
}

inline Head head_of(const std::string& decoder) {
  Head head;
  head.decoder = decoder;
  return head;
}

inline std::string message(const Result<Results>& r) { return r ? "no error" : r.error().message; }

inline void expect_box(const Box& b, float x0, float y0, float x1, float y1, float tolerance = 1e-3f) {
  EXPECT_NEAR(b.x0, x0, tolerance);
  EXPECT_NEAR(b.y0, y0, tolerance);
  EXPECT_NEAR(b.x1, x1, tolerance);
  EXPECT_NEAR(b.y1, y1, tolerance);
}

class Random {
 public:
  Random() {
    const char* given = std::getenv("HONE_SEED");
    const unsigned seed =
        given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
    std::printf("HONE_SEED=%u\n", seed);
    engine_.seed(seed);
  }
  float between(float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine_); }
  int whole(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }

 private:
  std::mt19937 engine_;
};

inline float inverse_sigmoid(float p) { return std::log(p / (1 - p)); }

inline std::string data_folder() {
  const char* given = std::getenv("HONE_DATA");
  return given ? given : HONE_SOURCE_DIR "/../shared/data";
}

// Whatever numbers come out, they must be usable.
inline void expect_sound(const Results& r, float score_threshold = 0) {
  for (const Detection& d : r.detections) {
    EXPECT_TRUE(std::isfinite(d.score) && d.score >= score_threshold) << d.score;
    EXPECT_TRUE(std::isfinite(d.box.x0) && std::isfinite(d.box.y0) && std::isfinite(d.box.x1) &&
                std::isfinite(d.box.y1));
    for (const Keypoint& k : d.keypoints)
      EXPECT_TRUE(std::isfinite(k.x) && std::isfinite(k.y) && std::isfinite(k.score));
  }
  for (const Classification& c : r.classes) EXPECT_TRUE(std::isfinite(c.score));
}

inline std::vector<float> transposed(const std::vector<float>& rows, size_t columns) {
  std::vector<float> v(rows.size());
  const size_t n = rows.size() / columns;
  for (size_t r = 0; r < n; r++)
    for (size_t c = 0; c < columns; c++) v[c * n + r] = rows[r * columns + c];
  return v;
}

// The same detections in the same order.
inline void expect_detections(std::vector<Detection> expected, const std::vector<Detection>& found,
                              float tolerance) {
  std::stable_sort(expected.begin(), expected.end(), [](auto& a, auto& b) { return a.score > b.score; });
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < expected.size(); i++) {
    const Box& b = expected[i].box;
    EXPECT_EQ(found[i].label, expected[i].label) << i;
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-4f) << i;
    expect_box(found[i].box, b.x0, b.y0, b.x1, b.y1, tolerance);
  }
}

// Values that networks should not give, among plausible ones.
inline std::vector<float> hostile(Random& random, size_t n) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const float bad[] = {inf,  -inf, std::numeric_limits<float>::quiet_NaN(), 3e38f, -3e38f, 1e-45f, 0, -1,
                       1e9f, 1};
  std::vector<float> v(n);
  for (float& x : v) x = random.whole(0, 2) ? random.between(-2, 2) : bad[random.whole(0, 9)];
  return v;
}

}  // namespace hone::vision::testing
