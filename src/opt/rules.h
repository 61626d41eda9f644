// The rewrite rules: one file in rules/ each (a file holds all forms of one thing), one line in
// rules/rules.def.
#pragma once
#include <span>

#include "ir/match.h"

namespace hone::opt {

struct RuleSet {
  const char* name;
  std::span<const ir::Rule> rules;
};
std::span<const RuleSet> rule_sets();

// Rewrites until no rule of the list matches.
Result<int> rewrite(ir::Graph&, std::span<const ir::Rewriter>, ir::Log*);

}  // namespace hone::opt
