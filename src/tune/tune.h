// Gives the steps of an engine their tactics: by estimate, or by times measured here or kept in a record, and in
// any case such that errors stay within their limit (tune/exact.h).
#pragma once
#include <functional>

#include "runtime/engine.h"
#include "tune/record.h"

namespace hone {

struct TuneOptions {
  bool timed = false;              // use the times of `record` and of this run
  double seconds = 0;              // to measure what the record lacks, at most
  TimingRecord* record = nullptr;  // extended by what is measured; with `timed` never null
  bool explain = false;            // TuneReport::lines
  std::function<void(double fraction, const std::string& what)> progress;  // of the measuring
  std::function<bool()> cancelled;
};
struct TuneReport {
  std::vector<std::string> lines;  // which step got which tactic, why, and why no other
  std::vector<std::string> notes;  // for people in any case
};

// The engine itself, if it is fine as it is; else one with the tactics named in its generic plan where errors
// demand it, and, if timed, with a plan for this machine that names them all. Its constants are not packed.
Result<std::shared_ptr<const Engine>> tune(std::shared_ptr<const Engine>, const TuneOptions&, TuneReport&);

}  // namespace hone
