// Cutting tensors along an axis and putting them together again, for loops and sequences.
#pragma once
#include <functional>

#include "ops/op.h"

namespace hone {

// Tensor of `count` indices of `axis` from `start` on; without the axis if `squeeze` (count 1). Bounds are
// the caller's.
Result<Tensor> cut(const TensorView& x, int axis, int64_t start, int64_t count, bool squeeze);

// Makes the joined tensor by asking `allocate` once. new_axis: the parts are stacked along a new axis `axis`
// of the result; otherwise they are concatenated along it. Errors: a part is no tensor, or types, ranks or
// sizes do not fit. `empty` is the type of the result where there are no parts (unknown dimensions count as
// 0).
using Allocate = std::function<Result<TensorView>(DType, const Shape&)>;
Status join(std::span<const Value> parts, int64_t axis, bool new_axis, const ValueType& empty,
            const Allocate& allocate);

// What is known of a value that may be either: equal parts are kept, others become unknown. kind none where
// the kinds differ.
ValueType either(const ValueType& a, const ValueType& b);

}  // namespace hone
