#include "tune/choice.h"

#include <algorithm>

namespace hone {
namespace {

constexpr double noise = 0.98;    // a tactic is faster if it takes less than this share of the time
constexpr double hopeless = 2;    // times the least estimated cost
constexpr size_t max_key = 4096;  // of bytes; far below TimingRecord::max_line

// In texts of one line: what could be taken for a separator becomes %XX.
std::string plain(std::string_view s) {
  std::string text;
  for (char c : s) {
    const bool safe = c > ' ' && c <= '~' && c != '%' && c != '|' && c != ',' && c != '=';
    text += safe ? std::string(1, c) : strf("%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return text;
}

template <class List, class Print>
std::string joined(const List& list, Print&& print) {
  std::string s;
  for (size_t i = 0; i < list.size(); i++) s += (i ? "," : "") + print(list[i]);
  return s;
}
std::string number(double f) { return strf("%.9g", f); }

// False: a value that has no short text.
bool print(const AttrValue& value, std::string& text) {
  switch (attr_type(value)) {
    case AttrType::i:
      text = std::to_string(std::get<int64_t>(value));
      return true;
    case AttrType::f:
      text = number(std::get<float>(value));
      return true;
    case AttrType::s:
      text = plain(std::get<std::string>(value));
      return true;
    case AttrType::ints:
      text = joined(std::get<std::vector<int64_t>>(value), [](int64_t i) { return std::to_string(i); });
      return true;
    case AttrType::floats:
      text = joined(std::get<std::vector<float>>(value), [](float f) { return number(f); });
      return true;
    case AttrType::strings:
      text = joined(std::get<std::vector<std::string>>(value), plain);
      return true;
    default:
      return false;
  }
}

std::string key_of(const StepProblem& p) {
  std::string key = p.resolved->op->name, text;
  for (const auto& [name, value] : p.resolved->attrs) {
    if (!print(value, text)) return "";
    key += " " + plain(name) + "=" + text;
  }
  for (const auto* operands : {&p.in, &p.out}) {
    key += " |";
    for (const Operand& o : *operands)
      key +=
          o ? strf(" %s%s%s", dtype_name(o.dtype), o.shape.str().c_str(), o.constant ? "const" : "") : " -";
  }
  return key.size() <= max_key ? key : "";
}

}  // namespace

std::vector<StepProblem> step_problems(const Engine& engine, const ShapePlan& plan) {
  std::vector<StepProblem> list;
  std::vector<int> steps;
  for (const PlanStep& s : plan.steps) {
    for (const PlanStep& link : s.chain) steps.push_back(link.step);
    if (s.how != PlanStep::How::late && s.chain.empty()) steps.push_back(s.step);
  }
  for (const int step : steps) {
    StepProblem p;
    p.step = step;
    p.resolved = &engine.program().steps[static_cast<size_t>(step)];
    p.isa = engine.isa();
    const auto operand = [&](int v) {
      Operand o;
      if (v < 0) return o;
      const ValueType& type = plan.types[static_cast<size_t>(v)];
      const Slot& slot = plan.slots[static_cast<size_t>(v)];
      o.dtype = type.dtype;
      o.shape = type.shape;
      o.pitch = type.shape.rank() ? type.shape.back() : 1;
      if (slot.where == Slot::Where::constant)
        o.constant = plan.constants[static_cast<size_t>(slot.index)].bytes();
      return o;
    };
    for (int v : p.resolved->step->in) p.in.push_back(operand(v));
    for (int v : p.resolved->step->out) p.out.push_back(operand(v));
    p.candidates = judge(p.resolved->tactics, p.problem(1));
    p.key = key_of(p);
    list.push_back(std::move(p));
  }
  return list;
}

bool stands_in(const Tactic& t, const Tactic& other) {
  return !(other.pitched_in & ~t.pitched_in) && !(other.pitched_out & ~t.pitched_out) &&
         (other.in_place < 0 || other.in_place == t.in_place);
}

std::vector<const Candidate*> worth_timing(const StepProblem& p) {
  double least = 0;
  for (const Candidate& c : p.candidates)
    if (c.cost > 0 && (least == 0 || c.cost < least)) least = c.cost;
  std::vector<const Candidate*> list;
  const Candidate* usual = cheapest(p.candidates);
  for (const Candidate& c : p.candidates)
    if (c.accept && c.cost <= hopeless * least && stands_in(*c.tactic, *usual->tactic)) list.push_back(&c);
  return list;
}

Choice decide(const StepProblem& p, const TimingRecord::Times* times, float max_error) {
  std::vector<Candidate> allowed;
  for (const Candidate& c : p.candidates)
    if (c.tactic->error_bound <= max_error) allowed.push_back(c);
  const Candidate* best = cheapest(allowed);
  if (!best) return {};
  const auto accepted = std::count_if(allowed.begin(), allowed.end(), [](auto& c) { return bool(c.accept); });
  Choice choice{best->tactic, accepted > 1 && best->cost > 0 ? Choice::Why::cost : Choice::Why::first};
  const auto time = [&](const Tactic* t) {
    if (!times) return 0.0;
    const auto it = times->find(t->name);
    return it == times->end() ? 0.0 : it->second;
  };
  if (const double usual = time(best->tactic); usual > 0) {
    double least = usual;
    for (const Candidate& c : allowed)
      if (const double us = c.accept && stands_in(*c.tactic, *best->tactic) ? time(c.tactic) : 0;
          us > 0 && c.tactic != best->tactic) {
        choice.why = Choice::Why::time;
        if (us < least && us < noise * usual) {
          least = us;
          choice.tactic = c.tactic;
        }
      }
  }
  choice.limited = allowed.size() < p.candidates.size() && decide(p, times).tactic != choice.tactic;
  return choice;
}

}  // namespace hone
