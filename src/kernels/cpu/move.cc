// Operators with one input and one output that are a single strided copy: Transpose, Slice, Expand, Tile,
// ChannelShuffle, DepthToSpace and SpaceToDepth, for elements of any type of 1 to 8 bytes.
#include <algorithm>

#include "kernels/cpu/copy.h"

namespace hone {
namespace {

Accept accepts_type(const Problem& p) {
  REFUSE_UNLESS(can_copy(p.in[0].dtype), "the element type has not 8, 16, 32 or 64 bits");
  return Accept::yes();
}

void run(const Run& r) { run_copy(r.as<CopyPlan>(), r.out[0], r.in[0], r.pool); }

Status prepare_transpose(const Problem& p, Prepared& out) {
  const auto x = strides_of(p.in[0]), y = strides_of(p.out[0]);
  const auto rank = p.in[0].shape.size();
  const std::vector<int64_t>& perm = p.attrs->ints("perm");
  Nest<2> nest;
  for (size_t i = 0; i < rank; i++) {
    const size_t from =
        perm.empty() ? rank - 1 - i
                     : static_cast<size_t>(perm[i] < 0 ? perm[i] + static_cast<int64_t>(rank) : perm[i]);
    nest.add(p.out[0].shape[i], {y[i], x[from]});
  }
  out.make<CopyPlan>() = plan_copy(p, nest);
  return {};
}

// --- Slice: starts, ends, axes and steps are inputs 1 to 4 ---

int64_t integer(const Operand& o, int64_t i) {
  return o.dtype == DType::i64 ? static_cast<const int64_t*>(o.constant)[i]
                               : static_cast<const int32_t*>(o.constant)[i];
}

Accept accepts_slice(const Problem& p) {
  REFUSE_UNLESS(accepts_type(p), accepts_type(p).why());
  for (size_t i = 1; i < p.in.size(); i++)
    REFUSE_UNLESS(
        !p.in[i] || (p.in[i].constant && (p.in[i].dtype == DType::i64 || p.in[i].dtype == DType::i32)),
        "where to cut is not constant");
  return Accept::yes();
}

Status prepare_slice(const Problem& p, Prepared& out) {
  auto x = strides_of(p.in[0]);
  const auto y = strides_of(p.out[0]);
  const Shape& s = p.in[0].shape;
  int64_t offset = 0;
  for (int64_t i = 0; i < p.in[1].shape.elements(); i++) {
    HONE_TRY(const int axis, normalize_axis(p.input(3) ? integer(p.in[3], i) : i, s.rank()));
    const auto a = static_cast<size_t>(axis);
    const int64_t step = p.input(4) ? integer(p.in[4], i) : 1, d = s[a];
    int64_t start = integer(p.in[1], i);
    if (start < 0) start += d;
    start = std::clamp<int64_t>(start, 0, step > 0 ? d : std::max<int64_t>(d - 1, 0));
    if (p.out[0].shape[a] == 0) continue;  // nothing is copied, whatever the offset
    offset += start * x[a];
    x[a] *= p.out[0].shape[a] > 1 ? step : 0;
  }
  Nest<2> nest;
  for (size_t i = 0; i < s.size(); i++) nest.add(p.out[0].shape[i], {y[i], x[i]});
  out.make<CopyPlan>() = plan_copy(p, nest, 0, offset);
  return {};
}

// --- Expand and Tile: dimensions of size 1 are repeated, others run through several times ---

Status prepare_repeat(const Problem& p, Prepared& out) {
  const auto x = strides_of(p.in[0]), y = strides_of(p.out[0]);
  const Shape &from = p.in[0].shape, &to = p.out[0].shape;
  const size_t skip = to.size() - from.size();
  Nest<2> nest;
  for (size_t i = 0; i < to.size(); i++) {
    const int64_t d = i < skip ? 1 : from[i - skip], stride = i < skip ? 0 : x[i - skip];
    nest.add(d ? to[i] / d : 0, {y[i] * d, 0});
    nest.add(d, {y[i], stride});
  }
  out.make<CopyPlan>() = plan_copy(p, nest);
  return {};
}

// --- ChannelShuffle: the axis as groups x members, transposed ---

Status prepare_shuffle(const Problem& p, Prepared& out) {
  const auto x = strides_of(p.in[0]), y = strides_of(p.out[0]);
  const Shape& s = p.in[0].shape;
  HONE_TRY(const int axis, normalize_axis(p.attrs->i("axis"), s.rank()));
  const int64_t groups = p.attrs->i("groups");
  Nest<2> nest;
  for (size_t i = 0; i < s.size(); i++) {
    if (i != static_cast<size_t>(axis)) {
      nest.add(s[i], {y[i], x[i]});
      continue;
    }
    const int64_t members = s[i] / groups;
    nest.add(members, {y[i] * groups, x[i]});
    nest.add(groups, {y[i], x[i] * members});
  }
  out.make<CopyPlan>() = plan_copy(p, nest);
  return {};
}

// --- DepthToSpace and SpaceToDepth: as ops/depth_to_space.cc, which says what goes where ---

template <bool ToSpace>
Status prepare_blocks(const Problem& p, Prepared& out) {
  const bool last = p.attrs->flag("channels_last");
  const size_t channel = last ? 3 : 1, row = last ? 1 : 2, column = last ? 2 : 3;
  const Operand &deep = ToSpace ? p.in[0] : p.out[0], &flat = ToSpace ? p.out[0] : p.in[0];
  const auto d = strides_of(deep), f = strides_of(flat);
  const int64_t b = p.attrs->i("blocksize"), channels = flat.shape[channel];
  const bool depth_first = !ToSpace || p.attrs->s("mode") == "DCR";
  const int64_t block_step = depth_first ? channels : 1, channel_step = depth_first ? 1 : b * b;
  Nest<2> nest;
  const auto loop = [&](int64_t n, int64_t in_deep, int64_t in_flat) {
    nest.add(n,
             ToSpace ? std::array<int64_t, 2>{in_flat, in_deep} : std::array<int64_t, 2>{in_deep, in_flat});
  };
  loop(deep.shape[0], d[0], f[0]);
  loop(deep.shape[row], d[row], f[row] * b);
  loop(b, d[channel] * block_step * b, f[row]);
  loop(deep.shape[column], d[column], f[column] * b);
  loop(b, d[channel] * block_step, f[column]);
  loop(channels, d[channel] * channel_step, f[channel]);
  out.make<CopyPlan>() = plan_copy(p, nest);
  return {};
}

}  // namespace

#define MOVE(name_, op_, accepts_, prepare_)              \
  extern const Tactic tactic_##name_{.name = #name_,      \
                                     .op = #op_,          \
                                     .accepts = accepts_, \
                                     .prepare = prepare_, \
                                     .run = run,          \
                                     .pitched_in = 1,     \
                                     .pitched_out = 1};
MOVE(channel_shuffle_copy, ChannelShuffle, accepts_type, prepare_shuffle)
MOVE(depth_to_space_copy, DepthToSpace, accepts_type, prepare_blocks<true>)
MOVE(expand_copy, Expand, accepts_type, prepare_repeat)
MOVE(slice_copy, Slice, accepts_slice, prepare_slice)
MOVE(space_to_depth_copy, SpaceToDepth, accepts_type, prepare_blocks<false>)
MOVE(tile_copy, Tile, accepts_type, prepare_repeat)
MOVE(transpose_copy, Transpose, accepts_type, prepare_transpose)
#undef MOVE

}  // namespace hone
