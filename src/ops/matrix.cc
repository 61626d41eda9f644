// Operators on the last two axes: Det, EyeLike, Trilu.
#include <algorithm>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer_det(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  const Shape s = c.shape(0);
  c.set(0, c.dtype(0), Shape::unranked());
  if (!s.ranked()) return {};
  if (s.rank() < 2 || (known(s.back()) && known(s[s.size() - 2]) && s.back() != s[s.size() - 2]))
    return error(Code::invalid_argument, "Det of %s, expected square matrices", s.str().c_str());
  c.set(0, c.dtype(0), Shape(s.dims().first(s.size() - 2)));
  return {};
}

// By elimination with pivoting, in place.
double determinant(double* m, int64_t n) {
  double det = 1;
  for (int64_t k = 0; k < n; k++) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; i++)
      if (std::fabs(m[i * n + k]) > std::fabs(m[pivot * n + k])) pivot = i;
    if (m[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      std::swap_ranges(m + k * n, m + (k + 1) * n, m + pivot * n);
      det = -det;
    }
    det *= m[k * n + k];
    for (int64_t i = k + 1; i < n; i++) {
      const double f = m[i * n + k] / m[k * n + k];
      for (int64_t j = k; j < n; j++) m[i * n + j] -= f * m[k * n + j];
    }
  }
  return det;
}
Status det(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  const int64_t n = x.shape.back(), count = y.elements();
  if (count == 0) return {};
  std::vector<double> m(static_cast<size_t>(n * n));
  return dispatch_floats(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t b = 0; b < count; b++) {
      for (int64_t i = 0; i < n * n; i++)
        m[static_cast<size_t>(i)] = static_cast<double>(load(x.data<T>()[b * n * n + i]));
      store(y.data<T>()[b], static_cast<Compute<T>>(determinant(m.data(), n)));
    }
  });
}

constexpr TypeSet eye_types = number_types | bool_type;
Status infer_eye(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  const Shape s = c.shape(0);
  if (s.ranked() && s.rank() != 2)
    return error(Code::invalid_argument, "EyeLike of %s, expected a matrix", s.str().c_str());
  const DType d = c.attrs.has("dtype") ? dtype_from_number(c.attrs.i("dtype")) : c.dtype(0);
  if (d != DType::none && !eye_types.has(d)) return error(Code::corrupt, "EyeLike of type %s", dtype_name(d));
  if (d == DType::none && c.attrs.has("dtype"))
    return error(Code::corrupt, "attribute 'dtype' of EyeLike is %lld, which is no element type",
                 static_cast<long long>(c.attrs.i("dtype")));
  c.set(0, d, s.ranked() ? s : Shape::of_rank(2));
  return {};
}
Status eye(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  const int64_t rows = y.shape[0], columns = y.shape[1], k = c.attrs.i("k");
  zero_elements(y);
  if (k < -rows || k > columns) return {};
  const auto set_ones = [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = std::max<int64_t>(0, -k); i < rows && i + k < columns; i++) {
      if constexpr (std::is_same_v<T, bool8>) y.data<T>()[i * columns + i + k] = true;
      else store(y.data<T>()[i * columns + i + k], Compute<T>(1));
    }
  };
  if (y.dtype == DType::boolean) return set_ones(bool8()), Status{};
  return dispatch_numbers(y.dtype, set_ones);
}

Status infer_trilu(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_TRY(const Dim n, length_of(c, 1));
  if (known(n) && n != 1)
    return error(Code::corrupt, "k of Trilu has %lld elements, expected 1", static_cast<long long>(n));
  if (c.shape(0).ranked() && c.shape(0).rank() < 2)
    return error(Code::invalid_argument, "Trilu of %s, expected matrices", c.shape(0).str().c_str());
  return same_as_first(c);
}
Status trilu(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  const int64_t rows = x.shape[x.shape.size() - 2], columns = x.shape.back();
  int64_t k = c.has(1) ? *c.input(1).data<int64_t>() : 0;
  k = std::clamp(k, -rows, columns);
  const bool upper = c.attrs.flag("upper");
  zero_elements(y);
  const int64_t count = x.shape.product(0, x.shape.rank() - 2);
  for (int64_t b = 0; b < count * rows; b++) {
    // The diagonal element of this row is at column row + k: kept either way.
    const int64_t diagonal = b % rows + k, first = upper ? std::clamp<int64_t>(diagonal, 0, columns) : 0,
                  last = upper ? columns : std::clamp<int64_t>(diagonal + 1, 0, columns);
    copy_elements(x.dtype, y.bytes, b * columns + first, x.bytes, b * columns + first, last - first);
  }
  return {};
}

constexpr AttrDef eye_attrs[] = {AttrDef::opt("dtype", AttrType::i), AttrDef::def_i("k", 0)};
constexpr AttrDef trilu_attrs[] = {AttrDef::def_i("upper", 1)};
}  // namespace

extern const OpDef op_Det{.name = "Det",
                          .doc = "determinants of the matrices in the last two axes",
                          .since = 11,
                          .infer = infer_det,
                          .reference = det};
extern const OpDef op_EyeLike{.name = "EyeLike",
                              .doc = "ones on the k-th diagonal of a matrix of the input's shape, else zeros",
                              .attrs = eye_attrs,
                              .since = 9,
                              .infer = infer_eye,
                              .reference = eye,
                              .shape_only = true};
extern const OpDef op_Trilu{.name = "Trilu",
                            .doc = "the part of matrices above (or below) the k-th diagonal, else zeros",
                            .max_inputs = 2,
                            .attrs = trilu_attrs,
                            .since = 14,
                            .infer = infer_trilu,
                            .reference = trilu};

}  // namespace hone
