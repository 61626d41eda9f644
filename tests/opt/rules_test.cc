// Every rule proves itself: its own pattern, run on random inputs, gives the same before and after; a second
// run finds nothing.
#include "opt/rules.h"

#include <gtest/gtest.h>

#include "check.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace hone::opt {
namespace {

std::string pattern_graph(const ir::Rule& rule, const ir::Rewriter& r) {
  std::string inputs = rule.test_inputs ? rule.test_inputs : "";
  if (!rule.test_inputs)
    for (const ir::Value* v : r.pattern().inputs())
      inputs += (inputs.empty() ? "%" : ", %") + v->name + ": f32[2,3,4,5]";
  const std::string text = rule.text;
  const std::string& output = r.pattern().nodes().back()->outputs[0]->name;
  return "graph @t(" + inputs + ") -> (%" + output + ") {\n" + rule.test_constants +
         text.substr(0, text.find("=>")) + "}";
}

// "" or what is wrong with the rule.
std::string self_test(const ir::Rule& rule) {
  auto r = ir::Rewriter::compile(rule);
  if (!r) return r.error().message;
  auto g = ir::parse_graph(pattern_graph(rule, *r));
  if (!g) return g.error().message;
  if (auto ok = ir::infer(**g); !ok) return ok.error().message;
  const auto before = (*g)->clone();
  auto n = r->apply(**g, nullptr);
  if (!n) return n.error().message;
  if (*n != 1) return strf("its own pattern matches %d times", *n);
  if (auto ok = ir::verify(**g); !ok) return ok.error().message;
  for (uint64_t round = 0; round < 4; round++) {
    const auto inputs = random_inputs(*before, test_seed() + round);
    auto a = ir::evaluate(*before, inputs);
    auto b = ir::evaluate(**g, inputs);
    if (!a || !b) return (a ? b : a).error().message;
    if (std::string d = difference(*a, *b); !d.empty()) return d;
  }
  auto again = r->apply(**g, nullptr);
  return again && *again == 0 ? "" : "it matches its own result";
}

TEST(Rules, EachProvesItselfOnRandomInputs) {
  int count = 0;
  for (const RuleSet& set : rule_sets())
    for (const ir::Rule& rule : set.rules) {
      EXPECT_EQ(self_test(rule), "") << set.name << ": " << rule.name;
      count++;
    }
  EXPECT_GE(count, 20);
}

TEST(Rules, AWrongRuleIsCaught) {
  EXPECT_NE(self_test({.name = "wrong", .text = "%s = Sigmoid(%x) %y = Mul(%x, %s) => %y = HardSwish(%x)"}),
            "");
  EXPECT_NE(self_test({.name = "endless", .text = "%y = Neg(%x) => %z = Abs(%x) %y = Neg(%x)"}), "");
  EXPECT_NE(self_test({.name = "other type", .text = "%y = Neg(%x) => %y = Cast(%x) {to=7}"}), "");
}

TEST(Rules, NoNameStandsTwice) {
  std::vector<std::string> names;
  for (const RuleSet& set : rule_sets())
    for (const ir::Rule& rule : set.rules) {
      EXPECT_EQ(std::count(names.begin(), names.end(), rule.name), 0) << rule.name;
      names.push_back(rule.name);
    }
}

TEST(Rules, OneMakesWhatTheNextNeeds) {
  const std::string text = statements(after(
      "rules dead_code",
      graph_text("(%x: f32[2,3]) -> (%y)", {"%one = const f32[] {1}", "%e = Exp(%x)", "%a = Add(%one, %e)",
                                            "%l = Log(%a)", "%t = Tanh(%l)", "%y = Mul(%t, %x)"})));
  EXPECT_EQ(text, "%y: f32[2,3] = Mish(%x)");
}

}  // namespace
}  // namespace hone::opt
