// What the commands share: engines from files or models, tensors from files or at random, progress, and
// printing.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "args.h"
#include "base/result.h"
#include "base/tensor.h"
#include "hone/hone.hpp"
#include "vision/lift.h"

namespace cli {

using Clock = std::chrono::steady_clock;
inline double ms_since(Clock::time_point t) {
  return std::chrono::duration<double, std::milli>(Clock::now() - t).count();
}

// Options of everything that may build: --precision, --shape, --opt, --disable, --dump-after, --explain.
std::vector<Option> with_build_options(std::vector<Option>);
extern const Option threads_option, memory_option, json_option, plugin_option;

struct Loaded {
  hone::api::Engine engine;
  bool built = false;  // from a model; false: it was an engine file
  double ms = 0;       // loading, or building
};
// An engine file, or a model, which is built in memory with the options given. Options that only make sense
// for building are refused for an engine file.
hone::Result<Loaded> load(const std::string& path, const Args&);
// Builds a model; `plain`: without optimisation. Target: hone.h.
hone::Result<hone::api::Engine> build(const std::string& path, const Args&, bool plain = false,
                                      const std::string& target = "generic");
hone::Result<hone::api::Explanation> explain(const std::string& path, const Args&);

// The shape to run input i with: what the engine fixes; elsewhere --shape, or 1. Errors: --shape contradicts
// the engine.
hone::Result<std::vector<int64_t>> run_shape(const hone::api::ValueInfo&, const Args&);
// --shape must name inputs.
hone::Status check_shape_names(const std::vector<hone::api::ValueInfo>& inputs, const Args&);
// Random values that depend on the seed and the input's position alone: floats in [-1, 1), integers 0 or 1.
hone::Result<hone::Tensor> random_input(const hone::api::ValueInfo&, const std::vector<int64_t>& dims,
                                        uint64_t seed);
// A tensor of type `want` from one that an .npy file can hold: exact for the types that NumPy lacks; else the
// type must be right.
hone::Result<hone::Tensor> as_type(const hone::Tensor&, hone::DType want);

// Binds; strings included. The tensor must outlive the run.
hone::Status bind(hone::api::Session&, size_t input, const hone::Tensor&);
// A copy of what the session gives, as a tensor.
hone::Result<hone::Tensor> tensor_of(const hone::api::TensorView&);

std::string shape_text(const std::vector<int64_t>& dims,
                       const std::vector<std::string>& names = {});  // "1x3x?"
std::string info_text(const hone::api::ValueInfo&);                  // "f32 1x3x224x224"
std::string bytes_text(double bytes);                                // "13.4 MB"

// Ctrl-C was pressed. The second time ends the program.
bool interrupted();
void catch_interrupt();

// A bar with the time left on standard error, if that is a terminal and the work takes more than two seconds.
class Progress {
 public:
  void update(double fraction, const char* what);
  void clear();  // to print something else; the next update shows it again
  ~Progress() { clear(); }

 private:
  Clock::time_point start_ = Clock::now(), shown_ = start_;
  bool visible_ = false;
};

}  // namespace cli
