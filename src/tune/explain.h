// What the choice of tactics was, for people.
#pragma once
#include "tune/choice.h"

namespace hone {

// One group of lines for all steps of an operator with the same tactic for the same reasons.
std::vector<std::string> explain_choices(std::span<const StepProblem>, std::span<const Choice>,
                                         const TimingRecord&, const std::string& machine);
// Which steps run in strips, and what never exists as a whole by that.
std::vector<std::string> explain_strips(const Engine&, const ShapePlan&);

}  // namespace hone
