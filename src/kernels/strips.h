// A chain of steps over channels-last maps, run in strips: each step's output but the last's exists a few rows
// at a time, in a buffer that stays in the cache, and never as a whole. A thread owns a band of the last
// output; for a strip of it, it asks the step before for the rows that are not there yet, and so on up to the
// chain's first step, which reads its operands where they are. Rows that two bands need are made by both. No
// sum depends on the strips: the bits are those of the steps run one after another.
//
//   expand 1x1 -> ring of rows -> depthwise -> strip -> project 1x1 (+ residual) -> output
//
// A last step may sum up the output of the one before, which then does exist as a whole, while it is in cache.
#pragma once
#include <optional>
#include <vector>

#include "kernels/tactic.h"

namespace hone {

// A step of the chain, prepared and packed as if it ran alone.
struct StripStep {
  const Tactic* tactic = nullptr;  // with strips
  const Problem* problem = nullptr;
  const Prepared* prepared = nullptr;
  const void* packed = nullptr;
  int chained = -1;  // the operand that the step before makes; of the first step, none
};

class Strips {
 public:
  static constexpr size_t max_steps = 8, max_operands = 8;

  // Can the step follow another that makes its operand `chained`, or begin a chain (-1)? The reason if not.
  static Accept can_chain(const Tactic&, const Problem&, int chained, Reach&);

  // Steps that can be chained. cache_bytes: what the strips of a thread may take if they can be so small.
  // What tactic, prepared and packed point to must outlive this.
  Strips(std::span<const StripStep>, int64_t cache_bytes);

  int64_t scratch_bytes() const { return thread_bytes_ * threads_ + partial_bytes_; }
  // Operands and outputs of all steps, one after another; what steps hand on is not looked at.
  void run(std::span<const void* const> in, std::span<void* const> out, void* scratch, ThreadPool&) const;

 private:
  struct Step {
    const StripKernel* kernel;
    const void *params, *packed;
    size_t first_in, ins, chained;
    Reach reach;                         // of the chained operand
    int64_t height, width, pixel_bytes;  // of the output
    int64_t in_height;                   // of the chained operand
    int64_t slots = 0;                   // rows of the ring that holds the output; 0: a plain buffer
    int64_t chunk = 1;                   // rows made at once
    int64_t buffer = 0;                  // its place in the thread's scratch
    int64_t scratch = 0;
    int64_t row_bytes() const { return width * pixel_bytes; }
  };
  struct Band;
  int64_t lay_out(int64_t pixels);
  void make(Band&, size_t step, int64_t begin, int64_t end, std::byte* to) const;

  std::vector<Step> steps_;
  std::optional<Step> sum_;  // the step that sums up
  int64_t partial_bytes_ = 0;
  bool by_rows_ = false;  // a step needs more than a pixel of its operand, or rows
  int64_t images_ = 1;
  int threads_ = 1;
  int64_t strip_ = 1;                              // pixels of the last output made at once
  int64_t thread_bytes_ = 0, thread_scratch_ = 0;  // the kernels' own scratch lies behind the buffers
};

}  // namespace hone
