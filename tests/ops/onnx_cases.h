// ONNX's backend test cases: folders with a model.onnx and test_data_set_N/{input,output}_N.pb. A case is
// imported, run on the reference executor or through an engine file, and compared with ONNX's own tolerances:
// shape and type exact; floats |got - want| <= 1e-7 + 1e-3 |want|, f16 and bf16 1e-3 + 1e-2 |want|, NaN
// equals NaN; everything else exact.
#pragma once
#include <string>
#include <vector>

#include "base/tensor.h"

namespace hone {

struct CaseResult {
  enum Kind : char { passed, failed, skipped } kind = failed;
  std::string reason;  // one line: where it failed, or why it was skipped
};

struct Case {
  std::string name;  // "node/test_abs": the last two parts of its path
  std::string folder;
};

// Every case below a folder (or the folder itself), sorted by name.
std::vector<Case> find_cases(const std::string& folder);
// What runs a case: the reference executor, or a session of an engine (written and read back) built without
// the optimiser or with it.
enum class Through : char { reference, plain_engine, engine };

// In this process: a crash or an endless loop of an operator is the caller's.
CaseResult run_case(const std::string& folder, Through through = Through::reference);
// In a process of its own each, `jobs` at a time, at most `seconds` each. Results in the order of the cases.
std::vector<CaseResult> run_cases(const std::vector<Case>&, int jobs, int seconds,
                                  Through through = Through::reference);

// Empty if `got` is close enough to `want`, else the first difference. `noise`: what absolute difference is
// rounding noise, as a part of the greatest magnitude in `want`.
std::string first_difference(const Value& got, const Value& want, double noise = 0);

}  // namespace hone
