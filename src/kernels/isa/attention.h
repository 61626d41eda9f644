// The steps of attention between its two matrix products (isa/gemm.h), on a block of queries and a block of keys: the
// softmax is taken online (Milakov and Gimelshein, 2018), so that no row of scores is ever whole.
#pragma once
#include <cstdint>

namespace hone {

struct ScoreBlock {
  float* scores;  // row i at i * row: scores in, weights exp(score - top) out
  int64_t rows, keys, row;
  int64_t first_limit;  // row i looks at keys below first_limit + i only; the others weigh 0
  // For each row, of all blocks so far: the largest score, and the sum of the weights relative to it. -infinity and 0
  // before the first block.
  float *top, *sum;
  float* shrink;  // out, for each row: what earlier weights are to be multiplied by
};

struct AttentionKernels {
  void (*weigh)(const ScoreBlock&);
  // Rows of n floats, `row` apart, times their factors; times one factor.
  void (*scale_rows)(float* y, int64_t rows, int64_t n, int64_t row, const float* factor);
  void (*scale)(float* y, int64_t n, float factor);
};

}  // namespace hone
