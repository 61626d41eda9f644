// ShapePlan: everything about running a program that follows from the shapes of its inputs alone. Made once
// per set of input shapes, then only read.
//
// A value is static where its type follows from the input shapes; it lives at a fixed place (arena, input,
// constant). A value whose shape depends on data, or that is a sequence, optional or string, is late, and so
// is every step that touches one: late steps are resolved while running (runtime/frame.h).
#pragma once
#include <memory>
#include <vector>

#include "kernels/strips.h"
#include "runtime/engine.h"
#include "runtime/memory.h"

namespace hone {

struct Slot {
  enum class Where : uint8_t { none, arena, input, constant, late };
  Where where = Where::none;
  int index = -1;      // input: position in the program's inputs; constant: in ShapePlan::constants
  int64_t offset = 0;  // arena: bytes from its start; input, constant: bytes from the tensor's start
  int64_t pitch = 0;   // elements between rows of the last dimension
};

struct PlanStep {
  enum class How : uint8_t { tactic, reference, strips, late };
  int step = 0;  // index in the program; of a chain: of its last step
  How how = How::late;
  std::vector<int> in, out;            // values; of a chain: those of its steps, one after another
  std::vector<ValueType> out_types;    // How::reference: of all outputs, also of those that nobody wants
  const Tactic* tactic = nullptr;      // How::tactic
  Prepared prepared;                   // How::tactic
  std::shared_ptr<const void> packed;  // How::tactic; may be null
  const PlanStep* next = nullptr;      // How::tactic: the next step with packed weights, to be fetched ahead
  std::vector<PlanStep> chain;         // How::strips: the steps that run together, prepared each for itself
  std::unique_ptr<const Strips> strips;  // How::strips
  int64_t scratch_offset = -1;           // in the arena
};

struct ShapePlan {
  std::vector<Shape> input_shapes;
  std::vector<ValueType> types;   // per value of the program; concrete where the slot is not late
  std::vector<Slot> slots;        // per value
  std::vector<Tensor> constants;  // the engine's that are used, and those computed from shapes
  std::vector<PlanStep> steps;
  MemoryUse memory;
  int aliased = 0;  // steps that vanished because their output was put in place
};

// Checks the shapes against the program's inputs (errors name the input) and plans. keep_all: every value
// keeps its memory to the end, so that all can be looked at after a run.
Result<std::shared_ptr<const ShapePlan>> make_plan(const Engine&, std::span<const Shape> input_shapes,
                                                   int threads, bool keep_all = false);

// --- pieces, separate for their tests ---

// Where a value lies relative to another. Filled by place_aliases.
struct Alias {
  int parent = -1;       // value index; -1: has memory of its own
  int64_t offset = 0;    // bytes from the parent's start
  bool pitched = false;  // rows lie as far apart as the parent's
};
struct AliasStep {  // what place_aliases needs to know of a static step, in order
  int step = 0;
  const ResolvedStep* resolved = nullptr;
  const Tactic* tactic = nullptr;  // null: reference
  int runs_at = 0;                 // the step in whose place it runs: its own, or the last of its chain
  int chain = -1;                  // chains have numbers
};
// Finds views, concat inputs and split outputs that need no copy, and outputs that may overwrite an input.
// `own`: values that live in the arena if not aliased. Returns one Alias per value.
std::vector<Alias> place_aliases(const Program&, std::span<const AliasStep>, std::span<const ValueType> types,
                                 const std::vector<bool>& own, std::span<const int> pinned);

}  // namespace hone
