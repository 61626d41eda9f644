// What every convolution over channels-last maps asks of a problem.
#pragma once
#include "kernels/cpu/gemm_plan.h"
#include "ops/conv.h"

namespace hone {

// Refuses what no kernel here does: other types than f32, channels first (of the input: unless it may be
// `planar`), more than two spatial dimensions, weights or a bias that are not constant. Sets shape and epilogue
// where it accepts.
Accept find_conv(const Problem&, bool transposed, ConvShape&, Epilogue&, bool planar = false);

// Tactic::cost of 3x3 convolution at stride 1 by Winograd's algorithm in tiles of m x m outputs, and, m = 1, of
// any convolution as a plain sum.
double conv_cost(const Problem&, int m);

}  // namespace hone
