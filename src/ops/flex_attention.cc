// FlexAttention of ai.onnx.preview: attention whose scores and probabilities pass through graphs of the model's.
//   scores = score_mod(scale Q K'),  Y = prob_mod(softmax(scores)) V
// Scores and probabilities are of type softmax_precision (default: f64 for f64, else f32), and so are the inputs
// and results of both graphs.
#include <cmath>

#include "ops/element.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

Result<DType> precision(const Attrs& attrs, DType of_data) {
  if (!attrs.has("softmax_precision")) return of_data == DType::f64 ? DType::f64 : DType::f32;
  const DType d = dtype_from_number(attrs.i("softmax_precision"));
  if (!float_types.has(d))
    return error(Code::invalid_argument, "softmax_precision is %lld; it must be a float type",
                 static_cast<long long>(attrs.i("softmax_precision")));
  return d;
}

bool differ(Dim a, Dim b) { return known(a) && known(b) && a != b; }

Status infer(Infer& c) {
  for (size_t i = 0; i < 3; i++) HONE_CHECK(check_type(c, i, float_types));
  HONE_CHECK(check_same_types(c));
  const Shape q = c.shape(0), k = c.shape(1), v = c.shape(2);
  for (const Shape& s : {q, k, v})
    if (s.ranked() && s.rank() != 4)
      return error(Code::invalid_argument, "Q, K and V have shapes %s, %s and %s; expected 4 dimensions each",
                   q.str().c_str(), k.str().c_str(), v.str().c_str());
  const auto dim = [](const Shape& s, size_t i) { return s.ranked() ? s[i] : unknown_dim; };
  const Dim heads = dim(q, 1), kv_heads = dim(k, 1);
  if (differ(dim(q, 0), dim(k, 0)) || differ(dim(k, 0), dim(v, 0)) || differ(kv_heads, dim(v, 1)) ||
      differ(dim(k, 2), dim(v, 2)) || differ(dim(q, 3), dim(k, 3)) || kv_heads == 0 ||
      (known(heads) && known(kv_heads) && heads % kv_heads != 0))
    return error(Code::invalid_argument,
                 "Q %s, K %s and V %s do not fit; expected [B,n*H,L,E], [B,H,S,E] and [B,H,S,Ev]",
                 q.str().c_str(), k.str().c_str(), v.str().c_str());
  HONE_TRY(const DType d, precision(c.attrs, c.dtype(0)));
  const ValueType scores(d, Shape{dim(q, 0), heads, dim(q, 2), dim(k, 2)});
  if (scores.shape.all_known()) HONE_CHECK(checked_elements(scores.shape));
  for (const char* name : {"score_mod", "prob_mod"}) {
    if (!c.infer_graph || !c.attrs.has(name) || c.dtype(0) == DType::none) continue;
    HONE_TRY(const std::vector<ValueType> out, c.infer_graph(c.attrs.graph(name), {&scores, 1}));
    if (out.size() != 1) return error(Code::corrupt, "%s gives %zu values, expected one", name, out.size());
  }
  c.set(0, c.dtype(0), Shape{dim(q, 0), heads, dim(q, 2), dim(v, 3)});
  return {};
}

// What a graph makes of the scores, in double again.
Status modify(EvalContext& c, const char* name, DType d, const Shape& shape, std::vector<double>& values) {
  if (!c.attrs.has(name)) return {};
  HONE_TRY(Tensor given, Tensor::allocate(d, shape));
  HONE_CHECK(dispatch_floats(d, [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < values.size(); i++) store(given.data<T>()[i], static_cast<Compute<T>>(values[i]));
  }));
  const Value in(std::move(given));
  HONE_TRY(const std::vector<Value> out, c.run_graph(name, {&in, 1}));
  if (out.size() != 1 || out[0].kind != Value::Kind::tensor || out[0].tensor.dtype() != d ||
      out[0].tensor.shape() != shape)
    return error(Code::invalid_argument, "%s gives %s, expected %s", name,
                 out.empty() ? "nothing" : type_of(out[0]).str().c_str(), ValueType(d, shape).str().c_str());
  const TensorView made = out[0].tensor.view();
  return dispatch_floats(d, [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < values.size(); i++) values[i] = static_cast<double>(load(made.data<T>()[i]));
  });
}

template <class T>
std::vector<double> doubles(const TensorView& t) {
  std::vector<double> v(static_cast<size_t>(t.elements()));
  for (size_t i = 0; i < v.size(); i++) v[i] = static_cast<double>(load(t.data<T>()[i]));
  return v;
}

Status reference(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  const Shape &qs = c.input(0).shape, &ks = c.input(1).shape, &vs = c.input(2).shape;
  const int64_t heads = qs[1], rows = qs[2], columns = ks[2], size = qs[3], width = vs[3],
                group = heads / ks[1];
  HONE_TRY(const DType d, precision(c.attrs, y.dtype));
  const Shape shape{qs[0], heads, rows, columns};
  HONE_TRY(const int64_t count, checked_elements(shape));
  const double scale = c.attrs.has("scale") ? static_cast<double>(c.attrs.f("scale"))
                                            : 1 / std::sqrt(static_cast<double>(size));
  return dispatch_floats(y.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    const std::vector<double> q = doubles<T>(c.input(0)), k = doubles<T>(c.input(1)),
                              v = doubles<T>(c.input(2));
    std::vector<double> scores(static_cast<size_t>(count));
    const auto head_of_kv = [&](int64_t bh) { return bh / heads * ks[1] + bh % heads / group; };
    for (int64_t bh = 0; bh < qs[0] * heads; bh++) {
      if (c.cancelled()) return error(Code::cancelled, "cancelled in head %lld", static_cast<long long>(bh));
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
          const double *a = q.data() + (bh * rows + i) * size,
                       *b = k.data() + (head_of_kv(bh) * columns + j) * size;
          double sum = 0;
          for (int64_t e = 0; e < size; e++) sum += a[e] * b[e];
          scores[static_cast<size_t>((bh * rows + i) * columns + j)] = sum * scale;
        }
    }
    HONE_CHECK(modify(c, "score_mod", d, shape, scores));
    for (int64_t r = 0; r < qs[0] * heads * rows && columns > 0; r++) {
      double* row = scores.data() + r * columns;
      double greatest = row[0], sum = 0;
      for (int64_t j = 1; j < columns; j++) greatest = std::max(greatest, row[j]);
      for (int64_t j = 0; j < columns; j++) sum += row[j] = std::exp(row[j] - greatest);
      for (int64_t j = 0; j < columns; j++) row[j] /= sum;
    }
    HONE_CHECK(modify(c, "prob_mod", d, shape, scores));
    std::vector<double> out(static_cast<size_t>(width));
    for (int64_t bh = 0; bh < qs[0] * heads; bh++)
      for (int64_t i = 0; i < rows; i++) {
        std::fill(out.begin(), out.end(), 0.0);
        for (int64_t j = 0; j < columns; j++) {
          const double p = scores[static_cast<size_t>((bh * rows + i) * columns + j)];
          const double* from = v.data() + (head_of_kv(bh) * columns + j) * width;
          for (int64_t e = 0; e < width; e++) out[static_cast<size_t>(e)] += p * from[e];
        }
        for (int64_t e = 0; e < width; e++)
          store(y.data<T>()[(bh * rows + i) * width + e],
                static_cast<Compute<T>>(out[static_cast<size_t>(e)]));
      }
    return {};
  });
}

constexpr AttrDef attrs[] = {AttrDef::opt("prob_mod", AttrType::graph), AttrDef::opt("scale", AttrType::f),
                             AttrDef::opt("score_mod", AttrType::graph),
                             AttrDef::opt("softmax_precision", AttrType::i)};
}  // namespace

extern const OpDef op_FlexAttention{.name = "FlexAttention",
                                    .domain = "ai.onnx.preview",
                                    .doc = "attention with graphs over its scores and probabilities",
                                    .min_inputs = 3,
                                    .max_inputs = 3,
                                    .attrs = attrs,
                                    .infer = infer,
                                    .reference = reference};

}  // namespace hone
