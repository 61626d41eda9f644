// ChannelShuffle (Zhang et al., "ShuffleNet", 2018): channels as a [groups, C / groups] matrix, transposed.
// Internal: exporters write Reshape, Transpose, Reshape, which hides from the layout pass that only channels
// move.
#include <cstring>

#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {

Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  const int64_t groups = c.attrs.i("groups");
  const Shape s = c.shape(0);
  c.out[0] = c.in[0];
  if (!s.ranked()) return {};
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), s.rank()));
  const Dim channels = s[static_cast<size_t>(axis)];
  if (groups < 1 || (known(channels) && channels % groups))
    return error(Code::invalid_argument, "%s: %lld channels do not divide into %lld groups", s.str().c_str(),
                 static_cast<long long>(channels), static_cast<long long>(groups));
  return {};
}

Status reference(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  const TensorView x = c.input(0);
  if (x.dtype == DType::string || dtype_bits(x.dtype) % 8)
    return error(Code::unsupported, "ChannelShuffle of %s", dtype_name(x.dtype));
  HONE_TRY(const int axis, normalize_axis(c.attrs.i("axis"), x.shape.rank()));
  const int64_t outer = x.shape.product(0, axis), channels = x.shape[static_cast<size_t>(axis)];
  const int64_t groups = c.attrs.i("groups"), members = channels / groups;
  const auto inner = static_cast<size_t>(dtype_bytes(x.dtype, x.shape.product(axis + 1, x.shape.rank())));
  const auto* from = x.data<std::byte>();
  auto* to = y.data<std::byte>();
  for (int64_t o = 0; o < outer; o++)
    for (int64_t m = 0; m < members; m++)
      for (int64_t g = 0; g < groups; g++, to += inner)
        std::memcpy(to, from + static_cast<size_t>(o * channels + g * members + m) * inner, inner);
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::req("groups", AttrType::i), AttrDef::def_i("axis", 1)};
}  // namespace

extern const OpDef op_ChannelShuffle{.name = "ChannelShuffle",
                                     .domain = "hone",
                                     .doc = "channels as a matrix of groups rows, transposed",
                                     .attrs = attrs,
                                     .infer = infer,
                                     .reference = reference,
                                     .layout = Layout::axis};

}  // namespace hone
