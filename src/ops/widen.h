// Half-precision element types for references written for float: f16 and bf16 inputs are widened to float
// (exactly), the reference runs in float, and what it writes is rounded once.
#pragma once
#include "ops/op.h"

namespace hone {

// Runs `reference` after checking that no required input is missing. It sees f16 and bf16 inputs as f32;
// where input 0 is one of them, its f32 outputs are stored in that type, except those whose bit is set in
// `float_outputs`.
Status widened(EvalContext&, Status (*reference)(EvalContext&), uint32_t float_outputs = 0);

// A float copy of a tensor of any real or integer type (not strings, not complex numbers).
Result<std::vector<float>> to_floats(const TensorView&);
// Rounds to the type of `out`, a float type of 16 bits or more.
void store_floats(const float* from, const TensorView& out);

}  // namespace hone
