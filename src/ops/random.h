// The generator behind every operator that draws numbers: the Mersenne Twister (std::mt19937, the same on
// every machine), with uniform and normal numbers made from it exactly as numpy.random.RandomState(seed)
// makes them, so that a seed gives the numbers that ONNX's own reference gives.
#pragma once
#include <cmath>
#include <cstdint>
#include <random>

namespace hone {

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}

  // In [0, 1), 53 bits.
  double uniform() {
    const auto high = static_cast<double>(engine_() >> 5), low = static_cast<double>(engine_() >> 6);
    return (high * 67108864 + low) / 9007199254740992;
  }
  // Standard normal: Marsaglia's polar method gives two at a time.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    for (;;) {
      const double x = 2 * uniform() - 1, y = 2 * uniform() - 1, square = x * x + y * y;
      if (square >= 1 || square == 0) continue;
      const double factor = std::sqrt(-2 * std::log(square) / square);
      spare_ = factor * x;
      has_spare_ = true;
      return factor * y;
    }
  }

 private:
  std::mt19937 engine_;
  bool has_spare_ = false;
  double spare_ = 0;
};

}  // namespace hone
