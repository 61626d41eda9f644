// What an engine does on inputs of given shapes, step by step: by which kernel, why by no other, at what estimated
// cost. For `hone explain`.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "tune/estimate.h"

namespace hone {

struct StepAccount {
  enum class How : uint8_t {
    kernel,
    reference,
    running,     // a kernel, or the reference, is chosen when its shapes are known: they depend on data
    in_place,    // its output lies where another value is: nothing to do
    from_shapes  // computed when planning, for its output follows from shapes
  };
  int step = -1;      // in the outermost program; -1: in a nested graph
  std::string graph;  // "" or whose nested graph it is in: "Loop 'l' body"
  const ResolvedStep* resolved = nullptr;
  How how = How::kernel;
  const Tactic* tactic = nullptr;                           // How::kernel
  std::string why;                                          // this kernel, or none
  std::vector<std::pair<std::string, std::string>> others;  // kernels not used, and why
  std::string output;                                       // "f32[1,56,56,64]"
  bool known = false;                                       // whether its shapes are: `cost` holds
  Estimate cost;                                            // of a nested graph: of one turn
  int strip = -1;  // the number of the chain of steps that it runs in
};

struct Account {
  MachineRates machine;
  std::map<std::string, Shape> assumed;  // inputs whose shape was open: what was taken
  std::string unknown;                   // not "": why nothing is known of shapes
  std::vector<StepAccount> steps;        // in order; those of nested graphs behind their owner
};

// shapes: by input, in place of what the engine leaves open, which else is 1. Errors: they contradict the engine.
Result<Account> account(const Engine&, const std::map<std::string, Shape>& shapes, int threads);

}  // namespace hone
