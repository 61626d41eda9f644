// The generator behind every operator that draws numbers: Philox4x32-10 (Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", 2011). Draw i of a seed is a pure function of (seed, i): results do not
// depend on threads or machines.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>

namespace hone {

class Random {
 public:
  explicit Random(uint64_t seed) : seed_(seed) {}

  uint32_t bits() {
    if (used_ == 4) {
      block_ = philox(counter_++);
      used_ = 0;
    }
    return block_[used_++];
  }
  // In [0, 1), 53 bits.
  double uniform() {
    const uint64_t high = bits(), low = bits();
    return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
  }
  // Standard normal (Box and Muller).
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - uniform())), angle = 6.283185307179586477 * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  std::array<uint32_t, 4> philox(uint64_t counter) const {
    std::array<uint32_t, 4> x{static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0};
    uint32_t k0 = static_cast<uint32_t>(seed_), k1 = static_cast<uint32_t>(seed_ >> 32);
    for (int round = 0; round < 10; round++) {
      const uint64_t p0 = uint64_t{0xD2511F53} * x[0], p1 = uint64_t{0xCD9E8D57} * x[2];
      x = {static_cast<uint32_t>(p1 >> 32) ^ x[1] ^ k0, static_cast<uint32_t>(p1),
           static_cast<uint32_t>(p0 >> 32) ^ x[3] ^ k1, static_cast<uint32_t>(p0)};
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    return x;
  }
  uint64_t seed_, counter_ = 0;
  std::array<uint32_t, 4> block_{};
  size_t used_ = 4;
  bool has_spare_ = false;
  double spare_ = 0;
};

}  // namespace hone
