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
  std::vector<const Tactic*> tactics;  // candidates, best to worst; kernels/choose.h chooses
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
  // Packed constants in use so far: `made` since the engine was loaded, `ready` when it was built.
  struct PackedBytes {
    int64_t made = 0, ready = 0;
  };
  PackedBytes packed_bytes() const;

  // The constants of the problem in the tactic's layout; shared between all steps and sessions that ask for
  // the same. Those that the plan brings along are used in place where layout and size are the ones wanted.
  Result<std::shared_ptr<const void>> packed(const Tactic&, const Problem&, const Prepared&) const;
  // What packed() has made or used so far, in the order it was asked for. Left out: constants that are not
  // the engine's but were calculated when planning.
  std::vector<PackedConstants> all_packed() const;

 private:
  Engine() = default;
  void index_packed();
  const Tensor* find_ready(const std::string& key, const std::string& layout, int64_t size) const;
  EngineData data_;
  const Plan* plan_ = nullptr;
  ResolvedProgram main_;
  Isa isa_{};

  struct Packed {
    std::shared_ptr<const void> bytes;
    int64_t size = 0;
    bool ready = false;  // brought along by the plan
    int order = 0;       // of the first request
    std::string layout;
    std::vector<Operand> in;  // of that problem
  };
  mutable std::mutex mutex_;
  mutable std::map<std::string, Packed> packed_;
  std::map<std::string, const Tensor*> ready_;  // packed constants of the plan
};

}  // namespace hone
