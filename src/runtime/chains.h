// Which steps of a program run as chains of strips (kernels/strips.h) rather than one after another.
#pragma once
#include <span>
#include <vector>

#include "runtime/plan.h"

namespace hone {

// Steps whose output only the next one reads, which takes it as operand `chained`. A step that sums up what the
// last of them makes may follow; others may read that too. A chain runs where its last step stands, but for that.
struct Chain {
  struct Link {
    int index = 0;     // in the list of static steps
    int chained = -1;  // of the first link: none
  };
  std::vector<Link> links;  // at least two
  bool windowed = false;    // the last one looks at more than a pixel of its operand for one of its own
  bool sums = false;        // the last one sums up

  const Link& maker() const { return links[links.size() - (sums ? 2 : 1)]; }  // of the map that is made whole
};

// own: values that live in the arena; pinned: those that must exist as a whole.
//
// The rule: a map is made in strips
//  * if it is larger than the second level of cache (l2_bytes): written and read again, it would pass through
//    slower memory twice;
//  * between a depthwise step whose input comes in strips and the 1x1 behind it;
//  * between an elementwise step (the scale of squeeze-and-excitation) and the 1x1 behind it: saves a pass;
// but not if the weights of the chain would not stay in that cache from strip to strip. A map that is made whole
// is made in strips for a global pool that reads it, which saves a pass, too, if its rows come out even for the
// threads. docs/performance.md says what each of these is worth.
// HONE_L2 (base/cpu.h) sets the size for another target, or for less memory; HONE_STRIPS=0 makes all maps whole.
std::vector<Chain> find_chains(const Program&, std::span<const AliasStep> steps,
                               std::span<const ValueType> types, const std::vector<bool>& own,
                               std::span<const int> pinned, int64_t l2_bytes, int threads);

}  // namespace hone
