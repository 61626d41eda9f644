#include "ir/numbers.h"

#include <algorithm>

#include "ops/element.h"

namespace hone::ir {

std::optional<std::vector<double>> numbers(const Tensor& t) {
  std::vector<double> out(static_cast<size_t>(t.elements()));
  auto read = [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < out.size(); i++) out[i] = static_cast<double>(load(t.data<T>()[i]));
  };
  if (t.dtype() == DType::boolean) {
    for (size_t i = 0; i < out.size(); i++) out[i] = t.data<bool8>()[i] ? 1 : 0;
    return out;
  }
  if (!dispatch_numbers(t.dtype(), read)) return std::nullopt;
  return out;
}

std::optional<std::vector<double>> numbers(const Value* v) {
  return v && v->is_constant() ? numbers(v->constant) : std::nullopt;
}

std::optional<std::vector<int64_t>> ints(const Value* v) {
  if (!v || !v->is_constant()) return std::nullopt;
  auto values = v->constant.as_ints();
  return values ? std::optional(*std::move(values)) : std::nullopt;
}

std::optional<double> uniform(const Value* v) {
  const auto all = numbers(v);
  if (!all || all->empty()) return std::nullopt;
  const double first = all->front();
  return std::ranges::all_of(*all, [&](double x) { return x == first; }) ? std::optional(first)
                                                                         : std::nullopt;
}

Result<Tensor> float_tensor(DType d, const Shape& shape, const std::vector<double>& values) {
  HONE_TRY(Tensor t, Tensor::allocate(d, shape));
  HONE_CHECK(dispatch_floats(d, [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < values.size(); i++) store(t.data<T>()[i], static_cast<Compute<T>>(values[i]));
  }));
  return t;
}

}  // namespace hone::ir
