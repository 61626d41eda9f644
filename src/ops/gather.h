// Indices read from data.
#pragma once
#include "ops/op.h"

namespace hone {

// Indices of type i32 or i64 into an axis of size dim, negative ones counted from its end and made positive.
// Error, in the name of `op`: one is outside [-dim, dim).
Result<std::vector<int64_t>> checked_indices(const TensorView& indices, int64_t dim, const char* op);

}  // namespace hone
