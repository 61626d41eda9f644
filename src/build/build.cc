#include "build/build.h"

#include <filesystem>

#include "build/fates.h"
#include "build/lower.h"
#include "ir/text.h"
#include "opt/pipeline.h"

namespace hone {
namespace {

ImportOptions import_options(const BuildOptions& options) {
  ImportOptions import;
  import.shapes = options.shapes;
  import.log = options.log;
  import.survey = options.survey;
  return import;
}

Status check(const BuildOptions& options) {
  if (options.precision != "fp32")
    return error(Code::unsupported, "precision '%s' is not available yet; use fp32",
                 options.precision.c_str());
  std::string known = "import, all";
  std::set<std::string> names{"import", "all"};
  for (const opt::Pass& p : opt::passes())
    if (names.insert(p.name).second) known += std::string(", ") + p.name;
  for (const std::string& pass : options.dump_after)
    if (!names.count(pass))
      return error(Code::invalid_argument, "no pass is called '%s'; known are %s", pass.c_str(),
                   known.c_str());
  return {};
}

void progress(const BuildOptions& options, double fraction, const char* what) {
  if (options.progress) options.progress(fraction, what);
}

}  // namespace

namespace {

void dump(const BuildOptions& options, const std::string& pass, const ir::Graph& graph) {
  if (options.dump && (options.dump_after.count(pass) || options.dump_after.count("all")))
    options.dump(pass, ir::print(graph));
}

Status optimise(ir::Graph& graph, opt::Phase phase, const BuildOptions& options, BuildReport* report,
                Fates& fates) {
  opt::OptOptions o;
  o.declutter = phase == opt::Phase::declutter;
  o.target = phase == opt::Phase::target;
  o.disable.assign(options.disabled.begin(), options.disabled.end());
  o.verify = true;
  o.dump_after = [&](const std::string& pass, const ir::Graph& g) -> Status {
    dump(options, pass, g);
    return {};
  };
  o.cancelled = options.cancelled;
  opt::OptReport r;
  HONE_CHECK(opt::optimise(graph, o, &r));
  if (!report) return {};
  for (const opt::PassReport& p : r.passes)
    if (p.phase == phase) report->passes.push_back({p.name, p.milliseconds, p.changes});
  fates.follow(r.log);
  for (const ir::LogEntry& e : r.log) report->notes.push_back(e.rule + ": " + e.node + ": " + e.reason);
  return {};
}

}  // namespace

Result<EngineData> build_engine(std::shared_ptr<ir::Graph> graph, const BuildOptions& options,
                                BuildReport* report) {
  HONE_CHECK(check(options));
  dump(options, "import", *graph);
  Fates fates(*graph);
  std::vector<int> ids;
  EngineData data;
  data.meta.insert(graph->metadata.begin(), graph->metadata.end());
  data.meta["name"] = graph->name;
  data.meta["precision"] = options.precision;
  data.symbols = graph->symbols;
  ConstantTable constants;
  if (options.optimise) {
    progress(options, 0.3, "simplifying");
    HONE_CHECK(optimise(*graph, opt::Phase::declutter, options, report, fates));
  }
  HONE_TRY(data.portable, lower(*graph, constants, options.optimise ? nullptr : &ids));
  if (options.optimise) {
    progress(options, 0.7, "choosing layouts and kernels");
    HONE_CHECK(optimise(*graph, opt::Phase::target, options, report, fates));
    HONE_TRY(auto plan, lower(*graph, constants, &ids));
    data.plans.push_back({"generic", std::move(plan)});
  } else {
    data.plans.push_back({"generic", data.portable});
  }
  data.constants = constants.take();
  if (report) report->nodes = fates.of(ids);
  progress(options, 1, "done");
  return data;
}

Result<EngineData> build_engine(const ModelBytes& model, const BuildOptions& options, BuildReport* report) {
  HONE_CHECK(check(options));
  HONE_TRY(auto graph, import_onnx(model, "", import_options(options)));
  return build_engine(std::move(graph), options, report);
}

Result<EngineData> build_engine(const std::string& path, const BuildOptions& options, BuildReport* report) {
  HONE_CHECK(check(options));
  progress(options, 0, "importing");
  HONE_TRY(auto graph, import_model(path, import_options(options)));
  HONE_TRY(auto data, build_engine(std::move(graph), options, report));
  data.meta["source"] = std::filesystem::path(path).filename().string();
  return data;
}

Result<std::string> describe_model(const std::string& path, const ImportOptions& options) {
  HONE_TRY(const auto graph, import_model(path, options));
  return ir::print(*graph);
}

}  // namespace hone
