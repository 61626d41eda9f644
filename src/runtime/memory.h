// Static memory planning: blocks with lifetimes are given offsets in one arena.
#pragma once
#include <cstdint>
#include <span>

namespace hone {

struct MemoryBlock {
  int64_t bytes = 0;    // rounded up to arena_alignment by place_blocks
  int first = 0;        // step that writes it first
  int last = 0;         // last step that touches it, >= first
  int64_t offset = -1;  // result
};

inline constexpr int64_t arena_alignment = 64;

struct MemoryUse {
  int64_t peak = 0;         // size of the arena
  int64_t sum = 0;          // of all blocks: what it would take without sharing
  int64_t lower_bound = 0;  // the most that is alive at any one step: no placement can be smaller
};

// Places blocks so that two whose lifetimes meet never overlap: largest first, each into the tightest gap
// that holds it (best fit; Pisarchyk & Lee, "Efficient memory management for deep neural net inference",
// 2020, section 4, greedy by size).
MemoryUse place_blocks(std::span<MemoryBlock> blocks);

}  // namespace hone
