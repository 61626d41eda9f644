// All kernels of one instruction set, one member for each line of families.def. Plain data: files compiled
// per instruction set include it.
#pragma once

namespace hone {

#define FAMILY(name, Type) struct Type;
#include "kernels/isa/families.def"
#undef FAMILY

struct IsaKernels {
#define FAMILY(name, Type) const Type* name;
#include "kernels/isa/families.def"
#undef FAMILY
};

}  // namespace hone
