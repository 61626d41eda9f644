#include "opt/rules.h"

#include "opt/passes.h"

namespace hone::opt {

#define RULES(name) extern const std::span<const ir::Rule> rules_##name;
#include "opt/rules/rules.def"
#undef RULES

std::span<const RuleSet> rule_sets() {
  static const RuleSet sets[] = {
#define RULES(name) {#name, rules_##name},
#include "opt/rules/rules.def"
#undef RULES
  };
  return sets;
}

Result<int> rewrite(ir::Graph& g, std::span<const ir::Rewriter> rules, ir::Log* log) {
  int changes = 0;
  for (const ir::Rewriter& r : rules) {
    HONE_TRY(const int n, r.apply(g, log));
    changes += n;
  }
  return changes;
}

Result<int> apply_rules(ir::Graph& g, ir::Log& log) {
  static const Result<std::vector<ir::Rewriter>> compiled = []() -> Result<std::vector<ir::Rewriter>> {
    std::vector<ir::Rewriter> out;
    for (const RuleSet& set : rule_sets())
      for (const ir::Rule& rule : set.rules) {
        HONE_TRY(ir::Rewriter r, ir::Rewriter::compile(rule));
        out.push_back(std::move(r));
      }
    return out;
  }();
  if (!compiled) return Error(compiled.error());
  return rewrite(g, *compiled, &log);
}

}  // namespace hone::opt
