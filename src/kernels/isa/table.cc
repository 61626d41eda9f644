#include "kernels/isa/table.h"

namespace hone::HONE_ISA {

#define FAMILY(name, Type) extern const Type name##_kernels;
#include "kernels/isa/families.def"
#undef FAMILY

extern const IsaKernels all_kernels;
const IsaKernels all_kernels = {
#define FAMILY(name, Type) &name##_kernels,
#include "kernels/isa/families.def"
#undef FAMILY
};

}  // namespace hone::HONE_ISA
