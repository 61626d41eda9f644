// Walking several tensors at once, each with its own strides (0 where it is broadcast, negative where it runs
// backwards), and moving elements of any type. Strides and offsets are in elements.
#pragma once
#include <array>
#include <cstring>

#include "base/tensor.h"

namespace hone {

// A nest of loops over N operands, outermost first. Its rank may exceed that of a tensor: Tile and the like
// split dimensions.
template <size_t N>
struct Nest {
  static constexpr int max_loops = 2 * max_rank;
  int rank = 0;
  std::array<int64_t, max_loops> size{};
  std::array<std::array<int64_t, N>, max_loops> stride{};

  void add(int64_t n, std::array<int64_t, N> strides) {
    size[static_cast<size_t>(rank)] = n;
    stride[static_cast<size_t>(rank++)] = strides;
  }
  // Drops loops of one turn and joins loops that run on without a gap for every operand, so that rows are
  // long.
  void join() {
    int kept = 0;
    for (int i = 0; i < rank; i++) {
      const auto from = static_cast<size_t>(i);
      if (size[from] == 1) continue;
      if (kept > 0 && continues(static_cast<size_t>(kept - 1), from)) {
        size[static_cast<size_t>(kept - 1)] *= size[from];
        stride[static_cast<size_t>(kept - 1)] = stride[from];
        continue;
      }
      size[static_cast<size_t>(kept)] = size[from];
      stride[static_cast<size_t>(kept++)] = stride[from];
    }
    rank = kept;
  }
  bool empty() const {
    for (int i = 0; i < rank; i++)
      if (size[static_cast<size_t>(i)] == 0) return true;
    return false;
  }

 private:
  bool continues(size_t outer, size_t inner) const {
    for (size_t k = 0; k < N; k++)
      if (stride[outer][k] != stride[inner][k] * size[inner]) return false;
    return true;
  }
};

// f(offsets, n, strides) for each innermost row, in row-major order: operand k's elements are at offsets[k] +
// i * strides[k].
template <size_t N, class F>
void for_each_row(Nest<N> nest, F&& f) {
  if (nest.empty()) return;
  nest.join();
  std::array<int64_t, N> offset{};
  if (nest.rank == 0) return f(offset, int64_t{1}, offset);
  const auto last = static_cast<size_t>(nest.rank - 1);
  std::array<int64_t, Nest<N>::max_loops> at{};
  for (;;) {
    f(offset, nest.size[last], nest.stride[last]);
    size_t i = last;
    while (i > 0) {
      i--;
      for (size_t k = 0; k < N; k++) offset[k] += nest.stride[i][k];
      if (++at[i] < nest.size[i]) break;
      for (size_t k = 0; k < N; k++) offset[k] -= nest.stride[i][k] * nest.size[i];
      at[i] = 0;
      if (i == 0) return;
    }
    if (last == 0) return;
  }
}

// Strides of a tensor of shape `in` when read at the indices of shape `out`, to which it broadcasts.
std::array<int64_t, max_rank> broadcast_strides(const Shape& in, const Shape& out);

// Loops over shape `out`: operand 0 contiguous (the output), the others broadcast to it.
template <class... Shapes>
Nest<1 + sizeof...(Shapes)> broadcast_nest(const Shape& out, const Shapes&... in) {
  Nest<1 + sizeof...(Shapes)> nest;
  const std::array<int64_t, max_rank> strides[] = {contiguous_strides(out), broadcast_strides(in, out)...};
  for (size_t i = 0; i < out.size(); i++) {
    std::array<int64_t, 1 + sizeof...(Shapes)> s;
    for (size_t k = 0; k < s.size(); k++) s[k] = strides[k][i];
    nest.add(out[i], s);
  }
  return nest;
}

// Copies elements of any type, packed and string types included: operand 0 of the nest is the destination,
// operand 1 the source; their first elements are at the offsets given.
void copy_strided(DType, const Nest<2>&, void* to, int64_t to_offset, const void* from, int64_t from_offset);
// n elements, both contiguous.
void copy_elements(DType, void* to, int64_t to_offset, const void* from, int64_t from_offset, int64_t n);
// Every element of y becomes element `index` of `from`, which has the same type.
void fill_elements(const TensorView& y, const void* from, int64_t index = 0);
// Every element of y becomes zero (false, the empty string).
void zero_elements(const TensorView& y);

}  // namespace hone
