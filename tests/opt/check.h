// How passes are tested: text in, expected text out, equal results on random inputs before and after, nothing
// left to do when run again. Random tests print their seed and honour HONE_SEED.
#pragma once
#include <string>
#include <vector>

#include "opt/pipeline.h"

namespace hone::opt {

uint64_t test_seed();
// One value per input of the graph: floats in [-2, 2] (never near 0), small integers; a symbol is 3, an
// unknown dimension 2.
std::vector<hone::Value> random_inputs(const ir::Graph&, uint64_t seed);
// "" or how b differs from a: by more than `tolerance` of the largest magnitude (floats; others exactly).
std::string difference(const std::vector<hone::Value>& a, const std::vector<hone::Value>& b,
                       double tolerance = 2e-5);
std::shared_ptr<ir::Graph> parse(const std::string& text);  // and infer, verify
// Runs these passes alone (both phases in their order) and returns the text; checks all of the above on the
// way.
std::string after(const std::string& passes, const std::string& text, bool once = true);
// Statements between "graph @t(inputs) -> (outputs) {" and "}", each on a line, for short tests.
std::string graph_text(const std::string& signature, const std::vector<std::string>& lines);
// The statements of a printed graph, one per line without indentation, joined by "\n".
std::string statements(const std::string& graph_text);

}  // namespace hone::opt
