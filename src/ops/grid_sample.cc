// GridSample and AffineGrid.
#include <algorithm>
#include <cmath>

#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"
#include "ops/window.h"

namespace hone {
namespace {

// --- GridSample: X [N,C,d1..dr], grid [N,o1..or,r] with coordinates in [-1,1], last dimension of X first ---

enum class Mode : uint8_t { nearest, linear, cubic };
enum class Padding : uint8_t { zeros, border, reflection };
struct Options {
  Mode mode;
  Padding padding;
  bool align_corners;
};
Result<Options> read_options(const Attrs& attrs) {
  Options o{Mode::linear, Padding::zeros, attrs.flag("align_corners")};
  const std::string &mode = attrs.s("mode"), &padding = attrs.s("padding_mode");
  if (mode == "nearest") o.mode = Mode::nearest;
  else if (mode == "cubic") o.mode = Mode::cubic;
  else if (mode != "linear")
    return error(Code::invalid_argument, "mode is '%s'; it must be linear, nearest or cubic", mode.c_str());
  if (padding == "border") o.padding = Padding::border;
  else if (padding == "reflection") o.padding = Padding::reflection;
  else if (padding != "zeros")
    return error(Code::invalid_argument, "padding_mode is '%s'; it must be zeros, border or reflection",
                 padding.c_str());
  return o;
}

Status infer_sample(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_type(c, 1, float_types));
  HONE_CHECK(read_options(c.attrs));
  if (c.dtype(0) != DType::none && c.dtype(1) != DType::none && c.dtype(0) != c.dtype(1))
    return error(Code::unsupported,
                 "the grid is of type %s, the input of type %s; they must be the same here",
                 dtype_name(c.dtype(1)), dtype_name(c.dtype(0)));
  const Shape x = c.shape(0), grid = c.shape(1);
  const int rank = x.ranked() ? x.rank() : grid.rank();
  const auto differ = [](Dim a, Dim b) { return known(a) && known(b) && a != b; };
  if ((x.ranked() && x.rank() < 3) ||
      (grid.ranked() && (grid.rank() != rank || differ(grid.back(), rank - 2))) ||
      (x.ranked() && grid.ranked() && differ(x[0], grid[0])))
    return error(Code::invalid_argument,
                 "the input %s and the grid %s; expected [N,C,d1..dr] and [N,o1..or,r]", x.str().c_str(),
                 grid.str().c_str());
  c.set(0, c.dtype(0), Shape::unranked());
  if (!x.ranked() && !grid.ranked()) return {};
  Shape y = Shape::of_rank(rank);
  if (x.ranked()) y[0] = x[0], y[1] = x[1];
  if (grid.ranked()) {
    if (!known(y[0])) y[0] = grid[0];
    for (size_t i = 2; i < y.size(); i++) y[i] = grid[i - 1];
  }
  c.set(0, c.dtype(0), y);
  return {};
}

// x mirrored into [low, high] as often as needed.
double reflect(double x, double low, double high) {
  const double span = high - low;
  if (span <= 0) return low;
  const double t = std::fabs(std::fmod(x - low, 2 * span));
  return low + (t > span ? 2 * span - t : t);
}

// One axis of one sample: neighbours and their weights; index -1 is outside (zero).
struct Neighbours {
  int count = 0;
  std::array<int64_t, 4> index{};
  std::array<double, 4> weight{};
};
Neighbours neighbours(double g, int64_t size, const Options& o) {
  const auto n = static_cast<double>(size);
  const double low = o.align_corners ? 0 : -0.5, high = o.align_corners ? n - 1 : n - 0.5;
  double x = o.align_corners ? (g + 1) / 2 * (n - 1) : ((g + 1) * n - 1) / 2;
  Neighbours out;
  if (!(std::fabs(x) < 1e15)) x = -1e15;  // NaN and what is as far away: outside of everything
  // Interpolation looks at the padded map, so the point itself is brought inside first; cubic brings each
  // neighbour inside.
  const auto inside = [&](double p) {
    if (o.padding == Padding::border) return std::clamp(p, 0.0, n - 1);
    if (o.padding == Padding::reflection) return std::clamp(reflect(p, low, high), 0.0, n - 1);
    return p;
  };
  if (o.mode != Mode::cubic) x = inside(x);
  const double base = o.mode == Mode::nearest ? std::nearbyint(x) : std::floor(x), t = x - base;
  const auto add = [&](double at, double weight) {
    if (o.mode == Mode::cubic) at = inside(at);
    const bool hit = at >= 0 && at <= n - 1;
    out.index[static_cast<size_t>(out.count)] = hit ? static_cast<int64_t>(std::nearbyint(at)) : -1;
    out.weight[static_cast<size_t>(out.count++)] = weight;
  };
  switch (o.mode) {
    case Mode::nearest:
      add(base, 1);
      break;
    case Mode::linear:
      add(base, 1 - t);
      add(base + 1, t);
      break;
    case Mode::cubic: {  // Keys, a = -0.75
      constexpr double a = -0.75;
      const auto near = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
      const auto far = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
      add(base - 1, far(1 + t));
      add(base, near(t));
      add(base + 1, near(1 - t));
      add(base + 2, far(2 - t));
      break;
    }
  }
  return out;
}

Status sample(EvalContext& c) {
  const TensorView x = c.input(0), grid = c.input(1);
  HONE_TRY(const Options options, read_options(c.attrs));
  const size_t rank = x.shape.size() - 2;
  Shape shape{x.shape[0], x.shape[1]};
  for (size_t i = 0; i < rank; i++) shape.push_back(grid.shape[i + 1]);
  HONE_TRY(const TensorView y, c.output(0, x.dtype, shape));
  const int64_t channels = x.shape[1], pixels = x.shape.product(2, x.shape.rank()),
                points = shape.product(2, shape.rank());
  if (!y.elements()) return {};
  if (!pixels)
    return error(Code::invalid_argument, "the input %s has no pixels to sample", x.shape.str().c_str());
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::array<Neighbours, max_rank> at;
    std::array<int64_t, max_rank> counts{};
    std::vector<std::pair<int64_t, double>> terms;
    for (int64_t n = 0; n < x.shape[0]; n++)
      for (int64_t p = 0; p < points; p++) {
        int64_t total = 1;
        for (size_t i = 0; i < rank; i++) {
          const T g = grid.data<T>()[(n * points + p) * static_cast<int64_t>(rank) +
                                     static_cast<int64_t>(rank - 1 - i)];
          at[i] = neighbours(g, x.shape[i + 2], options);
          counts[i] = at[i].count;
          total *= at[i].count;
        }
        terms.clear();
        Odometer which(static_cast<int>(rank), counts);
        for (int64_t k = 0; k < total; k++, which.next()) {
          int64_t offset = 0;
          double weight = 1;
          for (size_t i = 0; i < rank; i++) {
            const auto w = static_cast<size_t>(which[i]);
            offset = offset < 0 || at[i].index[w] < 0 ? -1 : offset * x.shape[i + 2] + at[i].index[w];
            weight *= at[i].weight[w];
          }
          if (offset >= 0) terms.emplace_back(offset, weight);
        }
        for (int64_t ch = 0; ch < channels; ch++) {
          const T* map = x.data<T>() + (n * channels + ch) * pixels;
          double sum = 0;
          for (const auto& [offset, weight] : terms) sum += weight * map[offset];
          y.data<T>()[(n * channels + ch) * points + p] = static_cast<T>(sum);
        }
      }
  });
}
Status sample_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, sample);
}

// Opset 16 knew images only, and called its modes after them.
Status from_16(OpsetNode& n) {
  const std::string mode = n.attrs().has("mode") ? n.attrs().s("mode") : "bilinear";
  n.attrs().set("mode", mode == "bilinear"  ? std::string("linear")
                        : mode == "bicubic" ? std::string("cubic")
                                            : mode);
  return {};
}
constexpr Upgrade sample_upgrades[] = {{20, from_16}};

// --- AffineGrid: theta [N,2,3] and size (N,C,H,W), or [N,3,4] and (N,C,D,H,W) ---

Status infer_affine(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_type(c, 1, i64_type));
  const Shape theta = c.shape(0);
  const auto size = c.ints(1);
  c.set(0, c.dtype(0), Shape::unranked());
  Dim rank = theta.rank() == 3 && known(theta[1]) ? theta[1] : unknown_dim;
  if (size) rank = static_cast<Dim>(size->size()) - 2;
  if (!known(rank) && theta.ranked() && theta.rank() == 3) return {};
  if (theta.ranked() && (theta.rank() != 3 || (rank != 2 && rank != 3) ||
                         (known(theta[1]) && theta[1] != rank) || (known(theta[2]) && theta[2] != rank + 1)))
    return error(Code::invalid_argument,
                 "theta has shape %s; expected [N,2,3] with a size of 4 numbers, or [N,3,4] with 5",
                 theta.str().c_str());
  if (!known(rank)) return {};
  if (rank != 2 && rank != 3)
    return error(Code::invalid_argument, "size has %lld numbers; expected 4 or 5",
                 static_cast<long long>(rank + 2));
  Shape y{size ? (*size)[0] : theta.ranked() ? theta[0] : unknown_dim};
  for (Dim i = 0; i < rank; i++) y.push_back(size ? (*size)[static_cast<size_t>(i) + 2] : unknown_dim);
  y.push_back(rank);
  if (size) {
    HONE_TRY(y, make_shape(y.dims(), "the grid"));
    HONE_CHECK(checked_elements(y));
    if (theta.ranked() && known(theta[0]) && theta[0] != y[0])
      return error(Code::invalid_argument, "size is for %lld images, theta %s for %lld",
                   static_cast<long long>(y[0]), theta.str().c_str(), static_cast<long long>(theta[0]));
  }
  c.set(0, c.dtype(0), y);
  return {};
}
Status affine(EvalContext& c) {
  HONE_TRY(const std::vector<int64_t> size, c.ints(1));
  const TensorView theta = c.input(0);
  const bool align = c.attrs.flag("align_corners");
  const auto rank = static_cast<int64_t>(size.size()) - 2;
  Shape shape{size[0]};
  for (size_t i = 2; i < size.size(); i++) shape.push_back(size[i]);
  shape.push_back(rank);
  HONE_TRY(const TensorView y, c.output(0, theta.dtype, shape));
  const int64_t points = shape.product(1, shape.rank() - 1);
  return dispatch<float, double>(theta.dtype, [&](auto zero) {
    using T = decltype(zero);
    Odometer at(static_cast<int>(rank), shape.dims().subspan(1, static_cast<size_t>(rank)));
    for (int64_t n = 0; n < size[0]; n++)
      for (int64_t p = 0; p < points; p++, at.next())
        for (int64_t row = 0; row < rank; row++) {
          const T* m = theta.data<T>() + (n * rank + row) * (rank + 1);
          double v = m[rank];
          for (int64_t k = 0; k < rank; k++) {  // coordinate k is that of the k-th dimension from the end
            const auto d = static_cast<size_t>(rank - 1 - k);
            const auto length = static_cast<double>(size[d + 2]), i = static_cast<double>(at[d]);
            const double g = align ? (length > 1 ? 2 * i / (length - 1) - 1 : 0) : (2 * i + 1) / length - 1;
            v += m[k] * g;
          }
          y.data<T>()[(n * points + p) * rank + row] = static_cast<T>(v);
        }
  });
}
Status affine_reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, affine);
}

constexpr AttrDef sample_attrs[] = {AttrDef::def_i("align_corners", 0), AttrDef::def_s("mode", "linear"),
                                    AttrDef::def_s("padding_mode", "zeros")};
constexpr AttrDef affine_attrs[] = {AttrDef::def_i("align_corners", 0)};

}  // namespace

extern const OpDef op_GridSample{.name = "GridSample",
                                 .doc = "X at the points of a grid, interpolated",
                                 .min_inputs = 2,
                                 .max_inputs = 2,
                                 .attrs = sample_attrs,
                                 .since = 16,
                                 .upgrades = sample_upgrades,
                                 .infer = infer_sample,
                                 .reference = sample_reference,
                                 .notes = "the grid must have the type of the input"};
extern const OpDef op_AffineGrid{.name = "AffineGrid",
                                 .doc = "the grid of an affine map, for GridSample",
                                 .min_inputs = 2,
                                 .max_inputs = 2,
                                 .attrs = affine_attrs,
                                 .infer = infer_affine,
                                 .reference = affine_reference};

}  // namespace hone
