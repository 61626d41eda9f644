#include "runtime/session.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "ops/work.h"

namespace hone {
namespace {

// A static step without a tactic: outputs have their places already.
class PlacedContext : public EvalContext {
 public:
  PlacedContext(const ResolvedStep& r, const PlanStep& step, std::vector<Value> in,
                std::vector<TensorView> out, Frame& frame)
      : EvalContext(*r.op, r.attrs, in, out.size()),
        in_(std::move(in)),
        out_(std::move(out)),
        step_(step),
        frame_(frame) {}
  bool wanted(size_t i) const override { return i < out_.size() && out_[i].bytes; }
  Result<TensorView> output(size_t i, DType d, const Shape& s) override {
    if (!wanted(i)) return spare(d, s);
    if (out_[i].dtype != d || out_[i].shape != s)
      return error(Code::internal, "output %zu was planned as %s%s, the kernel makes %s%s", i,
                   dtype_name(out_[i].dtype), out_[i].shape.str().c_str(), dtype_name(d), s.str().c_str());
    return out_[i];
  }
  Status set_output(size_t i, Value v) override {
    if (!wanted(i)) return {};
    if (v.kind != Value::Kind::tensor) return error(Code::internal, "output %zu was planned as a tensor", i);
    HONE_TRY(const TensorView to, output(i, v.tensor.dtype(), v.tensor.shape()));
    std::memcpy(to.bytes, v.tensor.bytes(), static_cast<size_t>(to.byte_size()));
    return {};
  }
  Result<std::vector<Value>> run_graph(std::string_view, std::span<const Value>) override {
    return error(Code::internal, "a static step has no nested graph");
  }
  ValueType output_type(size_t i) const override {
    return i < step_.out_types.size() ? step_.out_types[i] : ValueType();
  }
  bool planned() const override { return true; }
  NodeState& state() override { return frame_.node_state(step_.step); }
  bool cancelled() const override { return frame_.cancelled(); }
  Value& input_slot(size_t i) { return in_[i]; }
  using EvalContext::forget_spare;

 private:
  std::vector<Value>
      in_;  // moved here after the base has seen them: a vector that is moved keeps its elements in place
  std::vector<TensorView> out_;
  const PlanStep& step_;
  Frame& frame_;
};

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct Session::Active {
  std::shared_ptr<const ShapePlan> plan;
  struct Step {
    const PlanStep* step;
    const ResolvedStep* resolved;
    size_t in, out;                          // first pointer in the tables below
    std::unique_ptr<PlacedContext> context;  // reference steps
    double ms = 0;
  };
  std::vector<Step> steps;
  std::vector<const void*> in_bytes;
  std::vector<void*> out_bytes;
  // Pointers that follow the caller's inputs; an output among them is a part that has been put in its place
  // there.
  struct InputUse {
    size_t step, operand;
    bool output;
    int input;
    int64_t offset;
  };
  std::vector<InputUse> input_uses;
  std::vector<Tensor> output_copies;  // of program outputs that lie in the caller's inputs
};

Session::Session(std::shared_ptr<const Engine> engine, const SessionOptions& options, int threads,
                 int64_t memory)
    : budget_(std::make_shared<MemoryBudget>(memory)),
      engine_(std::move(engine)),
      pool_(threads, options.pin),
      shared_{*engine_, pool_, options.cancelled},
      frame_(shared_, engine_->program(), nullptr),
      outputs_(engine_->program().program->outputs.size()),
      keep_all_(options.keep_all) {
  frame_.set_static([this](int v) { return fetch(v); });
}

Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Engine> engine,
                                                 const SessionOptions& options) {
  HONE_TRY(const int threads, thread_count(options.threads));
  HONE_TRY(const int64_t memory, memory_limit(options.memory));
  std::unique_ptr<Session> session(new Session(std::move(engine), options, threads, memory));
  // A program of fixed shapes is planned now, so that the first run is like the others.
  std::vector<Shape> shapes;
  const Program& p = *session->engine_->program().program;
  for (int v : p.inputs) shapes.push_back(p.values[static_cast<size_t>(v)].type.shape);
  if (std::all_of(shapes.begin(), shapes.end(), [](const Shape& s) { return s.all_known(); }))
    HONE_CHECK(session->prepare(shapes));
  return session;
}

Status Session::prepare(std::span<const Shape> shapes) {
  const MemoryBudget::Scope counted(budget_.get());
  return plan_for(shapes);
}

Status Session::plan_for(std::span<const Shape> shapes) {
  for (size_t i = 0; i < plans_.size(); i++)
    if (std::equal(shapes.begin(), shapes.end(), plans_[i]->input_shapes.begin(),
                   plans_[i]->input_shapes.end())) {
      if (active_ && active_->plan == plans_[i]) return {};
      std::rotate(plans_.begin(), plans_.begin() + static_cast<std::ptrdiff_t>(i),
                  plans_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      return activate(plans_.front());
    }
  HONE_TRY(auto plan, make_plan(*engine_, shapes, pool_.threads(), keep_all_));
  plans_.insert(plans_.begin(), plan);
  if (plans_.size() > max_plans) plans_.pop_back();
  return activate(std::move(plan));
}

std::byte* Session::address(const Slot& slot) const {
  switch (slot.where) {
    case Slot::Where::arena:
      return static_cast<std::byte*>(arena_.get()) + slot.offset;
    case Slot::Where::constant:
      return static_cast<std::byte*>(active_->plan->constants[static_cast<size_t>(slot.index)].bytes()) +
             slot.offset;
    case Slot::Where::input:
      return static_cast<std::byte*>(const_cast<void*>(input_bytes_[static_cast<size_t>(slot.index)])) +
             slot.offset;
    default:
      return nullptr;
  }
}

Value Session::fetch(int v) const {
  const Slot& slot = active_->plan->slots[static_cast<size_t>(v)];
  if (slot.where == Slot::Where::late || slot.where == Slot::Where::none) return {};
  const ValueType& t = active_->plan->types[static_cast<size_t>(v)];
  return Tensor::view(nullptr, address(slot), t.dtype, t.shape);
}

namespace {
// For the message where the arena is too large.
std::string largest_value(const Program& program, const ShapePlan& plan) {
  const ProgramStep* maker = nullptr;
  const ValueType* type = nullptr;
  int64_t most = -1;
  for (const ProgramStep& s : program.steps)
    for (const int v : s.out) {
      if (v < 0 || plan.slots[static_cast<size_t>(v)].where != Slot::Where::arena) continue;
      const ValueType& t = plan.types[static_cast<size_t>(v)];
      const int64_t bytes = dtype_bytes(t.dtype, t.shape.elements());
      if (bytes > most) most = bytes, maker = &s, type = &t;
    }
  if (!maker) return "memory for these input shapes";
  return "memory for these input shapes, most of all " + maker->op + " '" + maker->name + "' making " +
         type->str();
}
}  // namespace

Status Session::activate(std::shared_ptr<const ShapePlan> plan) {
  active_.reset();
  const int64_t need = std::max<int64_t>(plan->memory.peak, 64);
  if (need > arena_bytes_) {
    arena_.reset();
    arena_bytes_ = 0;
    arena_charge_.release();
    auto charged = arena_charge_.add(need);
    if (!charged) {  // late values are kept from run to run
      frame_.forget();
      charged = arena_charge_.add(need);
    }
    if (!charged) return in(largest_value(*engine_->program().program, *plan), charged.take_error());
    // Anonymous pages: zero, and not resident until a kernel touches them.
    void* memory =
        mmap(nullptr, static_cast<size_t>(need), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return error(Code::limit, "out of memory: the arena for these input shapes takes %lld bytes",
                   static_cast<long long>(need));
    arena_ = std::shared_ptr<void>(memory, [need](void* p) { munmap(p, static_cast<size_t>(need)); });
    arena_bytes_ = need;
  }
  active_ = std::make_unique<Active>();
  Active& a = *active_;
  a.plan = std::move(plan);
  const Program& program = *engine_->program().program;
  input_bytes_.assign(program.inputs.size(), nullptr);
  auto at = [](int v) { return static_cast<size_t>(v); };
  for (const PlanStep& s : a.plan->steps) {
    const ResolvedStep& r = engine_->program().steps[at(s.step)];
    Active::Step step{&s, &r, a.in_bytes.size(), a.out_bytes.size(), nullptr};
    if (s.how != PlanStep::How::late) {
      std::vector<Value> in;
      std::vector<TensorView> out;
      for (size_t k = 0; k < s.in.size(); k++) {
        const int v = s.in[k];
        a.in_bytes.push_back(v < 0 ? nullptr : address(a.plan->slots[at(v)]));
        in.push_back(v < 0 ? Value() : fetch(v));
        if (v >= 0 && a.plan->slots[at(v)].where == Slot::Where::input)
          a.input_uses.push_back(
              {a.steps.size(), k, false, a.plan->slots[at(v)].index, a.plan->slots[at(v)].offset});
      }
      for (size_t k = 0; k < s.out.size(); k++) {
        const int v = s.out[k];
        if (v >= 0 && a.plan->slots[at(v)].where == Slot::Where::input)
          a.input_uses.push_back(
              {a.steps.size(), k, true, a.plan->slots[at(v)].index, a.plan->slots[at(v)].offset});
        a.out_bytes.push_back(v < 0 ? nullptr : address(a.plan->slots[at(v)]));
        const ValueType none;
        const ValueType& t = v < 0 ? none : a.plan->types[at(v)];
        out.push_back({t.dtype, t.shape, a.out_bytes.back()});
      }
      if (s.how == PlanStep::How::reference)
        step.context = std::make_unique<PlacedContext>(r, s, std::move(in), std::move(out), frame_);
    }
    a.steps.push_back(std::move(step));
  }
  a.output_copies.resize(program.outputs.size());
  for (size_t i = 0; i < program.outputs.size(); i++) {
    const int v = program.outputs[i];
    if (a.plan->slots[at(v)].where == Slot::Where::input) {
      HONE_TRY(a.output_copies[i], Tensor::allocate(a.plan->types[at(v)].dtype, a.plan->types[at(v)].shape));
    }
  }
  return {};
}

namespace {
// A value whose tensors own their bytes.
Result<Value> owned(const Value& v) {
  if (v.kind == Value::Kind::tensor) {
    if (v.tensor.owner()) return v;
    HONE_TRY(Tensor t, Tensor::allocate(v.tensor.dtype(), v.tensor.shape()));
    if (t.dtype() == DType::string)
      std::copy_n(v.tensor.data<std::string>(), t.elements(), t.data<std::string>());
    else std::memcpy(t.bytes(), v.tensor.bytes(), static_cast<size_t>(t.byte_size()));
    return Value(t);
  }
  if (!v.items) return v;
  Value copy = v;
  copy.items = std::make_shared<std::vector<Value>>();
  for (const Value& item : *v.items) {
    HONE_TRY(Value one, owned(item));
    copy.items->push_back(std::move(one));
  }
  return copy;
}
}  // namespace

Status Session::run(std::span<const Value> inputs) {
  const MemoryBudget::Scope counted(budget_.get());
  auto status = run_counted(inputs);
  if (!status && status.error().code == Code::limit) frame_.forget();
  return status;
}

Status Session::run_counted(std::span<const Value> inputs) {
  const Program& program = *engine_->program().program;
  if (inputs.size() != program.inputs.size())
    return error(Code::invalid_argument, "%zu inputs given, the engine takes %zu", inputs.size(),
                 program.inputs.size());
  bool same = active_ != nullptr;
  for (size_t i = 0; i < inputs.size(); i++) {
    const ProgramValue& want = program.values[static_cast<size_t>(program.inputs[i])];
    if (want.type.kind != inputs[i].kind ||
        (want.type.kind == Value::Kind::tensor && want.type.dtype != inputs[i].tensor.dtype()))
      return error(Code::invalid_argument, "input '%s' is %s, the engine takes %s", want.name.c_str(),
                   type_of(inputs[i]).str().c_str(), want.type.str().c_str());
    same = same && active_->plan->input_shapes[i] == inputs[i].tensor.shape();
  }
  if (!same) {
    std::vector<Shape> shapes;
    for (const Value& v : inputs)
      shapes.push_back(v.kind == Value::Kind::tensor ? v.tensor.shape() : Shape{});
    HONE_CHECK(plan_for(shapes));
  }
  Active& a = *active_;
  for (size_t i = 0; i < inputs.size(); i++) {
    input_bytes_[i] = inputs[i].kind == Value::Kind::tensor ? inputs[i].tensor.bytes() : nullptr;
    const int v = program.inputs[i];
    if (a.plan->slots[static_cast<size_t>(v)].where == Slot::Where::late) frame_.set_value(v, inputs[i]);
  }
  for (const Active::InputUse& use : a.input_uses) {
    Active::Step& s = a.steps[use.step];
    std::byte* bytes =
        static_cast<std::byte*>(const_cast<void*>(input_bytes_[static_cast<size_t>(use.input)])) + use.offset;
    if (use.output) {
      a.out_bytes[s.out + use.operand] = bytes;
      continue;
    }
    a.in_bytes[s.in + use.operand] = bytes;
    if (s.context) {
      Value& slot = s.context->input_slot(use.operand);
      slot.tensor = Tensor::view(nullptr, bytes, slot.tensor.dtype(), slot.tensor.shape());
    }
  }
  for (Value& v : outputs_) v = Value();
  HONE_CHECK(run_steps());
  for (size_t i = 0; i < outputs_.size(); i++) {
    const int v = program.outputs[i];
    if (a.output_copies[i]) {
      std::memcpy(a.output_copies[i].bytes(), address(a.plan->slots[static_cast<size_t>(v)]),
                  static_cast<size_t>(a.output_copies[i].byte_size()));
      outputs_[i] = a.output_copies[i];
    } else if (a.plan->slots[static_cast<size_t>(v)].where == Slot::Where::late) {
      HONE_TRY(outputs_[i], owned(frame_.value(v)));
    } else {
      outputs_[i] = fetch(v);
    }
  }
  return {};
}

Status Session::run_steps() {
  Active& a = *active_;
  double before = profiling_ ? now_ms() : 0;
  for (Active::Step& s : a.steps) {
    if (shared_.cancelled && shared_.cancelled()) return error(Code::cancelled, "cancelled by the caller");
    switch (s.step->how) {
      case PlanStep::How::tactic:
        s.step->tactic->run(
            {s.step->prepared.params.data(), s.step->packed.get(),
             std::span(a.in_bytes).subspan(s.in, s.resolved->step->in.size()),
             std::span(a.out_bytes).subspan(s.out, s.resolved->step->out.size()),
             s.step->scratch_offset < 0 ? nullptr
                                        : static_cast<std::byte*>(arena_.get()) + s.step->scratch_offset,
             pool_, s.step->next ? static_cast<const std::byte*>(s.step->next->packed.get()) : nullptr,
             s.step->next ? s.step->next->prepared.first_step : 0,
             s.step->next ? s.step->next->prepared.first_bytes : 0});
        break;
      case PlanStep::How::strips:
        s.step->strips->run(std::span(a.in_bytes).subspan(s.in, s.step->in.size()),
                            std::span(a.out_bytes).subspan(s.out, s.step->out.size()),
                            static_cast<std::byte*>(arena_.get()) + s.step->scratch_offset, pool_);
        break;
      case PlanStep::How::reference: {
        auto status = s.resolved->op->reference(*s.context);
        s.context->forget_spare();
        if (!status) return in(s.resolved->label(), status.take_error());
        break;
      }
      case PlanStep::How::late:
        HONE_CHECK(frame_.run_late(s.step->step));
        break;
    }
    if (profiling_) {
      const double after = now_ms();
      s.ms = after - before;
      before = after;
    }
  }
  return {};
}

std::vector<StepProfile> Session::profile() const {
  std::vector<StepProfile> list;
  if (!active_) return list;
  const auto types = [&](const std::vector<int>& values) {
    std::vector<ValueType> t;
    for (int v : values) t.push_back(v < 0 ? ValueType() : active_->plan->types[static_cast<size_t>(v)]);
    return t;
  };
  const auto flops = [&](int index) {
    const ResolvedStep& r = engine_->program().steps[static_cast<size_t>(index)];
    return 2 * multiply_adds(*r.op, types(r.step->in), types(r.step->out), r.attrs);
  };
  for (const Active::Step& s : active_->steps) {
    const ProgramStep& last = *s.resolved->step;
    StepProfile profile{last.name, last.op, "late", s.ms, 0};
    if (s.step->how == PlanStep::How::tactic) profile.tactic = s.step->tactic->name;
    if (s.step->how == PlanStep::How::reference) profile.tactic = "reference";
    if (s.step->how == PlanStep::How::strips) {
      profile.tactic = "strips";
      profile.op = profile.name = "";
      for (const PlanStep& link : s.step->chain) {
        const ProgramStep& p = engine_->program().program->steps[static_cast<size_t>(link.step)];
        const char* joint = &link == s.step->chain.data() ? "" : " + ";
        profile.op += (*joint ? "+" : "") + p.op;
        profile.name += joint + p.name;
        profile.flops += flops(link.step);
      }
    } else if (s.step->how != PlanStep::How::late) {
      profile.flops = flops(s.step->step);
    }
    list.push_back(std::move(profile));
  }
  return list;
}

SessionMemory Session::memory() const {
  if (!active_) return {};
  return {active_->plan->memory, active_->plan->aliased};
}

Result<Tensor> Session::copy_value(int v) {
  if (!active_) return error(Code::invalid_argument, "nothing has run yet");
  const Value value = frame_.value(v);
  if (value.kind != Value::Kind::tensor) return error(Code::invalid_argument, "value %d is no tensor", v);
  const Slot& slot = active_->plan->slots[static_cast<size_t>(v)];
  const Shape& shape = value.tensor.shape();
  if (value.tensor.dtype() == DType::string || slot.pitch == 0 || shape.rank() == 0 ||
      slot.pitch == shape.back()) {
    HONE_TRY(Value copy, owned(Tensor::view(nullptr, value.tensor.bytes(), value.tensor.dtype(), shape)));
    return copy.tensor;
  }
  HONE_TRY(Tensor t, Tensor::allocate(value.tensor.dtype(), shape));
  const size_t row = static_cast<size_t>(dtype_bytes(t.dtype(), shape.back()));
  const size_t pitch = static_cast<size_t>(dtype_bytes(t.dtype(), slot.pitch));
  for (size_t i = 0, n = static_cast<size_t>(shape.product(0, shape.rank() - 1)); i < n; i++)
    std::memcpy(static_cast<std::byte*>(t.bytes()) + i * row,
                static_cast<const std::byte*>(value.tensor.bytes()) + i * pitch, row);
  return t;
}

}  // namespace hone
