// Engine: a loaded engine file, ready to make sessions. Immutable but for a cache of packed weights behind a
// lock; shared by any number of sessions in any number of threads.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/program.h"
#include "kernels/tactic.h"

namespace hone {

struct ResolvedProgram;

struct ResolvedStep {
  const ProgramStep* step = nullptr;
  const OpDef* op = nullptr;
  Attrs attrs;                         // of the step, checked
  std::vector<const Tactic*> tactics;  // candidates: the one chosen when built first, then best to worst
  std::vector<std::pair<std::string, std::unique_ptr<ResolvedProgram>>>
      graphs;                 // nested programs by attribute name
  std::string label() const;  // "Conv 'layer1.0.conv1'"
};

// A Program with its names resolved.
struct ResolvedProgram {
  const Program* program = nullptr;
  std::vector<ResolvedStep> steps;
};

class Engine {
 public:
  // Errors: no plan for this machine; operators this library does not have (all of them named); attributes
  // that contradict their definition; a machine below the instruction-set floor or a wrong HONE_ISA.
  static Result<std::shared_ptr<const Engine>> load(EngineData data);

  const EngineData& data() const { return data_; }
  const ResolvedProgram& program() const { return main_; }
  const Plan& plan() const { return *plan_; }
  Isa isa() const { return isa_; }
  int64_t constant_bytes() const;
  int64_t packed_bytes() const;  // made so far

  // The constants of the problem in the tactic's layout; shared between all steps and sessions that ask for
  // the same.
  Result<std::shared_ptr<const void>> packed(const Tactic&, const Problem&, const Prepared&) const;

 private:
  Engine() = default;
  EngineData data_;
  const Plan* plan_ = nullptr;
  ResolvedProgram main_;
  Isa isa_{};

  struct Packed {
    std::shared_ptr<const void> bytes;
    int64_t size = 0;
  };
  mutable std::mutex mutex_;
  mutable std::map<std::string, Packed> packed_;
};

}  // namespace hone
