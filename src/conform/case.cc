#include "conform/case.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>

#include "base/mapped_file.h"
#include "build/build.h"
#include "conform/compare.h"
#include "engine/read.h"
#include "engine/validate.h"
#include "engine/write.h"
#include "import/import.h"
#include "ir/eval.h"
#include "runtime/session.h"
#include "tune/tune.h"

namespace hone::conform {
namespace {

namespace fs = std::filesystem;

constexpr double transform_noise = 1e-6;

// What a case says of its model before it is built.
struct Signature {
  struct Port {
    std::string name;
    ValueType type;
  };
  std::vector<Port> inputs, outputs;
  bool transform = false;  // has a Fourier transform
};

Signature signature(const ir::Graph& graph) {
  Signature s;
  for (const ir::Value* v : graph.inputs()) s.inputs.push_back({v->name, v->type});
  for (const ir::Value* v : graph.outputs()) s.outputs.push_back({v->name, v->type});
  for (const ir::Node* n : graph.nodes()) {
    const std::string_view op = n->op->name;
    s.transform = s.transform || op == "DFT" || op == "STFT";
  }
  return s;
}

// Old releases have bf16 as the integers of its bits.
Value adopted(Value v, const ValueType& type) {
  if (v.kind == Value::Kind::tensor && type.kind == Value::Kind::tensor && type.dtype == DType::bf16 &&
      v.tensor.dtype() == DType::u16)
    v.tensor = Tensor::view(v.tensor.owner(), v.tensor.bytes(), DType::bf16, v.tensor.shape());
  return v;
}

Result<Value> read_value(const fs::path& path, const ValueType& type) {
  const auto read = [&]() -> Result<Value> {
    // A tensor without elements or name may be a file without bytes.
    std::error_code ignored;
    if (fs::file_size(path, ignored) == 0 && !ignored) return read_onnx_value({}, type.kind);
    HONE_TRY(const auto file, MappedFile::open(path.string()));
    return read_onnx_value({file->bytes(), file}, type.kind);
  };
  auto value = read();
  if (!value) return in(path.filename().string(), value.take_error());
  return adopted(*std::move(value), type);
}

using Execute = std::function<Result<std::vector<Value>>(std::span<const Value>)>;

// As a model becomes an engine for a user, by way of the file's bytes.
Result<Execute> engine_executor(std::shared_ptr<ir::Graph> graph, const CaseOptions& options) {
  BuildOptions build;
  build.optimise = options.optimise;
  HONE_TRY(EngineData built, build_engine(std::move(graph), build));
  HONE_CHECK(validate(built));
  HONE_TRY(auto engine, Engine::load(std::move(built)));
  TuneReport report;
  HONE_TRY(engine, tune(std::move(engine), TuneOptions(), report));
  HONE_TRY(std::vector<std::byte> bytes, engine_bytes(engine->data()));
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  HONE_TRY(EngineData read, read_engine_bytes(owner, *owner));
  HONE_TRY(engine, Engine::load(std::move(read)));
  HONE_TRY(auto made, Session::create(std::move(engine), {.threads = options.threads}));
  std::shared_ptr<Session> session = std::move(made);
  return Execute([session](std::span<const Value> inputs) -> Result<std::vector<Value>> {
    HONE_CHECK(session->run(inputs));
    std::vector<Value> out;
    for (size_t i = 0; i < session->outputs(); i++) out.push_back(session->output(i));
    return out;
  });
}

Result<Execute> executor(std::shared_ptr<ir::Graph> graph, const CaseOptions& options) {
  if (!options.reference) return engine_executor(std::move(graph), options);
  return Execute([graph](std::span<const Value> inputs) { return ir::evaluate(*graph, inputs); });
}

// Empty, or why the data set did not pass.
std::string run_set(const Signature& model, const Execute& execute, const fs::path& folder) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < model.inputs.size(); i++) {
    const auto& [name, type] = model.inputs[i];
    const fs::path path = folder / strf("input_%zu.pb", i);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
      if (type.kind != Value::Kind::optional)
        return "there is no " + path.filename().string() + " for input '" + name + "'";
      Value absent;
      absent.kind = Value::Kind::optional;
      inputs.push_back(absent);
      continue;
    }
    auto value = read_value(path, type);
    if (!value) return value.error().message;
    inputs.push_back(*std::move(value));
  }
  auto got = execute(inputs);
  if (!got) return "run: " + got.error().message;
  for (size_t i = 0; i < model.outputs.size(); i++) {
    const std::string& name = model.outputs[i].name;
    const fs::path path = folder / strf("output_%zu.pb", i);
    std::error_code ignored;
    if (!fs::exists(path, ignored))
      return "there is no " + path.filename().string() + " for output '" + name + "'";
    auto want = read_value(path, type_of((*got)[i]));
    if (!want) return want.error().message;
    const std::string words = difference((*got)[i], *want, model.transform ? transform_noise : 0);
    if (!words.empty()) return "output '" + name + "' " + words;
  }
  std::error_code ignored;
  if (const std::string more = strf("output_%zu.pb", model.outputs.size());
      fs::exists(folder / more, ignored))
    return strf("there is an %s, but the model has %zu outputs", more.c_str(), model.outputs.size());
  return {};
}

// The folders test_data_set_N, by number.
std::vector<fs::path> data_sets(const std::string& folder) {
  constexpr std::string_view prefix = "test_data_set_";
  std::vector<std::pair<long, fs::path>> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (!name.starts_with(prefix) || !it->is_directory(ignored)) continue;
    long number = 0;
    const char* stop = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + prefix.size(), stop, number);
    if (parsed.ec == std::errc() && parsed.ptr == stop) found.emplace_back(number, it->path());
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> list;
  for (auto& [number, path] : found) list.push_back(std::move(path));
  return list;
}

}  // namespace

CaseResult run_case(const std::string& folder, const CaseOptions& options) {
  const auto failed = [](std::string reason) { return CaseResult{Outcome::failed, std::move(reason)}; };
  const std::vector<fs::path> sets = data_sets(folder);
  const std::string path = folder + "/model.onnx";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return failed("there is no model.onnx");
  auto graph = import_model(path);
  if (!graph) {
    Error e = graph.take_error();
    if (const std::string known = "'" + path + "': "; e.message.starts_with(known))
      e.message.erase(0, known.size());
    return failed("import: " + e.message);
  }
  if (sets.empty()) return {Outcome::skipped, "there is no folder test_data_set_N"};
  const Signature model = signature(**graph);
  auto execute = executor(*std::move(graph), options);
  if (!execute) return failed("build: " + execute.error().message);
  for (const fs::path& set : sets)
    if (std::string reason = run_set(model, *execute, set); !reason.empty()) {
      if (sets.size() > 1) reason.insert(0, set.filename().string() + ": ");
      return failed(std::move(reason));
    }
  return {Outcome::passed, {}};
}

}  // namespace hone::conform
