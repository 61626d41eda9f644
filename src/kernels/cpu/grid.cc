#include "kernels/cpu/grid.h"

#include <algorithm>

namespace hone {

Grid make_grid(std::initializer_list<const Operand*> operands, int64_t grain) {
  const Shape& shape = (*operands.begin())->shape;
  const int rank = shape.rank(), count = static_cast<int>(operands.size());
  int64_t full[Grid::max_operands][max_rank] = {};
  for (int k = 0; k < count; k++) {
    const Operand& o = *operands.begin()[k];
    int64_t step = 1;
    for (int i = o.shape.rank() - 1, j = rank - 1; i >= 0; i--, j--) {
      const int64_t d = o.shape[static_cast<size_t>(i)];
      full[k][j] = d == 1 ? 0 : step;
      step = i == o.shape.rank() - 1 ? o.pitch : step * d;
    }
  }
  Grid g;
  int n = 0;
  for (int j = 0; j < rank; j++) {
    const int64_t d = shape[static_cast<size_t>(j)];
    if (d == 1) continue;
    bool merge = n > 0;
    for (int k = 0; k < count && merge; k++) merge = g.strides[k][n - 1] == full[k][j] * d;
    if (merge) {
      g.dims[n - 1] *= d;
    } else {
      g.dims[n++] = d;
    }
    for (int k = 0; k < count; k++) g.strides[k][n - 1] = full[k][j];
  }
  const auto insert = [&](int at, int64_t stride) {
    for (int i = n; i > at; i--) {
      g.dims[i] = g.dims[i - 1];
      for (int k = 0; k < count; k++) g.strides[k][i] = g.strides[k][i - 1];
    }
    g.dims[at] = 1;
    for (int k = 0; k < count; k++) g.strides[k][at] = stride;
    n++;
  };
  // Columns lie side by side, or are all the same element; a pitched last dimension of size 1 is neither.
  bool columns = n > 0;
  for (int k = 0; k < count && columns; k++) columns = g.strides[k][n - 1] <= 1;
  if (!columns) insert(n, 1);
  if (n < 2) insert(0, 0);
  g.rank = n;
  int64_t outer = 1;
  for (int i = 0; i < n - 2; i++) outer *= g.dims[i];
  const int64_t rows = g.dims[n - 2], cols = g.dims[n - 1];
  if (outer * rows * cols == 0) return g;
  g.column_block = std::min(cols, 2 * grain);
  g.row_block = std::clamp<int64_t>(grain / cols, 1, rows);
  g.row_tasks = (rows + g.row_block - 1) / g.row_block;
  g.column_tasks = (cols + g.column_block - 1) / g.column_block;
  g.tasks = outer * g.row_tasks * g.column_tasks;
  return g;
}

GridBlock grid_block(const Grid& g, int64_t task) {
  GridBlock b{};
  const int64_t column = task % g.column_tasks * g.column_block;
  task /= g.column_tasks;
  const int64_t row = task % g.row_tasks * g.row_block;
  task /= g.row_tasks;
  b.columns = std::min(g.column_block, g.dims[g.rank - 1] - column);
  b.rows = std::min(g.row_block, g.dims[g.rank - 2] - row);
  for (int k = 0; k < Grid::max_operands; k++)
    b.offset[k] = row * g.row_stride(k) + column * g.column_stride(k);
  for (int i = g.rank - 3; i >= 0; i--) {
    const int64_t at = task % g.dims[i];
    task /= g.dims[i];
    for (int k = 0; k < Grid::max_operands; k++) b.offset[k] += at * g.strides[k][i];
  }
  return b;
}

}  // namespace hone
