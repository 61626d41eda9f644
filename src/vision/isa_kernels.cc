#include "vision/isa_kernels.h"

namespace hone {

#define ISA(name, supported)                         \
  namespace name {                                   \
  extern const PreprocessKernels preprocess_kernels; \
  }
#include "base/isa.def"
#undef ISA

namespace vision {

const PreprocessKernels& preprocess_kernels(Isa isa) {
  static const PreprocessKernels* const tables[] = {
#define ISA(name, supported) &name::preprocess_kernels,
#include "base/isa.def"
#undef ISA
  };
  return *tables[static_cast<size_t>(isa)];
}

}  // namespace vision
}  // namespace hone
