// How far the tactics that spread errors may go. An engine's outputs with the tactics it is to use are compared,
// on random inputs, with those it gives when every step is as exact as plain summation makes it.
#pragma once
#include <chrono>
#include <functional>

#include "tune/choice.h"

namespace hone {

// The largest difference, as a share of the largest magnitude of an output, that is let pass. The difference from
// another framework's outputs is to stay below 1e-4; plain summation itself uses up 1e-7 to 2e-5 of that on most
// networks, and a real picture was seen to double or triple what random inputs show.
inline constexpr double max_added_error = 1.5e-5;

using Tactics = std::vector<const Tactic*>;  // by step of the program; null: as planned

// The engine's program as a plan for this machine with these tactics; what the engine has packed is used.
Result<std::shared_ptr<const Engine>> with_tactics(const Engine&, const Tactics&);

// The f32 outputs of one run on inputs that follow from their types alone. Nothing: there are none, an input is of a
// kind that cannot be made up, or the engine cannot run on what was (which may take it longer than max_trial, too).
// Errors: cancelled only.
inline constexpr std::chrono::seconds max_trial{30};
Result<std::vector<Tensor>> trial_run(std::shared_ptr<const Engine>, std::span<const Shape>, int threads,
                                      const std::function<bool()>& cancelled);
// The largest difference as a share of the largest magnitude in `exact`, over all f32 outputs.
double added_error(std::span<const Tensor> outputs, std::span<const Tensor> exact);

}  // namespace hone
