// The functions of ops/unary.def over arrays of floats.
#pragma once
#include <cstdint>

namespace hone {

enum class Unary : uint8_t {
#define UNARY(name, expression) name,
#include "ops/unary.def"
#undef UNARY
  count
};

struct UnaryKernels {
  // out[i] = f(in[i]) for n elements of each of so many rows, which lie in_row and out_row floats apart; out may
  // be in. One entry for each line of unary.def, which says what a and b are. The result for an element does not
  // depend on its place.
  using Apply = void (*)(const float* in, int64_t in_row, float* out, int64_t out_row, int64_t rows,
                         int64_t n, float a, float b);
  Apply apply[static_cast<int>(Unary::count)];
};

}  // namespace hone
