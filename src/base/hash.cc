#include "base/hash.h"

#include <bit>
#include <cstring>
#include <initializer_list>

namespace hone {
namespace {
constexpr uint64_t p1 = 0x9E3779B185EBCA87u, p2 = 0xC2B2AE3D27D4EB4Fu, p3 = 0x165667B19E3779F9u,
                   p4 = 0x85EBCA77C2B2AE63u, p5 = 0x27D4EB2F165667C5u;

template <class T>
T load(const unsigned char* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  if constexpr (std::endian::native == std::endian::big)
    v = sizeof v == 8 ? static_cast<T>(__builtin_bswap64(v))
                      : static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(v)));
  return v;
}
uint64_t lane(uint64_t acc, uint64_t input) { return std::rotl(acc + input * p2, 31) * p1; }
}  // namespace

uint64_t hash64(const void* bytes, size_t size, uint64_t seed) {
  const auto* p = static_cast<const unsigned char*>(bytes);
  size_t left = size;
  uint64_t h;
  if (size >= 32) {
    uint64_t a = seed + p1 + p2, b = seed + p2, c = seed, d = seed - p1;
    for (; left >= 32; left -= 32, p += 32) {
      a = lane(a, load<uint64_t>(p));
      b = lane(b, load<uint64_t>(p + 8));
      c = lane(c, load<uint64_t>(p + 16));
      d = lane(d, load<uint64_t>(p + 24));
    }
    h = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
    for (uint64_t x : {a, b, c, d}) h = (h ^ lane(0, x)) * p1 + p4;
  } else {
    h = seed + p5;
  }
  h += size;
  for (; left >= 8; left -= 8, p += 8) h = std::rotl(h ^ lane(0, load<uint64_t>(p)), 27) * p1 + p4;
  if (left >= 4) {
    h = std::rotl(h ^ load<uint32_t>(p) * p1, 23) * p2 + p3;
    left -= 4, p += 4;
  }
  for (; left; left--, p++) h = std::rotl(h ^ *p * p5, 11) * p1;
  h = (h ^ h >> 33) * p2;
  h = (h ^ h >> 29) * p3;
  return h ^ h >> 32;
}

}  // namespace hone
