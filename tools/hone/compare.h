// How far a tensor is from another.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace cli {

// Every element as a number; complex ones as two. Errors: strings.
hone::Result<std::vector<double>> to_doubles(const hone::Tensor&);

struct Difference {
  double max_abs = 0;  // greatest |a - b|
  double relative =
      0;  // max_abs / greatest finite |b|; max_abs if b is all zero; infinity where only one of two is finite
  int64_t worst = -1;            // element where that is; -1: all are equal
  double got = 0, expected = 0;  // there
  std::string mismatch;          // types or shapes differ: what; then the numbers mean nothing
};
// Equal infinities and two NaNs are equal. Strings: relative is 0 or infinity.
Difference compare(const hone::Tensor& got, const hone::Tensor& expected);

}  // namespace cli
