// A plan whose constants are packed: made when an engine is built, so that they need not be when it is loaded.
#pragma once
#include <span>

#include "runtime/engine.h"

namespace hone {

// The data of an engine that has not run yet, with a plan for the instruction set in use (target_name()) in
// which each step has its tactic, and the constants of all steps are packed for the input shapes that the engine fixes and for each of these numbers of threads.
// An engine that leaves a shape open, or packs nothing, gets no such plan.
Result<EngineData> with_packed_plan(const Engine&, std::span<const int> threads);

}  // namespace hone
