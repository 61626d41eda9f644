// ONNX's own tolerances: shape and type exact; floats |got - want| <= 1e-7 + 1e-3 |want|, f16 and bf16
// 1e-3 + 1e-2 |want|, NaN equals NaN, complex numbers part by part; everything else exact (floats of 8 bits
// and fewer by value: any NaN equals any NaN).
#pragma once
#include <string>

#include "base/tensor.h"

namespace hone::conform {

// Empty if `got` is close enough to `want`; else what differs, as a predicate: "element [0,3] is 0.5,
// expected 0.25 (1 of 12 differ)". `noise`: what absolute difference of 32-bit floats is rounding noise
// around zero, as a part of the greatest magnitude in `want`.
std::string difference(const Value& got, const Value& want, double noise = 0);

}  // namespace hone::conform
