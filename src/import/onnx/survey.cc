#include "import/onnx/survey.h"

#include <algorithm>
#include <cctype>

#include "import/onnx/library.h"
#include "import/quote.h"
#include "ops/op.h"

namespace hone::onnx {
namespace {

constexpr size_t longest_name = 64;  // longer ones are compared with nothing

std::string lower(Text text) {
  std::string s(text);
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

// Levenshtein's distance.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The operator whose name is nearest, whatever the case of letters: in this domain, else in another.
const OpDef* nearest(Text name, Text domain) {
  if (name.empty() || name.size() > longest_name) return nullptr;
  const OpDef* best = nullptr;
  size_t least = std::max<size_t>(1, name.size() / 4) + 1;
  for (const bool here : {true, false}) {
    for (const OpDef* op : all_ops()) {
      if ((domain == op->domain) != here || std::string_view(op->domain) == "hone") continue;
      const size_t d = distance(lower(name), lower(op->name));
      if (d < (here ? least : 1)) {
        least = d;
        best = op;
      }
    }
    if (best) break;
  }
  return best;
}

}  // namespace

void add_problem(std::vector<ImportProblem>& list, ImportProblem p) {
  for (ImportProblem& known : list)
    if (known.reason == p.reason) {
      known.nodes++;
      return;
    }
  list.push_back(std::move(p));
}

Status all_problems(const std::vector<ImportProblem>& list, int longest) {
  if (list.empty()) return {};
  std::string text;
  for (size_t i = 0; i < list.size(); i++) {
    if (i == static_cast<size_t>(longest)) {
      text += strf("; and %zu more reasons", list.size() - i);
      break;
    }
    const ImportProblem& p = list[i];
    const std::string what = p.op.empty() ? p.node : "node " + p.node;
    text += (i ? "; " : "") + p.reason + " (" + what +
            (p.nodes > 1 ? strf(" and %d more)", p.nodes - 1) : std::string(")"));
  }
  const auto foreign = [](const ImportProblem& p) {
    return !p.op.empty() && !is_own_domain(p.domain) && !find_op(p.op, p.domain);
  };
  if (std::any_of(list.begin(), list.end(), foreign)) text += strf("; %s", plugin_remedy);
  return error(list.front().code, "%s", text.c_str());
}

std::string domain_name(Text domain) { return domain.empty() ? "ai.onnx" : quote(domain); }

std::string fix_for_operator(Text name, Text domain) {
  if (const OpDef* near = nearest(name, domain)) {
    if (domain == near->domain) return strf("did you mean '%s'?", near->name);
    return strf("'%s' is an operator of domain %s: give the node that domain", near->name,
                domain_name(near->domain).c_str());
  }
  if (domain.empty())
    return "export the model so that operators of ONNX's own list make it up (docs/operators.md)";
  if (domain.starts_with("com.microsoft"))
    return "export the model before ONNX Runtime optimises it (its own operators come from that), or supply "
           "the "
           "operator with --plugin FILE";
  return "supply the operator with --plugin FILE (hone/plugin.h), or export the model without it";
}

std::string fix_for(const Error& e) {
  const bool type = e.message.find("of type") != std::string::npos;
  if (type && e.message.find("expected the same type") != std::string::npos)
    return "put a Cast before one of the inputs, so that both are of the same type";
  if (type && e.message.find("expected") != std::string::npos)
    return "put a Cast before that input, to one of the types expected";
  switch (e.code) {
    case Code::corrupt:
      return "the node contradicts ONNX's definition: check the model (onnx.checker.check_model), export it "
             "again";
    case Code::limit:
      return "make it smaller";
    default:
      return "change the node to what docs/operators.md lists, or export the model without it";
  }
}

}  // namespace hone::onnx
