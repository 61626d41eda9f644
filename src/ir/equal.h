// Equality of constants and attributes, bit for bit (0.0 and -0.0 differ, a NaN equals itself): what common
// subexpressions and the text form go by. Nested graphs are equal only if they are the same object.
#pragma once
#include "base/attrs.h"

namespace hone::ir {

bool equal(const Tensor&, const Tensor&);
bool equal(const AttrValue&, const AttrValue&);
bool equal(const Attrs&, const Attrs&);
uint64_t hash(const Tensor&);
uint64_t hash(const Attrs&);

}  // namespace hone::ir
