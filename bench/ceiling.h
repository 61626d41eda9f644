// What this machine can do at best, measured: the ceilings that times are compared with. The loops are written
// in assembly, so that no compiler comes between; each figure is the best of many short runs, since whatever
// else happens on a machine only ever slows it down. Threads are not pinned.
#pragma once
#include <cstdint>

#include "base/cpu.h"

namespace hone::bench {

// Float32 multiply-adds of independent vectors in registers, two operations each (where an instruction set has
// no fused one: a multiplication and an addition), of all threads together. In operations per second.
double multiply_add_rate(Isa, int threads, double seconds = 0.2);

// Reading a set of `bytes` over and over, each thread its own, with vectors of the widest kind that the
// instruction set has, of all threads together. In bytes per second; 0: there is not so much memory.
double read_rate(Isa, int64_t bytes, int threads, double seconds = 0.2);

// Sets that fit a level of the caches well, and one that fits none of them.
struct Level {
  const char* name;   // L1, L2, L3, memory
  int64_t capacity;   // what the system says that it holds; for memory: a size beyond any set
  int64_t set_bytes;  // for read_rate, of each thread
};
// Without the levels whose size the system does not say.
struct Levels {
  Level level[4];
  int count = 0;
  const Level* begin() const { return level; }
  const Level* end() const { return level + count; }
};
Levels cache_levels(int threads);

}  // namespace hone::bench
