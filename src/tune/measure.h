// How long tactics take on a problem: each is run in turn, its weights as cold as they are in a whole network and
// its input as warm, the least time of each counts, and those far behind are left out of further rounds.
#pragma once
#include <chrono>
#include <functional>

#include "tune/choice.h"

namespace hone {

class Stopwatch {
 public:
  // between_runs: bytes that a network reads between two runs of one step, its weights mostly. They are read
  // before each run.
  Stopwatch(int threads, int64_t between_runs);

  // Microseconds of each. Empty: `end` came before there was an answer. Asked between runs, `cancelled` stops it
  // too.
  Result<std::vector<double>> time(const StepProblem&, std::span<const Candidate* const>,
                                   std::chrono::steady_clock::time_point end,
                                   const std::function<bool()>& cancelled);

 private:
  void cool();
  int threads_;
  ThreadPool pool_;
  std::vector<uint64_t> other_;
  uint64_t sum_ = 0;
};

}  // namespace hone
