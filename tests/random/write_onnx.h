// An ir::Graph as an ONNX model of the newest opsets: what random problems and fuzz seeds go through the
// importer as. Nested graphs, sequences and optionals included.
#pragma once
#include <string>

#include "ir/graph.h"

namespace hone::test {

// False where the graph has operators, inputs or attributes that exist only inside Hone.
bool can_be_onnx(const ir::Graph&);
std::string onnx_model(const ir::Graph&);

}  // namespace hone::test
