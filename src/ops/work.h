// How much arithmetic a step is, for comparing times with what a machine can do.
#pragma once
#include <span>

#include "ops/op.h"

namespace hone {

// Multiply-adds of the operator's definition on these types, that is: of convolutions, matrix products, recurrent
// cells and attention as their sums are written, those with padding included; 0 for every other operator, and where a
// shape is not known. Algorithms may need fewer (Winograd's).
double multiply_adds(const OpDef&, std::span<const ValueType> in, std::span<const ValueType> out,
                     const Attrs&);

}  // namespace hone
