#include "base/shape.h"

#include <algorithm>

namespace hone {

bool Shape::all_known() const {
  return rank_ >= 0 && std::all_of(begin(), end(), [](Dim d) { return d >= 0; });
}

bool Shape::operator==(const Shape& o) const {
  return rank_ == o.rank_ && std::equal(begin(), end(), o.begin());
}

int64_t Shape::elements() const { return all_known() ? product(0, rank()) : -1; }

int64_t Shape::product(int from, int to) const {
  int64_t n = 1;
  for (int i = from; i < to; i++) n *= dims_[static_cast<size_t>(i)];
  return n;
}

std::string Shape::str() const {
  if (!ranked()) return "[*]";
  std::string s = "[";
  for (size_t i = 0; i < size(); i++) {
    if (i) s += ',';
    const Dim d = dims_[i];
    s += known(d) ? std::to_string(d) : symbolic(d) ? "s" + std::to_string(symbol_of(d)) : "?";
  }
  return s + "]";
}

Result<int64_t> checked_elements(const Shape& s) {
  constexpr int64_t limit = int64_t{1} << 40;
  int64_t n = 1;
  bool zero = false;
  for (Dim d : s) {
    if (d < 0) return error(Code::invalid_argument, "shape %s is not fully known", s.str().c_str());
    if (d == 0) {
      zero = true;
      continue;
    }
    if (d > limit / n)
      return error(Code::limit, "shape %s has more than 2^40 elements, the limit for one tensor",
                   s.str().c_str());
    n *= d;
  }
  return zero ? 0 : n;
}

Result<int> normalize_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    return error(Code::invalid_argument, "axis %lld is outside [%d, %d] for a tensor of rank %d",
                 static_cast<long long>(axis), -rank, rank - 1, rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<Shape> broadcast(const Shape& a, const Shape& b) {
  if (!a.ranked() || !b.ranked()) return Shape::unranked();
  const int rank = std::max(a.rank(), b.rank());
  Shape out = Shape::of_rank(rank);
  for (int i = 0; i < rank; i++) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const Dim x = ia < 0 ? 1 : a[static_cast<size_t>(ia)], y = ib < 0 ? 1 : b[static_cast<size_t>(ib)];
    Dim& d = out[static_cast<size_t>(i)];
    if (x == y) d = x;
    else if (x == 1) d = y;
    else if (y == 1) d = x;
    else if (known(x) && known(y))
      return error(Code::invalid_argument,
                   "shapes %s and %s do not broadcast: dimension %d is %lld against %lld", a.str().c_str(),
                   b.str().c_str(), i, static_cast<long long>(x), static_cast<long long>(y));
    else if (known(x)) d = x;  // the other must be 1 or x
    else if (known(y)) d = y;
    else d = unknown_dim;
  }
  return out;
}

std::array<int64_t, max_rank> contiguous_strides(const Shape& s) {
  std::array<int64_t, max_rank> strides{};
  int64_t n = 1;
  for (int i = s.rank() - 1; i >= 0; i--) {
    strides[static_cast<size_t>(i)] = n;
    n *= s[static_cast<size_t>(i)];
  }
  return strides;
}

}  // namespace hone
