// Optimisation steps of ai.onnx.preview.training: Adagrad, Adam and Momentum. Inputs: the rate R, the number of
// steps taken T, then all tensors X, all gradients G, and all of each kind of state; outputs: all X, then all of
// each kind of state.
#include <cmath>

#include "ops/dispatch.h"
#include "ops/types.h"

namespace hone {
namespace {

// One element: x and its states (V, H) after a step.
struct Element {
  double x, g, first, second;
};

template <size_t states>
Status infer(Infer& c) {
  constexpr size_t kinds = 2 + states;
  const size_t given = c.in.size() < 2 ? 0 : c.in.size() - 2;
  if (given == 0 || given % kinds != 0 || c.out.size() != given / kinds * (1 + states))
    return error(Code::corrupt,
                 "%zu tensors and %zu outputs; expected %zu inputs and %zu outputs for each optimised tensor",
                 given, c.out.size(), kinds, 1 + states);
  HONE_CHECK(check_type(c, 0, TypeSet{DType::f32, DType::f64}));
  HONE_CHECK(check_type(c, 1, i64_type));
  for (const size_t i : {size_t{0}, size_t{1}})
    if (const Shape s = c.shape(i); s.all_known() && s.elements() != 1)
      return error(Code::invalid_argument, "%s has shape %s, expected one value",
                   i == 0 ? "the rate" : "the number of steps", s.str().c_str());
  const size_t n = given / kinds;
  for (size_t i = 2; i < c.in.size(); i++) {
    HONE_CHECK(check_type(c, i, TypeSet{DType::f32, DType::f64}));
    const size_t x = 2 + (i - 2) % n;
    const Shape a = c.shape(x), b = c.shape(i);
    if (c.dtype(i) != c.dtype(x) || (a.all_known() && b.all_known() && a != b))
      return error(Code::invalid_argument, "inputs %zu and %zu are %s and %s; they must be the same", x, i,
                   ValueType(c.dtype(x), a).str().c_str(), ValueType(c.dtype(i), b).str().c_str());
  }
  for (size_t o = 0; o < c.out.size(); o++) c.out[o] = c.in[2 + o % n];
  return {};
}

template <size_t states, class Step>
Status reference(EvalContext& c) {
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  const size_t n = (c.inputs() - 2) / (2 + states);
  const TensorView rate = c.input(0);
  const Step step(c.attrs,
                  rate.dtype == DType::f64 ? *rate.data<double>() : static_cast<double>(*rate.data<float>()),
                  *c.input(1).data<int64_t>());
  for (size_t k = 0; k < n; k++) {
    const TensorView x = c.input(2 + k), g = c.input(2 + n + k);
    std::array<TensorView, 2> old, made;
    HONE_TRY(const TensorView y, c.output(k, x.dtype, x.shape));
    for (size_t s = 0; s < states; s++) {
      old[s] = c.input(2 + (2 + s) * n + k);
      HONE_TRY(made[s], c.output((1 + s) * n + k, x.dtype, x.shape));
    }
    HONE_CHECK((dispatch<float, double>(x.dtype, [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0, count = x.elements(); i < count; i++) {
        Element e{x.data<T>()[i], g.data<T>()[i], old[0].data<T>()[i], 0};
        if (states > 1) e.second = old[1].data<T>()[i];
        step(e);
        y.data<T>()[i] = static_cast<T>(e.x);
        made[0].data<T>()[i] = static_cast<T>(e.first);
        if (states > 1) made[1].data<T>()[i] = static_cast<T>(e.second);
      }
    })));
  }
  return {};
}

// Duchi et al., "Adaptive subgradient methods", with a rate that decays as 1 / (1 + T * decay_factor).
struct AdagradStep {
  double rate, norm, epsilon;
  AdagradStep(const Attrs& a, double r, int64_t t)
      : rate(r / (1 + static_cast<double>(t) * static_cast<double>(a.f("decay_factor")))),
        norm(a.f("norm_coefficient")),
        epsilon(a.f("epsilon")) {}
  void operator()(Element& e) const {
    const double g = norm * e.x + e.g;
    e.first += g * g;
    e.x -= rate * g / (std::sqrt(e.first) + epsilon);
  }
};

// Kingma and Ba, "Adam": the bias of both means is corrected in the rate.
struct AdamStep {
  double rate, alpha, beta, norm, post, epsilon;
  AdamStep(const Attrs& a, double r, int64_t t)
      : rate(r),
        alpha(a.f("alpha")),
        beta(a.f("beta")),
        norm(a.f("norm_coefficient")),
        post(a.f("norm_coefficient_post")),
        epsilon(a.f("epsilon")) {
    const auto steps = static_cast<double>(t);
    if (t > 0) rate *= std::sqrt(1 - std::pow(beta, steps)) / (1 - std::pow(alpha, steps));
  }
  void operator()(Element& e) const {
    const double g = norm * e.x + e.g;
    e.first = alpha * e.first + (1 - alpha) * g;
    e.second = beta * e.second + (1 - beta) * g * g;
    e.x = (1 - post) * (e.x - rate * e.first / (std::sqrt(e.second) + epsilon));
  }
};

struct MomentumStep {
  double rate, alpha, beta, norm;
  bool nesterov;
  MomentumStep(const Attrs& a, double r, int64_t t)
      : rate(r),
        alpha(a.f("alpha")),
        beta(t > 0 ? static_cast<double>(a.f("beta")) : 1.0),
        norm(a.f("norm_coefficient")),
        nesterov(a.s("mode") == "nesterov") {}
  void operator()(Element& e) const {
    const double g = norm * e.x + e.g;
    e.first = alpha * e.first + beta * g;
    e.x -= rate * (nesterov ? g + alpha * e.first : e.first);
  }
};
Status infer_momentum(Infer& c) {
  if (const std::string& m = c.attrs.s("mode"); m != "standard" && m != "nesterov")
    return error(Code::invalid_argument, "mode is '%s'; it must be standard or nesterov", m.c_str());
  return infer<1>(c);
}

constexpr const char* domain = "ai.onnx.preview.training";
constexpr AttrDef adagrad_attrs[] = {AttrDef::def_f("decay_factor", 0), AttrDef::def_f("epsilon", 1e-6f),
                                     AttrDef::def_f("norm_coefficient", 0)};
constexpr AttrDef adam_attrs[] = {AttrDef::def_f("alpha", 0.9f), AttrDef::def_f("beta", 0.999f),
                                  AttrDef::def_f("epsilon", 1e-6f), AttrDef::def_f("norm_coefficient", 0),
                                  AttrDef::def_f("norm_coefficient_post", 0)};
constexpr AttrDef momentum_attrs[] = {AttrDef::req("alpha", AttrType::f), AttrDef::req("beta", AttrType::f),
                                      AttrDef::req("mode", AttrType::s),
                                      AttrDef::req("norm_coefficient", AttrType::f)};
// The importer puts the derivative's own operators in its place.
Status infer_gradient(Infer& c) {
  for (size_t i = 0; i < c.out.size() && i < c.in.size(); i++) c.out[i] = c.in[i];
  return {};
}
Status no_gradient(EvalContext&) {
  return error(Code::unsupported, "a derivative is made when the model is imported");
}
constexpr AttrDef gradient_attrs[] = {AttrDef::req("xs", AttrType::strings),
                                      AttrDef::opt("zs", AttrType::strings), AttrDef::req("y", AttrType::s)};
}  // namespace

extern const OpDef op_Adagrad{.name = "Adagrad",
                              .domain = domain,
                              .doc = "one step of Adagrad",
                              .min_inputs = 5,
                              .max_inputs = -1,
                              .min_outputs = 2,
                              .max_outputs = -1,
                              .attrs = adagrad_attrs,
                              .infer = infer<1>,
                              .reference = reference<1, AdagradStep>};
extern const OpDef op_Adam{.name = "Adam",
                           .domain = domain,
                           .doc = "one step of Adam",
                           .min_inputs = 6,
                           .max_inputs = -1,
                           .min_outputs = 3,
                           .max_outputs = -1,
                           .attrs = adam_attrs,
                           .infer = infer<2>,
                           .reference = reference<2, AdamStep>};
extern const OpDef op_Momentum{.name = "Momentum",
                               .domain = domain,
                               .doc = "one step of gradient descent with momentum",
                               .min_inputs = 5,
                               .max_inputs = -1,
                               .min_outputs = 2,
                               .max_outputs = -1,
                               .attrs = momentum_attrs,
                               .infer = infer_momentum,
                               .reference = reference<1, MomentumStep>};

extern const OpDef op_Gradient{.name = "Gradient",
                               .domain = "ai.onnx.preview.training",
                               .doc = "derivatives of y by xs; becomes their operators at import",
                               .max_inputs = -1,
                               .max_outputs = -1,
                               .attrs = gradient_attrs,
                               .infer = infer_gradient,
                               .reference = no_gradient};

}  // namespace hone
