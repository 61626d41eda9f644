#include "tune/tune.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/log.h"
#include "tune/exact.h"
#include "tune/explain.h"
#include "tune/measure.h"

namespace hone {
namespace {

using Clock = std::chrono::steady_clock;

class Tuner {
 public:
  Tuner(std::shared_ptr<const Engine> engine, const TuneOptions& options, TuneReport& report, int threads)
      : engine_(std::move(engine)),
        program_(*engine_->program().program),
        options_(options),
        report_(report),
        threads_(threads),
        machine_(timing_machine(engine_->isa(), threads)) {}

  Result<std::shared_ptr<const Engine>> run() {
    if (!find_shapes()) return engine_;
    auto plan = make_plan(*engine_, shapes_, threads_);
    if (!plan) {  // whoever runs it will be told why
      if (options_.timed) report_.notes.push_back("tactics are not timed: " + plan.error().message);
      return engine_;
    }
    plan_ = *std::move(plan);
    problems_ = step_problems(*engine_, *plan_);
    const bool timed = options_.timed && open_.empty();
    if (options_.timed && !timed)
      report_.notes.push_back("tactics are not timed: input '" + open_ +
                              "' leaves its shape open; fix it with --shape");
    if (timed) {
      if (const auto& machines = options_.record->machines(); !machines.empty() && !machines.count(machine_))
        report_.notes.push_back(
            strf("the timing records hold no times of this machine (%s), but of %zu other%s, such as %s; "
                 "these are "
                 "kept and not used",
                 machine_.c_str(), machines.size(), machines.size() == 1 ? "" : "s",
                 machines.begin()->first.substr(0, 100).c_str()));
      HONE_CHECK(measure());
    }
    for (const StepProblem& p : problems_) choices_.push_back(decide(p, times(p)));
    HONE_CHECK(limit_errors());
    if (options_.explain)
      report_.lines =
          explain_choices(problems_, choices_, timed ? *options_.record : TimingRecord(), machine_);
    const bool as_it_was = !timed && restricted_.empty();
    HONE_TRY(const auto chosen, as_it_was ? engine_ : result(timed));
    if (options_.explain) {
      HONE_TRY(const auto final_plan, as_it_was ? plan_ : make_plan(*chosen, shapes_, threads_));
      for (std::string& line : explain_strips(*chosen, *final_plan)) report_.lines.push_back(std::move(line));
    }
    return chosen;
  }

 private:
  // False: an input is of a kind or rank that nothing can be assumed of. A dimension that stands first and is open
  // is taken for the number of images.
  bool find_shapes() {
    for (int v : program_.inputs) {
      const ProgramValue& value = program_.values[static_cast<size_t>(v)];
      if (value.type.kind != Value::Kind::tensor || !value.type.shape.ranked()) return false;
      Shape s = value.type.shape;
      for (size_t d = 0; d < s.size(); d++) {
        if (known(s[d])) continue;
        if (open_.empty()) open_ = value.name;
        if (d > 0) return false;
        s[d] = 1;
      }
      shapes_.push_back(s);
    }
    return true;
  }

  const TimingRecord::Times* times(const StepProblem& p) const {
    return options_.timed && open_.empty() && !p.key.empty() ? options_.record->find(machine_, p.key)
                                                             : nullptr;
  }

  // Times all problems that more than one tactic could run and that the record lacks; first those that cost most.
  Status measure() {
    std::map<std::string, std::pair<double, const StepProblem*>> wanted;
    for (const StepProblem& p : problems_) {
      const auto candidates = worth_timing(p);
      if (candidates.size() < 2 || p.key.empty()) continue;
      const TimingRecord::Times* known = times(p);
      if (known && std::all_of(candidates.begin(), candidates.end(),
                               [&](const Candidate* c) { return known->count(c->tactic->name); }))
        continue;
      auto& [cost, problem] = wanted[p.key];
      cost += candidates.front()->cost;
      problem = &p;
    }
    std::vector<std::pair<double, const StepProblem*>> order;
    for (const auto& [key, entry] : wanted) order.push_back(entry);
    std::stable_sort(order.begin(), order.end(), [](auto& a, auto& b) { return a.first > b.first; });
    if (options_.seconds <= 0 || order.empty()) return {};

    const auto start = Clock::now();
    const auto end =
        start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.seconds));
    Stopwatch watch(threads_, engine_->packed_bytes().made + engine_->packed_bytes().ready);
    size_t done = 0;
    for (const auto& [cost, p] : order) {
      if (Clock::now() >= end) break;
      if (options_.progress)
        options_.progress(static_cast<double>(done) / static_cast<double>(order.size()),
                          "timing kernels for " + p->resolved->label());
      const auto candidates = worth_timing(*p);
      HONE_TRY(const auto us, watch.time(*p, candidates, end, options_.cancelled));
      if (us.empty()) break;
      auto& known = options_.record->times(machine_, p->key);
      for (size_t i = 0; i < us.size(); i++) TimingRecord::add(known, candidates[i]->tactic->name, us[i]);
      done++;
    }
    if (done < order.size())
      report_.notes.push_back(
          strf("the time was up after %zu of %zu problems: for the others estimates decide; "
               "give more with --time, or go on from a --time-record",
               done, order.size()));
    return {};
  }

  Tactics chosen() const {
    Tactics t(program_.steps.size());
    for (size_t i = 0; i < problems_.size(); i++)
      t[static_cast<size_t>(problems_[i].step)] = choices_[i].tactic;
    return t;
  }

  Status limit_errors() {
    std::vector<size_t> spreading;  // steps whose tactics spread errors
    for (size_t i = 0; i < choices_.size(); i++)
      if (choices_[i].tactic && choices_[i].tactic->error_bound > 0) spreading.push_back(i);
    if (spreading.empty()) return {};
    const auto at = [&](size_t i) { return static_cast<size_t>(problems_[i].step); };
    const Tactics wanted = chosen();
    std::shared_ptr<const Engine> engine = engine_;
    if (options_.timed) { HONE_TRY(engine, with_tactics(*engine_, wanted)); }
    HONE_TRY(const auto outputs, trial_run(engine, shapes_, threads_, options_.cancelled));
    if (outputs.empty()) {
      log(LogLevel::info,
          "errors of Winograd's algorithm are not judged: no run on random inputs gives outputs of f32");
      return {};
    }
    Tactics plain = wanted;
    for (size_t i : spreading) plain[at(i)] = decide(problems_[i], times(problems_[i]), 0).tactic;
    HONE_TRY(const auto exact_engine, with_tactics(*engine, plain));
    HONE_TRY(const auto exact, trial_run(exact_engine, shapes_, threads_, options_.cancelled));
    if (exact.empty()) return {};
    const auto error_of = [&](const Tactics& tactics) -> Result<double> {
      HONE_TRY(const auto e, with_tactics(*exact_engine, tactics));
      HONE_TRY(const auto got, trial_run(e, shapes_, threads_, options_.cancelled));
      return got.empty() ? std::numeric_limits<double>::infinity() : added_error(got, exact);
    };
    const double all = added_error(outputs, exact);
    log(LogLevel::info, "tactics that spread errors in %zu steps add %.2g of the largest output",
        spreading.size(), all);
    if (all <= max_added_error) return {};

    // The error that each step adds alone; the largest go first.
    std::vector<std::pair<double, size_t>> parts;
    for (size_t i : spreading) {
      Tactics one = plain;
      one[at(i)] = wanted[at(i)];
      HONE_TRY(const double e, error_of(one));
      parts.emplace_back(e, i);
    }
    std::stable_sort(parts.begin(), parts.end(), [](auto& a, auto& b) { return a.first > b.first; });
    double squares = 0;
    size_t keep = 0;
    while (keep < parts.size()) {
      const double e = parts[parts.size() - 1 - keep].first;
      if (std::sqrt(squares + e * e) > max_added_error) break;
      squares += e * e;
      keep++;
    }
    for (const auto& [e, i] : parts)
      log(LogLevel::debug, "%s: %s adds %.2g", problems_[i].resolved->label().c_str(), wanted[at(i)]->name,
          e);
    // Each time the next more exact tactic first, which is the faster, then the plain one.
    for (size_t drop = std::max<size_t>(1, parts.size() - keep);; drop = std::min(2 * drop, parts.size())) {
      for (bool to_plain : {false, true}) {
        for (size_t k = 0; k < drop; k++) {
          const size_t i = parts[k].second;
          const float bound = to_plain ? 0 : std::nextafter(wanted[at(i)]->error_bound, 0.0f);
          choices_[i] = decide(problems_[i], times(problems_[i]), bound);
          restricted_.insert(i);
        }
        if (to_plain && drop == parts.size()) return {};
        HONE_TRY(const double left, error_of(chosen()));
        log(LogLevel::info, "with %s tactics in %zu of them: %.2g", to_plain ? "plain" : "more exact", drop,
            left);
        if (left <= max_added_error) return {};
      }
    }
  }

  Result<std::shared_ptr<const Engine>> result(bool timed) {
    EngineData data = engine_->data();
    const auto name = [&](std::shared_ptr<Program>& program, bool all) {
      program = std::make_shared<Program>(*program);
      for (size_t i = 0; i < choices_.size(); i++)
        if (choices_[i].tactic && (all || restricted_.count(i)))
          program->steps[static_cast<size_t>(problems_[i].step)].tactic = choices_[i].tactic->name;
    };
    Plan native{target_name(engine_->isa()), std::const_pointer_cast<Program>(engine_->plan().program), {}};
    for (Plan& p : data.plans)
      if (p.target == engine_->plan().target) name(p.program, false);
    if (timed) {
      name(native.program, true);
      std::erase_if(data.plans, [&](const Plan& p) { return p.target == native.target; });
      data.plans.push_back(std::move(native));
    }
    return Engine::load(std::move(data));
  }

  const std::shared_ptr<const Engine> engine_;
  const Program& program_;
  const TuneOptions& options_;
  TuneReport& report_;
  const int threads_;
  const std::string machine_;
  std::vector<Shape> shapes_;
  std::string open_;  // an input whose shape is not fixed
  std::shared_ptr<const ShapePlan> plan_;
  std::vector<StepProblem> problems_;
  std::vector<Choice> choices_;  // of each problem
  std::set<size_t> restricted_;  // problems whose choice the limit of errors has changed
};

}  // namespace

Result<std::shared_ptr<const Engine>> tune(std::shared_ptr<const Engine> engine, const TuneOptions& options,
                                           TuneReport& report) {
  HONE_TRY(const int threads, thread_count(0));
  return Tuner(std::move(engine), options, report, threads).run();
}

}  // namespace hone
