#include "kernels/choose.h"

namespace hone {

std::vector<Candidate> judge(std::span<const Tactic* const> tactics, const Problem& problem) {
  Problem alone = problem;
  alone.threads = 1;
  std::vector<Candidate> list;
  for (const Tactic* t : tactics) {
    Candidate c{t, t->accepts(alone), 0};
    if (c.accept && t->cost) c.cost = t->cost(alone);
    list.push_back(std::move(c));
  }
  return list;
}

const Candidate* cheapest(std::span<const Candidate> candidates) {
  const Candidate* best = nullptr;
  for (const Candidate& c : candidates)
    if (c.accept && (!best || (best->cost > 0 && c.cost > 0 && c.cost < best->cost))) best = &c;
  return best;
}

const Tactic* choose(std::span<const Tactic* const> tactics, const Problem& problem,
                     std::string_view wanted) {
  const std::vector<Candidate> candidates = judge(tactics, problem);
  for (const Candidate& c : candidates)
    if (wanted == c.tactic->name && c.accept) return c.tactic;
  const Candidate* best = cheapest(candidates);
  return best ? best->tactic : nullptr;
}

}  // namespace hone
