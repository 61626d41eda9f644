// One of ONNX's backend test cases: a folder with model.onnx and folders test_data_set_N, each with the
// inputs and the outputs expected, input_K.pb and output_K.pb. The model is built and run as a user's is (or
// on the reference executor), and what comes out is compared (compare.h).
//
// Three allowances beyond ONNX's tolerances: what is within 1e-6 of the tensor's largest value passes in
// models with a Fourier transform, whose zeros are rounding noise; and of old releases, tensors of bf16 may be
// stored as u16, and inputs with another rank than the model declares, which is then built for the stored shape.
//
// Files are untrusted: whatever they hold, the answer is a result. A crash or an endless loop of a kernel is
// the caller's: `hone conform` gives each case a process of its own.
#pragma once
#include <string>

namespace hone::conform {

enum class Outcome { passed, failed, skipped };

struct CaseResult {
  Outcome outcome = Outcome::failed;
  std::string reason;  // of what did not pass: one line
};

struct CaseOptions {
  bool optimise = true;
  bool reference = false;  // no engine: the graph as imported, by its operators' references
  int threads = 0;         // of the session; 0: as SessionOptions has it
};

CaseResult run_case(const std::string& folder, const CaseOptions& = {});

}  // namespace hone::conform
