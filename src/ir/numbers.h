// Reading and making constants as numbers.
#pragma once
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace hone::ir {

// Elements as doubles (floats of 16 bits and more, integers, booleans); nullopt for other types.
std::optional<std::vector<double>> numbers(const Tensor&);
// The same for a value: nullopt also where it is null or not constant.
std::optional<std::vector<double>> numbers(const Value*);
std::optional<std::vector<int64_t>> ints(const Value*);
// The one number that all elements of a constant equal.
std::optional<double> uniform(const Value*);
// A tensor of a floating type (16 bits and more); error for other types.
Result<Tensor> float_tensor(DType, const Shape&, const std::vector<double>&);

}  // namespace hone::ir
