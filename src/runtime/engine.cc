#include "runtime/engine.h"

#include <cstdlib>
#include <set>

namespace hone {
namespace {

Status resolve(const Program& program, ResolvedProgram& out, std::set<std::string>& missing) {
  out.program = &program;
  out.steps.reserve(program.steps.size());
  for (const ProgramStep& step : program.steps) {
    ResolvedStep r;
    r.step = &step;
    r.op = find_op(step.op, step.domain);
    if (!r.op || !r.op->reference) {
      missing.insert(step.domain.empty() ? step.op : step.domain + "." + step.op);
      continue;
    }
    r.attrs = step.attrs;
    if (auto s = bind_attrs(*r.op, r.attrs, true); !s) return in(r.label(), s.take_error());
    if (const Tactic* chosen = find_tactic(step.op, step.tactic); chosen && step.domain.empty())
      r.tactics.push_back(chosen);
    for (const Tactic* t : tactics_for(*r.op))
      if (r.tactics.empty() || t != r.tactics.front()) r.tactics.push_back(t);
    for (const auto& [name, value] : r.attrs) {
      const SubgraphPtr* graph = std::get_if<SubgraphPtr>(&value);
      if (!graph) continue;
      const auto* nested = dynamic_cast<const Program*>(graph->get());
      if (!nested)
        return error(Code::internal, "%s: attribute '%s' holds no program", r.label().c_str(), name.c_str());
      auto resolved = std::make_unique<ResolvedProgram>();
      HONE_CHECK(resolve(*nested, *resolved, missing));
      r.graphs.emplace_back(name, std::move(resolved));
    }
    out.steps.push_back(std::move(r));
  }
  return {};
}

}  // namespace

std::string ResolvedStep::label() const {
  return step->name.empty() ? step->op : step->op + " '" + step->name + "'";
}

Result<std::shared_ptr<const Engine>> Engine::load(EngineData data) {
  std::shared_ptr<Engine> engine(new Engine);
  HONE_TRY(engine->isa_, active_isa());
  engine->data_ = std::move(data);
  for (const Plan& plan : engine->data_.plans)
    if (plan.target == "generic") engine->plan_ = &plan;
  if (!engine->plan_ || !engine->plan_->program)
    return error(Code::unsupported,
                 "the engine has no plan that runs on this machine; build it again with `hone build`");
  std::set<std::string> missing;
  HONE_CHECK(resolve(*engine->plan_->program, engine->main_, missing));
  if (!missing.empty()) {
    std::string list;
    for (const std::string& name : missing) list += (list.empty() ? "" : ", ") + name;
    return error(Code::unsupported,
                 "this library lacks operators that the engine uses: %s; use a newer libhone", list.c_str());
  }
  return std::shared_ptr<const Engine>(std::move(engine));
}

int64_t Engine::constant_bytes() const {
  int64_t n = 0;
  for (const Tensor& t : data_.constants) n += t.byte_size();
  return n;
}

int64_t Engine::packed_bytes() const {
  std::lock_guard lock(mutex_);
  int64_t n = 0;
  for (const auto& [key, p] : packed_) n += p.size;
  return n;
}

Result<std::shared_ptr<const void>> Engine::packed(const Tactic& tactic, const Problem& problem,
                                                   const Prepared& prepared) const {
  std::string key =
      strf("%s/%s/%s/%s", tactic.op, tactic.name, isa_name(problem.isa), prepared.packed_key.c_str());
  for (const Operand& o : problem.in)
    key += o.constant ? strf("/%p%s", o.constant, o.shape.str().c_str()) : "/";
  std::lock_guard lock(mutex_);
  Packed& p = packed_[key];
  if (!p.bytes) {
    // One more cache line: kernels may prefetch, and read, the vector behind the last one.
    const auto bytes = (static_cast<size_t>(prepared.packed_bytes) + 63) / 64 * 64 + 64;
    void* memory = std::aligned_alloc(64, bytes);
    if (!memory) return error(Code::limit, "out of memory: %zu bytes for packed weights", bytes);
    p.bytes = std::shared_ptr<const void>(memory, [](const void* q) { std::free(const_cast<void*>(q)); });
    p.size = static_cast<int64_t>(bytes);
    tactic.pack(problem, prepared, memory);
  }
  return p.bytes;
}

}  // namespace hone
