#include "runtime/frame.h"

#include <algorithm>
#include <cstdlib>

#include "base/memory_budget.h"
#include "kernels/choose.h"

namespace hone {

struct Frame::State {
  std::vector<Value> in;            // of this run
  std::vector<ValueType> in_types;  // of the last preparation
  bool known = false;               // in_types are those of the current preparation
  const Tactic* tactic = nullptr;   // null: reference
  std::vector<ValueType> out_types;
  Prepared prepared;
  std::shared_ptr<const void> packed;
  std::vector<std::byte> scratch;
  std::vector<const void*> in_bytes;
  std::vector<void*> out_bytes;
  std::vector<std::pair<std::string, std::unique_ptr<Frame>>> frames;
};

Frame::Frame(FrameShared& shared, const ResolvedProgram& program, Frame* parent)
    : shared_(shared),
      program_(program),
      parent_(parent),
      values_(program.program->values.size()),
      states_(program.steps.size()),
      node_states_(program.steps.size()),
      buffers_(program.program->values.size()) {}
Frame::~Frame() = default;

// Outputs go to the frame's buffers and values.
class LateContext : public EvalContext {
 public:
  LateContext(Frame& frame, int step, std::vector<Value>& in)
      : EvalContext(*frame.program_.steps[static_cast<size_t>(step)].op,
                    frame.program_.steps[static_cast<size_t>(step)].attrs, in,
                    frame.program_.steps[static_cast<size_t>(step)].step->out.size()),
        frame_(frame),
        step_(step),
        out_(frame.program_.steps[static_cast<size_t>(step)].step->out) {}
  bool wanted(size_t i) const override { return i < out_.size() && out_[i] >= 0; }
  Result<TensorView> output(size_t i, DType d, const Shape& s) override {
    if (!wanted(i)) return spare(d, s);
    HONE_TRY(Tensor t, frame_.allocate(out_[i], d, s));
    frame_.set_value(out_[i], t);
    return t.view();
  }
  Status set_output(size_t i, Value v) override {
    if (wanted(i)) frame_.set_value(out_[i], std::move(v));
    return {};
  }
  Result<std::vector<Value>> run_graph(std::string_view attr, std::span<const Value> args) override {
    return frame_.nested(step_, attr).run(args);
  }
  ValueType output_type(size_t i) const override {
    return wanted(i) ? frame_.program_.program->values[static_cast<size_t>(out_[i])].type : ValueType();
  }
  NodeState& state() override { return frame_.node_state(step_); }
  bool cancelled() const override { return frame_.cancelled(); }

 private:
  Frame& frame_;
  int step_;
  const std::vector<int>& out_;
};

Value Frame::value(int v) {
  if (v < 0) return {};
  const ProgramValue& desc = program_.program->values[static_cast<size_t>(v)];
  if (desc.kind == ProgramValue::Kind::constant)
    return shared_.engine.data().constants[static_cast<size_t>(desc.ref)];
  if (desc.kind == ProgramValue::Kind::capture) return parent_ ? parent_->value(desc.ref) : Value();
  if (fetch_)
    if (Value s = fetch_(v)) return s;
  return values_[static_cast<size_t>(v)];
}

Result<std::vector<Value>> Frame::run(std::span<const Value> args) {
  const Program& p = *program_.program;
  if (args.size() != p.inputs.size())
    return error(Code::invalid_argument, "nested graph '%s' takes %zu inputs, got %zu", p.name.c_str(),
                 p.inputs.size(), args.size());
  for (size_t i = 0; i < args.size(); i++) set_value(p.inputs[i], args[i]);
  for (size_t i = 0; i < p.steps.size(); i++) HONE_CHECK(run_late(static_cast<int>(i)));
  std::vector<Value> out;
  out.reserve(p.outputs.size());
  for (int v : p.outputs) out.push_back(value(v));
  return out;
}

Frame& Frame::nested(int step, std::string_view attr) {
  State& state = *states_[static_cast<size_t>(step)];
  for (auto& [name, frame] : state.frames)
    if (name == attr) return *frame;
  for (const auto& [name, graph] : program_.steps[static_cast<size_t>(step)].graphs)
    if (name == attr) {
      state.frames.emplace_back(name, std::make_unique<Frame>(shared_, *graph, this));
      break;
    }
  return *state.frames.back().second;  // bind_attrs has made sure that a required graph is there
}

Result<Tensor> Frame::allocate(int v, DType d, const Shape& s) {
  HONE_TRY(const int64_t n, checked_elements(s));
  if (d == DType::string) return Tensor::allocate(d, s);
  Buffer& b = buffers_[static_cast<size_t>(v)];
  values_[static_cast<size_t>(v)] = Value();  // lets go of last run's tensor, which shares the buffer
  const int64_t bytes = dtype_bytes(d, n);
  if (!b.owner || b.capacity < bytes || b.owner.use_count() > 1) {
    b.owner = nullptr;  // first: the two together may be more than there is
    HONE_TRY(const Tensor t, Tensor::allocate(DType::u8, Shape{std::max<int64_t>(bytes, 1)}));
    b.owner = t.owner();
    b.capacity = bytes;
  }
  return Tensor::view(b.owner, b.owner.get(), d, s);
}

Status Frame::run_late(int step) {
  const ResolvedStep& r = program_.steps[static_cast<size_t>(step)];
  auto& slot = states_[static_cast<size_t>(step)];
  if (!slot) slot = std::make_unique<State>();
  State& state = *slot;
  if (cancelled()) return error(Code::cancelled, "cancelled by the caller");
  state.in.resize(r.step->in.size());
  for (size_t k = 0; k < state.in.size(); k++) state.in[k] = value(r.step->in[k]);
  Status status;
  if (r.op->view && !r.step->out.empty() && r.step->out[0] >= 0 && state.in[0].kind != Value::Kind::tensor) {
    set_value(r.step->out[0], state.in[0]);  // Identity of a sequence or optional
  } else {
    status = prepare(step, state);
    if (status) status = state.tactic ? run_tactic(step, state) : run_reference(step, state);
    if (status) status = check_texts(step);
  }
  for (Value& v : state.in) v = Value();  // buffers are free again once their last reader is done
  if (!status) return in(r.label(), status.take_error());
  return {};
}

// The budget counts strings, not what is in them: a loop could double a text until memory is full.
Status Frame::check_texts(int step) {
  const MemoryBudget* budget = MemoryBudget::current();
  if (!budget) return {};
  for (const int v : program_.steps[static_cast<size_t>(step)].step->out) {
    const Value* value = v < 0 ? nullptr : &values_[static_cast<size_t>(v)];
    if (!value || value->kind != Value::Kind::tensor || value->tensor.dtype() != DType::string) continue;
    size_t bytes = 0;
    for (int64_t i = 0, n = value->tensor.elements(); i < n; i++)
      bytes += value->tensor.data<std::string>()[i].size();
    if (bytes > static_cast<size_t>(budget->limit()))
      return error(Code::limit,
                   "texts of %zu bytes exceed the %lld that values may take in all: raise that limit "
                   "(--memory, HONE_MEMORY, hone_session_options.memory)",
                   bytes, static_cast<long long>(budget->limit()));
  }
  return {};
}

void Frame::forget() {
  values_.assign(values_.size(), Value());
  for (auto& state : states_) state.reset();
  buffers_.assign(buffers_.size(), Buffer());
}

Status Frame::prepare(int step, State& state) {
  const ResolvedStep& r = program_.steps[static_cast<size_t>(step)];
  const bool tensors = std::all_of(state.in.begin(), state.in.end(), [](const Value& v) {
    return v.kind == Value::Kind::none ||
           (v.kind == Value::Kind::tensor && v.tensor.dtype() != DType::string);
  });
  if (r.tactics.empty() || !r.graphs.empty() || !tensors) {
    state.tactic = nullptr;
    return {};
  }
  // A tactic may have looked into constants only: others may change from run to run.
  const auto& values = program_.program->values;
  bool same = state.known && state.in_types.size() == state.in.size();
  for (size_t k = 0; same && k < state.in.size(); k++)
    same = state.in[k] ? state.in_types[k].kind == Value::Kind::tensor &&
                             state.in_types[k].dtype == state.in[k].tensor.dtype() &&
                             state.in_types[k].shape == state.in[k].tensor.shape()
                       : state.in_types[k].kind == Value::Kind::none;
  if (same) return {};

  state.known = false;
  state.tactic = nullptr;
  state.in_types.assign(state.in.size(), ValueType());
  std::vector<Tensor> constants(state.in.size());
  for (size_t k = 0; k < state.in.size(); k++) {
    state.in_types[k] = type_of(state.in[k]);
    const int v = r.step->in[k];
    if (v >= 0 && values[static_cast<size_t>(v)].kind == ProgramValue::Kind::constant)
      constants[k] = state.in[k].tensor;
  }
  Infer infer{*r.op, r.attrs, state.in_types, constants, std::vector<ValueType>(r.step->out.size())};
  HONE_CHECK(infer_types(infer));
  for (size_t k = 0; k < infer.out.size(); k++)
    if (r.step->out[k] >= 0 &&
        (infer.out[k].kind != Value::Kind::tensor || infer.out[k].dtype == DType::none ||
         infer.out[k].dtype == DType::string || !infer.out[k].shape.all_known()))
      return {};  // depends on data: the reference finds out
  state.out_types = infer.out;

  std::vector<Operand> in, out;
  for (size_t k = 0; k < state.in.size(); k++) {
    Operand o;
    if (state.in[k]) {
      const Tensor& t = state.in[k].tensor;
      o = {t.dtype(), t.shape(), t.shape().rank() ? t.shape().back() : 1, constants[k] ? t.bytes() : nullptr};
    }
    in.push_back(o);
  }
  for (size_t k = 0; k < state.out_types.size(); k++) {
    Operand o;
    const Shape& s = state.out_types[k].shape;
    if (r.step->out[k] >= 0) o = {state.out_types[k].dtype, s, s.rank() ? s.back() : 1, nullptr};
    out.push_back(o);
  }
  const Problem problem{r.op, &r.attrs, in, out, shared_.engine.isa(), shared_.pool.threads()};
  if (const Tactic* t = choose(r.tactics, problem, r.step->tactic)) {
    state.prepared = Prepared();
    HONE_CHECK(t->prepare(problem, state.prepared));
    state.packed = nullptr;
    if (state.prepared.packed_bytes > 0) {
      HONE_TRY(state.packed, shared_.engine.packed(*t, problem, state.prepared));
    }
    state.scratch.resize(static_cast<size_t>(state.prepared.scratch_bytes) + 63);
    state.in_bytes.resize(in.size());
    state.out_bytes.resize(out.size());
    state.tactic = t;
  }
  state.known = state.tactic != nullptr;
  return {};
}

Status Frame::run_tactic(int step, State& state) {
  const ResolvedStep& r = program_.steps[static_cast<size_t>(step)];
  for (size_t k = 0; k < state.in.size(); k++)
    state.in_bytes[k] = state.in[k] ? state.in[k].tensor.bytes() : nullptr;
  for (size_t k = 0; k < state.out_types.size(); k++) {
    state.out_bytes[k] = nullptr;
    const int v = r.step->out[k];
    if (v < 0) continue;
    HONE_TRY(Tensor t, allocate(v, state.out_types[k].dtype, state.out_types[k].shape));
    state.out_bytes[k] = t.bytes();
    set_value(v, std::move(t));
  }
  void* scratch = state.scratch.data();
  size_t room = state.scratch.size();
  if (!state.scratch.empty()) std::align(64, state.scratch.size() - 63, scratch, room);
  state.tactic->run({state.prepared.params.data(), state.packed.get(), state.in_bytes, state.out_bytes,
                     scratch, shared_.pool});
  return {};
}

Status Frame::run_reference(int step, State& state) {
  LateContext context(*this, step, state.in);
  return context.op.reference(context);
}

}  // namespace hone
