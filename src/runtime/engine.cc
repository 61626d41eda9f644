#include "runtime/engine.h"

#include <cstdlib>
#include <cstring>
#include <set>

#include "base/log.h"

namespace hone {
namespace {

// Operators that an engine uses and this process does not have.
struct Missing {
  std::set<std::string> own;      // of domains of ours: a newer library has them
  std::set<std::string> foreign;  // "Scale of domain 'acme'"

  void add(const ProgramStep& step) {
    if (is_own_domain(step.domain)) own.insert(step.domain.empty() ? step.op : step.domain + "." + step.op);
    else foreign.insert(step.op + " of domain '" + step.domain + "'");
  }
  static std::string list(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
  }
  Status status() const {
    std::string text;
    if (!own.empty())
      text = "this library lacks operators that the engine uses: " + list(own) + "; use a newer libhone";
    if (!foreign.empty())
      text += (text.empty() ? "" : "; ") + strf("the engine uses operators that are not Hone's: %s; %s",
                                                list(foreign).c_str(), plugin_remedy);
    if (text.empty()) return {};
    return error(Code::unsupported, "%s", text.c_str());
  }
};

Status resolve(const Program& program, ResolvedProgram& out, Missing& missing) {
  out.program = &program;
  out.steps.reserve(program.steps.size());
  for (const ProgramStep& step : program.steps) {
    ResolvedStep r;
    r.step = &step;
    r.op = find_op(step.op, step.domain);
    if (!r.op || !r.op->reference) {
      missing.add(step);
      continue;
    }
    r.attrs = step.attrs;
    if (auto s = bind_attrs(*r.op, r.attrs, true); !s) return in(r.label(), s.take_error());
    r.tactics = tactics_for(*r.op);
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
  const std::string target = target_name(engine->isa_);
  for (const Plan& plan : engine->data_.plans)
    if (plan.target == target || (plan.target == "generic" && !engine->plan_)) engine->plan_ = &plan;
  if (!engine->plan_ || !engine->plan_->program)
    return error(Code::unsupported,
                 "the engine has no plan that runs on this machine; build it again with `hone build`");
  engine->index_packed();
  Missing missing;
  HONE_CHECK(resolve(*engine->plan_->program, engine->main_, missing));
  HONE_CHECK(missing.status());
  return std::shared_ptr<const Engine>(std::move(engine));
}

int64_t Engine::constant_bytes() const {
  int64_t n = 0;
  for (const Tensor& t : data_.constants) n += t.byte_size();
  return n;
}

Engine::PackedBytes Engine::packed_bytes() const {
  std::lock_guard lock(mutex_);
  PackedBytes sum;
  for (const auto& [key, p] : packed_) (p.ready ? sum.ready : sum.made) += p.size;
  return sum;
}

namespace {
void add_constant(std::string& key, const void* bytes, const Shape& shape) {
  key += bytes ? strf("/%p%s", bytes, shape.str().c_str()) : "/";
}
}  // namespace

void Engine::index_packed() {
  for (const PackedConstants& p : plan_->packed) {
    std::string key = p.layout;
    for (int i : p.constants) {
      const Tensor& t = i < 0 ? Tensor() : data_.constants[static_cast<size_t>(i)];
      add_constant(key, t.bytes(), t.shape());
    }
    ready_.emplace(std::move(key), &p.bytes);
  }
}

const Tensor* Engine::find_ready(const std::string& key, const std::string& layout, int64_t size) const {
  const auto it = ready_.find(key);
  if (it == ready_.end()) return nullptr;
  const Tensor& t = *it->second;
  if (t.byte_size() == size && reinterpret_cast<uintptr_t>(t.bytes()) % 64 == 0) return &t;
  log(LogLevel::warning,
      "plan '%s': packed weights of %lld bytes where this library needs %lld (%s); packing them anew",
      plan_->target.c_str(), static_cast<long long>(t.byte_size()), static_cast<long long>(size),
      layout.c_str());
  return nullptr;
}

Result<std::shared_ptr<const void>> Engine::packed(const Tactic& tactic, const Problem& problem,
                                                   const Prepared& prepared) const {
  std::string layout = layout_name(tactic, problem.isa, prepared), key = layout;
  for (const Operand& o : problem.in) add_constant(key, o.constant, o.shape);
  std::lock_guard lock(mutex_);
  Packed& p = packed_[key];
  if (p.bytes) return p.bytes;
  p.size = packed_size(prepared);
  p.order = static_cast<int>(packed_.size());
  p.in.assign(problem.in.begin(), problem.in.end());
  const Tensor* ready = find_ready(key, layout, p.size);
  p.layout = std::move(layout);
  if (ready) {
    p.bytes = std::shared_ptr<const void>(ready->owner(), ready->bytes());
    p.ready = true;
    return p.bytes;
  }
  const auto size = static_cast<size_t>(p.size);
  void* memory = std::aligned_alloc(64, size);
  if (!memory) {
    packed_.erase(key);
    return error(Code::limit, "out of memory: %zu bytes for packed weights", size);
  }
  std::memset(memory, 0, size);  // what pack() leaves out is the same each time
  p.bytes = std::shared_ptr<const void>(memory, [](const void* q) { std::free(const_cast<void*>(q)); });
  tactic.pack(problem, prepared, memory);
  if (data_.file)  // most constants are only read for packing
    for (const Operand& o : problem.in)
      if (o.constant)
        data_.file->let_go({static_cast<const std::byte*>(o.constant),
                            static_cast<size_t>(dtype_bytes(o.dtype, o.shape.elements()))});
  return p.bytes;
}

std::vector<PackedConstants> Engine::all_packed() const {
  std::map<std::pair<const void*, std::string>, int> constants;
  for (size_t i = 0; i < data_.constants.size(); i++)
    constants.emplace(std::pair(data_.constants[i].bytes(), data_.constants[i].shape().str()),
                      static_cast<int>(i));
  std::lock_guard lock(mutex_);
  std::map<int, PackedConstants> found;
  for (const auto& [key, p] : packed_) {
    PackedConstants out{p.layout, {}, Tensor::view(p.bytes, p.bytes.get(), DType::u8, Shape{p.size})};
    bool ours = true;
    for (const Operand& o : p.in) {
      const auto it = o.constant ? constants.find({o.constant, o.shape.str()}) : constants.end();
      ours = ours && (!o.constant || it != constants.end());
      out.constants.push_back(it == constants.end() ? -1 : it->second);
    }
    if (ours) found.emplace(p.order, std::move(out));
  }
  std::vector<PackedConstants> list;
  for (auto& [order, p] : found) list.push_back(std::move(p));
  return list;
}

}  // namespace hone
