// Tensors in NumPy's .npy files, format versions 1 to 3
// (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Element types: boolean, signed and
// unsigned integers of 8 to 64 bits, f16, f32, f64, c64, c128; fixed-width texts (U, S) become strings.
// Big-endian elements and Fortran order are converted. NumPy has no bf16, no 8-bit and no 4-bit floats or
// integers: writing converts them to f32 or to the next wider integer.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "base/tensor.h"

namespace hone {

// Errors name the fault: not an .npy file, a type that has no counterpart (objects, records), a shape that
// does not match the bytes. Memory allocated is proportional to the bytes given.
Result<Tensor> parse_npy(std::span<const std::byte>);
Result<std::string> format_npy(const TensorView&);  // the file's bytes

Result<Tensor> read_npy(const std::string& path);  // errors are prefixed with the path
Status write_npy(const std::string& path, const TensorView&);

}  // namespace hone
