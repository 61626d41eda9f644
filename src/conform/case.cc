#include "conform/case.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <map>

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

// A model ready to run.
struct Prepared {
  Signature model;
  Execute execute;
};
using Shapes = std::map<std::string, Shape>;

// `shapes`: of inputs, in place of those that the model declares. Errors begin with what failed.
Result<Prepared> prepare(const std::string& path, const Shapes& shapes, const CaseOptions& options) {
  auto graph = import_model(path, {.shapes = shapes, .other_ranks = true});
  if (!graph) {
    Error e = graph.take_error();
    if (const std::string known = "'" + path + "': "; e.message.starts_with(known))
      e.message.erase(0, known.size());
    return in("import", std::move(e));
  }
  Signature model = signature(**graph);
  auto execute = executor(*std::move(graph), options);
  if (!execute) return in("build", execute.take_error());
  return Prepared{std::move(model), *std::move(execute)};
}

Result<std::vector<Value>> read_inputs(const Signature& model, const fs::path& folder) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < model.inputs.size(); i++) {
    const auto& [name, type] = model.inputs[i];
    const fs::path path = folder / strf("input_%zu.pb", i);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
      if (type.kind != Value::Kind::optional)
        return error(Code::not_found, "there is no %s for input '%s'", path.filename().c_str(), name.c_str());
      inputs.emplace_back().kind = Value::Kind::optional;
      continue;
    }
    HONE_TRY(inputs.emplace_back(), read_value(path, type));
  }
  return inputs;
}

// Of inputs that are stored with another rank than the model declares.
Shapes other_ranks(const Signature& model, std::span<const Value> inputs) {
  Shapes shapes;
  for (size_t i = 0; i < inputs.size(); i++) {
    const auto& [name, type] = model.inputs[i];
    const Value& v = inputs[i];
    if (type.kind == Value::Kind::tensor && type.shape.ranked() && v.kind == Value::Kind::tensor &&
        v.tensor.shape().rank() != type.shape.rank())
      shapes[name] = v.tensor.shape();
  }
  return shapes;
}

// Errors: why the data set did not pass.
Status run_set(const Prepared& prepared, const std::string& path, const CaseOptions& options,
               const fs::path& folder) {
  HONE_TRY(const std::vector<Value> inputs, read_inputs(prepared.model, folder));
  Execute execute = prepared.execute;
  if (const Shapes shapes = other_ranks(prepared.model, inputs); !shapes.empty()) {
    HONE_TRY(Prepared other, prepare(path, shapes, options));
    execute = std::move(other.execute);
  }
  auto got = execute(inputs);
  if (!got) return in("run", got.take_error());
  const auto& outputs = prepared.model.outputs;
  const double noise = prepared.model.transform ? transform_noise : 0;
  for (size_t i = 0; i < outputs.size(); i++) {
    const char* name = outputs[i].name.c_str();
    const fs::path file = folder / strf("output_%zu.pb", i);
    std::error_code ignored;
    if (!fs::exists(file, ignored))
      return error(Code::not_found, "there is no %s for output '%s'", file.filename().c_str(), name);
    HONE_TRY(const Value want, read_value(file, type_of((*got)[i])));
    const std::string words = difference((*got)[i], want, noise);
    if (!words.empty()) return error(Code::invalid_argument, "output '%s' %s", name, words.c_str());
  }
  const std::string more = strf("output_%zu.pb", outputs.size());
  if (std::error_code ignored; fs::exists(folder / more, ignored))
    return error(Code::invalid_argument, "there is an %s, but the model has %zu outputs", more.c_str(),
                 outputs.size());
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
  auto prepared = prepare(path, {}, options);
  if (!prepared) return failed(prepared.error().message);
  if (sets.empty()) return {Outcome::skipped, "there is no folder test_data_set_N"};
  for (const fs::path& set : sets)
    if (const Status passed = run_set(*prepared, path, options, set); !passed)
      return failed((sets.size() > 1 ? set.filename().string() + ": " : "") + passed.error().message);
  return {Outcome::passed, {}};
}

}  // namespace hone::conform
