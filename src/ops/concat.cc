// Concat and Split.
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
constexpr int64_t max_dim = int64_t{1} << 40;

Status infer_concat(Infer& c) {
  HONE_CHECK(check_same_types(c));
  c.set(0, common_type(c), Shape::unranked());
  Shape out = Shape::unranked();
  for (size_t i = 0; i < c.in.size() && !out.ranked(); i++) out = c.shape(i);
  if (!out.ranked()) return {};
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), out.rank()));
  int64_t total = 0;
  Dim alone = unknown_dim;  // the dimension of the only input that adds anything
  bool all_known = true;
  for (size_t i = 0; i < c.in.size(); i++) {
    const Shape s = c.shape(i);
    if (!s.ranked()) {
      all_known = false;
      continue;
    }
    if (s.rank() != out.rank())
      return error(Code::invalid_argument, "inputs of Concat have shapes %s and %s, expected the same rank",
                   out.str().c_str(), s.str().c_str());
    for (int d = 0; d < s.rank(); d++) {
      const auto k = static_cast<size_t>(d);
      if (d == axis) {
        if (!known(s[k])) all_known = false;
        else if (s[k] > max_dim - total)
          return error(Code::limit, "the output of Concat has more than 2^40 elements along axis %d", axis);
        else total += s[k];
        if (c.in.size() == 1) alone = s[k];
        continue;
      }
      if (known(s[k]) && known(out[k]) && s[k] != out[k])
        return error(Code::invalid_argument,
                     "inputs of Concat have shapes %s and %s, which differ outside axis %d",
                     out.str().c_str(), s.str().c_str(), axis);
      if (!known(out[k]) && (known(s[k]) || out[k] == unknown_dim)) out[k] = s[k];
    }
  }
  out[static_cast<size_t>(axis)] = all_known ? total : alone;
  c.set(0, common_type(c), out);
  return {};
}

// Loops that copy a part of `whole`, of size n along the axis, to or from a tensor of its own.
Nest<2> part_of(const Shape& whole, const Shape& part, int axis, bool whole_is_output) {
  const int64_t inner = whole.product(axis + 1, whole.rank());
  const int64_t n = part[static_cast<size_t>(axis)] * inner,
                stride = whole[static_cast<size_t>(axis)] * inner;
  Nest<2> nest;
  nest.add(whole.product(0, axis),
           whole_is_output ? std::array<int64_t, 2>{stride, n} : std::array<int64_t, 2>{n, stride});
  nest.add(n, {1, 1});
  return nest;
}

Status concat(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), y.shape.rank()));
  const int64_t inner = y.shape.product(axis + 1, y.shape.rank());
  int64_t at = 0;
  for (size_t i = 0; i < c.inputs(); i++) {
    const TensorView x = c.input(i);
    copy_strided(y.dtype, part_of(y.shape, x.shape, axis, true), y.bytes, at, x.bytes, 0);
    at += x.shape[static_cast<size_t>(axis)] * inner;
  }
  return {};
}

// Sizes of the parts: input 1, else equal ones, of which the last may be smaller.
Result<std::vector<Dim>> part_sizes(Infer& c, Dim whole) {
  const size_t n = c.out.size();
  std::vector<Dim> sizes(n, unknown_dim);
  if (c.in.size() > 1 && c.has(1)) {
    const auto given = c.ints(1);
    if (!given) return sizes;
    if (given->size() != n)
      return error(Code::invalid_argument, "Split has %zu outputs and %zu sizes", n, given->size());
    int64_t sum = 0;
    for (int64_t s : *given) {
      if (s < 0 || s > max_dim || sum > max_dim)
        return error(Code::invalid_argument, "Split into a part of size %lld", static_cast<long long>(s));
      sum += s;
    }
    if (known(whole) && sum != whole)
      return error(Code::invalid_argument, "the sizes of Split add up to %lld, the axis has %lld",
                   static_cast<long long>(sum), static_cast<long long>(whole));
    return *given;
  }
  if (c.attrs.has("num_outputs") && c.attrs.i("num_outputs") != static_cast<int64_t>(n))
    return error(Code::corrupt, "attribute 'num_outputs' of Split is %lld, the node has %zu outputs",
                 static_cast<long long>(c.attrs.i("num_outputs")), n);
  if (n == 1) return std::vector<Dim>{whole};
  if (!known(whole)) return sizes;
  const auto count = static_cast<int64_t>(n);
  const int64_t each = (whole + count - 1) / count;
  int64_t left = whole;
  for (Dim& s : sizes) {
    s = std::min(each, left);
    left -= s;
  }
  return sizes;
}

Status infer_split(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_TRY([[maybe_unused]] const Dim count, length_of(c, 1));
  const Shape s = c.shape(0);
  for (size_t i = 0; i < c.out.size(); i++) c.set(i, c.dtype(0), s);
  if (!s.ranked()) return {};
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), s.rank()));
  HONE_TRY(const std::vector<Dim> sizes, part_sizes(c, s[static_cast<size_t>(axis)]));
  for (size_t i = 0; i < c.out.size(); i++) c.out[i].shape[static_cast<size_t>(axis)] = sizes[i];
  return {};
}

Status split(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  const int64_t inner = x.shape.product(axis + 1, x.shape.rank());
  int64_t at = 0;
  for (size_t i = 0; i < c.outputs(); i++) {
    if (c.wanted(i)) {
      HONE_TRY(const TensorView y, c.output(i, types[i].dtype, types[i].shape));
      copy_strided(x.dtype, part_of(x.shape, y.shape, axis, false), y.bytes, 0, x.bytes, at);
    }
    at += types[i].shape[static_cast<size_t>(axis)] * inner;
  }
  return {};
}

// Below 13 the sizes are an attribute.
Status sizes_to_input(OpsetNode& n) {
  if (!n.attrs().has("split")) return {};
  n.set_constant(1, Tensor::of_ints(n.attrs().ints("split")));
  n.attrs().erase("split");
  return {};
}
// Until opset 3 the axis was 1 where none was given.
Status default_axis(OpsetNode& n) {
  if (!n.attrs().has("axis")) n.attrs().set("axis", int64_t{1});
  return {};
}
constexpr Upgrade concat_upgrades[] = {{4, default_axis}};
constexpr Upgrade split_upgrades[] = {{13, sizes_to_input}};
constexpr AttrDef concat_attrs[] = {AttrDef::req("axis", AttrType::i)};
constexpr AttrDef split_attrs[] = {AttrDef::def_i("axis", 0), AttrDef::opt("num_outputs", AttrType::i)};
}  // namespace

extern const OpDef op_Concat{.name = "Concat",
                             .doc = "the inputs one after another along an axis",
                             .max_inputs = -1,
                             .attrs = concat_attrs,
                             .upgrades = concat_upgrades,
                             .infer = infer_concat,
                             .reference = concat,
                             .layout = Layout::axis};
extern const OpDef op_Split{.name = "Split",
                            .doc = "parts of the input along an axis",
                            .max_inputs = 2,
                            .max_outputs = -1,
                            .attrs = split_attrs,
                            .upgrades = split_upgrades,
                            .infer = infer_split,
                            .reference = split,
                            .layout = Layout::axis};

}  // namespace hone
