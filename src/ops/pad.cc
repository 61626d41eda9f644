#include <algorithm>
#include <numeric>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
enum class Mode : uint8_t { constant, reflect, edge, wrap };
constexpr int64_t max_dim = int64_t{1} << 40;

Result<Mode> mode_of(const Attrs& attrs) {
  const std::string& m = attrs.s("mode");
  if (m == "constant") return Mode::constant;
  if (m == "reflect") return Mode::reflect;
  if (m == "edge") return Mode::edge;
  if (m == "wrap") return Mode::wrap;
  return error(Code::corrupt, "attribute 'mode' of Pad is '%s', expected constant, reflect, edge or wrap",
               m.c_str());
}

struct Amount {
  int64_t before = 0, after = 0;  // negative: that many elements are cut off
};

// One entry for each axis of the data.
Result<std::vector<Amount>> amounts(std::span<const int64_t> pads,
                                    const std::optional<std::vector<int64_t>>& given_axes, int rank) {
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  if (given_axes) axes = *given_axes;
  if (pads.size() != 2 * axes.size())
    return error(Code::invalid_argument, "Pad has %zu amounts for %zu axes, expected two for each",
                 pads.size(), axes.size());
  std::vector<Amount> out(static_cast<size_t>(rank));
  std::vector<bool> seen(static_cast<size_t>(rank));
  for (size_t i = 0; i < axes.size(); i++) {
    HONE_TRY(const int axis, normalize_axis(axes[i], rank));
    if (seen[static_cast<size_t>(axis)]) return error(Code::invalid_argument, "Pad has axis %d twice", axis);
    seen[static_cast<size_t>(axis)] = true;
    for (int64_t p : {pads[i], pads[i + axes.size()]})
      if (p > max_dim || p < -max_dim)
        return error(Code::limit, "Pad by %lld: more than 2^40 elements", static_cast<long long>(p));
    out[static_cast<size_t>(axis)] = {pads[i], pads[i + axes.size()]};
  }
  return out;
}

Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_CHECK(check_type(c, 3, index_types));
  if (c.dtype(2) != DType::none && c.dtype(0) != DType::none && c.dtype(2) != c.dtype(0))
    return error(Code::corrupt, "the constant of Pad is of type %s, the data of type %s",
                 dtype_name(c.dtype(2)), dtype_name(c.dtype(0)));
  if (c.shape(2).all_known()) {
    HONE_TRY(const int64_t n, checked_elements(c.shape(2)));
    if (n != 1)
      return error(Code::corrupt, "the constant of Pad has shape %s, expected a scalar",
                   c.shape(2).str().c_str());
  }
  HONE_TRY(const Mode mode, mode_of(c.attrs));
  const Shape s = c.shape(0);
  c.set(0, c.dtype(0), s.ranked() ? Shape::of_rank(s.rank()) : s);
  const auto pads = c.ints(1), axes = c.ints(3);
  if (!s.ranked() || !pads || (c.has(3) && !axes)) return {};
  HONE_TRY(const std::vector<Amount> amount, amounts(*pads, axes, s.rank()));
  Shape out = s;
  for (size_t i = 0; i < out.size(); i++) {
    const auto [before, after] = amount[i];
    if (before == 0 && after == 0) continue;
    if (!known(s[i])) {
      out[i] = unknown_dim;
      continue;
    }
    out[i] = s[i] + before + after;
    if (out[i] < 0)
      return error(Code::invalid_argument, "Pad by %lld and %lld leaves less than nothing of axis %zu of %s",
                   static_cast<long long>(before), static_cast<long long>(after), i, s.str().c_str());
    if (mode != Mode::constant && out[i] > 0 &&
        s[i] + std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0) <= 0)
      return error(Code::invalid_argument, "Pad has nothing to repeat along axis %zu of %s", i,
                   s.str().c_str());
  }
  c.set(0, c.dtype(0), out);
  return {};
}

// For each position along the output axis the position along the input axis, or -1 for the constant.
std::vector<int64_t> sources(int64_t dim, Amount amount, int64_t out_dim, Mode mode) {
  // What is left of the input after cutting; everything repeats within it.
  const int64_t low = std::max<int64_t>(0, -amount.before), high = dim - std::max<int64_t>(0, -amount.after);
  const int64_t n = high - low;
  std::vector<int64_t> map(static_cast<size_t>(out_dim), -1);
  for (int64_t i = 0; i < out_dim; i++) {
    int64_t at = i - amount.before - low;  // from the first element that is left
    const auto positive = [](int64_t a, int64_t period) { return (a % period + period) % period; };
    if (at < 0 || at >= n) {
      if (mode == Mode::constant) continue;
      if (mode == Mode::edge) at = at < 0 ? 0 : n - 1;
      if (mode == Mode::wrap) at = positive(at, n);
      if (mode == Mode::reflect) {
        at = n == 1 ? 0 : positive(at, 2 * (n - 1));
        if (at >= n) at = 2 * (n - 1) - at;
      }
    }
    map[static_cast<size_t>(i)] = low + at;
  }
  return map;
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const Mode mode, mode_of(c.attrs));
  HONE_TRY(const std::vector<int64_t> pads, c.ints(1));
  std::optional<std::vector<int64_t>> axes;
  if (c.has(3)) { HONE_TRY(axes, c.ints(3)); }
  HONE_TRY(const std::vector<Amount> amount, amounts(pads, axes, x.shape.rank()));
  if (y.elements() == 0) return {};
  if (mode == Mode::constant) {
    if (c.has(2)) fill_elements(y, c.input(2).bytes);
    else zero_elements(y);
    // The window of the input that is kept, copied into its place.
    Nest<2> nest;
    const auto from = contiguous_strides(x.shape), to = contiguous_strides(y.shape);
    int64_t first_from = 0, first_to = 0;
    for (size_t i = 0; i < y.shape.size(); i++) {
      const int64_t low = std::max<int64_t>(0, -amount[i].before),
                    high = x.shape[i] - std::max<int64_t>(0, -amount[i].after);
      if (high <= low) return {};
      first_from += low * from[i];
      first_to += std::max<int64_t>(0, amount[i].before) * to[i];
      nest.add(high - low, {to[i], from[i]});
    }
    copy_strided(x.dtype, nest, y.bytes, first_to, x.bytes, first_from);
    return {};
  }
  std::vector<std::vector<int64_t>> maps;
  for (size_t i = 0; i < y.shape.size(); i++)
    maps.push_back(sources(x.shape[i], amount[i], y.shape[i], mode));
  const auto from = contiguous_strides(x.shape);
  std::array<int64_t, max_rank> at{};
  for (int64_t i = 0, n = y.elements(); i < n; i++) {
    int64_t source = 0;
    for (size_t k = 0; k < y.shape.size(); k++) source += maps[k][static_cast<size_t>(at[k])] * from[k];
    copy_elements(x.dtype, y.bytes, i, x.bytes, source, 1);
    for (size_t k = y.shape.size(); k-- > 0;) {
      if (++at[k] < y.shape[k]) break;
      at[k] = 0;
    }
  }
  return {};
}

// Opset 1 had another name for them.
Status from_1(OpsetNode& n) {
  if (!n.attrs().has("paddings")) return error(Code::corrupt, "Pad lacks its required attribute 'paddings'");
  n.attrs().set("pads", n.attrs().ints("paddings"));
  n.attrs().erase("paddings");
  return {};
}
// Below 11 the amounts and the value are attributes.
Status attributes_to_inputs(OpsetNode& n) {
  Attrs& attrs = n.attrs();
  if (attrs.has("pads")) n.set_constant(1, Tensor::of_ints(attrs.ints("pads")));
  if (attrs.has("value")) {
    HONE_TRY(Tensor t, float_scalar(n.type(0).dtype, attrs.f("value")));
    n.set_constant(2, std::move(t));
  }
  attrs.erase("pads");
  attrs.erase("value");
  return {};
}
constexpr Upgrade upgrades[] = {{2, from_1}, {11, attributes_to_inputs}};
constexpr AttrDef attrs[] = {AttrDef::def_s("mode", "constant")};
}  // namespace

extern const OpDef op_Pad{.name = "Pad",
                          .doc = "the input with elements added around it (or cut off), constant or repeated",
                          .min_inputs = 2,
                          .max_inputs = 4,
                          .attrs = attrs,
                          .upgrades = upgrades,
                          .infer = infer,
                          .reference = reference};

}  // namespace hone
