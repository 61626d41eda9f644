// Reductions of rows and columns, and what is built on them: softmax and normalisation. The order of every
// sum is fixed by the sizes alone.
#pragma once
#include <cstdint>

namespace hone {

// rows x columns floats, rows `row` elements apart.
struct MatrixView {
  const float* data;
  int64_t rows, columns, row;
};

struct ReduceKernels {
  enum Op { sum, max, min, count };  // max, min: NaN where there is one; -+ infinity of nothing
  // Of n neighbours.
  float (*row[count])(const float* x, int64_t n);
  // out[c] = over the rows of column c; `more`: combined with what out[c] holds.
  void (*columns[count])(const MatrixView& x, float* out, bool more);

  // Of n neighbours: *distances = sum of x - mean, which is n times what rounding took from the mean, and *squares =
  // sum of (x - mean)^2.
  void (*row_moments)(const float* x, int64_t n, float mean, float* distances, float* squares);
  // Sum of (x - mean)^2 of n neighbours, and for each column with a mean of its own.
  float (*row_squares)(const float* x, int64_t n, float mean);
  void (*column_squares)(const MatrixView& x, const float* mean, float* out);

  // y = x * factor + offset, the factors and offsets being one for each column, or one for each row.
  // y may be x if its rows are as far apart.
  void (*scale_columns)(const MatrixView& x, const float* factor, const float* offset, float* y,
                        int64_t y_row);
  void (*scale_rows)(const MatrixView& x, const float* factor, const float* offset, float* y, int64_t y_row);
  // y = ((x - mean) - rest) * inverse * scale + bias over n neighbours; bias may be null. y may be x.
  void (*normalize)(const float* x, int64_t n, float mean, float rest, float inverse, const float* scale,
                    const float* bias, float* y);

  // Over each row; over each column. y, which may be x, has rows y_row apart.
  void (*softmax)(const MatrixView& x, float* y, int64_t y_row);
  void (*log_softmax)(const MatrixView& x, float* y, int64_t y_row);
  void (*softmax_columns)(const MatrixView& x, float* y, int64_t y_row);
  void (*log_softmax_columns)(const MatrixView& x, float* y, int64_t y_row);
};

}  // namespace hone
