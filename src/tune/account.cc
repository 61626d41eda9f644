#include "tune/account.h"

#include <algorithm>

namespace hone {
namespace {

using How = StepAccount::How;

class Accountant {
 public:
  Accountant(const Engine& engine, int threads, Account& out)
      : engine_(engine), threads_(threads), out_(out) {}

  Status run(const std::map<std::string, Shape>& given) {
    HONE_TRY(out_.machine, measure_machine(engine_.isa(), threads_));
    HONE_TRY(const auto shapes, input_shapes(given));
    std::shared_ptr<const ShapePlan> plan;
    if (out_.unknown.empty()) {
      auto made = make_plan(engine_, shapes, threads_);
      if (!made && !given.empty()) return made.take_error();
      if (made) plan = *made;
      else out_.unknown = made.error().message;
    }
    if (plan) planned(*plan);
    const ResolvedProgram& main = engine_.program();
    for (size_t i = 0; i < main.steps.size(); i++) {
      StepAccount& s = out_.steps.emplace_back(plan ? of_plan(static_cast<int>(i), *plan)
                                                    : of_program(main, main.steps[i]));
      s.step = static_cast<int>(i);
      nested(main.steps[i], "");
    }
    return {};
  }

 private:
  Result<std::vector<Shape>> input_shapes(const std::map<std::string, Shape>& given) {
    const Program& p = *engine_.program().program;
    std::vector<Shape> list;
    size_t used = 0;
    for (const int v : p.inputs) {
      const ProgramValue& value = p.values[static_cast<size_t>(v)];
      Shape s = value.type.kind == Value::Kind::tensor ? value.type.shape : Shape{};
      if (const auto it = given.find(value.name); it != given.end()) {
        s = it->second;
        used++;
      } else if (!s.ranked()) {
        out_.unknown = "input '" + value.name + "' may have any shape: choose one with --shape";
      } else if (!s.all_known()) {
        for (size_t d = 0; d < s.size(); d++)
          if (!known(s[d])) s[d] = 1;
        out_.assumed[value.name] = s;
      }
      list.push_back(s);
    }
    if (used < given.size())
      for (const auto& [name, shape] : given)
        if (std::none_of(p.inputs.begin(), p.inputs.end(),
                         [&, n = &name](int v) { return p.values[static_cast<size_t>(v)].name == *n; }))
          return error(Code::not_found, "a shape was given for input '%s', which the engine does not have",
                       name.c_str());
    return list;
  }

  // Which steps of the plan run, and with which tactic.
  void planned(const ShapePlan& plan) {
    int chains = 0;
    for (const PlanStep& s : plan.steps) {
      for (const PlanStep& link : s.chain) {
        runs_[link.step] = &link;
        strip_[link.step] = chains;
      }
      if (s.chain.empty()) runs_[s.step] = &s;
      else chains++;
    }
    for (StepProblem& p : step_problems(engine_, plan)) problems_.emplace(p.step, std::move(p));
  }

  StepAccount of_plan(int step, const ShapePlan& plan) {
    const ResolvedStep& r = engine_.program().steps[static_cast<size_t>(step)];
    const auto it = runs_.find(step);
    if (it != runs_.end() && it->second->how == PlanStep::How::late) return of_program(engine_.program(), r);
    StepAccount s;
    s.resolved = &r;
    const int v = r.step->out.empty() ? -1 : r.step->out[0];
    if (v >= 0) s.output = plan.types[static_cast<size_t>(v)].str();
    s.known = true;
    if (it == runs_.end()) {
      const bool constant = v >= 0 && plan.slots[static_cast<size_t>(v)].where == Slot::Where::constant;
      s.how = constant ? How::from_shapes : How::in_place;
      return s;
    }
    if (const auto chain = strip_.find(step); chain != strip_.end()) s.strip = chain->second;
    judge_step(s, problems_.at(step),
               it->second->how == PlanStep::How::reference ? nullptr : it->second->tactic);
    return s;
  }

  // A step whose types are known only as far as they were when the engine was built: it runs in a nested graph or
  // touches what depends on data.
  StepAccount of_program(const ResolvedProgram& program, const ResolvedStep& r) {
    StepAccount s;
    s.resolved = &r;
    StepProblem p;
    p.resolved = &r;
    p.isa = engine_.isa();
    bool all = r.graphs.empty(), tensors = true;
    const auto operand = [&](int v) {
      Operand o;
      if (v < 0) return o;
      const ProgramValue& value = program.program->values[static_cast<size_t>(v)];
      const ValueType& t = value.type;
      tensors = tensors && (t.kind == Value::Kind::tensor || t.kind == Value::Kind::none) &&
                t.dtype != DType::string;
      if (t.kind != Value::Kind::tensor || t.dtype == DType::none || !t.shape.all_known()) {
        all = false;
        return o;
      }
      o = {t.dtype, t.shape, t.shape.rank() ? t.shape.back() : 1, nullptr};
      if (value.kind == ProgramValue::Kind::constant)
        o.constant = engine_.data().constants[static_cast<size_t>(value.ref)].bytes();
      return o;
    };
    for (const int v : r.step->in) p.in.push_back(operand(v));
    for (const int v : r.step->out) p.out.push_back(operand(v));
    if (!r.step->out.empty() && r.step->out[0] >= 0)
      s.output = program.program->values[static_cast<size_t>(r.step->out[0])].type.str();
    s.known = all;
    if (all && tensors) {
      p.candidates = judge(r.tactics, p.problem(1));
      judge_step(s, p, choose(r.tactics, p.problem(1), r.step->tactic));
      return s;
    }
    if (all) s.cost = estimate(out_.machine, p, nullptr);
    s.how = r.tactics.empty() || !tensors || !r.graphs.empty() ? How::reference : How::running;
    if (!r.graphs.empty()) s.why = "it runs its graph, whose steps follow";
    else if (s.how == How::running) s.why = "its shapes depend on data: chosen while running";
    else if (r.tactics.empty()) s.why = "there is no kernel for this operator";
    else s.why = "kernels take tensors of numbers only";
    for (const Tactic* t : r.tactics)
      if (s.how == How::running) s.others.emplace_back(t->name, "may be chosen while running");
    return s;
  }

  void judge_step(StepAccount& s, const StepProblem& p, const Tactic* tactic) {
    s.tactic = tactic;
    s.how = tactic ? How::kernel : How::reference;
    s.cost = estimate(out_.machine, p, tactic);
    const Candidate* usual = cheapest(p.candidates);
    const auto accepted =
        std::count_if(p.candidates.begin(), p.candidates.end(), [](auto& c) { return bool(c.accept); });
    double cost = 0;
    for (const Candidate& c : p.candidates)
      if (c.tactic == tactic) cost = c.cost;
    if (!tactic)
      s.why = p.candidates.empty() ? "there is no kernel for this operator" : "every kernel refuses";
    else if (usual && usual->tactic != tactic) s.why = "chosen when the engine was built";
    else if (accepted == 1) s.why = p.candidates.size() == 1 ? "the only kernel" : "the others refuse";
    else s.why = cost > 0 ? "estimated to cost least" : "the best of those that accept";
    for (const Candidate& c : p.candidates) {
      if (c.tactic == tactic) continue;
      std::string why = !c.accept                ? c.accept.why()
                        : c.cost > 0 && cost > 0 ? strf("estimated to cost %.2f times as much", c.cost / cost)
                                                 : strf("it stands behind %s", tactic->name);
      s.others.emplace_back(c.tactic->name, std::move(why));
    }
  }

  void nested(const ResolvedStep& r, const std::string& path) {
    for (const auto& [attr, graph] : r.graphs) {
      const std::string inner = (path.empty() ? "" : path + ", ") + r.label() + " " + attr;
      for (const ResolvedStep& step : graph->steps) {
        out_.steps.push_back(of_program(*graph, step));
        out_.steps.back().graph = inner;
        nested(step, inner);
      }
    }
  }

  const Engine& engine_;
  const int threads_;
  Account& out_;
  std::map<int, const PlanStep*> runs_;
  std::map<int, int> strip_;
  std::map<int, StepProblem> problems_;
};

}  // namespace

Result<Account> account(const Engine& engine, const std::map<std::string, Shape>& shapes, int threads) {
  Account a;
  HONE_CHECK(Accountant(engine, threads, a).run(shapes));
  return a;
}

}  // namespace hone
