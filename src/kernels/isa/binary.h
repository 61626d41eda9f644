// Functions of two floats, and the choice between two, over blocks of rows.
#pragma once
#include <cstdint>

namespace hone {

enum class Binary : uint8_t {
#define BINARY(name, result, expression) BINARY_##result(name)
#define BINARY_same(name) name,
#define BINARY_truth(name)
#include "ops/binary.def"
#undef BINARY_truth
#undef BINARY_same
#undef BINARY
  Max,  // NaN where either is
  Min,
  count
};

// A block of rows x columns. Rows of an operand are *_row elements apart; a `single` operand is one element
// for a whole row. out may be x or y where these have its rows.
struct BinaryBlock {
  int64_t rows, columns;
  float* out;
  const float *x, *y;
  int64_t out_row, x_row, y_row;
  bool x_single, y_single;
};
struct WhereBlock {
  BinaryBlock of;
  const uint8_t* condition;  // any byte but 0 chooses x
  int64_t condition_row;
  bool condition_single;
};

struct BinaryKernels {
  using Apply = void (*)(const BinaryBlock&);
  Apply apply[static_cast<int>(Binary::count)];
  void (*where)(const WhereBlock&);
};

}  // namespace hone
