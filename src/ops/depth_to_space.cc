// DepthToSpace and SpaceToDepth: both move elements between channels and blocks of pixels; channel b of a
// block stands at row b / blocksize, column b % blocksize of it.
#include "ops/op.h"
#include "ops/strided.h"
#include "ops/types.h"

namespace hone {
namespace {
constexpr int64_t max_block = 1 << 20;  // its square fits

struct Geometry {
  size_t channel, row, column;  // which dimension is which
};
Geometry geometry_of(const Attrs& attrs) {
  return attrs.flag("channels_last") ? Geometry{3, 1, 2} : Geometry{1, 2, 3};
}

Result<int64_t> block_of(const Infer& c) {
  const int64_t b = c.attrs.i("blocksize");
  if (b < 1 || b > max_block)
    return error(Code::corrupt, "attribute 'blocksize' of %s is %lld", c.op.name, static_cast<long long>(b));
  HONE_CHECK(check_tensor(c, 0));
  if (c.shape(0).ranked() && c.shape(0).rank() != 4)
    return error(Code::invalid_argument, "%s of %s, expected 4 dimensions", c.op.name,
                 c.shape(0).str().c_str());
  return b;
}

// d / by and d * by of a dimension that may not be known.
Result<Dim> divided(Dim d, int64_t by, const Infer& c) {
  if (!known(d)) return by == 1 ? d : unknown_dim;
  if (d % by != 0)
    return error(Code::invalid_argument, "%s of %s: %lld does not divide by %lld", c.op.name,
                 c.shape(0).str().c_str(), static_cast<long long>(d), static_cast<long long>(by));
  return d / by;
}
Result<Dim> multiplied(Dim d, int64_t by, const Infer& c) {
  if (!known(d)) return by == 1 ? d : unknown_dim;
  if (d > (int64_t{1} << 40) / by)
    return error(Code::limit, "%s of %s: more than 2^40 elements", c.op.name, c.shape(0).str().c_str());
  return d * by;
}

Status infer_to_space(Infer& c) {
  HONE_TRY(const int64_t b, block_of(c));
  const std::string& mode = c.attrs.s("mode");
  if (mode != "DCR" && mode != "CRD")
    return error(Code::corrupt, "attribute 'mode' of DepthToSpace is '%s', expected 'DCR' or 'CRD'",
                 mode.c_str());
  Shape s = c.shape(0);
  c.set(0, c.dtype(0), Shape::of_rank(4));
  if (!s.ranked()) return {};
  const Geometry g = geometry_of(c.attrs);
  HONE_TRY(s[g.channel], divided(s[g.channel], b * b, c));
  HONE_TRY(s[g.row], multiplied(s[g.row], b, c));
  HONE_TRY(s[g.column], multiplied(s[g.column], b, c));
  c.set(0, c.dtype(0), s);
  return {};
}

Status infer_to_depth(Infer& c) {
  HONE_TRY(const int64_t b, block_of(c));
  Shape s = c.shape(0);
  c.set(0, c.dtype(0), Shape::of_rank(4));
  if (!s.ranked()) return {};
  const Geometry g = geometry_of(c.attrs);
  HONE_TRY(s[g.channel], multiplied(s[g.channel], b * b, c));
  HONE_TRY(s[g.row], divided(s[g.row], b, c));
  HONE_TRY(s[g.column], divided(s[g.column], b, c));
  c.set(0, c.dtype(0), s);
  return {};
}

// `deep` has many channels, `flat` many pixels. depth_first: channel = (block row, block column, channel of
// flat), else (channel of flat, block row, block column).
void move(const TensorView& deep, const TensorView& flat, const Attrs& attrs, bool depth_first,
          bool to_flat) {
  const Geometry g = geometry_of(attrs);
  const int64_t b = attrs.i("blocksize"), channels = flat.shape[g.channel];
  const auto d = contiguous_strides(deep.shape), f = contiguous_strides(flat.shape);
  Nest<2> nest;
  const auto loop = [&](int64_t n, int64_t in_deep, int64_t in_flat) {
    nest.add(n,
             to_flat ? std::array<int64_t, 2>{in_flat, in_deep} : std::array<int64_t, 2>{in_deep, in_flat});
  };
  const int64_t block_step = depth_first ? channels : 1, channel_step = depth_first ? 1 : b * b;
  loop(deep.shape[0], d[0], f[0]);
  loop(deep.shape[g.row], d[g.row], f[g.row] * b);
  loop(b, d[g.channel] * block_step * b, f[g.row]);
  loop(deep.shape[g.column], d[g.column], f[g.column] * b);
  loop(b, d[g.channel] * block_step, f[g.column]);
  loop(channels, d[g.channel] * channel_step, f[g.channel]);
  if (to_flat) copy_strided(flat.dtype, nest, flat.bytes, 0, deep.bytes, 0);
  else copy_strided(flat.dtype, nest, deep.bytes, 0, flat.bytes, 0);
}

Status to_space(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  move(c.input(0), y, c.attrs, c.attrs.s("mode") == "DCR", true);
  return {};
}
Status to_depth(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  move(y, c.input(0), c.attrs, true, false);
  return {};
}

constexpr AttrDef space_attrs[] = {AttrDef::req("blocksize", AttrType::i), AttrDef::def_s("mode", "DCR"),
                                   AttrDef::def_i("channels_last", 0).hidden()};
constexpr AttrDef depth_attrs[] = {AttrDef::req("blocksize", AttrType::i),
                                   AttrDef::def_i("channels_last", 0).hidden()};
}  // namespace

extern const OpDef op_DepthToSpace{.name = "DepthToSpace",
                                   .doc = "channels spread over blocks of pixels",
                                   .attrs = space_attrs,
                                   .infer = infer_to_space,
                                   .reference = to_space,
                                   .layout = Layout::spatial};
extern const OpDef op_SpaceToDepth{.name = "SpaceToDepth",
                                   .doc = "blocks of pixels gathered into channels",
                                   .attrs = depth_attrs,
                                   .infer = infer_to_depth,
                                   .reference = to_depth,
                                   .layout = Layout::spatial};

}  // namespace hone
