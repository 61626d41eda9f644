#include "runtime/memory.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace hone {

MemoryUse place_blocks(std::span<MemoryBlock> blocks) {
  MemoryUse use;
  for (MemoryBlock& b : blocks) b.bytes = (b.bytes + arena_alignment - 1) / arena_alignment * arena_alignment;

  int steps = 0;
  for (const MemoryBlock& b : blocks) steps = std::max(steps, b.last + 1);
  std::vector<int64_t> change(static_cast<size_t>(steps) + 1);
  for (const MemoryBlock& b : blocks) {
    use.sum += b.bytes;
    change[static_cast<size_t>(b.first)] += b.bytes;
    change[static_cast<size_t>(b.last) + 1] -= b.bytes;
  }
  int64_t live = 0;
  for (int64_t c : change) use.lower_bound = std::max(use.lower_bound, live += c);

  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return blocks[a].bytes > blocks[b].bytes; });

  std::vector<const MemoryBlock*> placed;  // sorted by offset
  for (size_t index : order) {
    MemoryBlock& b = blocks[index];
    int64_t gap_start = 0, best = -1, best_size = std::numeric_limits<int64_t>::max();
    for (const MemoryBlock* p : placed) {
      if (p->last < b.first || p->first > b.last) continue;
      const int64_t gap = p->offset - gap_start;
      if (gap >= b.bytes && gap < best_size) best = gap_start, best_size = gap;
      gap_start = std::max(gap_start, p->offset + p->bytes);
    }
    b.offset = best >= 0 ? best : gap_start;
    use.peak = std::max(use.peak, b.offset + b.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), b.offset,
                                   [](int64_t offset, const MemoryBlock* p) { return offset < p->offset; }),
                  &b);
  }
  return use;
}

}  // namespace hone
