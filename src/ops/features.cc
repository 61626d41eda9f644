// Feature preparation of ai.onnx.ml: ArrayFeatureExtractor and Binarizer.
#include "ops/element.h"
#include "ops/gather.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {

// --- ArrayFeatureExtractor: some entries of the last axis ---

Status infer_extract(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  const Shape x = c.shape(0), at = c.shape(1);
  c.set(0, c.dtype(0), Shape::unranked());
  if (!x.ranked()) return {};
  if (x.rank() < 1)
    return error(Code::invalid_argument, "the data is a scalar; it must have an axis to choose from");
  Shape y = x.rank() == 1 ? Shape{1, x[0]} : x;
  y[y.size() - 1] = at.all_known() ? at.elements() : unknown_dim;
  c.set(0, c.dtype(0), y);
  return {};
}
Status extract(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  const int64_t length = x.shape.back();
  HONE_TRY(const std::vector<int64_t> at, checked_indices(c.input(1), length, "ArrayFeatureExtractor"));
  const auto count = static_cast<int64_t>(at.size());
  const int64_t rows = x.shape.product(0, x.shape.rank() - 1);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < count; i++)
      copy_elements(x.dtype, y.bytes, r * count + i, x.bytes, r * length + at[static_cast<size_t>(i)], 1);
  return {};
}

// --- Binarizer ---

Status infer_binarize(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  return same_as_first(c);
}
Status binarize(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  const double threshold = c.attrs.f("threshold");
  return dispatch_numbers(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0, n = x.elements(); i < n; i++)
      store(y.data<T>()[i],
            static_cast<Compute<T>>(static_cast<double>(load(x.data<T>()[i])) > threshold ? 1 : 0));
  });
}

constexpr AttrDef binarizer_attrs[] = {AttrDef::def_f("threshold", 0)};
}  // namespace

extern const OpDef op_ArrayFeatureExtractor{.name = "ArrayFeatureExtractor",
                                            .domain = "ai.onnx.ml",
                                            .doc = "the entries of the last axis at some indices",
                                            .min_inputs = 2,
                                            .max_inputs = 2,
                                            .infer = infer_extract,
                                            .reference = extract};
extern const OpDef op_Binarizer{.name = "Binarizer",
                                .domain = "ai.onnx.ml",
                                .doc = "1 where X > threshold, else 0",
                                .attrs = binarizer_attrs,
                                .infer = infer_binarize,
                                .reference = binarize};

}  // namespace hone
