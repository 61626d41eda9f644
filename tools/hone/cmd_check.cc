#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/json.h"
#include "base/npy.h"
#include "compare.h"
#include "tool.h"

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;
using hone::Json;
using hone::Tensor;

// in0.npy, in1.npy, ... as far as they go.
hone::Result<std::vector<Tensor>> numbered(const fs::path& folder, const char* stem) {
  std::vector<Tensor> list;
  for (size_t i = 0;; i++) {
    const fs::path file = folder / (stem + std::to_string(i) + ".npy");
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return list;
    HONE_TRY(list.emplace_back(), hone::read_npy(file.string()));
  }
}

hone::Result<hone::api::Session> ran(const hone::api::Engine& engine, const std::vector<Tensor>& inputs,
                                     const Args& args, bool keep) {
  hone::api::SessionOptions options;
  options.threads = static_cast<int>(args.whole("--threads", 0));
  options.keep_values = keep;
  options.cancelled = interrupted;
  HONE_TRY(auto session, lift(engine.session(options)));
  for (size_t i = 0; i < inputs.size(); i++) HONE_CHECK(bind(session, i, inputs[i]));
  HONE_CHECK(lift(session.run()));
  return session;
}

// The layout pass stores images channels last under the same name: back to channels first, if that gives
// `shape`.
Tensor channels_first(const Tensor& t, const hone::Shape& shape) {
  const int rank = t.shape().rank();
  if (rank < 3 || rank != shape.rank() || hone::dtype_bits(t.dtype()) < 8 || t.dtype() == hone::DType::string)
    return t;
  hone::Shape moved{t.shape()[0], t.shape().back()};
  for (size_t i = 1; i + 1 < t.shape().size(); i++) moved.push_back(t.shape()[i]);
  if (moved != shape) return t;
  auto out = Tensor::allocate(t.dtype(), moved);
  if (!out) return t;
  const auto width = static_cast<size_t>(hone::dtype_bits(t.dtype()) / 8);
  const int64_t channels = moved[1], pixels = moved.product(2, rank);
  const auto* from = t.data<char>();
  auto* to = out->data<char>();
  for (int64_t n = 0; n < moved[0]; n++)
    for (int64_t c = 0; c < channels; c++)
      for (int64_t p = 0; p < pixels; p++)
        std::copy_n(from + static_cast<size_t>((n * pixels + p) * channels + c) * width, width,
                    to + static_cast<size_t>((n * channels + c) * pixels + p) * width);
  return *out;
}

// The first step of the reference, in its order, whose output has another value in the engine. Null: none was
// found among the values that both have.
hone::Result<Json> first_difference(const hone::api::Engine& engine, const hone::api::Engine& reference,
                                    const std::vector<Tensor>& inputs, const Args& args, double limit) {
  HONE_TRY(auto a, ran(engine, inputs, args, true));
  HONE_TRY(auto b, ran(reference, inputs, args, true));
  HONE_TRY(const std::string text, lift(reference.describe()));
  HONE_TRY(const Json steps, Json::parse(text));
  for (const Json& step : steps["steps"].items())
    for (const Json& out : step["outputs"].items()) {
      const std::string& name = out["name"].string();
      if (out.is_null() || name.empty()) continue;
      auto va = a.value(name), vb = b.value(name);
      // What the optimiser makes anew it names after the node it stands for.
      if (!va && step["outputs"].items().size() == 1) va = a.value(step["name"].string());
      if (!va || !vb) continue;  // fused away, or no tensor
      HONE_TRY(const Tensor expected, tensor_of(*vb));
      HONE_TRY(Tensor got, tensor_of(*va));
      Difference d = compare(got, expected);
      // A square image fits both ways round: the nearer one is meant.
      const Tensor moved = channels_first(got, expected.shape());
      if (const Difference other = compare(moved, expected);
          other.mismatch.empty() && (!d.mismatch.empty() || other.relative < d.relative))
        d = other;
      if (!d.mismatch.empty() || d.relative <= limit)
        continue;  // another shape: a rewritten graph uses the name otherwise
      Json j = Json::object();
      return j.set("layer", step["name"])
          .set("op", step["op"])
          .set("value", name)
          .set("relative_error", d.relative)
          .set("max_abs_error", d.max_abs);
    }
  return Json();
}

hone::Result<int> run(const Args& args) {
  const std::string& path = args.positional(0);
  const std::string against = args.text("--against");
  const double limit = args.real("--limit", 1e-4);
  HONE_TRY(const Loaded loaded, load(path, args));
  const auto infos = loaded.engine.inputs(), outputs = loaded.engine.outputs();

  std::vector<Tensor> inputs, expected;
  std::unique_ptr<hone::api::Engine> reference;
  std::error_code ignored;
  if (fs::is_directory(against, ignored)) {
    HONE_TRY(inputs, numbered(against, "in"));
    HONE_TRY(expected, numbered(against, "out"));
    if (inputs.size() != infos.size())
      return error(Code::not_found, "%s: has %zu files in0.npy, in1.npy, ...; the engine has %zu inputs",
                   against.c_str(), inputs.size(), infos.size());
    if (expected.empty() || expected.size() > outputs.size())
      return error(Code::not_found, "%s: has %zu files out0.npy, out1.npy, ...; the engine has %zu outputs",
                   against.c_str(), expected.size(), outputs.size());
    for (size_t i = 0; i < inputs.size(); i++) {
      auto t = as_type(inputs[i], static_cast<hone::DType>(infos[i].dtype));
      if (!t)
        return hone::in(hone::strf("%s/in%zu.npy: input '%s'", against.c_str(), i, infos[i].name.c_str()),
                        t.take_error());
      inputs[i] = *t;
    }
    if (loaded.built) {
      HONE_TRY(auto plain, build(path, args, true));
      reference = std::make_unique<hone::api::Engine>(std::move(plain));
    }
  } else {
    HONE_TRY(const bool is_engine, lift(hone::api::Engine::probe(against)));
    if (is_engine) {
      HONE_TRY(auto other, lift(hone::api::Engine::load(against)));
      reference = std::make_unique<hone::api::Engine>(std::move(other));
    } else {
      HONE_TRY(auto plain, build(against, args, true));
      reference = std::make_unique<hone::api::Engine>(std::move(plain));
    }
    HONE_CHECK(check_shape_names(infos, args));
    for (size_t i = 0; i < infos.size(); i++) {
      HONE_TRY(const auto dims, run_shape(infos[i], args));
      HONE_TRY(inputs.emplace_back(),
               random_input(infos[i], dims, static_cast<uint64_t>(args.whole("--seed", 1)) * 1000 + i));
    }
    HONE_TRY(auto session, ran(*reference, inputs, args, false));
    for (size_t i = 0; i < reference->outputs().size(); i++) {
      HONE_TRY(const auto view, lift(session.output(i)));
      auto t = tensor_of(view);
      if (!t) return hone::in("output '" + reference->outputs()[i].name + "'", t.take_error());
      expected.push_back(*t);
    }
    if (expected.size() != outputs.size())
      return error(Code::invalid_argument, "%s has %zu outputs, %s has %zu: they are not the same model",
                   path.c_str(), outputs.size(), against.c_str(), expected.size());
  }

  HONE_TRY(auto session, ran(loaded.engine, inputs, args, false));
  Json list = Json::array();
  double worst = 0;
  bool passed = true;
  for (size_t i = 0; i < expected.size(); i++) {
    HONE_TRY(const auto view, lift(session.output(i)));
    auto got = tensor_of(view);
    if (!got) return hone::in("output '" + outputs[i].name + "'", got.take_error());
    const Difference d = compare(*got, expected[i]);
    const bool good = d.mismatch.empty() && d.relative <= limit;
    passed = passed && good;
    worst = std::max(worst, d.relative);
    Json j = Json::object();
    j.set("name", outputs[i].name)
        .set("passed", good)
        .set("relative_error", d.relative)
        .set("max_abs_error", d.max_abs);
    if (!d.mismatch.empty()) j.set("mismatch", d.mismatch);
    list.push(j);
    if (args.has("--json")) continue;
    if (!d.mismatch.empty()) std::printf("%s: %s\n", outputs[i].name.c_str(), d.mismatch.c_str());
    else if (d.worst < 0) std::printf("%s: equal\n", outputs[i].name.c_str());
    else
      std::printf(
          "%s: %s  greatest error %.3g (%.3g of the largest magnitude), at element %lld: %g, expected %g\n",
          outputs[i].name.c_str(), good ? "good" : "BAD", d.max_abs, d.relative,
          static_cast<long long>(d.worst), d.got, d.expected);
  }
  Json difference;
  if (!passed && reference) {
    HONE_TRY(difference, first_difference(loaded.engine, *reference, inputs, args, limit));
  }
  if (args.has("--json")) {
    Json j = Json::object();
    j.set("passed", passed)
        .set("limit", limit)
        .set("relative_error", worst)
        .set("outputs", list)
        .set("first_difference", difference);
    std::printf("%s\n", j.str().c_str());
  } else if (passed) {
    std::printf("all %zu outputs within %g of the largest magnitude\n", expected.size(), limit);
  } else if (!difference.is_null()) {
    std::printf("the first layer that differs: %s '%s' (value '%s', error %.3g of the largest magnitude)\n",
                difference["op"].string().c_str(), difference["layer"].string().c_str(),
                difference["value"].string().c_str(), difference["relative_error"].number());
  } else if (!reference) {
    std::printf("to find the first layer that differs, give the model: --against MODEL\n");
  } else {
    std::printf("no layer differs from the model run without optimisation\n");
  }
  if (!passed) std::fprintf(stderr, "hone check: the limit %g is not met\n", limit);
  return passed ? 0 : 3;
}
}  // namespace

extern const Command command_check;
const Command command_check{"check",
                            "ENGINE|MODEL --against MODEL|ENGINE|DIR [options]",
                            "Compares outputs: with those of a model run without optimisation, or of another "
                            "engine, on random inputs; or with a folder\n"
                            "of in0.npy, in1.npy, ... and out0.npy, ... The error of an output is its "
                            "greatest difference, divided by the largest\n"
                            "magnitude expected. Beyond the limit the exit code is 3, and the first layer "
                            "that differs is named where a model is known.",
                            {"ENGINE"},
                            with_build_options({{.name = "--against",
                                                 .kind = Option::text,
                                                 .value = "MODEL|DIR",
                                                 .help = "what to compare with",
                                                 .required = true},
                                                {.name = "--limit",
                                                 .kind = Option::real,
                                                 .value = "X",
                                                 .help = "greatest error allowed (default 1e-4)",
                                                 .least = 0,
                                                 .most = 1e9},
                                                {.name = "--seed",
                                                 .kind = Option::whole,
                                                 .value = "N",
                                                 .help = "of the random inputs (default 1)",
                                                 .least = 0,
                                                 .most = 1e9},
                                                threads_option,
                                                json_option}),
                            "hone check net.hone --against net.onnx\n"
                            "hone check net.onnx --against stored --limit 1e-3",
                            run};

}  // namespace cli
