// Random networks of what networks are made of: convolutions with normalisation and activations, residuals, gates,
// branches that are split and joined, shuffles, attention, quantised parts. So that what the optimiser
// recognises is there, and so is what nearly looks like it.
#pragma once
#include "ir/graph.h"
#include "random/draw.h"

namespace hone::test {

struct Network {
  std::shared_ptr<ir::Graph> graph;
  std::vector<Value> inputs;
};
// `nodes`: about how many. Few small dimensions, so that values often fit together.
Network draw_network(uint64_t seed, int nodes);

}  // namespace hone::test
