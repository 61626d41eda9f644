// Moving elements from one strided tensor to another: whatever Transpose, Concat, Slice and the like are,
// described as a nest of loops (ops/strided.h; operand 0 is the destination, 1 the source), becomes long runs
// of memory, squares transposed in registers, or, at worst, element after element. Plain data: it may be part
// of a tactic's params.
#pragma once
#include "kernels/isa/copy.h"
#include "kernels/tactic.h"
#include "ops/strided.h"

namespace hone {

struct CopyPlan {
  enum class Kind : uint8_t { rows, transpose, strided } kind = Kind::rows;
  int log_size = 0;  // of an element
  const CopyKernels* kernels = nullptr;
  int64_t to_offset = 0, from_offset = 0;
  // The loops around the inner kernel.
  int rank = 0;
  int64_t size[Nest<2>::max_loops] = {}, to[Nest<2>::max_loops] = {}, from[Nest<2>::max_loops] = {};
  int64_t n = 1, to_step = 1, from_step = 1;  // the innermost loop
  int64_t columns = 1, to_row = 0;            // transpose: the loop that is contiguous in the source
  // An item is one turn of the loops around; it is cut into parts of `part` elements of n (transpose: of
  // columns).
  int64_t items = 0, parts = 1, part = 1, items_per_task = 1, tasks = 0;
};

// Elements of types with 8, 16, 32 or 64 bits can be moved.
bool can_copy(DType);
CopyPlan plan_copy(const Problem&, Nest<2>, int64_t to_offset = 0, int64_t from_offset = 0);
void copy_task(const CopyPlan&, void* to, const void* from, int64_t task);
inline void run_copy(const CopyPlan& plan, void* to, const void* from, ThreadPool& pool) {
  pool.run(plan.tasks, [&](int64_t task, int) { copy_task(plan, to, from, task); });
}

// Strides in elements, with the pitch.
std::array<int64_t, max_rank> strides_of(const Operand&);

}  // namespace hone
