// What Resize means, axis by axis: each output coordinate is a weighted sum of input coordinates, and the
// axes are independent. Kernels build on the same tables as the reference.
#pragma once
#include <vector>

#include "ops/op.h"

namespace hone {

struct ResizeAxis {
  int64_t in = 0, out = 0;
  double scale = 1;           // may differ from out / in: the output's size is rounded
  double start = 0, end = 1;  // region of interest (tf_crop_and_resize)
};

struct ResizePlan {
  enum class Mode : uint8_t { nearest, linear, cubic };
  Mode mode = Mode::nearest;
  std::vector<ResizeAxis> axes;  // in the order of the data's dimensions as they lie in memory
  Shape out;                     // unknown dimensions where scales or sizes are not known
};
// The inputs as Resize has them; null where absent or not known.
struct ResizeInputs {
  const std::vector<float>* roi = nullptr;
  const std::vector<float>* scales = nullptr;
  const std::vector<int64_t>* sizes = nullptr;
};
Result<ResizePlan> plan_resize(const Attrs&, const Shape& x, const ResizeInputs&);

// Output coordinate o is the sum of weights[k] * input[index[k]] for k in [begin[o], begin[o + 1]); where
// outside[o], it is the attribute extrapolation_value instead. Indices are within the input. `nearest` has
// one of weight 1 for each o.
struct ResizeTaps {
  std::vector<int64_t> begin, index;
  std::vector<float> weight;
  std::vector<bool> outside;
  bool identity = false;  // out[o] = in[o]
};
ResizeTaps resize_taps(const Attrs&, ResizePlan::Mode, const ResizeAxis&);

}  // namespace hone
