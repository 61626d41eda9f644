// Rows of elements of any type as one of a few wide types, so that a reference is compiled for those only and
// not for each element type.
#pragma once
#include <vector>

#include "base/tensor.h"

namespace hone {

// n elements, `stride` apart, from element `at` of a tensor on. A is float (from floats of up to 32 bits),
// double (from any number), int64_t or uint64_t (from integers and booleans; the bits of wider ones wrap).
template <class A>
using ReadRow = void (*)(const void* tensor, int64_t at, int64_t stride, int64_t n, A* to);
// The reverse: floats round to nearest even; a double becomes an integer towards zero.
template <class A>
using WriteRow = void (*)(const A* from, int64_t n, void* tensor, int64_t at, int64_t stride);

// Null where A cannot stand for the type.
template <class A>
ReadRow<A> read_row(DType);
template <class A>
WriteRow<A> write_row(DType);

// The elements of a number or boolean tensor as integers in the same order: equal elements give equal keys (0
// and -0 are equal), all NaNs are equal and above everything else.
std::vector<uint64_t> order_keys(const TensorView&);

}  // namespace hone
