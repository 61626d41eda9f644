#include "vision/pipeline.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <utility>

#include "base/json.h"
#include "vision/lift.h"

namespace hone::vision {
namespace {
using Clock = std::chrono::steady_clock;
double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

PortInfo port(const Json& j) {
  PortInfo p;
  p.name = j["name"].string();
  p.type = dtype_from_name(j["dtype"].string());
  p.ranked = j["shape"].kind() == Json::Kind::array;
  for (const Json& d : j["shape"].items())
    p.dims.push_back(d.kind() == Json::Kind::number ? d.integer() : -1);
  return p;
}

// Steps that only arrange anew what another made.
bool rearranges(const std::string& op) {
  static constexpr const char* names[] = {"Identity",  "Reshape",   "Flatten", "Squeeze",
                                          "Unsqueeze", "Transpose", "Cast"};
  return std::any_of(std::begin(names), std::end(names), [&](const char* n) { return op == n; });
}

// The values of the steps by name: which operator made it, and of what.
struct Maker {
  std::string op, first_input;
};
std::string made_by(const std::map<std::string, Maker>& makers, std::string value) {
  for (size_t hops = 0; hops <= makers.size(); hops++) {
    const auto it = makers.find(value);
    if (it == makers.end()) return "";
    if (!rearranges(it->second.op) || !makers.count(it->second.first_input)) return it->second.op;
    value = it->second.first_input;
  }
  return "";
}
}  // namespace

Result<EngineInfo> info_of(const api::Engine& engine) {
  HONE_TRY(const std::string text, lift(engine.describe()));
  HONE_TRY(const Json j, Json::parse(text));
  std::map<std::string, Maker> makers;
  for (const Json& step : j["steps"].items()) {
    const auto& inputs = step["inputs"].items();
    for (const Json& out : step["outputs"].items())
      if (!out.is_null())
        makers[out["name"].string()] = {step["op"].string(),
                                        inputs.empty() ? "" : inputs[0]["name"].string()};
  }
  EngineInfo info;
  for (const Json& v : j["inputs"].items()) info.inputs.push_back(port(v));
  for (const Json& v : j["outputs"].items()) {
    info.outputs.push_back(port(v));
    info.outputs.back().made_by = made_by(makers, info.outputs.back().name);
  }
  info.operators = j["operators"].keys();
  return info;
}

Result<Task> task_of(const api::Engine& engine) {
  const std::string_view text = engine.meta_bytes("task");
  if (text.empty())
    return error(
        Code::not_found,
        "the engine does not say what its pictures and outputs are: give a task with --task FILE.toml "
        "or --preset NAME, here or to `hone build`");
  auto task = parse_task(text);
  if (!task) return in("the task in the engine", task.take_error());
  return task;
}

struct Pipeline::Impl {
  Task task;
  const Decoder* decoder = nullptr;  // null: raw
  api::Session session;
  std::vector<std::string> output_names;
  Preprocessor preprocessor;
  Tensor input;

  Status bind(const void* bytes) {
    return lift(session.set(0, {static_cast<hone_dtype>(input.dtype()), input.shape().dims(), bytes,
                                static_cast<size_t>(input.byte_size())}));
  }
  Result<std::vector<Output>> network() {
    HONE_CHECK(lift(session.run()));
    std::vector<Output> outputs;
    for (size_t i = 0; i < output_names.size(); i++) {
      HONE_TRY(const api::TensorView v, lift(session.output(i)));
      if (v.kind() != HONE_TENSOR || v.dtype() == HONE_STRING)
        return error(Code::unsupported, "output '%s' is no tensor of numbers", output_names[i].c_str());
      outputs.push_back(
          {output_names[i], {static_cast<DType>(v.dtype()), Shape(v.dims()), const_cast<void*>(v.data())}});
    }
    return outputs;
  }
  Result<Results> answer(const Placement&, Results timed);
};

namespace {
void undo(const Placement& p, Results& results) {
  auto x = [&](float v) { return static_cast<float>(p.picture_x(v)); };
  auto y = [&](float v) { return static_cast<float>(p.picture_y(v)); };
  const auto width = static_cast<float>(p.width), height = static_cast<float>(p.height);
  std::vector<Detection> kept;
  for (Detection& d : results.detections) {
    const Box on = {x(d.box.x0), y(d.box.y0), x(d.box.x1), y(d.box.y1)};
    d.box = {std::clamp(on.x0, 0.0f, width), std::clamp(on.y0, 0.0f, height), std::clamp(on.x1, 0.0f, width),
             std::clamp(on.y1, 0.0f, height)};
    for (Keypoint& k : d.keypoints) k = {x(k.x), y(k.y), k.score};
    // What lies on the padding alone is no answer about the picture.
    const bool outside = on.x1 <= 0 || on.y1 <= 0 || on.x0 >= width || on.y0 >= height;
    if (!outside || !d.keypoints.empty()) kept.push_back(std::move(d));
  }
  results.detections = std::move(kept);
}

// Where the elements of one axis of the map, of `size` over an input of `side` pixels, come from that show
// the picture: pixels [from, to) of the input. Whole elements where the edges fall between two, else one
// element per pixel of the input, which is as exact: its pixels lie within one element of the map.
std::vector<int> picture_part(int size, int side, int from, int to) {
  const int64_t n = size, s = side;
  const bool whole = from * n % s == 0 && to * n % s == 0;
  const auto count = static_cast<size_t>(whole ? (to - from) * n / s : to - from);
  const int64_t first = from * n / s;
  std::vector<int> at(count);
  for (size_t i = 0; i < count; i++) {
    const auto k = static_cast<int64_t>(i);
    at[i] = static_cast<int>(whole ? first + k : (2 * (from + k) + 1) * n / (2 * s));
  }
  return at;
}

Segmentation cut(const Placement& p, const Segmentation& map) {
  const std::vector<int> xs = picture_part(map.width, p.input_width, p.x0, p.x1);
  const std::vector<int> ys = picture_part(map.height, p.input_height, p.y0, p.y1);
  Segmentation out{static_cast<int>(xs.size()), static_cast<int>(ys.size()), {}};
  out.labels.reserve(xs.size() * ys.size());
  for (int y : ys)
    for (int x : xs)
      out.labels.push_back(
          map.labels[static_cast<size_t>(y) * static_cast<size_t>(map.width) + static_cast<size_t>(x)]);
  return out;
}
}  // namespace

Result<Results> Pipeline::Impl::answer(const Placement& placement, Results results) {
  const auto start = Clock::now();
  HONE_TRY(const auto outputs, network());
  const auto ran = Clock::now();
  if (decoder) {
    const DecodeContext context{task.head, task.input.width, task.input.height,
                                static_cast<int>(task.labels.size())};
    HONE_CHECK(decoder->decode(context, outputs, results));
    undo(placement, results);
    if (results.segmentation.width > 0) results.segmentation = cut(placement, results.segmentation);
  }
  results.picture_width = placement.width;
  results.picture_height = placement.height;
  results.network_ms = ms_between(start, ran);
  results.decode_ms = ms_between(ran, Clock::now());
  return results;
}

Result<Pipeline> Pipeline::make(const api::Engine& engine, Task task, const PipelineOptions& options) {
  HONE_TRY(const EngineInfo info, info_of(engine));
  HONE_CHECK(complete_task(task, info));
  if (info.inputs.size() != 1)
    return error(Code::unsupported, "the engine has %zu inputs: pictures go to engines with one",
                 info.inputs.size());
  if (task.input.width < 1 || task.input.height < 1)
    return error(
        Code::invalid_argument,
        "input '%s' takes pictures of any size: choose one in the task, [input] size = [width, height]",
        info.inputs[0].name.c_str());
  // The picture outside of the crop would have no class.
  if (task.kind == TaskKind::segment && task.input.fit == Fit::crop)
    return error(Code::unsupported,
                 "fit = \"crop\" hides parts of the picture from a network that segments it: take stretch or "
                 "letterbox");
  const Decoder* decoder = nullptr;
  if (task.kind != TaskKind::raw) { HONE_TRY(decoder, find_decoder(task.head.decoder)); }
  api::SessionOptions session_options;
  session_options.threads = options.threads;
  HONE_TRY(api::Session session, lift(engine.session(session_options)));
  const int threads = session.threads();
  HONE_TRY(Preprocessor preprocessor,
           Preprocessor::make(task.input, threads > 1 ? std::make_shared<ThreadPool>(threads) : nullptr));
  HONE_TRY(Tensor input, Tensor::allocate(task.input.type, preprocessor.output_shape()));
  std::vector<std::string> names;
  for (const PortInfo& o : info.outputs) names.push_back(o.name);
  auto impl = std::unique_ptr<Impl>(new Impl{std::move(task), decoder, std::move(session), std::move(names),
                                             std::move(preprocessor), std::move(input)});
  HONE_CHECK(impl->bind(impl->input.bytes()));
  HONE_CHECK(lift(impl->session.prepare()));
  return Pipeline(std::move(impl));
}

Pipeline::Pipeline(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;
Pipeline::~Pipeline() = default;

const Task& Pipeline::task() const { return impl_->task; }
TensorView Pipeline::input() const { return impl_->input.view(); }

Result<Results> Pipeline::run(const ImageView& picture) {
  const auto start = Clock::now();
  HONE_TRY(const Placement placement, impl_->preprocessor.run(picture, impl_->input.bytes()));
  Results results;
  results.preprocess_ms = ms_between(start, Clock::now());
  return impl_->answer(placement, std::move(results));
}

Result<Results> Pipeline::run(const TensorView& input, const Placement& placement) {
  if (input.dtype != impl_->input.dtype() || input.shape != impl_->input.shape())
    return error(Code::invalid_argument, "the tensor is %s%s, the engine takes %s%s", dtype_name(input.dtype),
                 input.shape.str().c_str(), dtype_name(impl_->input.dtype()),
                 impl_->input.shape().str().c_str());
  HONE_CHECK(impl_->bind(input.bytes));
  auto results = impl_->answer(placement, {});
  HONE_CHECK(impl_->bind(impl_->input.bytes()));
  return results;
}

Result<std::vector<Output>> Pipeline::outputs(const ImageView& picture) {
  HONE_CHECK(impl_->preprocessor.run(picture, impl_->input.bytes()));
  return impl_->network();
}

std::vector<uint16_t> at_picture_size(const Segmentation& map, int picture_width, int picture_height) {
  std::vector<uint16_t> out;
  if (map.width < 1 || map.height < 1 || picture_width < 1 || picture_height < 1) return out;
  // The element below the pixel's centre: floor((x + 0.5) * width / picture_width).
  auto below = [](int64_t x, int64_t width, int64_t picture) { return (2 * x + 1) * width / (2 * picture); };
  std::vector<size_t> columns;
  for (int x = 0; x < picture_width; x++)
    columns.push_back(static_cast<size_t>(below(x, map.width, picture_width)));
  out.resize(static_cast<size_t>(picture_width) * static_cast<size_t>(picture_height));
  uint16_t* to = out.data();
  for (int y = 0; y < picture_height; y++) {
    const uint16_t* row = map.labels.data() + below(y, map.height, picture_height) * map.width;
    for (size_t x : columns) *to++ = row[x];
  }
  return out;
}

}  // namespace hone::vision
