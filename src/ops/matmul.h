// Shapes of a batched matrix product as numpy.matmul has them, and the product itself.
#pragma once
#include <vector>

#include "ops/op.h"
#include "ops/types.h"

namespace hone {

// Element types of MatMul and Gemm.
inline constexpr TypeSet product_types =
    float_types | TypeSet{DType::i32, DType::u32, DType::i64, DType::u64};

// numpy.matmul: vectors become matrices, batch dimensions broadcast. Unranked where either shape is.
Result<Shape> matmul_shape(const Shape& a, const Shape& b);

// One product for each batch: [m,k] x [k,n], at these element offsets.
struct MatMulPlan {
  struct Batch {
    int64_t a, b, y;
  };
  int64_t m = 1, k = 1, n = 1;
  std::vector<Batch> batches;
};
MatMulPlan plan_matmul(const Shape& a, const Shape& b);

// store(offset in y, column, sum of a(offset in a) * b(offset in b) in Acc) for every element; columns
// innermost.
template <class Acc, class A, class B, class Store>
void multiply_matrices(const MatMulPlan& p, A&& load_a, B&& load_b, Store&& store) {
  std::vector<Acc> row(static_cast<size_t>(p.n));
  for (const auto& batch : p.batches)
    for (int64_t i = 0; i < p.m; i++) {
      std::fill(row.begin(), row.end(), Acc{});
      for (int64_t k = 0; k < p.k; k++) {
        const Acc a = static_cast<Acc>(load_a(batch.a + i * p.k + k));
        const int64_t from = batch.b + k * p.n;
        for (int64_t j = 0; j < p.n; j++)
          row[static_cast<size_t>(j)] += a * static_cast<Acc>(load_b(from + j));
      }
      for (int64_t j = 0; j < p.n; j++) store(batch.y + i * p.n + j, j, row[static_cast<size_t>(j)]);
    }
}

}  // namespace hone
