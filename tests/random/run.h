// A problem as a graph, run by everything that can run it, and its answers compared.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"
#include "random/draw.h"

namespace hone::test {

// A graph of the one operator. Which inputs are constants, and how much of the others' types the graph knows,
// is drawn too.
struct Placed {
  std::shared_ptr<ir::Graph> graph;
  std::vector<Value> inputs;  // of the graph
};
Placed place(const Problem&, uint64_t seed);

// The graph as the importer sees it, where it can be said in ONNX; otherwise the graph itself, inferred.
Result<std::shared_ptr<ir::Graph>> imported(std::shared_ptr<ir::Graph>);

struct Verdict {
  bool accepted = false;
  std::string reason;   // of refusing
  std::string failure;  // empty: everyone agrees
};
// The reference executor; engines without the optimiser and with it, on each instruction set of this machine;
// with other numbers of threads, which must give the same bits; twice on the same session.
Verdict check(const std::shared_ptr<ir::Graph>&, std::span<const Value> inputs, std::span<const Judge> judges,
              std::span<const double> scale, uint64_t seed);
Verdict check(const Drawn&, uint64_t seed);

// Empty where `got` is as good as `want`. `scale`: what Judge::sums multiplies; `input`: what Judge::gated does.
std::string difference(const Value& got, const Value& want, const Judge&, double scale,
                       const Tensor& input = {});

// How to replay the case that begins; said if it crashes.
void note_case(const std::string& how);

// HONE_SEED, else a new one. Printed once.
uint64_t base_seed();
bool seed_given();
// Seconds for a part of the random tests of this program, which all together take HONE_RANDOM_SECONDS (15).
double budget(double share);

}  // namespace hone::test
