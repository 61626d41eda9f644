// The kernels of one instruction set: isa_kernels(isa).gemm->...; include kernels/isa/<family>.h for the
// family's type.
#pragma once
#include "base/cpu.h"
#include "kernels/isa/table.h"

namespace hone {

const IsaKernels& isa_kernels(Isa);

}  // namespace hone
