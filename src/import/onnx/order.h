// The order in which a graph's nodes can be built. ONNX demands that nodes stand behind those they depend on;
// files that break this are put in order, cycles are refused.
#pragma once
#include <string>

#include "import/onnx/proto.h"

namespace hone::onnx {

// Indices into `nodes`. `reordered` tells whether they differ from the file's order.
Result<std::vector<size_t>> build_order(const std::vector<NodeP>& nodes, bool& reordered);

}  // namespace hone::onnx
