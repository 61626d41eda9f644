#include <string_view>

#include "kernels/tactic.h"

namespace hone {

#define TACTIC(Op, name) extern const Tactic tactic_##name;
#include "kernels/tactics.def"
#undef TACTIC

namespace {
// The null entry keeps the array from being empty; it is not part of the list.
const Tactic* const table[] = {
#define TACTIC(Op, name) &tactic_##name,
#include "kernels/tactics.def"
#undef TACTIC
    nullptr};
}  // namespace

std::span<const Tactic* const> all_tactics() { return std::span(table).first(std::size(table) - 1); }

std::vector<const Tactic*> tactics_for(const OpDef& op) {
  std::vector<const Tactic*> found;
  if (op.domain[0] != 0 && std::string_view(op.domain) != "hone") return found;
  for (const Tactic* t : all_tactics())
    if (std::string_view(t->op) == op.name) found.push_back(t);
  return found;
}

std::string layout_name(const Tactic& t, Isa isa, const Prepared& p) {
  return strf("%s %d %s %s", t.name, t.layout, isa_name(isa), p.packed_key.c_str());
}

const Tactic* find_tactic(std::string_view op, std::string_view name) {
  for (const Tactic* t : all_tactics())
    if (op == t->op && name == t->name) return t;
  return nullptr;
}

}  // namespace hone
