#include <cstring>

#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_tensor(c, 0));
  const DType from = c.dtype(0), to = dtype_from_number(c.attrs.i("to"));
  if (to == DType::none || to == DType::string || from == DType::string)
    return error(Code::corrupt, "BitCast from %s to element type %lld", dtype_name(from),
                 static_cast<long long>(c.attrs.i("to")));
  if (from != DType::none && dtype_bits(from) != dtype_bits(to))
    return error(Code::corrupt, "BitCast from %s to %s, which have different sizes", dtype_name(from),
                 dtype_name(to));
  c.set(0, to, c.shape(0));
  return {};
}

Status reference(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  std::memcpy(y.bytes, x.bytes, static_cast<size_t>(x.byte_size()));
  return {};
}

constexpr AttrDef attrs[] = {AttrDef::req("to", AttrType::i)};
}  // namespace

extern const OpDef op_BitCast{.name = "BitCast",
                              .doc = "the bits of each element as another type of the same size",
                              .attrs = attrs,
                              .since = 26,
                              .infer = infer,
                              .reference = reference,
                              .layout = Layout::elementwise};

}  // namespace hone
