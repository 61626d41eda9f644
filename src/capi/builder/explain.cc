#include <cstring>

#include "base/json.h"
#include "capi/builder/build.h"
#include "capi/runtime/handles.h"
#include "engine/read.h"
#include "engine/validate.h"
#include "plugin/plugin.h"
#include "tune/account.h"

namespace {
using namespace hone;

const char* how_name(StepAccount::How how) {
  switch (how) {
    case StepAccount::How::kernel:
      return "kernel";
    case StepAccount::How::reference:
      return "reference";
    case StepAccount::How::running:
      return "while running";
    case StepAccount::How::in_place:
      return "in place";
    case StepAccount::How::from_shapes:
      return "from shapes";
  }
  return "";
}

const char* fate_name(NodeFate::Kind kind) {
  switch (kind) {
    case NodeFate::Kind::runs:
      return "runs";
    case NodeFate::Kind::merged:
      return "merged";
    case NodeFate::Kind::removed:
      return "removed";
    case NodeFate::Kind::folded:
      return "folded";
    case NodeFate::Kind::unused:
      return "unused";
  }
  return "";
}

std::string operator_name(const std::string& op, const std::string& domain) {
  return domain.empty() ? op : domain + "." + op;
}

Json or_null(bool known, double x) { return known ? Json(x) : Json(); }

Json step_json(const StepAccount& s) {
  Json others = Json::array();
  for (const auto& [kernel, why] : s.others)
    others.push(Json::object().set("kernel", kernel).set("why", why));
  Json j = Json::object();
  j.set("name", s.resolved->step->name)
      .set("op", operator_name(s.resolved->step->op, s.resolved->step->domain))
      .set("how", how_name(s.how))
      .set("kernel", s.tactic ? Json(s.tactic->name) : Json())
      .set("why", s.why)
      .set("others", std::move(others))
      .set("output", s.output);
  j.set("us", or_null(s.known, s.cost.us))
      .set("flops", or_null(s.known, s.cost.flops))
      .set("bytes", or_null(s.known, s.cost.bytes))
      .set("strip", s.strip >= 0 ? Json(s.strip) : Json())
      .set("graph", s.graph.empty() ? Json() : Json(s.graph));
  return j;
}

// The steps, and what they come to.
void add_account(Json& j, const Engine& engine, const Account& a) {
  Json steps = Json::array(), assumed = Json::object();
  double us = 0, reference_us = 0;
  int references = 0, unknown = 0;
  for (const StepAccount& s : a.steps) {
    steps.push(step_json(s));
    const bool reference = s.how == StepAccount::How::reference && s.resolved->graphs.empty();
    us += s.cost.us;
    if (reference) reference_us += s.cost.us;
    references += reference;
    unknown += !s.known && s.resolved->graphs.empty();
  }
  for (const auto& [name, shape] : a.assumed) {
    Json dims = Json::array();
    for (const Dim d : shape) dims.push(d);
    assumed.set(name, std::move(dims));
  }
  j.set("isa", isa_name(engine.isa())).set("threads", a.machine.threads);
  j.set("machine", Json::object()
                       .set("gflops", a.machine.flops / 1e3)
                       .set("gbytes", a.machine.bytes / 1e3)
                       .set("reference_gflops", a.machine.reference_flops / 1e3)
                       .set("reference_elements", a.machine.reference_elements * 1e6));
  j.set("assumed_shapes", std::move(assumed)).set("note", a.unknown.empty() ? Json() : Json(a.unknown));
  j.set("us", us)
      .set("reference_us", reference_us)
      .set("reference_steps", references)
      .set("unknown_steps", unknown)
      .set("steps", std::move(steps));
}

Json nodes_json(const BuildReport& report) {
  Json nodes = Json::array();
  for (const NodeFate& f : report.nodes)
    nodes.push(Json::object()
                   .set("name", f.name)
                   .set("op", operator_name(f.op, f.domain))
                   .set("supported", true)
                   .set("fate", fate_name(f.kind))
                   .set("step", f.step >= 0 ? Json(f.step) : Json())
                   .set("rule", f.rule.empty() ? Json() : Json(f.rule))
                   .set("reason", f.reason.empty() ? Json() : Json(f.reason)));
  return nodes;
}

void add_survey(Json& j, const ImportSurvey& survey) {
  Json nodes = Json::array(), problems = Json::array();
  for (const ImportSurvey::Node& n : survey.nodes)
    nodes.push(Json::object()
                   .set("name", n.name)
                   .set("op", operator_name(n.op, n.domain))
                   .set("supported", n.supported));
  for (const ImportProblem& p : survey.problems)
    problems.push(Json::object()
                      .set("op", p.op.empty() ? Json() : Json(operator_name(p.op, p.domain)))
                      .set("node", p.node)
                      .set("nodes", p.nodes)
                      .set("reason", p.reason)
                      .set("fix", p.fix));
  j.set("nodes", std::move(nodes)).set("problems", std::move(problems));
}

Result<Json> explain_engine(std::shared_ptr<const Engine> engine, const BuildOptions& options,
                            const std::map<std::string, Shape>& shapes, Json nodes) {
  HONE_TRY(const int threads, thread_count(0));
  HONE_TRY(const Account a, account(*engine, shapes, threads));
  Json j = Json::object();
  j.set("supported", true).set("optimised", options.optimise).set("plan", engine->plan().target);
  add_account(j, *engine, a);
  return j.set("nodes", std::move(nodes)).set("problems", Json::array());
}

Result<Json> explain_file(const hone_model& m, BuildOptions& options) {
  int is_engine = 0;
  if (m.path) {
    if (hone_status* failed = hone_engine_probe(m.path, &is_engine)) {
      const std::unique_ptr<hone_status> held(failed);
      return std::move(held->error);
    }
  }
  if (is_engine) {
    HONE_TRY(auto file, MappedFile::open(m.path));
    HONE_TRY(auto data, read_engine(std::move(file)));
    HONE_TRY(auto engine, Engine::load(std::move(data)));
    return explain_engine(std::move(engine), options, options.shapes, Json());
  }
  ImportSurvey survey;
  options.survey = &survey;
  BuildReport report;
  auto data = m.path
                  ? build_engine(std::string(m.path), options, &report)
                  : build_engine(ModelBytes{{static_cast<const std::byte*>(m.bytes), m.byte_count}, nullptr},
                                 options, &report);
  if (!data) {
    if (survey.problems.empty()) return data.take_error();
    Json j = Json::object();
    j.set("supported", false);
    add_survey(j, survey);
    return j;
  }
  capi::add_provenance(*data, options);
  HONE_CHECK(validate(*data));
  HONE_TRY(auto engine, Engine::load(*std::move(data)));
  return explain_engine(std::move(engine), options, {}, nodes_json(report));
}
}  // namespace

hone_status* hone_explain(const hone_model* model, const hone_build_options* given, int* supported,
                          char** json) {
  return capi::guarded([&]() -> Status {
    const hone_model m = capi::take(model);
    const hone_build_options o = capi::take(given);
    HONE_CHECK(capi::check(m));
    HONE_CHECK(load_environment_plugins());
    bool stop = false;
    HONE_TRY(BuildOptions options, capi::build_options(o, stop));
    HONE_TRY(const Json j, explain_file(m, options));
    char* text = strdup(j.str().c_str());
    if (!text) return error(Code::limit, "out of memory");
    *json = text;
    if (supported) *supported = j["supported"].boolean();
    return {};
  });
}
