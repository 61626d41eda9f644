// The steps of a plan as problems, and which tactic each gets: the first of the list, the one estimated to cost
// least (kernels/choose.h), the fastest as timed, or a more exact one.
#pragma once
#include <limits>

#include "kernels/choose.h"
#include "runtime/plan.h"
#include "tune/record.h"

namespace hone {

struct StepProblem {
  int step = 0;  // in the program
  const ResolvedStep* resolved = nullptr;
  std::vector<Operand> in, out;
  Isa isa{};
  std::string key;  // equal keys: the same tactics take the same time. Empty: cannot be told by a text
  std::vector<Candidate> candidates;

  Problem problem(int threads) const { return {resolved->op, &resolved->attrs, in, out, isa, threads}; }
};
// Of all steps whose shapes are known, in order. The plan must outlive them.
std::vector<StepProblem> step_problems(const Engine&, const ShapePlan&);

// Whether a tactic can be put where another was: what that one reads and writes in place, or with a pitch, it can
// too. If not, steps around it would have to copy, which timing it alone does not show.
bool stands_in(const Tactic&, const Tactic& other);
// The candidates worth timing: those that accept, can stand in for the one chosen without times, and are not
// estimated to cost more than twice the least.
std::vector<const Candidate*> worth_timing(const StepProblem&);

struct Choice {
  enum class Why : uint8_t { none, first, cost, time };
  const Tactic* tactic = nullptr;  // null: the reference
  Why why = Why::none;
  bool limited = false;  // without the limit of the error it would be another
};
// times: of this problem, null: none. Of the tactics timed, the fastest replaces what would be chosen without times
// if that was timed too and is slower by more than noise. max_error: no tactic of a greater error_bound.
Choice decide(const StepProblem&, const TimingRecord::Times* times,
              float max_error = std::numeric_limits<float>::infinity());

}  // namespace hone
