// How long a step will take here, before it has run: from the arithmetic of its definition, the bytes it moves, and
// four figures of the machine that are measured in some milliseconds. Right to a factor of two or so: it tells what
// matters in a network, `hone bench` what it is.
#pragma once
#include "tune/choice.h"

namespace hone {

struct MachineRates {  // per microsecond, with all threads
  int threads = 1;
  double flops = 0;               // of a matrix product in cache
  double bytes = 0;               // copied, of maps that fit the second level of cache or just not
  double reference_flops = 0;     // of a reference's matrix product
  double reference_elements = 0;  // that a reference reads or makes
};
Result<MachineRates> measure_machine(Isa, int threads);

struct Estimate {
  double us = 0;
  double flops = 0;  // of its definition (ops/work.h)
  double bytes = 0;  // of all inputs and outputs
};
// tactic null: by the reference. Where the tactic estimates its cost (Tactic::cost, in multiply-adds), that is what
// counts, else the multiply-adds of the definition.
Estimate estimate(const MachineRates&, const StepProblem&, const Tactic* tactic);

}  // namespace hone
