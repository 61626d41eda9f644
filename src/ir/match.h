// Rewrite rules as text: two small graphs in the syntax of ir/text.h, statements only.
//
//   %s = Sigmoid(%x)
//   %y = Mul(%x, %s)
// =>
//   %y = Swish(%x)
//
// A name that no statement defines is an input: it matches any value. The names defined on both sides are
// what is replaced; the last one of the pattern is where matching starts. A constant matches a constant with
// about the same elements (one with a single element: of any rank). $name in place of an attribute's value
// matches anything and may be used again on either side; attributes not written must have their default.
// Operators that commute match both ways. What lies between must have no other use.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "ir/patch.h"
#include "ir/text.h"

namespace hone::ir {

struct Match {
  std::map<std::string, Value*> values;  // by pattern name; build() may add those that the replacement needs
  Attrs attrs;                           // by $name, likewise
  std::vector<Node*> nodes;              // matched; the last is the root
  Value* value(const std::string& name) const {
    auto it = values.find(name);
    return it == values.end() ? nullptr : it->second;
  }
};

struct Rule {
  const char* name;
  const char* text;  // pattern => replacement
  bool (*where)(const Match&) = nullptr;
  Status (*build)(Patch&, Match&) = nullptr;
  // For the self-test: types of the free inputs ("%x: f32[2,3,8], %g: f32[8]"; default: f32[2,3,4,5] each),
  // and statements (constants) before the pattern.
  const char* test_inputs = nullptr;
  const char* test_constants = "";
};

// A parsed rule.
class Rewriter {
 public:
  static Result<Rewriter> compile(const Rule&);
  // Matches with the pattern's last node at `root`; nullopt if it does not.
  std::optional<Match> match(Node* root) const;
  // Rewrites all matches in g (not in nested graphs); returns how many. `where` is asked, types are checked:
  // a replacement of another type is no match.
  Result<int> apply(Graph& g, Log* log) const;
  const Rule& rule() const { return *rule_; }
  const Graph& pattern() const { return *pattern_; }

 private:
  bool match_value(const Value* pattern, Value* v, unsigned flips, struct Binding&) const;
  bool match_node(const Node* pattern, Node* n, unsigned flips, struct Binding&) const;
  const Rule* rule_ = nullptr;
  std::shared_ptr<Graph> pattern_;
  std::string replacement_;  // parsed anew for each match: its $names are bound by then
  std::map<const Node*, std::map<std::string, std::string>> captures_;  // attribute -> $name
  std::vector<const Node*> commutative_;
  std::vector<std::string> replaced_;  // root's first
  const Node* root_ = nullptr;
};

}  // namespace hone::ir
