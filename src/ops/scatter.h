// What ScatterElements and ScatterND share: how an update meets the element it falls on.
#pragma once
#include "ops/op.h"

namespace hone {

enum class Merge : uint8_t { replace, add, mul, max, min };
Result<Merge> merge_of(const Attrs&);  // from the attribute "reduction"

// data[to[i]] = merge(data[to[i]], updates[i]) for each i, in order.
Status scatter(const TensorView& data, const TensorView& updates, std::span<const int64_t> to, Merge);

}  // namespace hone
