// The loop of elementwise operators: the index space of the output, with one stride per operand and dimension
// (0 where the operand is broadcast, other than contiguous where it is pitched). Dimensions that all operands
// walk alike are merged, then the last two become blocks of rows and columns, so that a kernel gets as long a
// stretch as there is. Plain data: it may be part of a tactic's params.
#pragma once
#include <initializer_list>

#include "kernels/tactic.h"

namespace hone {

struct Grid {
  static constexpr int max_operands = 4;
  int rank = 0;                                      // >= 2
  int64_t dims[max_rank + 1] = {};                   // the last two: rows, columns
  int64_t strides[max_operands][max_rank + 1] = {};  // in elements; those of columns are 0 or 1
  int64_t row_block = 1, column_block = 1;           // of one task
  int64_t row_tasks = 0, column_tasks = 0, tasks = 0;

  int64_t row_stride(int operand) const { return strides[operand][rank - 2]; }
  int64_t column_stride(int operand) const { return strides[operand][rank - 1]; }
};

// The block of a task: rows x columns elements, operand i from element offset[i] on.
struct GridBlock {
  int64_t rows, columns;
  int64_t offset[Grid::max_operands];
};

// Operands broadcast to the first one, the output. A task covers at least `grain` elements where there are as
// many.
Grid make_grid(std::initializer_list<const Operand*> operands, int64_t grain = 8192);
GridBlock grid_block(const Grid&, int64_t task);

}  // namespace hone
