#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "tool.h"
#ifdef HONE_VISION
#include "vision/pipeline.h"
#include "vision/tasks.h"
#endif

namespace cli {
namespace {
using hone::Json;

std::string shape_of(const Json& shape) {
  if (shape.kind() != Json::Kind::array) return "any shape";
  if (shape.items().empty()) return "scalar";
  std::string s;
  for (const Json& d : shape.items()) {
    if (!s.empty()) s += 'x';
    s += d.kind() == Json::Kind::number   ? std::to_string(d.integer())
         : d.kind() == Json::Kind::string ? d.string()
                                          : "?";
  }
  return s;
}
std::string type_of(const Json& v) {
  const std::string kind = v["kind"].string();
  return (kind.empty() ? "" : kind + " of ") + (v["dtype"].string().empty() ? "?" : v["dtype"].string()) +
         " " + shape_of(v["shape"]);
}

void print_values(const char* title, const Json& list) {
  std::printf("%s\n", title);
  for (const Json& v : list.items())
    std::printf("  %s: %s\n", v["name"].string().c_str(), type_of(v).c_str());
}

// Memory for the shapes that the engine or --shape fixes; null where they leave something open.
hone::Result<Json> memory_of(const hone::api::Engine& engine, const Args& args) {
  const auto infos = engine.inputs();
  HONE_CHECK(check_shape_names(infos, args));
  const auto given = args.shapes("--shape");
  for (const auto& i : infos)
    if (!given.count(i.name) &&
        (!i.ranked || std::any_of(i.dims.begin(), i.dims.end(), [](int64_t d) { return d < 0; })))
      return Json();
  hone::api::SessionOptions options;
  options.threads = static_cast<int>(args.whole("--threads", 0));
  HONE_TRY(auto session, lift(engine.session(options)));
  for (size_t i = 0; i < infos.size(); i++) {
    if (infos[i].kind != HONE_TENSOR) return Json();
    HONE_TRY(const auto dims, run_shape(infos[i], args));
    HONE_CHECK(lift(session.set(i, {infos[i].dtype, dims, nullptr, 0})));
  }
  HONE_CHECK(lift(session.prepare()));
  const hone_memory m = session.memory();
  Json j = Json::object();
  j.set("arena_bytes", m.arena_bytes)
      .set("tensors_bytes", m.tensors_bytes)
      .set("lower_bound_bytes", m.lower_bound_bytes);
  j.set("weights_bytes", m.weights_bytes)
      .set("packed_bytes", m.packed_bytes)
      .set("prepacked_bytes", m.prepacked_bytes);
  Json kernels = Json::array();
  double flops = 0;
  for (const hone_step& s : session.steps()) {
    kernels.push(
        Json::object().set("name", s.name).set("op", s.op).set("tactic", s.tactic).set("flops", s.flops));
    flops += s.flops;
  }
  return j.set("kernels", kernels).set("flops", flops);
}

#ifdef HONE_VISION
// The engine's task for people and as JSON; both empty if there is none.
std::pair<std::string, Json> task_in(const hone::api::Engine& engine) {
  if (engine.meta_bytes("task").empty()) return {};
  const auto task = hone::vision::task_of(engine);
  if (!task) return {"  " + task.error().message + "\n", {}};
  return {task_text(*task), task_json(*task)};
}
#else
std::pair<std::string, Json> task_in(const hone::api::Engine& engine) { return {engine.meta("task"), {}}; }
#endif

void print(const Json& j, const std::string& task, const Args& args) {
  std::printf("%s: %s", args.positional(0).c_str(), j["kind"].string().c_str());
  if (!j["name"].string().empty()) std::printf(" '%s'", j["name"].string().c_str());
  std::printf(", %s\n", bytes_text(j["bytes"].number()).c_str());
  print_values("inputs", j["inputs"]);
  print_values("outputs", j["outputs"]);
  std::vector<std::pair<int64_t, std::string>> operators;
  for (size_t i = 0; i < j["operators"].keys().size(); i++)
    operators.emplace_back(-j["operators"].items()[i].integer(), j["operators"].keys()[i]);
  std::sort(operators.begin(), operators.end());
  std::printf("operators (%zu steps)\n ", j["steps"].items().size());
  for (const auto& [count, op] : operators)
    std::printf(" %s %lld ", op.c_str(), static_cast<long long>(-count));
  std::printf("\nmemory\n  weights %s\n", bytes_text(j["weights_bytes"].number()).c_str());
  const Json& m = j["memory"];
  if (m.is_null()) {
    std::printf("  arena: depends on the input shapes; choose some with --shape NAME=1x3x224x224\n");
  } else {
    auto text = [&](const char* key) { return bytes_text(m[key].number()); };
    std::printf("  arena %s  (sum of tensors %s, lower bound %s)\n", text("arena_bytes").c_str(),
                text("tensors_bytes").c_str(), text("lower_bound_bytes").c_str());
    std::printf("  packed weights %s made when loaded, %s when built\n", text("packed_bytes").c_str(),
                text("prepacked_bytes").c_str());
    std::printf("work\n  %.3f GFLOP (twice the multiply-adds)\n", m["flops"].number() / 1e9);
  }
  if (!task.empty()) std::printf("task\n%s", task.c_str());
  if (!j["meta"].keys().empty()) std::printf("about\n");
  for (size_t i = 0; i < j["meta"].keys().size(); i++)
    if (j["meta"].keys()[i] != "task")
      std::printf("  %s: %s\n", j["meta"].keys()[i].c_str(), j["meta"].items()[i].string().c_str());
  std::printf("plans (kernels: %s)\n", j["isa"].string().c_str());
  const Json& packed = j["plan_packed_bytes"];
  for (size_t i = 0; i < packed.keys().size(); i++)
    std::printf("  %s%s: packed weights %s\n", packed.keys()[i].c_str(),
                packed.keys()[i] == j["plan"].string() ? " (used here)" : "",
                bytes_text(packed.items()[i].number()).c_str());
  if (!args.has("--steps")) return;
  std::printf("steps\n");
  for (const Json& s : j["steps"].items()) {
    std::string in, out;
    for (const Json& v : s["inputs"].items())
      in += (in.empty() ? "" : ", ") + (v.is_null() ? std::string("-") : "%" + v["name"].string());
    for (const Json& v : s["outputs"].items())
      out += (out.empty() ? "" : ", ") +
             (v.is_null() ? std::string("-") : "%" + v["name"].string() + ": " + type_of(v));
    std::printf("  %s = %s(%s)  '%s'\n", out.c_str(), s["op"].string().c_str(), in.c_str(),
                s["name"].string().c_str());
  }
}

hone::Result<int> run(const Args& args) {
  const std::string& path = args.positional(0);
  if (args.has("--graph")) {
    hone::api::BuildOptions options;
    options.shapes = args.shapes("--shape");
    HONE_TRY(const std::string graph, lift(hone::api::describe_model(path, options)));
    std::printf("%s\n", graph.c_str());
    return 0;
  }
  HONE_TRY(const Loaded loaded, load(path, args));
  HONE_TRY(const std::string text, lift(loaded.engine.describe()));
  HONE_TRY(Json j, Json::parse(text));
  HONE_TRY(Json memory, memory_of(loaded.engine, args));
  auto task = task_in(loaded.engine);
  std::error_code ignored;
  j.set("file", path).set("kind", loaded.built ? "model" : "engine");
  j.set("bytes", static_cast<double>(std::filesystem::file_size(path, ignored)))
      .set("memory", std::move(memory))
      .set("task", std::move(task.second));
  if (args.has("--json")) std::printf("%s\n", j.str().c_str());
  else print(j, task.first, args);
  return 0;
}
}  // namespace

extern const Command command_inspect;
const Command command_inspect{
    "inspect",
    "ENGINE|MODEL [options]",
    "Shows inputs, outputs, operators, memory (arena: what the intermediate tensors take; their sum without "
    "sharing; the\n"
    "least any placement could take) and where the engine came from. A model is built in memory first.",
    {"ENGINE"},
    with_build_options(
        {{.name = "--steps", .help = "list every step"},
         {.name = "--graph", .help = "print the graph of a model as it was imported, and nothing else"},
         threads_option,
         json_option}),
    "hone inspect mobilenet.hone\n"
    "hone inspect yolo.onnx --shape images=1x3x320x320 --steps\n"
    "hone inspect net.onnx --opt none --json",
    run};

}  // namespace cli
