// Shapes. A dimension is an int64: >= 0 known; -1 unknown; <= -2 a symbol (number -2 - d in the symbol table
// of the graph; two dimensions with the same symbol are equal whatever their value). A shape may also be
// unranked. The runtime sees only known dimensions; import and the optimiser see all of them.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "base/result.h"

namespace hone {

using Dim = int64_t;
inline constexpr Dim unknown_dim = -1;
inline constexpr int max_rank = 12;
inline bool known(Dim d) { return d >= 0; }
inline bool symbolic(Dim d) { return d <= -2; }
inline Dim symbol_dim(int symbol) { return -2 - static_cast<Dim>(symbol); }
inline int symbol_of(Dim d) { return static_cast<int>(-2 - d); }

class Shape {
 public:
  Shape() = default;  // rank 0: a scalar
  Shape(std::initializer_list<Dim> dims) : Shape(std::span<const Dim>(dims.begin(), dims.size())) {}
  // More than max_rank dimensions are cut: callers that read untrusted ranks check first.
  explicit Shape(std::span<const Dim> dims) {
    for (Dim d : dims) push_back(d);
  }
  static Shape unranked() {
    Shape s;
    s.rank_ = -1;
    return s;
  }
  static Shape of_rank(int rank, Dim fill = unknown_dim) {
    Shape s;
    for (int i = 0; i < rank; i++) s.push_back(fill);
    return s;
  }
  bool ranked() const { return rank_ >= 0; }
  int rank() const { return rank_ < 0 ? 0 : rank_; }
  size_t size() const { return static_cast<size_t>(rank()); }
  Dim operator[](size_t i) const { return dims_[i]; }
  Dim& operator[](size_t i) { return dims_[i]; }
  Dim back() const { return dims_[size() - 1]; }
  const Dim* begin() const { return dims_.data(); }
  const Dim* end() const { return dims_.data() + rank(); }
  std::span<const Dim> dims() const { return {dims_.data(), size()}; }
  void push_back(Dim d) {
    if (rank_ >= 0 && rank_ < max_rank) dims_[static_cast<size_t>(rank_++)] = d;
  }
  bool all_known() const;  // ranked and every dimension known
  bool operator==(const Shape& o) const;
  bool operator!=(const Shape& o) const { return !(*this == o); }
  // Product of the dimensions. For shapes already accepted by checked_elements(); -1 unless all_known().
  int64_t elements() const;
  // Product of dimensions [from, to).
  int64_t product(int from, int to) const;
  std::string str() const;  // "[1,3,?,s0]"

 private:
  std::array<Dim, max_rank> dims_{};
  int rank_ = 0;
};

// Number of elements with overflow and limit checks: an error names the shape. The limit is 2^40 elements in
// one tensor.
Result<int64_t> checked_elements(const Shape&);

// "axis" of ONNX: [-rank, rank-1] -> [0, rank-1].
Result<int> normalize_axis(int64_t axis, int rank);

// numpy broadcasting, also of symbols and unknowns.
Result<Shape> broadcast(const Shape& a, const Shape& b);

// Row-major strides in elements.
std::array<int64_t, max_rank> contiguous_strides(const Shape&);

}  // namespace hone
