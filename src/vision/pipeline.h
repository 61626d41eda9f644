// A picture in, answers out: preprocessing, network, decoder, and the way back to the picture's pixels.
// Works on any engine that carries a task, or is given one. One thread at a time; any number of pipelines may
// share an engine.
#pragma once
#include <memory>
#include <string>

#include "hone/hone.hpp"
#include "vision/decoder.h"
#include "vision/guess.h"
#include "vision/preprocess.h"
#include "vision/results.h"

namespace hone::vision {

// What guess_task and complete_task look at.
Result<EngineInfo> info_of(const api::Engine&);
// The task in the engine's meta. Errors: there is none (the message says how to give one), it is broken.
Result<Task> task_of(const api::Engine&);

struct PipelineOptions {
  int threads = 0;  // as hone_session_options
};

class Pipeline {
 public:
  // The task must fit the engine (complete_task). An input of dynamic size needs [input] size.
  static Result<Pipeline> make(const api::Engine&, Task, const PipelineOptions& = {});
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(Pipeline&&) noexcept;
  ~Pipeline();

  const Task& task() const;
  Result<Results> run(const ImageView&);
  // The same with an input tensor made elsewhere, of the type and shape of input(). `placement` says where in
  // it the picture lies (place(task().input, width, height)).
  Result<Results> run(const TensorView& input, const Placement& placement);
  // Without the decoder (for `raw` and tests). The outputs live until the next run.
  Result<std::vector<Output>> outputs(const ImageView&);
  // The input tensor that the last picture became.
  TensorView input() const;

 private:
  struct Impl;
  explicit Pipeline(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

// The class of every pixel of the picture, nearest decision; picture_height x picture_width.
std::vector<uint16_t> at_picture_size(const Segmentation&, int picture_width, int picture_height);

}  // namespace hone::vision
