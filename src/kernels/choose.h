// Which tactic runs a problem. The first of the list that accepts is the default; a later one takes its place
// if both estimate what they cost and the later one costs less. Tactics differ in the last bits of what they
// compute, so the choice depends on neither threads (tactics are asked as for one) nor pitch, which is not known yet.
#pragma once
#include "kernels/tactic.h"

namespace hone {

struct Candidate {
  const Tactic* tactic = nullptr;
  Accept accept;
  double cost = 0;  // Tactic::cost; 0: none estimated, or refused
};
// All of them, in the order given.
std::vector<Candidate> judge(std::span<const Tactic* const>, const Problem&);
// The one to use; null: none accepts.
const Candidate* cheapest(std::span<const Candidate>);
// Both in one; but the tactic called `wanted` is used if it is there and accepts. Null: none accepts.
const Tactic* choose(std::span<const Tactic* const>, const Problem&, std::string_view wanted = {});

}  // namespace hone
