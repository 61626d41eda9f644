// Sums in registers: what keeps g++ and clang from moving accumulators about and from spilling them in loops that fill
// the register file.
#pragma once
#include "kernels/simd/vec.h"

namespace hone::HONE_ISA {
namespace {

// Hides a value's origin, so that address arithmetic is redone where it is used instead of held in registers
// from outside the loop, and loads are not moved across.
template <class T>
HONE_INLINE void opaque(T& x) {
  asm volatile("" : "+r"(x));
}

// Accumulators stay where they are: g++ 12 otherwise lets sums change registers in a step, copies them back at
// the end of the loop, and spills some.
HONE_INLINE void keep(f32v& acc) {
#if defined(__x86_64__)
  asm volatile("" : "+v"(acc));
#else
  asm volatile("" : "+w"(acc));
#endif
}
HONE_INLINE void add_product(f32v& acc, f32v x, f32v y) {
#if defined(__FMA__)
  asm("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(x), "v"(y));
#elif defined(__aarch64__)
  asm("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc) : "w"(x), "w"(y));
#else
  acc += x * y;
#endif
}

// n things cut into as few tiles as `max` allows, which differ by at most one: 49 = 13 + 12 + 12 + 12, never
// 14 + 14 + 14 + 7.
struct Split {
  int64_t count, base, larger;
  HONE_INLINE Split(int64_t n, int max) {
    count = (n + max - 1) / max;
    base = count ? n / count : 0;
    larger = count ? n % count : 0;
  }
  HONE_INLINE int size(int64_t i) const { return static_cast<int>(base + (i < larger)); }
};

}  // namespace
}  // namespace hone::HONE_ISA
