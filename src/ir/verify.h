// The laws of the IR, as a table. Every pass is followed by verify(); a graph that breaks a law is our bug
// (or, right after import, a broken model).
#pragma once
#include <span>

#include "ir/graph.h"

namespace hone::ir {

struct Law {
  const char* name;
  const char* text;  // what it demands
  // Checks one graph (the nested ones are visited on their own). The error names the node or value.
  Status (*check)(const Graph&);
};
std::span<const Law> laws();

// All laws on the graph and all graphs nested in it; the first one broken is the error, with the law's name.
Status verify(const Graph&);

}  // namespace hone::ir
