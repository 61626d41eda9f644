// Operators that draw numbers. The attribute "seed" decides what they draw (0 where it is absent): see
// ops/random.h.
#include <algorithm>
#include <cmath>

#include "ops/element.h"
#include "ops/random.h"
#include "ops/types.h"

namespace hone {
namespace {

Random generator(const Attrs& attrs) {
  const double seed = attrs.f("seed");
  return Random(std::fabs(seed) < 0x1p53 ? static_cast<uint32_t>(static_cast<int64_t>(seed)) : 0u);
}

// "dtype", or `fallback` where it is absent; must be in `allowed`.
Result<DType> drawn_type(const Attrs& attrs, DType fallback, TypeSet allowed) {
  if (!attrs.has("dtype")) return fallback;
  const DType d = dtype_from_number(attrs.i("dtype"));
  if (d == DType::none || !allowed.has(d))
    return error(Code::unsupported, "dtype is %lld; it must name %s",
                 static_cast<long long>(attrs.i("dtype")), allowed.str().c_str());
  return d;
}

// next() gives one number after the other.
template <class F>
Status fill(const TensorView& y, F&& next) {
  return dispatch_floats(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0, n = y.elements(); i < n; i++) store(y.data<T>()[i], static_cast<Compute<T>>(next()));
  });
}
Status fill_normal(const Attrs& attrs, const TensorView& y) {
  Random r = generator(attrs);
  const double mean = attrs.f("mean"), scale = attrs.f("scale");
  return fill(y, [&] { return mean + scale * r.normal(); });
}
Status fill_uniform(const Attrs& attrs, const TensorView& y) {
  Random r = generator(attrs);
  const double low = attrs.f("low"), high = attrs.f("high");
  return fill(y, [&] { return low + (high - low) * r.uniform(); });
}

// Numbers between or around what is no number are none.
Status check_finite(const Attrs& attrs) {
  for (const char* name : {"low", "high", "mean", "scale"})
    if (!std::isfinite(attrs.f(name)))
      return error(Code::invalid_argument, "%s is %g; it must be finite", name,
                   static_cast<double>(attrs.f(name)));
  return {};
}

Status infer_shaped(Infer& c) {
  HONE_CHECK(check_finite(c.attrs));
  HONE_TRY(const DType d, drawn_type(c.attrs, DType::f32, float_types));
  HONE_TRY(const Shape s, make_shape(c.attrs.ints("shape"), "the attribute 'shape'"));
  HONE_CHECK(checked_elements(s));
  c.set(0, d, s);
  return {};
}
Status infer_like(Infer& c) {
  HONE_CHECK(check_finite(c.attrs));
  HONE_CHECK(check_tensor(c, 0));
  HONE_TRY(const DType d, drawn_type(c.attrs, c.dtype(0), float_types));
  if (d != DType::none && !float_types.has(d))
    return error(Code::invalid_argument, "the input is of type %s; set dtype to a float type", dtype_name(d));
  c.set(0, d, c.shape(0));
  return {};
}

template <Status (*fill_with)(const Attrs&, const TensorView&)>
Status reference(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  return fill_with(c.attrs, y);
}

// --- Bernoulli ---

Status infer_bernoulli(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_TRY(const DType d, drawn_type(c.attrs, c.dtype(0), number_types | bool_type));
  c.set(0, d, c.shape(0));
  return {};
}
Status bernoulli(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  const TensorView p = c.input(0);
  Random r = generator(c.attrs);
  std::vector<bool> drawn(static_cast<size_t>(p.elements()));
  for (size_t i = 0; i < drawn.size(); i++) {
    const double probability = element_as_double(p, static_cast<int64_t>(i));
    if (!(probability >= 0 && probability <= 1))
      return error(Code::invalid_argument, "element %zu is %g, which is no probability", i, probability);
    drawn[i] = r.uniform() < probability;
  }
  if (y.dtype == DType::boolean) {
    for (size_t i = 0; i < drawn.size(); i++) y.data<bool8>()[i] = bool8(drawn[i]);
    return {};
  }
  return dispatch_numbers(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < drawn.size(); i++)
      store(y.data<T>()[i], static_cast<Compute<T>>(drawn[i] ? 1 : 0));
  });
}

// --- Multinomial ---

Status infer_multinomial(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_TRY(const DType d, drawn_type(c.attrs, DType::i32, index_types));
  const int64_t samples = c.attrs.i("sample_size");
  if (samples < 1 || samples > int64_t{1} << 31)
    return error(Code::invalid_argument, "sample_size is %lld; it must be from 1 to 2^31",
                 static_cast<long long>(samples));
  const Shape x = c.shape(0);
  if (x.ranked() && x.rank() != 2)
    return error(Code::invalid_argument, "the input has shape %s, expected [batch,classes]", x.str().c_str());
  c.set(0, d, Shape{x.ranked() ? x[0] : unknown_dim, samples});
  return {};
}
// The input holds logarithms of weights.
Status multinomial(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  const TensorView x = c.input(0);
  const int64_t classes = x.shape[1], samples = c.attrs.i("sample_size");
  if (y.elements() && classes == 0)
    return error(Code::invalid_argument, "the input %s has no classes", x.shape.str().c_str());
  Random r = generator(c.attrs);
  std::vector<double> sums(static_cast<size_t>(classes));
  for (int64_t b = 0; b < x.shape[0]; b++) {
    double best = -INFINITY, total = 0;
    for (int64_t k = 0; k < classes; k++) best = std::max(best, element_as_double(x, b * classes + k));
    for (int64_t k = 0; k < classes; k++) {
      total += std::exp(element_as_double(x, b * classes + k) - best);
      sums[static_cast<size_t>(k)] = total;
    }
    if (!(total > 0))
      return error(Code::invalid_argument, "row %lld holds no finite logarithm", static_cast<long long>(b));
    for (int64_t s = 0; s < samples; s++) {
      const auto at = std::upper_bound(sums.begin(), sums.end(), r.uniform() * total) - sums.begin();
      const int64_t drawn = std::min<int64_t>(at, classes - 1), i = b * samples + s;
      if (y.dtype == DType::i32) y.data<int32_t>()[i] = static_cast<int32_t>(drawn);
      else y.data<int64_t>()[i] = drawn;
    }
  }
  return {};
}

constexpr AttrDef dtype = AttrDef::opt("dtype", AttrType::i), seed = AttrDef::opt("seed", AttrType::f),
                  shape = AttrDef::req("shape", AttrType::ints);
constexpr AttrDef normal_attrs[] = {dtype, AttrDef::def_f("mean", 0), AttrDef::def_f("scale", 1), seed,
                                    shape};
constexpr AttrDef uniform_attrs[] = {dtype, AttrDef::def_f("high", 1), AttrDef::def_f("low", 0), seed, shape};
constexpr AttrDef normal_like_attrs[] = {dtype, AttrDef::def_f("mean", 0), AttrDef::def_f("scale", 1), seed};
constexpr AttrDef uniform_like_attrs[] = {dtype, AttrDef::def_f("high", 1), AttrDef::def_f("low", 0), seed};
constexpr AttrDef bernoulli_attrs[] = {dtype, seed};
constexpr AttrDef multinomial_attrs[] = {dtype, AttrDef::def_i("sample_size", 1), seed};

}  // namespace

extern const OpDef op_RandomNormal{
    .name = "RandomNormal",
    .doc = "normal numbers",
    .min_inputs = 0,
    .max_inputs = 0,
    .attrs = normal_attrs,
    .infer = infer_shaped,
    .reference = reference<fill_normal>,
    .pure = false,
    .notes =
        "numbers by MT19937 from the attribute seed (absent: 0), as numpy.random.RandomState makes them"};
extern const OpDef op_RandomUniform{
    .name = "RandomUniform",
    .doc = "uniform numbers in [low, high)",
    .min_inputs = 0,
    .max_inputs = 0,
    .attrs = uniform_attrs,
    .infer = infer_shaped,
    .reference = reference<fill_uniform>,
    .pure = false,
    .notes =
        "numbers by MT19937 from the attribute seed (absent: 0), as numpy.random.RandomState makes them"};
extern const OpDef op_RandomNormalLike{
    .name = "RandomNormalLike",
    .doc = "normal numbers in the shape of the input",
    .attrs = normal_like_attrs,
    .infer = infer_like,
    .reference = reference<fill_normal>,
    .shape_only = true,
    .pure = false,
    .notes =
        "numbers by MT19937 from the attribute seed (absent: 0), as numpy.random.RandomState makes them"};
extern const OpDef op_RandomUniformLike{
    .name = "RandomUniformLike",
    .doc = "uniform numbers in [low, high) in the shape of the input",
    .attrs = uniform_like_attrs,
    .infer = infer_like,
    .reference = reference<fill_uniform>,
    .shape_only = true,
    .pure = false,
    .notes =
        "numbers by MT19937 from the attribute seed (absent: 0), as numpy.random.RandomState makes them"};
extern const OpDef op_Bernoulli{
    .name = "Bernoulli",
    .doc = "1 with the probability that the input gives, else 0",
    .attrs = bernoulli_attrs,
    .infer = infer_bernoulli,
    .reference = bernoulli,
    .pure = false,
    .notes =
        "numbers by MT19937 from the attribute seed (absent: 0), as numpy.random.RandomState makes them"};
extern const OpDef op_Multinomial{
    .name = "Multinomial",
    .doc = "classes drawn by the logarithms of their weights",
    .attrs = multinomial_attrs,
    .infer = infer_multinomial,
    .reference = multinomial,
    .pure = false,
    .notes =
        "numbers by MT19937 from the attribute seed (absent: 0), as numpy.random.RandomState makes them"};

}  // namespace hone
