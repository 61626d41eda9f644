#include "runtime/plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/cpu.h"
#include "base/memory_budget.h"
#include "kernels/choose.h"
#include "runtime/chains.h"
#include "runtime/eval_context.h"

namespace hone {
namespace {

// Shape arithmetic is done while planning: results of up to this many bytes.
constexpr int64_t max_folded_bytes = 64 * 1024;

class Planner {
 public:
  Planner(const Engine& engine, int threads, bool keep_all)
      : engine_(engine),
        program_(*engine.program().program),
        threads_(threads),
        keep_all_(keep_all),
        plan_(std::make_shared<ShapePlan>()),
        known_(program_.values.size()),
        own_(program_.values.size()),
        inferred_(program_.steps.size()) {
    plan_->types.resize(program_.values.size());
    plan_->slots.resize(program_.values.size());
  }

  Result<std::shared_ptr<const ShapePlan>> run(std::span<const Shape> input_shapes) {
    HONE_CHECK(bind_inputs(input_shapes));
    for (size_t v = 0; v < program_.values.size(); v++)
      if (program_.values[v].kind == ProgramValue::Kind::constant) {
        const Tensor& t = engine_.data().constants[at(program_.values[v].ref)];
        hold(static_cast<int>(v), t);
      }
    for (size_t i = 0; i < program_.steps.size(); i++) HONE_CHECK(place(static_cast<int>(i)));
    HONE_CHECK(lay_out());
    return std::shared_ptr<const ShapePlan>(std::move(plan_));
  }

 private:
  static size_t at(int v) { return static_cast<size_t>(v); }
  const ResolvedStep& resolved(int step) const { return engine_.program().steps[at(step)]; }

  Status bind_inputs(std::span<const Shape> shapes) {
    if (shapes.size() != program_.inputs.size())
      return error(Code::invalid_argument, "%zu inputs given, the engine takes %zu", shapes.size(),
                   program_.inputs.size());
    for (size_t i = 0; i < shapes.size(); i++) {
      const int v = program_.inputs[i];
      const ProgramValue& value = program_.values[at(v)];
      const Shape& want = value.type.shape;
      bool fits = !want.ranked() || want.rank() == shapes[i].rank();
      for (size_t d = 0; fits && d < want.size(); d++) fits = !known(want[d]) || want[d] == shapes[i][d];
      if (!fits)
        return error(Code::invalid_argument, "input '%s' has shape %s, the engine takes %s",
                     value.name.c_str(), shapes[i].str().c_str(), want.str().c_str());
      if (auto n = checked_elements(shapes[i]); !n)
        return in(strf("input '%s'", value.name.c_str()), n.take_error());
      plan_->input_shapes.push_back(shapes[i]);
      if (value.type.kind != Value::Kind::tensor || value.type.dtype == DType::string) {
        plan_->slots[at(v)].where = Slot::Where::late;
        continue;
      }
      plan_->types[at(v)] = ValueType(value.type.dtype, shapes[i]);
      plan_->slots[at(v)] = {Slot::Where::input, static_cast<int>(i), 0, row(shapes[i])};
    }
    return {};
  }

  static int64_t row(const Shape& s) { return s.rank() ? s.back() : 1; }

  // The value is this tensor from now on.
  void hold(int v, const Tensor& t) {
    known_[at(v)] = t;
    plan_->types[at(v)] = ValueType(t.dtype(), t.shape());
    plan_->slots[at(v)] = {Slot::Where::constant, static_cast<int>(plan_->constants.size()), 0,
                           row(t.shape())};
    plan_->constants.push_back(t);
  }

  bool late(int v) const { return v >= 0 && plan_->slots[at(v)].where == Slot::Where::late; }

  Status place(int index) {
    const ResolvedStep& r = resolved(index);
    const ProgramStep& s = *r.step;
    bool is_late = !r.graphs.empty() || std::any_of(s.in.begin(), s.in.end(), [&](int v) { return late(v); });
    std::vector<ValueType> in_types(s.in.size());
    std::vector<Tensor> in_values(s.in.size());
    for (size_t k = 0; k < s.in.size(); k++)
      if (s.in[k] >= 0) {
        in_types[k] = plan_->types[at(s.in[k])];
        in_values[k] = known_[at(s.in[k])];
        is_late = is_late || in_types[k].dtype == DType::string;
      }
    if (!is_late) {
      Infer infer{*r.op, r.attrs, in_types, in_values, std::vector<ValueType>(s.out.size())};
      if (auto status = infer_types(infer); !status) return in(r.label(), status.take_error());
      for (size_t k = 0; k < s.out.size(); k++) {
        if (s.out[k] < 0) continue;
        const ValueType& t = infer.out[k];
        if (t.kind != Value::Kind::tensor || t.dtype == DType::none || t.dtype == DType::string ||
            !t.shape.all_known()) {
          is_late = true;
          break;
        }
        if (auto n = checked_elements(t.shape); !n) return in(r.label(), n.take_error());
        plan_->types[at(s.out[k])] = t;
      }
      if (!is_late) {
        HONE_TRY(const bool folded, fold(r, in_types, in_values));
        if (folded) return {};
        inferred_[at(index)] = std::move(infer.out);
      }
    }
    for (int v : s.out)
      if (v >= 0) {
        if (is_late) {
          plan_->slots[at(v)].where = Slot::Where::late;
        } else {
          plan_->slots[at(v)] = {Slot::Where::arena, -1, 0, row(plan_->types[at(v)].shape)};
          own_[at(v)] = true;
        }
      }
    if (is_late) {
      PlanStep late_step;
      late_step.step = index;
      late_.push_back(std::move(late_step));
      for (int v : s.in)  // a sequence may hold on to it
        if (v >= 0) pinned_.push_back(v);
      for (const auto& [name, graph] : r.graphs) capture(*graph);
    } else {
      const auto [in_ops, out_ops] = operands(s, [&](int v) { return row(plan_->types[at(v)].shape); });
      const Problem problem{r.op, &r.attrs, in_ops, out_ops, engine_.isa(), threads_};
      steps_.push_back({index, &r, choose(r.tactics, problem, s.tactic), index});
    }
    return {};
  }

  // Values of this program that a nested one reads: they must stay where they are, dense, to the end.
  void capture(const ResolvedProgram& nested) {
    for (const ProgramValue& v : nested.program->values)
      if (v.kind == ProgramValue::Kind::capture) pinned_.push_back(v.ref);
    // A capture of a capture goes through the value above it, which is in that list already.
  }

  Result<bool> fold(const ResolvedStep& r, std::span<const ValueType> types, std::span<const Tensor> values) {
    const ProgramStep& s = *r.step;
    if (!r.op->pure) return false;
    int64_t bytes = 0;
    for (int v : s.out)
      if (v >= 0) bytes += dtype_bytes(plan_->types[at(v)].dtype, plan_->types[at(v)].shape.elements());
    if (bytes > max_folded_bytes) return false;
    std::vector<Value> in_values(s.in.size());
    for (size_t k = 0; k < s.in.size(); k++) {
      if (s.in[k] < 0) continue;
      if (values[k]) in_values[k] = values[k];
      else if (r.op->shape_only)
        in_values[k] = Tensor::view(nullptr, nullptr, types[k].dtype, types[k].shape);
      else return false;
    }
    OwningContext context(*r.op, r.attrs, std::move(in_values), s.out.size());
    if (auto status = r.op->reference(context); !status) return in(r.label(), status.take_error());
    for (size_t k = 0; k < s.out.size(); k++) {
      if (s.out[k] < 0) continue;
      const Value& v = context.results()[k];
      if (v.kind != Value::Kind::tensor)
        return error(Code::internal, "%s made no output %zu", r.label().c_str(), k);
      hold(s.out[k], v.tensor);
    }
    return true;
  }

  template <class Pitch>
  std::pair<std::vector<Operand>, std::vector<Operand>> operands(const ProgramStep& s, Pitch&& pitch) const {
    auto make = [&](int v) {
      Operand o;
      if (v < 0) return o;
      o.dtype = plan_->types[at(v)].dtype;
      o.shape = plan_->types[at(v)].shape;
      o.pitch = pitch(v);
      if (known_[at(v)]) o.constant = known_[at(v)].bytes();
      return o;
    };
    std::pair<std::vector<Operand>, std::vector<Operand>> both;
    for (int v : s.in) both.first.push_back(make(v));
    for (int v : s.out) both.second.push_back(make(v));
    return both;
  }

  // Aliases, pitches, offsets; then the steps themselves.
  Status lay_out() {
    for (int v : program_.outputs)
      if (v >= 0) pinned_.push_back(v);
    for (size_t v = 0; keep_all_ && v < own_.size(); v++)
      if (own_[v]) pinned_.push_back(static_cast<int>(v));
    make_chains();
    const std::vector<Alias> alias = place_aliases(program_, steps_, plan_->types, own_, pinned_);
    auto root_of = [&](int v) {
      int64_t offset = 0;
      int pitched_by = -1;
      while (alias[at(v)].parent >= 0) {
        offset += alias[at(v)].offset;
        if (alias[at(v)].pitched) pitched_by = alias[at(v)].parent;
        v = alias[at(v)].parent;
      }
      return std::tuple{v, offset, pitched_by};
    };

    // Lifetimes of the values that have memory, in program steps.
    const int end = static_cast<int>(program_.steps.size());
    std::vector<int> first(program_.values.size(), end), last(program_.values.size(), -1);
    auto touch = [&](int v, int step) {
      if (v < 0) return;
      const size_t r = at(std::get<0>(root_of(v)));
      first[r] = std::min(first[r], step);
      last[r] = std::max(last[r], step);
    };
    std::vector<int> runs_at(program_.steps.size());
    std::iota(runs_at.begin(), runs_at.end(), 0);
    for (const AliasStep& s : steps_) runs_at[at(s.step)] = s.runs_at;
    for (size_t i = 0; i < program_.steps.size(); i++) {
      for (int v : program_.steps[i].in) touch(v, runs_at[i]);
      for (int v : program_.steps[i].out) touch(v, runs_at[i]);
    }
    for (int v : pinned_) touch(v, end);

    std::vector<MemoryBlock> blocks;
    std::vector<int> block_value;
    for (size_t v = 0; v < program_.values.size(); v++) {
      if (!own_[v] || alias[v].parent >= 0 || last[v] < 0) continue;
      MemoryBlock b;
      b.bytes = dtype_bytes(plan_->types[v].dtype, plan_->types[v].shape.elements());
      b.first = first[v];
      b.last = last[v];
      blocks.push_back(b);
      block_value.push_back(static_cast<int>(v));
    }
    for (size_t v = 0; v < program_.values.size(); v++) {
      if (!own_[v]) continue;
      const auto [root, offset, pitched_by] = root_of(static_cast<int>(v));
      Slot& slot = plan_->slots[v];
      const Slot& base = plan_->slots[at(root)];
      slot = {base.where, base.index, base.offset + offset, row(plan_->types[v].shape)};
      if (pitched_by >= 0) slot.pitch = outer_pitch(alias, static_cast<int>(v));
    }

    for (const AliasStep& s : steps_)
      if (s.chain < 0) HONE_CHECK(make_step(s, alias, blocks));
    for (const Chain& c : chains_) HONE_CHECK(make_chain(c, blocks));
    plan_->memory = place_blocks(blocks);

    for (size_t v = 0; v < program_.values.size(); v++)  // offsets of roots are known now
      if (own_[v]) {
        const int root = std::get<0>(root_of(static_cast<int>(v)));
        if (plan_->slots[v].where != Slot::Where::arena) continue;
        auto it = std::find(block_value.begin(), block_value.end(), root);
        if (it != block_value.end())
          plan_->slots[v].offset += blocks[static_cast<size_t>(it - block_value.begin())].offset;
      }
    for (PlanStep& s : plan_->steps)
      if (s.scratch_offset >= 0) s.scratch_offset = blocks[static_cast<size_t>(s.scratch_offset)].offset;
    for (PlanStep& s : late_) plan_->steps.push_back(std::move(s));
    std::stable_sort(plan_->steps.begin(), plan_->steps.end(),
                     [](const PlanStep& a, const PlanStep& b) { return a.step < b.step; });
    const PlanStep* next = nullptr;
    for (auto s = plan_->steps.rbegin(); s != plan_->steps.rend(); ++s) {
      if (s->how == PlanStep::How::late) next = nullptr;  // who knows when it comes to what is behind it
      s->next = next;
      const PlanStep& first = s->chain.empty() ? *s : s->chain.front();
      if (first.packed) next = &first;
    }
    return {};
  }

  // What the steps of a chain hand on gets no memory.
  void make_chains() {
    chains_ = find_chains(program_, steps_, plan_->types, own_, pinned_, l2_cache_bytes(), threads_);
    for (size_t c = 0; c < chains_.size(); c++) {
      const std::vector<Chain::Link>& links = chains_[c].links;
      for (const Chain::Link& l : links) {
        AliasStep& s = steps_[at(l.index)];
        s.chain = static_cast<int>(c);
        s.runs_at = steps_[at(chains_[c].maker().index)].step;
        if (l.index >= chains_[c].maker().index) continue;
        const int v = program_.steps[at(s.step)].out[0];
        own_[at(v)] = false;
        plan_->slots[at(v)].where = Slot::Where::none;
      }
    }
  }

  // Rows of a pitched value lie as far apart as those of the outermost value it is a row part of.
  int64_t outer_pitch(const std::vector<Alias>& alias, int v) const {
    while (alias[at(v)].pitched) v = alias[at(v)].parent;
    return row(plan_->types[at(v)].shape);
  }

  Status make_step(const AliasStep& s, const std::vector<Alias>& alias, std::vector<MemoryBlock>& blocks) {
    const ResolvedStep& r = *s.resolved;
    const ProgramStep& p = *r.step;
    // Done by placement alone?
    auto placed_in = [&](std::span<const int> parts, int whole) {
      return std::all_of(parts.begin(), parts.end(),
                         [&](int v) { return v >= 0 && alias[at(v)].parent == whole; });
    };
    if (r.op->view && alias[at(p.out[0])].parent == p.in[0] && p.out[0] >= 0) return {};
    if (s.tactic && p.domain.empty() &&
        ((p.op == "Concat" && placed_in(p.in, p.out[0])) || (p.op == "Split" && placed_in(p.out, p.in[0])))) {
      plan_->aliased++;
      return {};
    }
    PlanStep step;
    step.step = s.step;
    step.how = PlanStep::How::reference;
    step.in = p.in;
    step.out = p.out;
    if (!s.tactic) step.out_types = std::move(inferred_[at(s.step)]);
    if (s.tactic) {
      const auto [in_ops, out_ops] = operands(p, [&](int v) { return plan_->slots[at(v)].pitch; });
      HONE_CHECK(prepare(s, {r.op, &r.attrs, in_ops, out_ops, engine_.isa(), threads_}, step));
    }
    take_scratch(step, step.prepared.scratch_bytes, blocks);
    plan_->steps.push_back(std::move(step));
    return {};
  }

  Status prepare(const AliasStep& s, const Problem& problem, PlanStep& step) {
    step.step = s.step;
    step.how = PlanStep::How::tactic;
    step.tactic = s.tactic;
    if (auto status = s.tactic->prepare(problem, step.prepared); !status)
      return in(s.resolved->label(), status.take_error());
    if (step.prepared.packed_bytes > 0) {
      HONE_TRY(step.packed, engine_.packed(*s.tactic, problem, step.prepared));
    }
    return {};
  }

  Status make_chain(const Chain& c, std::vector<MemoryBlock>& blocks) {
    PlanStep step;
    step.how = PlanStep::How::strips;
    step.chain.resize(c.links.size());
    std::vector<std::pair<std::vector<Operand>, std::vector<Operand>>> ops;
    std::vector<Problem> problems;
    std::vector<StripStep> strips;
    ops.reserve(c.links.size());
    problems.reserve(c.links.size());
    for (size_t i = 0; i < c.links.size(); i++) {
      const AliasStep& s = steps_[at(c.links[i].index)];
      const ProgramStep& p = *s.resolved->step;
      const auto& [in_ops, out_ops] =
          ops.emplace_back(operands(p, [&](int v) { return plan_->slots[at(v)].pitch; }));
      problems.push_back({s.resolved->op, &s.resolved->attrs, in_ops, out_ops, engine_.isa(), threads_});
      PlanStep& link = step.chain[i];
      HONE_CHECK(prepare(s, problems.back(), link));
      strips.push_back({s.tactic, &problems.back(), &link.prepared, link.packed.get(), c.links[i].chained});
      step.in.insert(step.in.end(), p.in.begin(), p.in.end());
      step.out.insert(step.out.end(), p.out.begin(), p.out.end());
    }
    step.step = steps_[at(c.maker().index)].step;
    step.strips = std::make_unique<Strips>(strips, l2_cache_bytes() * 3 / 8);
    take_scratch(step, step.strips->scratch_bytes(), blocks);
    plan_->steps.push_back(std::move(step));
    return {};
  }

  static void take_scratch(PlanStep& step, int64_t bytes, std::vector<MemoryBlock>& blocks) {
    if (bytes == 0) return;
    step.scratch_offset = static_cast<int64_t>(blocks.size());  // the block's number until offsets are known
    MemoryBlock b;
    b.bytes = bytes;
    b.first = b.last = step.step;
    blocks.push_back(b);
  }

  const Engine& engine_;
  const Program& program_;
  const int threads_;
  const bool keep_all_;
  std::shared_ptr<ShapePlan> plan_;
  std::vector<Tensor> known_;  // per value: its content, where it follows from constants and shapes
  std::vector<bool> own_;      // per value: lives in the arena unless aliased
  std::vector<std::vector<ValueType>> inferred_;  // per static step: types of its outputs
  std::vector<AliasStep> steps_;                  // static, in order
  std::vector<Chain> chains_;
  std::vector<PlanStep> late_;
  std::vector<int> pinned_;
};

}  // namespace

Result<std::shared_ptr<const ShapePlan>> make_plan(const Engine& engine, std::span<const Shape> input_shapes,
                                                   int threads, bool keep_all) {
  if (MemoryBudget::current()) return Planner(engine, threads, keep_all).run(input_shapes);
  // Not for a session, but to look at: what is computed from shapes needs a limit all the same.
  HONE_TRY(const int64_t memory, memory_limit(0));
  const auto budget = std::make_shared<MemoryBudget>(memory);
  const MemoryBudget::Scope counted(budget.get());
  return Planner(engine, threads, keep_all).run(input_shapes);
}

}  // namespace hone
