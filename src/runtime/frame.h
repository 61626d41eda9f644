// Frame: one activation of a program. The outermost frame runs a ShapePlan, whose static steps have fixed
// places; late steps, and all steps of nested programs (If, Loop, Scan), are resolved as they run: shapes are
// inferred from the inputs at hand, a tactic is prepared when they differ from last time, outputs go to
// buffers that are kept and grow as needed.
//
// Not thread-safe. Frames of nested programs are made when first entered, and kept.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/plan.h"

namespace hone {

struct FrameShared {  // one per session
  const Engine& engine;
  ThreadPool& pool;
  std::function<bool()> cancelled;
};

class Frame {
 public:
  Frame(FrameShared& shared, const ResolvedProgram& program, Frame* parent);
  ~Frame();

  // Nested programs: runs all steps on these inputs.
  Result<std::vector<Value>> run(std::span<const Value> args);

  // The outermost frame: where static values are. `fetch` yields the tensor of a static value.
  void set_static(std::function<Value(int)> fetch) { fetch_ = std::move(fetch); }
  Status run_late(int step);
  void set_value(int v, Value value) { values_[static_cast<size_t>(v)] = std::move(value); }
  bool cancelled() const { return shared_.cancelled && shared_.cancelled(); }
  NodeState& node_state(int step) { return node_states_[static_cast<size_t>(step)]; }
  // Gives back all memory: what was run last failed for want of it.
  void forget();
  Value value(int v);  // constant, capture, static or late; kind none where absent

 private:
  friend class LateContext;
  struct State;    // of a late step, kept between runs
  struct Buffer {  // of a late tensor, kept between runs
    std::shared_ptr<const void> owner;
    int64_t capacity = 0;
  };
  Status run_reference(int step, State&);
  Status run_tactic(int step, State&);
  Status prepare(int step, State&);
  Status check_texts(int step);
  Result<Tensor> allocate(int v, DType, const Shape&);
  Frame& nested(int step, std::string_view attr);

  FrameShared& shared_;
  const ResolvedProgram& program_;
  Frame* parent_;
  std::function<Value(int)> fetch_;
  std::vector<Value> values_;
  std::vector<std::unique_ptr<State>> states_;
  std::vector<NodeState> node_states_;  // of all steps, also of static ones
  std::vector<Buffer> buffers_;
};

}  // namespace hone
