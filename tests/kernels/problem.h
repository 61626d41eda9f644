// Problems as text, one a line, for tests and benchmarks:
//   Conv x=1x13x17x20 k=3x3 s=2 p=1,1,1,1 d=1 g=1 oc=24 act=Relu res=1 bias=0
//   ConvTranspose x=1x4x5x8 k=2x2 s=2 oc=6
//   MatMul a=2x3x5 b=5x7 c=7 res=1 const=1       Gemm a=3x5 b=5x7 c=7 transB=1 alpha=0.5 const=1
// x is N,spatial...,C (channels last; N,C,spatial... with planar=1); s, p, d default to 1, 0, 1; s and d are repeated for each dimension if
// given once. const=1: the second operand (and c) is known when preparing, as weights always are.
#pragma once
#include <map>

#include "harness.h"

namespace hone::test {

// Lines of a file without comments (#) and blanks.
std::vector<std::string> read_lines(const std::string& path);
// With random operands, and as scale of errors the sum of the magnitudes that make up each output. Fails on a
// malformed line.
Result<Case> parse_problem(const std::string& line, bool with_scale = true);
// Twice the multiply-adds of the problem (ops/work.h).
double flops(const Case&);

}  // namespace hone::test
