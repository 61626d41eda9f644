// The reference executor: runs every node by its operator's reference, one after another, in plain loops. It
// is the meaning of a graph; everything faster is measured against it. It also proves inference: what a
// reference makes must agree with what the operator's infer said of the very same inputs.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace hone::ir {

struct EvalOptions {
  // Bytes of intermediate tensors alive at any moment (inputs and constants not counted).
  int64_t memory_limit = int64_t{8} << 30;
  // Asked before each node and inside long loops.
  std::function<bool()> cancelled = {};
  // Sees each node of the outermost graph with its outputs (kind none where not wanted) before anything is
  // freed.
  std::function<void(const Node&, std::span<const hone::Value>)> observe = {};
};

// Outputs in the graph's order. Inputs are checked against the graph's input types. The graph must have
// passed infer(); errors carry the label of the node.
Result<std::vector<hone::Value>> evaluate(const Graph&, std::span<const hone::Value> inputs,
                                          const EvalOptions& = {});

// One node without a graph around it: used by constant folding. `inputs` in the order of n.inputs, kind none
// where absent. A nested graph may not use outer values other than constants. All outputs are computed,
// wanted or not.
Result<std::vector<hone::Value>> evaluate(const Node&, std::span<const hone::Value> inputs,
                                          const EvalOptions& = {});

}  // namespace hone::ir
