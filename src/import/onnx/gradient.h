// Reverse-mode differentiation, for the operator Gradient of ai.onnx.preview.training.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace hone::onnx {

struct GradientRequest {
  ir::Graph& graph;
  // Leaves, and what stands in their place; the first `wanted` of them are differentiated by.
  std::span<ir::Value*const> leaves, given;
  size_t wanted = 0;
  ir::Value* y = nullptr;
  std::string prefix;                     // of the names of new nodes
  std::function<Status(int64_t)> charge;  // told how many nodes are made or gone through
};

// Appends to the graph what makes the derivatives of y's sum by each wanted leaf, and returns them: of the
// leaf's type and shape, zero where y does not depend on it. Errors: an operator in between that has no rule
// (gradient.def), named; shapes that leave open what was broadcast.
Result<std::vector<ir::Value*>> differentiate(const GradientRequest&);

}  // namespace hone::onnx
