#include "opt/util.h"

namespace hone::opt {

bool same_shape(const ValueType& a, const ValueType& b) {
  if (a.kind != hone::Value::Kind::tensor || b.kind != a.kind || !a.shape.ranked() || !b.shape.ranked())
    return false;
  if (a.shape.rank() != b.shape.rank()) return false;
  for (size_t i = 0; i < a.shape.size(); i++)
    if (a.shape[i] != b.shape[i] || a.shape[i] == unknown_dim) return false;
  return true;
}

}  // namespace hone::opt
