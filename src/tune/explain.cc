#include "tune/explain.h"

#include <map>

namespace hone {
namespace {

using Times = TimingRecord::Times;

constexpr size_t most_names = 3;

struct Step {
  const StepProblem* problem;
  const Choice* choice;
  const Times* times;
};

double time_of(const Times* times, const Tactic* tactic) {
  if (!times) return 0;
  const auto it = times->find(tactic->name);
  return it == times->end() ? 0 : it->second;
}

std::string heading(const Step& s, size_t steps) {
  const Choice& c = *s.choice;
  const std::string many = strf(" (%zu %s)", steps, steps == 1 ? "step" : "steps");
  std::string line = std::string(s.problem->resolved->op->name) + ": ";
  if (!c.tactic)
    return line + "the reference, which is slow" + many +
           (s.problem->candidates.empty() ? ": there is no kernel" : ": every kernel refuses");
  line += c.tactic->name + many;
  switch (c.why) {
    case Choice::Why::time:
      line += ", by the times";
      break;
    case Choice::Why::cost:
      line += ", estimated to cost least";
      break;
    default:
      break;
  }
  return line + (c.limited ? ", for others would add too much error" : "");
}

// Why the tactic is not used, or "" if figures say it.
std::string refusal(const Step& s, const Candidate& c) {
  if (!c.accept) return "not used because " + c.accept.why();
  if (s.choice->limited && c.tactic->error_bound > s.choice->tactic->error_bound)
    return "not used because its error would go too far";
  if (s.choice->why == Choice::Why::time && time_of(s.times, c.tactic) > 0) return "";
  if (c.cost > 0) return "";
  return strf("not used because it stands behind %s", s.choice->tactic->name);
}

// The figures of a problem: those of the tactic used, then the others'.
std::string figures(const Step& s) {
  const Choice& choice = *s.choice;
  if (!choice.tactic) return "";
  std::string own, others;
  double cost = 0;
  for (const Candidate& c : s.problem->candidates)
    if (c.tactic == choice.tactic) cost = c.cost;
  for (const Candidate& c : s.problem->candidates) {
    if (!c.accept) continue;
    const double us = choice.why == Choice::Why::time ? time_of(s.times, c.tactic) : 0;
    if (c.tactic == choice.tactic) {
      if (us > 0) own = strf("%.1f us", us);
    } else if (us > 0) {
      others += strf("%s%s %.1f us", others.empty() ? "" : ", ", c.tactic->name, us);
    } else if (c.cost > 0 && cost > 0) {
      others += strf("%s%s by estimate %.2f times as much", others.empty() ? "" : ", ", c.tactic->name,
                     c.cost / cost);
    }
  }
  if (own.empty() && others.empty()) return "";
  return ": " + own + (own.empty() || others.empty() ? "" : "; ") + others;
}

std::string names(const std::vector<Step>& steps, size_t most) {
  std::string s;
  for (size_t i = 0; i < steps.size() && i < most; i++) {
    const std::string& name = steps[i].problem->resolved->step->name;
    s += (i ? ", '" : "'") + name + "'";
  }
  if (steps.size() > most) s += strf(" and %zu more", steps.size() - most);
  return s;
}

}  // namespace

std::vector<std::string> explain_choices(std::span<const StepProblem> problems,
                                         std::span<const Choice> choices, const TimingRecord& record,
                                         const std::string& machine) {
  struct Group {
    std::vector<std::string> refusals;
    std::vector<Step> steps;
  };
  std::map<std::string, size_t> index;
  std::vector<Group> groups;
  for (size_t i = 0; i < problems.size(); i++) {
    const Step s{&problems[i], &choices[i], record.find(machine, problems[i].key)};
    std::vector<std::string> refusals;
    std::string key = heading(s, 0);
    for (const Candidate& c : problems[i].candidates) {
      if (c.tactic == choices[i].tactic) continue;
      const std::string why = refusal(s, c);
      if (!why.empty()) refusals.push_back(std::string(c.tactic->name) + ": " + why);
      key += "\n" + why;
    }
    const auto [it, fresh] = index.try_emplace(key, groups.size());
    if (fresh) groups.push_back({std::move(refusals), {}});
    groups[it->second].steps.push_back(s);
  }
  std::vector<std::string> lines;
  for (const Group& g : groups) {
    lines.push_back(heading(g.steps.front(), g.steps.size()));
    for (const std::string& r : g.refusals) lines.push_back("  " + r);
    // Steps with the same figures share a line; those without any share one.
    std::map<std::string, size_t> shared;
    std::vector<std::pair<std::string, std::vector<Step>>> rows;
    for (const Step& s : g.steps) {
      const std::string figure = figures(s);
      const std::string row = figure.empty() ? "" : s.problem->out[0].shape.str() + figure;
      const auto [it, fresh] = shared.try_emplace(row, rows.size());
      if (fresh) rows.push_back({row, {}});
      rows[it->second].second.push_back(s);
    }
    for (const auto& [row, steps] : rows)
      lines.push_back("    " + names(steps, most_names) + (row.empty() ? "" : " " + row));
  }
  return lines;
}

std::vector<std::string> explain_strips(const Engine& engine, const ShapePlan& plan) {
  std::vector<std::string> chains;
  int64_t hidden = 0;
  for (const PlanStep& s : plan.steps) {
    std::string line;
    for (const PlanStep& link : s.chain) {
      const ProgramStep& p = *engine.program().steps[static_cast<size_t>(link.step)].step;
      line += "'" + p.name + "'";
      if (&link == &s.chain.back()) continue;
      const ValueType& t = plan.types[static_cast<size_t>(p.out[0])];
      if (plan.slots[static_cast<size_t>(p.out[0])].where == Slot::Where::none)
        hidden += dtype_bytes(t.dtype, t.shape.elements());
      line += " " + t.shape.str() + ", ";
    }
    if (!line.empty()) chains.push_back("    " + line);
  }
  if (chains.empty()) return {};
  std::vector<std::string> lines{strf(
      "strips: %zu %s of steps, as L2 holds %lld KB and their maps, %.1f MB in all, need not be made whole",
      chains.size(), chains.size() == 1 ? "chain" : "chains", static_cast<long long>(l2_cache_bytes() / 1024),
      static_cast<double>(hidden) / 1e6)};
  lines.insert(lines.end(), chains.begin(), chains.end());
  return lines;
}

}  // namespace hone
