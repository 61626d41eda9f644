#include "ops/op.h"

namespace hone {

Status same_as_first(Infer& c) {
  for (size_t i = 0; i < c.out.size(); i++) c.out[i] = c.in[0];
  return {};
}

namespace {
Status broadcast_all(Infer& c, DType d) {
  Shape s = c.shape(0);
  for (size_t i = 1; i < c.in.size(); i++) {
    HONE_TRY(s, broadcast(s, c.shape(i)));
  }
  c.set(0, d, s);
  return {};
}
}  // namespace

Status broadcast_same_type(Infer& c) { return broadcast_all(c, c.dtype(0)); }
Status broadcast_to_bool(Infer& c) { return broadcast_all(c, DType::boolean); }

}  // namespace hone
