#include "kernels/isa_kernels.h"

namespace hone {

#define ISA(name, supported)           \
  namespace name {                     \
  extern const IsaKernels all_kernels; \
  }
#include "base/isa.def"
#undef ISA

const IsaKernels& isa_kernels(Isa isa) {
  static const IsaKernels* const tables[] = {
#define ISA(name, supported) &name::all_kernels,
#include "base/isa.def"
#undef ISA
  };
  return *tables[static_cast<size_t>(isa)];
}

}  // namespace hone
