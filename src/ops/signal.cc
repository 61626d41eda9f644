// DFT, STFT, the window functions and MelWeightMatrix.
#include <algorithm>
#include <cmath>
#include <complex>

#include "ops/element.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

using Complex = std::complex<double>;
constexpr double pi = 3.14159265358979323846;
constexpr int64_t length_limit = int64_t{1} << 24;

// Unscaled transform of a power of two, in place: Cooley and Tukey's.
void transform_power_of_two(std::vector<Complex>& x, bool inverse) {
  const size_t n = x.size();
  std::vector<Complex> roots(n);
  for (size_t k = 0; k < n; k++)
    roots[k] = std::polar(1.0, (inverse ? 2 : -2) * pi * static_cast<double>(k) / static_cast<double>(n));
  for (size_t i = 1, j = 0; i < n; i++) {  // bit reversal
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (size_t size = 2; size <= n; size *= 2)
    for (size_t from = 0; from < n; from += size)
      for (size_t k = 0; k < size / 2; k++) {
        const Complex a = x[from + k], b = x[from + k + size / 2] * roots[k * (n / size)];
        x[from + k] = a + b;
        x[from + k + size / 2] = a - b;
      }
}

// Unscaled transform of any length, in place. Other lengths than powers of two become a convolution
// (Bluestein, "A linear filtering approach to the computation of the discrete Fourier transform", 1970): with
// w(k) = exp(-i pi k^2 / n), y(k) = w(k) * sum over j of (x(j) w(j)) * conj(w(k - j)).
void transform(std::vector<Complex>& x, bool inverse) {
  const size_t n = x.size();
  if (n < 2) return;
  if (!(n & (n - 1))) return transform_power_of_two(x, inverse);
  size_t m = 1;
  while (m < 2 * n) m *= 2;
  std::vector<Complex> chirp(n), a(m), b(m);
  for (size_t k = 0; k < n; k++) {
    chirp[k] =
        std::polar(1.0, (inverse ? pi : -pi) * static_cast<double>(k * k % (2 * n)) / static_cast<double>(n));
    a[k] = x[k] * chirp[k];
    b[k] = b[(m - k) % m] = std::conj(chirp[k]);
  }
  transform_power_of_two(a, false);
  transform_power_of_two(b, false);
  for (size_t k = 0; k < m; k++) a[k] *= b[k];
  transform_power_of_two(a, true);
  for (size_t k = 0; k < n; k++) x[k] = a[k] * chirp[k] / static_cast<double>(m);
}

Result<int64_t> one_int(const Infer& c, size_t i, const char* what, int64_t low) {
  const auto v = c.ints(i);
  if (!v) return int64_t{-1};
  if (v->size() != 1)
    return error(Code::invalid_argument, "%s has %zu values, expected one", what, v->size());
  if ((*v)[0] < low || (*v)[0] > length_limit)
    return error(Code::invalid_argument, "%s is %lld; values from %lld to 2^24 are supported", what,
                 static_cast<long long>((*v)[0]), static_cast<long long>(low));
  return (*v)[0];
}

// --- DFT: [..., n, ..., 1 or 2] -> [..., m, ..., 2] (real, imaginary) ---

struct DftShape {
  int axis = -1;  // -1: not known
  Dim length = unknown_dim;
  bool onesided = false, inverse = false;
  Shape out = Shape::unranked();
};

Result<DftShape> dft_shape(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_type(c, 1, index_types));
  HONE_CHECK(check_type(c, 2, i64_type));
  DftShape d;
  d.onesided = c.attrs.flag("onesided");
  d.inverse = c.attrs.flag("inverse");
  const Shape x = c.shape(0);
  if (!x.ranked()) return d;
  if (x.rank() < 2 || (known(x.back()) && x.back() != 1 && x.back() != 2))
    return error(Code::invalid_argument,
                 "the input has shape %s; its last dimension must be 1 (real) or 2 (complex)",
                 x.str().c_str());
  d.out = Shape::of_rank(x.rank());
  int64_t axis = -2;
  if (c.has(2)) {
    const auto v = c.ints(2);
    if (!v) return d;
    if (v->size() != 1) return error(Code::invalid_argument, "axis has %zu values, expected one", v->size());
    axis = (*v)[0];
  }
  HONE_TRY(d.axis, normalize_axis(axis, x.rank()));
  if (d.axis == x.rank() - 1)
    return error(Code::invalid_argument, "axis %lld is that of real and imaginary parts",
                 static_cast<long long>(axis));
  // A one-sided inverse gives real numbers from half of a spectrum.
  const bool halves = d.onesided && !d.inverse, doubles = d.onesided && d.inverse;
  if (halves && x.back() == 2)
    return error(Code::invalid_argument, "onesided needs a real input, not %s", x.str().c_str());
  if (c.has(1)) {
    HONE_TRY(const int64_t n, one_int(c, 1, "dft_length", 1));
    d.length = n < 0 ? unknown_dim : n;
  } else if (known(x[static_cast<size_t>(d.axis)])) {
    d.length = doubles ? 2 * (x[static_cast<size_t>(d.axis)] - 1) : x[static_cast<size_t>(d.axis)];
    if (d.length < 1 || d.length > length_limit)
      return error(Code::invalid_argument,
                   "the transform would have length %lld; lengths from 1 to 2^24 are supported",
                   static_cast<long long>(d.length));
  }
  d.out = x;
  d.out[static_cast<size_t>(d.axis)] = !known(d.length) ? unknown_dim : halves ? d.length / 2 + 1 : d.length;
  d.out[x.size() - 1] = doubles ? 1 : 2;
  return d;
}
Status infer_dft(Infer& c) {
  HONE_TRY(const DftShape d, dft_shape(c));
  c.set(0, c.dtype(0), d.out);
  return {};
}
Status dft(EvalContext& c) {
  std::vector<ValueType> types;
  std::vector<Tensor> values;
  for (size_t i = 0; i < c.inputs(); i++) {
    types.push_back(type_of(c.in(i)));
    values.push_back(c.in(i).tensor);
  }
  Infer known_all{c.op, c.attrs, types, values, std::vector<ValueType>(1)};
  HONE_TRY(const DftShape d, dft_shape(known_all));
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, c.output(0, x.dtype, d.out));
  const int rank = x.shape.rank();
  const auto axis = static_cast<size_t>(d.axis);
  const int64_t parts = x.shape.back(), out_parts = d.out.back(), outer = x.shape.product(0, d.axis),
                inner = x.shape.product(d.axis + 1, rank - 1), in_length = x.shape[axis],
                out_length = d.out[axis];
  return dispatch<float, double>(x.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    std::vector<Complex> line(static_cast<size_t>(d.length));
    for (int64_t o = 0; o < outer; o++)
      for (int64_t i = 0; i < inner; i++) {
        if (c.cancelled()) return error(Code::cancelled, "cancelled");
        std::fill(line.begin(), line.end(), Complex());
        for (int64_t k = 0; k < std::min(in_length, d.length); k++) {
          const T* v = x.data<T>() + ((o * in_length + k) * inner + i) * parts;
          line[static_cast<size_t>(k)] = {v[0], parts == 2 ? v[1] : T{}};
        }
        if (d.onesided && d.inverse)  // the other half is the mirror image
          for (int64_t k = d.length / 2 + 1; k < d.length; k++)
            line[static_cast<size_t>(k)] = std::conj(line[static_cast<size_t>(d.length - k)]);
        transform(line, d.inverse);
        const double scale = d.inverse ? 1 / static_cast<double>(d.length) : 1;
        for (int64_t k = 0; k < out_length; k++) {
          T* to = y.data<T>() + ((o * out_length + k) * inner + i) * out_parts;
          to[0] = static_cast<T>(line[static_cast<size_t>(k)].real() * scale);
          if (out_parts == 2) to[1] = static_cast<T>(line[static_cast<size_t>(k)].imag() * scale);
        }
      }
    return {};
  });
}

// --- STFT: signal [batch, samples(, 1 or 2)] -> [batch, frames, bins, 2] ---

struct Frames {
  Dim step = unknown_dim, length = unknown_dim, bins = unknown_dim, count = unknown_dim;
};
Result<Frames> frames_of(const Infer& c) {
  Frames f;
  const Shape x = c.shape(0), window = c.shape(2);
  HONE_TRY(const int64_t step, one_int(c, 1, "frame_step", 1));
  if (step > 0) f.step = step;
  if (c.has(3)) {
    HONE_TRY(const int64_t n, one_int(c, 3, "frame_length", 1));
    if (n > 0) f.length = n;
  } else if (window.rank() == 1) {
    f.length = window[0];
  } else if (!c.has(2)) {
    return error(Code::invalid_argument, "neither a window nor frame_length is given");
  }
  if (c.has(2) && window.ranked() &&
      (window.rank() != 1 || (known(window[0]) && known(f.length) && window[0] != f.length)))
    return error(Code::invalid_argument, "the window has shape %s for frames of %lld", window.str().c_str(),
                 static_cast<long long>(f.length));
  if (x.ranked() && x.rank() != 2 && !(x.rank() == 3 && (!known(x[2]) || x[2] == 1 || x[2] == 2)))
    return error(Code::invalid_argument,
                 "the signal has shape %s, expected [batch,samples] with 1 or 2 parts", x.str().c_str());
  const bool onesided = c.attrs.flag("onesided");
  if (onesided && x.rank() == 3 && x[2] == 2)
    return error(Code::invalid_argument, "onesided needs a real signal, not %s", x.str().c_str());
  if (known(f.length)) f.bins = onesided ? f.length / 2 + 1 : f.length;
  if (x.ranked() && known(x[1]) && known(f.length) && known(f.step)) {
    if (f.length < 1 || f.length > x[1])
      return error(Code::invalid_argument, "frames of %lld do not fit into a signal of %lld samples",
                   static_cast<long long>(f.length), static_cast<long long>(x[1]));
    f.count = (x[1] - f.length) / f.step + 1;
  }
  return f;
}
Status infer_stft(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_type(c, 1, index_types));
  HONE_CHECK(check_type(c, 2, float_types));
  HONE_CHECK(check_type(c, 3, index_types));
  if (c.has(2) && c.dtype(2) != DType::none && c.dtype(0) != DType::none && c.dtype(2) != c.dtype(0))
    return error(Code::corrupt, "the window is of type %s, the signal of type %s", dtype_name(c.dtype(2)),
                 dtype_name(c.dtype(0)));
  HONE_TRY(const Frames f, frames_of(c));
  c.set(0, c.dtype(0), Shape{c.shape(0).ranked() ? c.shape(0)[0] : unknown_dim, f.count, f.bins, 2});
  return {};
}
Status stft(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const std::vector<int64_t> step, c.ints(1));
  int64_t length = c.has(2) ? c.input(2).shape[0] : 0;
  if (c.has(3)) {
    HONE_TRY(const std::vector<int64_t> v, c.ints(3));
    length = v[0];
  }
  const int64_t parts = x.shape.rank() == 3 ? x.shape[2] : 1, samples = x.shape[1];
  const int64_t count = (samples - length) / step[0] + 1,
                bins = c.attrs.flag("onesided") ? length / 2 + 1 : length;
  HONE_TRY(const TensorView y, c.output(0, x.dtype, Shape{x.shape[0], count, bins, 2}));
  return dispatch<float, double>(x.dtype, [&](auto zero) -> Status {
    using T = decltype(zero);
    const T* window = c.has(2) ? c.input(2).data<T>() : nullptr;
    std::vector<Complex> line(static_cast<size_t>(length));
    for (int64_t f = 0; f < x.shape[0] * count; f++) {
      if (c.cancelled()) return error(Code::cancelled, "cancelled");
      const T* from = x.data<T>() + (f / count * samples + f % count * step[0]) * parts;
      for (int64_t i = 0; i < length; i++) {
        const double w = window ? window[i] : 1;
        line[static_cast<size_t>(i)] = {w * from[i * parts], parts == 2 ? w * from[i * parts + 1] : 0};
      }
      transform(line, false);
      for (int64_t k = 0; k < bins; k++) {
        y.data<T>()[(f * bins + k) * 2] = static_cast<T>(line[static_cast<size_t>(k)].real());
        y.data<T>()[(f * bins + k) * 2 + 1] = static_cast<T>(line[static_cast<size_t>(k)].imag());
      }
    }
    return {};
  });
}

// --- windows ---

Result<DType> output_type(const Attrs& attrs) {
  const DType d = dtype_from_number(attrs.i("output_datatype"));
  if (number_types.has(d)) return d;
  return error(Code::unsupported, "output_datatype is %lld; it must name a type of numbers",
               static_cast<long long>(attrs.i("output_datatype")));
}
void store_number(const TensorView& y, int64_t i, double v) {
  (void)dispatch_numbers(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    store(y.data<T>()[i], static_cast<Compute<T>>(v));
  });
}
Status infer_window(Infer& c) {
  HONE_CHECK(check_type(c, 0, index_types));
  HONE_TRY(const DType d, output_type(c.attrs));
  HONE_TRY(const int64_t n, one_int(c, 0, "the size", 0));
  c.set(0, d, Shape{n < 0 ? unknown_dim : n});
  return {};
}
// a0 - a1 cos(t) + a2 cos(2t)
Status window(EvalContext& c, double a0, double a1, double a2) {
  HONE_TRY(const TensorView y, infer_output(c));
  const int64_t n = y.elements();
  const double period = static_cast<double>(c.attrs.flag("periodic") ? n : n - 1);
  for (int64_t i = 0; i < n; i++) {
    const double t = period > 0 ? 2 * pi * static_cast<double>(i) / period : 0;
    store_number(y, i, a0 - a1 * std::cos(t) + a2 * std::cos(2 * t));
  }
  return {};
}
Status hann(EvalContext& c) { return window(c, 0.5, 0.5, 0); }
Status hamming(EvalContext& c) { return window(c, 25.0 / 46, 21.0 / 46, 0); }
Status blackman(EvalContext& c) { return window(c, 0.42, 0.5, 0.08); }

// --- MelWeightMatrix: triangles evenly spaced in mel ---

Status infer_mel(Infer& c) {
  for (size_t i = 0; i < 3; i++) HONE_CHECK(check_type(c, i, index_types));
  for (size_t i = 3; i < 5; i++) HONE_CHECK(check_type(c, i, float_types));
  HONE_TRY(const DType d, output_type(c.attrs));
  HONE_TRY(const int64_t bins, one_int(c, 0, "num_mel_bins", 0));
  HONE_TRY(const int64_t length, one_int(c, 1, "dft_length", 0));
  HONE_TRY(const int64_t rate, one_int(c, 2, "sample_rate", 1));
  (void)rate;
  const Shape s{length < 0 ? unknown_dim : length / 2 + 1, bins < 0 ? unknown_dim : bins};
  if (s.all_known()) HONE_CHECK(checked_elements(s));
  c.set(0, d, s);
  return {};
}
Status mel(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  const int64_t rows = y.shape[0], bins = y.shape[1];
  HONE_TRY(const std::vector<int64_t> length, c.ints(1));
  HONE_TRY(const std::vector<int64_t> rate, c.ints(2));
  const double low = element_as_double(c.input(3), 0), high = element_as_double(c.input(4), 0);
  if (!(low >= 0 && high >= low && high < 1e9))
    return error(Code::invalid_argument,
                 "the edges are %g and %g Hz; they must be ascending and not negative", low, high);
  const auto to_mel = [](double hz) { return 2595 * std::log10(1 + hz / 700); };
  const double step = (to_mel(high) - to_mel(low)) / static_cast<double>(bins + 2);
  // The spectrogram's bin of edge i.
  const auto edge = [&](int64_t i) {
    const double hz = 700 * (std::pow(10, (to_mel(low) + static_cast<double>(i) * step) / 2595) - 1);
    return static_cast<int64_t>(
        std::floor(static_cast<double>(length[0] + 1) * hz / static_cast<double>(rate[0])));
  };
  if (bins > 0 && edge(bins + 1) > rows)
    return error(Code::invalid_argument, "the upper edge, %g Hz, lies above half of the sample rate %lld",
                 high, static_cast<long long>(rate[0]));
  for (int64_t i = 0; i < y.elements(); i++) store_number(y, i, 0);
  for (int64_t b = 0; b < bins; b++) {
    const int64_t lower = edge(b), centre = edge(b + 1), upper = edge(b + 2);
    for (int64_t j = lower; j < std::min(upper + 1, rows); j++) {
      double v = 0;
      if (j <= centre)
        v = centre == lower ? 1 : static_cast<double>(j - lower) / static_cast<double>(centre - lower);
      if (j >= centre && upper > centre)
        v = static_cast<double>(upper - j) / static_cast<double>(upper - centre);
      store_number(y, j * bins + b, v);
    }
  }
  return {};
}

Status dft_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, dft);
}
Status stft_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, stft);
}

// Until opset 19 the axis was an attribute, and counted from the batch on.
Status axis_to_input(OpsetNode& n) {
  const int64_t axis = n.attrs().i("axis", 1);
  n.attrs().erase("axis");
  n.set_constant(2, Tensor::scalar(DType::i64, axis));
  return {};
}
constexpr Upgrade dft_upgrades[] = {{20, axis_to_input}};
constexpr AttrDef dft_attrs[] = {AttrDef::def_i("inverse", 0), AttrDef::def_i("onesided", 0)};
constexpr AttrDef stft_attrs[] = {AttrDef::def_i("onesided", 1)};
constexpr AttrDef window_attrs[] = {AttrDef::def_i("output_datatype", 1), AttrDef::def_i("periodic", 1)};
constexpr AttrDef mel_attrs[] = {AttrDef::def_i("output_datatype", 1)};

}  // namespace

extern const OpDef op_DFT{.name = "DFT",
                          .doc = "the discrete Fourier transform along an axis",
                          .max_inputs = 3,
                          .attrs = dft_attrs,
                          .since = 17,
                          .upgrades = dft_upgrades,
                          .infer = infer_dft,
                          .reference = dft_reference};
extern const OpDef op_STFT{.name = "STFT",
                           .doc = "the Fourier transforms of windowed frames",
                           .min_inputs = 2,
                           .max_inputs = 4,
                           .attrs = stft_attrs,
                           .since = 17,
                           .infer = infer_stft,
                           .reference = stft_reference};
extern const OpDef op_HannWindow{.name = "HannWindow",
                                 .doc = "0.5 - 0.5 cos(t)",
                                 .attrs = window_attrs,
                                 .infer = infer_window,
                                 .reference = hann};
extern const OpDef op_HammingWindow{.name = "HammingWindow",
                                    .doc = "25/46 - 21/46 cos(t)",
                                    .attrs = window_attrs,
                                    .infer = infer_window,
                                    .reference = hamming};
extern const OpDef op_BlackmanWindow{.name = "BlackmanWindow",
                                     .doc = "0.42 - 0.5 cos(t) + 0.08 cos(2t)",
                                     .attrs = window_attrs,
                                     .infer = infer_window,
                                     .reference = blackman};
extern const OpDef op_MelWeightMatrix{.name = "MelWeightMatrix",
                                      .doc = "triangular filters, evenly spaced on the mel scale",
                                      .min_inputs = 5,
                                      .max_inputs = 5,
                                      .attrs = mel_attrs,
                                      .infer = infer_mel,
                                      .reference = mel};

}  // namespace hone
