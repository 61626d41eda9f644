// The task of an engine that does not carry one, where its graph leaves no doubt: from the shapes of inputs
// and outputs and the operators behind them. What is not certain is not guessed.
#pragma once
#include <string>
#include <vector>

#include "vision/task.h"

namespace hone::vision {

struct PortInfo {
  std::string name;
  DType type = DType::none;
  bool ranked = false;
  std::vector<int64_t> dims;  // -1: any
  std::string made_by;  // operator that makes an output ("Softmax"), behind those that only rearrange it
};
struct EngineInfo {
  std::vector<PortInfo> inputs, outputs;
  std::vector<std::string> operators;  // names, each once
};

struct Guess {
  Task task;
  std::vector<std::string> reasons;  // a line for each thing concluded: "output 'output' is 1x3549x85: ..."
  std::vector<std::string> open;  // what the graph cannot say and was taken as usual: "mean and scale: ..."
};
// Errors: nothing is certain; the message says what was looked at and how to name a task.
Result<Guess> guess_task(const EngineInfo&);

// Fills what the task leaves open from the engine (size, layout, type), and refuses a task that cannot be the
// engine's: wrong number of channels, an output that does not exist, more labels than classes.
Status complete_task(Task&, const EngineInfo&);

}  // namespace hone::vision
