// The kernels of one instruction set.
#pragma once
#include "base/cpu.h"
#include "vision/isa/preprocess.h"

namespace hone::vision {

const PreprocessKernels& preprocess_kernels(Isa);

}  // namespace hone::vision
