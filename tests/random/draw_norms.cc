// Normalisations and signals.
#include <algorithm>
#include <cmath>
#include <map>

#include "random/draws.h"

namespace hone::test {
namespace {

void weight(Draw& d, Value v) { d.chance(75) ? d.fixed(std::move(v)) : d.in(std::move(v)); }

// What normalising does to a rounding error of its input: the greatest max|x| / sqrt(var + epsilon) of any group
// of elements; group(i) says which one element i is in.
template <class Group>
double sharpness(const Tensor& x, double epsilon, bool centred, Group&& group) {
  struct Sums {
    double n = 0, sum = 0, squares = 0, largest = 0;
  };
  std::map<int64_t, Sums> groups;
  for (int64_t i = 0; i < x.elements(); i++) {
    Sums& s = groups[group(i)];
    const double v = number_at(x, i);
    s.n++, s.sum += v, s.squares += v * v, s.largest = std::max(s.largest, std::fabs(v));
  }
  double worst = 1;
  for (const auto& [key, s] : groups) {
    const double mean = centred ? s.sum / s.n : 0, var = std::max(0.0, s.squares / s.n - mean * mean);
    worst = std::max(worst, s.largest / std::sqrt(var + epsilon));
  }
  return worst;
}
double epsilon_of(const Draw& d) { return static_cast<double>(d.so_far().attrs.f("epsilon", 1e-5f)); }

}  // namespace

void batch_norm(Draw& d) {
  const DType t = d.type(float_types);
  const Shape x = d.shape(2, 5, false);
  const bool training = d.chance(25);
  d.maybe<float>("epsilon", {1e-5f, 1e-3f});
  if (training) {
    d.attr("training_mode", int64_t{1});
    d.maybe<float>("momentum", {0.9f, 0.5f});
    d.outputs(static_cast<size_t>(d.pick<int64_t>({1, 3})));
  }
  d.in(d.tensor(t, x));
  for (int i = 0; i < 4; i++) weight(d, d.tensor(t, {x[1]}, i == 3 ? 0.1 : -1, 2));
  if (!training) return d.judge(Judge::scaled, 64);
  const int64_t plane = x.product(2, x.rank());
  const double sharp = sharpness(d.so_far().inputs[0].value.tensor, epsilon_of(d), true,
                                 [&](int64_t i) { return i / plane % x[1]; });
  d.judge(Judge::bound, 3 * sharp * (16 + static_cast<double>(x.elements() / x[1])));
}

void instance_norm(Draw& d) {
  const DType t = d.type(float_types);
  const Shape x = d.shape(3, 5, false);
  d.maybe<float>("epsilon", {1e-5f, 1e-2f});
  d.in(d.tensor(t, x));
  d.in(d.tensor(t, {x[1]}));
  d.in(d.tensor(t, {x[1]}));
  const int64_t size = x.product(2, x.rank());
  const double sharp =
      sharpness(d.so_far().inputs[0].value.tensor, epsilon_of(d), true, [&](int64_t i) { return i / size; });
  d.judge(Judge::bound, 3 * sharp * (16 + static_cast<double>(size)));
}

void group_norm(Draw& d) {
  const DType t = d.type(float_types);
  Shape x = d.shape(3, 4, false);
  const int64_t groups = d.between(1, 4);
  x[1] = groups * d.between(1, 4);
  d.attr("num_groups", groups);
  d.maybe<float>("epsilon", {1e-5f, 1e-2f});
  d.in(d.tensor(t, x));
  d.in(d.tensor(t, {x[1]}));
  d.in(d.tensor(t, {x[1]}));
  const int64_t size = x.product(1, x.rank()) / groups;
  const double sharp =
      sharpness(d.so_far().inputs[0].value.tensor, epsilon_of(d), true, [&](int64_t i) { return i / size; });
  d.judge(Judge::bound, 3 * sharp * (16 + static_cast<double>(size)));
}

void layer_norm(Draw& d, bool rms) {
  const DType t = d.type(float_types);
  const Shape x = d.shape(1, 4, false);
  const int64_t axis = d.axis(x.rank());
  if (d.chance(60)) d.attr("axis", axis);
  const int64_t from = d.so_far().attrs.has("axis") ? (axis < 0 ? axis + x.rank() : axis) : x.rank() - 1;
  d.maybe<float>("epsilon", {1e-5f, 1e-2f});
  Shape s;
  for (size_t i = static_cast<size_t>(from); i < x.size(); i++) s.push_back(x[i]);
  d.in(d.tensor(t, x));
  weight(d, d.tensor(t, s));
  if (!rms) {
    if (d.chance(60)) weight(d, d.tensor(t, s));
    d.outputs(static_cast<size_t>(d.pick<int64_t>({1, 1, 2, 3})));
  }
  const int64_t size = s.elements();
  const double sharp =
      sharpness(d.so_far().inputs[0].value.tensor, epsilon_of(d), !rms, [&](int64_t i) { return i / size; });
  // The inverse of the spread, which is an output too, has the error of the spread twice.
  d.judge(Judge::bound, 3 * sharp * (d.so_far().outputs == 3 ? sharp : 1) * (16 + static_cast<double>(size)));
}

void lrn(Draw& d) {
  d.attr("size", d.between(1, 7));
  d.maybe<float>("alpha", {0.5f, 1e-4f});
  d.maybe<float>("beta", {0.75f, 0.5f, 1.0f});
  d.maybe<float>("bias", {1.0f, 2.0f});
  d.in(d.tensor(d.type(float_types), d.shape(2, 5, false)));
  d.judge(Judge::scaled, 64);
}

void lp_norm(Draw& d) {
  const Shape s = d.shape(1, 4, false);
  if (d.chance(60)) d.attr("axis", d.axis(s.rank()));
  d.maybe<int64_t>("p", {1, 2});
  d.in(d.tensor(d.type(float_types), s));
  d.judge(Judge::scaled, 16 + static_cast<double>(s.elements()));
}

void mean_variance(Draw& d) {
  const Shape s = d.shape(4, 4, false);
  if (d.chance(50)) d.attr("axes", d.axes(4, static_cast<int>(d.between(1, 4))));
  d.in(d.tensor(d.type(float_types), s));
  // The deviation of a few near-equal numbers is a difference of squares.
  d.judge(Judge::scaled, 2000 + 8 * static_cast<double>(s.elements()));
}

void dft(Draw& d) {
  const DType t = d.type(TypeSet{DType::f32, DType::f64, DType::f16, DType::bf16});
  const bool complex = d.chance(50), inverse = d.chance(40);
  Shape s = d.shape(2, 4, false);
  const int64_t axis = d.between(0, s.rank() - 2);
  s[s.size() - 1] = complex ? 2 : 1;
  if (inverse) d.attr("inverse", int64_t{1});
  if (!complex && !inverse && d.chance(40)) d.attr("onesided", int64_t{1});
  d.in(d.tensor(t, s));
  if (d.chance(30)) d.in(d.whole(DType::i64, {}, 1, 12));
  else d.none();
  const int64_t stated = d.chance(50) ? axis : axis - s.rank();
  d.in(d.whole(DType::i64, {}, stated, stated));
  d.judge(Judge::scaled, 64);
}

void stft(Draw& d) {
  const DType t = d.type(TypeSet{DType::f32, DType::f64});
  const int64_t frame = d.between(1, 8), length = frame + d.between(0, 30);
  const bool windowed = d.chance(60);
  const bool complex = d.chance(30);
  d.attr("onesided", complex ? int64_t{0} : d.between(0, 1));
  d.in(d.tensor(t, {d.between(1, 2), length, complex ? 2 : 1}));
  d.in(d.whole(DType::i64, {}, 1, 4));
  if (windowed) d.in(d.tensor(t, {frame}, 0, 1));
  else d.none();
  if (!windowed || d.chance(50)) d.in(d.whole(DType::i64, {}, frame, frame));
  d.judge(Judge::scaled, 64);
}

void window(Draw& d) {
  d.flag("periodic");
  if (d.chance(50)) d.attr("output_datatype", static_cast<int64_t>(d.type(float_types)));
  d.in(d.whole(d.type(index_types), {}, 0, 40));
  d.judge(Judge::scaled, 16);
}

void mel_weights(Draw& d) {
  if (d.chance(50)) d.attr("output_datatype", static_cast<int64_t>(d.type(float_types)));
  d.in(d.whole(DType::i64, {}, 1, 9));
  d.in(d.whole(DType::i64, {}, 16, 64));
  d.in(d.whole(DType::i64, {}, 8000, 16000));
  d.in(d.tensor(DType::f32, {}, 0, 300));
  d.in(d.tensor(DType::f32, {}, 1000, 4000));
  d.judge(Judge::scaled, 16);
}

}  // namespace hone::test
