// The optimiser: a flat list of passes in two phases. Declutter makes the graph simpler for anybody (folding,
// dead code, canonical forms); its result is the portable form that engine files carry. Target suits it to
// the kernels (NHWC layout, fused activations and residuals). Each pass is timed, followed by the verifier,
// and can be disabled by name.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ir/patch.h"

namespace hone::opt {

enum class Phase : uint8_t { declutter, target };

struct Pass {
  const char* name;
  Phase phase;
  const char* doc;
  // Changes one graph (the pipeline visits the nested ones too) and returns how many changes it made. Run
  // again on its own result, a pass finds nothing more to do.
  Result<int> (*run)(ir::Graph&, ir::Log&);
};
std::span<const Pass> passes();

struct OptOptions {
  bool declutter = true, target = true;  // which phases run
  std::vector<std::string> disable;      // names of passes; an unknown one is an error
#ifdef NDEBUG
  bool verify = false;
#else
  bool verify = true;  // after each pass that changed something
#endif
  std::function<Status(const std::string& pass, const ir::Graph&)> dump_after =
      {};  // called after each run of a pass
  std::function<bool()> cancelled = {};
};

struct PassReport {
  std::string name;
  Phase phase = Phase::declutter;
  int runs = 0, changes = 0;
  double milliseconds = 0;
};
struct OptReport {
  std::vector<PassReport> passes;  // in the order of the list
  ir::Log log;                     // every patch
};

// The graph must have passed infer(). Declutter repeats until nothing changes (at most ten rounds); target
// runs once, its own clean-up included. On an error the graph is valid memory, but may be half optimised.
Status optimise(ir::Graph&, const OptOptions& = {}, OptReport* = nullptr);

}  // namespace hone::opt
