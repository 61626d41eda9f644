// Moving elements of 1, 2, 4 or 8 bytes. The index of each table is the logarithm of the size; strides are in
// elements.
#pragma once
#include <cstdint>

namespace hone {

struct CopyKernels {
  // to[c * to_row + r] = from[r * from_row + c] for r < rows, c < columns.
  void (*transpose[4])(void* to, int64_t to_row, const void* from, int64_t from_row, int64_t rows,
                       int64_t columns);
  // to[i * to_step] = from[i * from_step].
  void (*strided[4])(void* to, int64_t to_step, const void* from, int64_t from_step, int64_t n);
};

}  // namespace hone
