// Session: runs an engine. One at a time per session; any number of sessions of one engine in any threads
// (they share weights).
//
// run() plans for the shapes of its inputs the first time it sees them and keeps the plan (the last max_plans
// of them). After that it allocates nothing where every step is static and has a tactic or is a plugin's; late steps and
// reference kernels may allocate. Outputs live in the session until its next run() or its end. The same
// inputs give the same bits for any number of threads.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "runtime/frame.h"

namespace hone {

struct SessionOptions {
  int threads = 0;                  // 0: HONE_THREADS, else all cores
  bool pin = false;                 // threads other than the caller's stay on a core each
  std::function<bool()> cancelled;  // asked between steps; true stops the run with Code::cancelled
  int64_t memory =
      0;  // bytes that values may take, the arena included; 0: the default (base/memory_budget.h)
  bool keep_all = false;  // every value survives the run (copy_value), at the price of memory
};

struct StepProfile {
  std::string name;  // of the node
  std::string op;
  std::string tactic;  // "reference" where there is none
  double ms = 0;       // of the last run
  double flops = 0;    // twice the multiply-adds of its definition (ops/work.h); 0 for late steps
};

struct SessionMemory {
  MemoryUse arena;
  int aliased_steps = 0;
};

class Session {
 public:
  static constexpr size_t max_plans = 8;

  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Engine>, const SessionOptions& = {});
  ~Session();

  const Engine& engine() const { return *engine_; }
  int threads() const { return pool_.threads(); }

  // Plans (and packs weights) for these input shapes now rather than at the first run.
  Status prepare(std::span<const Shape> input_shapes);
  // Inputs in the order of the program's; tensors are read in place and must stay alive during the call only.
  Status run(std::span<const Value> inputs);
  // Of the last successful run.
  const Value& output(size_t i) const { return outputs_[i]; }
  size_t outputs() const { return outputs_.size(); }

  void set_profiling(bool on) { profiling_ = on; }
  std::vector<StepProfile> profile() const;
  SessionMemory memory() const;  // of the current plan
  // Any value of the last run by its index in the program, copied; for tools that look inside. Values share
  // memory: only with SessionOptions::keep_all do all of them survive the run.
  Result<Tensor> copy_value(int v);

 private:
  Session(std::shared_ptr<const Engine>, const SessionOptions&, int threads, int64_t memory);
  Status plan_for(std::span<const Shape> input_shapes);
  Status run_counted(std::span<const Value> inputs);
  Status activate(std::shared_ptr<const ShapePlan>);
  Status run_steps();
  Value fetch(int v) const;  // static values
  std::byte* address(const Slot&) const;

  struct Active;  // the current plan with its pointers bound
  std::shared_ptr<MemoryBudget> budget_;
  std::shared_ptr<const Engine> engine_;
  ThreadPool pool_;
  FrameShared shared_;
  Frame frame_;
  std::vector<std::shared_ptr<const ShapePlan>> plans_;  // most recently used first
  std::unique_ptr<Active> active_;
  std::shared_ptr<void> arena_;
  int64_t arena_bytes_ = 0;
  MemoryCharge arena_charge_;
  std::vector<const void*> input_bytes_;
  std::vector<Value> outputs_;
  bool profiling_ = false;
  bool keep_all_ = false;
};

}  // namespace hone
