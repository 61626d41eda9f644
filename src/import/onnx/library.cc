#include "import/onnx/library.h"

#include "import/onnx/survey.h"
#include "import/quote.h"

namespace hone::onnx {
namespace {

std::string key_of(Text domain, Text name, Text overload) {
  std::string key(normal_domain(domain));
  for (const Text part : {name, overload}) (key += '\0') += part;
  return key;
}

// Empty: the version is understood, or nothing is known of the domain (its operators will be refused or are
// functions).
std::string version_problem(Text domain, int64_t version) {
  struct Range {
    Text domain;
    int64_t oldest, newest;
  };
  static constexpr Range known_opsets[] = {
#define OPSETS(domain, oldest, newest) {domain, oldest, newest},
#include "import/onnx/opsets.def"
#undef OPSETS
  };
  for (const Range& r : known_opsets) {
    if (r.domain != domain || (version >= r.oldest && version <= r.newest)) continue;
    return strf(
        "opset %lld of %s is not among %lld to %lld, which are understood; export the model for one of them",
        static_cast<long long>(version), domain_name(domain).c_str(), static_cast<long long>(r.oldest),
        static_cast<long long>(r.newest));
  }
  return {};
}

Result<Opsets> collect_opsets(const std::vector<OpsetP>& imports) {
  Opsets out;
  for (const OpsetP& o : imports) {
    const auto [it, is_new] = out.emplace(normal_domain(o.domain), o.version);
    if (!is_new && it->second != o.version)
      return error(Code::corrupt, "operator set %s is imported twice, as version %lld and as %lld",
                   domain_name(it->first).c_str(), static_cast<long long>(it->second),
                   static_cast<long long>(o.version));
  }
  return out;
}

class Checker {
 public:
  Checker(const Library& library, const ImportLimits& limits, std::vector<ImportProblem>& problems,
          std::unordered_set<const NodeP*>& unsupported)
      : library_(library), limits_(limits), problems_(problems), unsupported_(unsupported) {}

  Status nodes(const std::vector<NodeP>& list, const FunctionP* inside) {
    for (const NodeP& n : list) {
      HONE_CHECK(node(n, inside));
      for (const AttributeP& a : n.attributes)
        if (a.g) HONE_CHECK(nodes(a.g->nodes, inside));
    }
    return {};
  }

 private:
  Status node(const NodeP& n, const FunctionP* inside) {
    if (const FunctionP* f = library_.function(n)) return call(*f, n);
    const Text domain = normal_domain(n.domain);
    const Opsets& opsets = library_.opsets(inside);
    const auto imported = opsets.find(domain);
    const std::string name = "operator " + quote(n.op_type) + " of domain " + domain_name(domain);
    // Domain "hone" is ours, for what exists only after import.
    const OpDef* op = domain == "hone" ? nullptr : find_op(n.op_type, domain);
    const bool constant = domain.empty() && n.op_type == "Constant";
    std::string reason, fix;
    if (!op && !constant) {
      reason = name + " is not supported";
      fix = fix_for_operator(n.op_type, domain);
    } else if (imported == opsets.end()) {
      reason = "domain " + domain_name(domain) + " is used but not imported" +
               (inside ? " by function " + quote(inside->name) : " (opset_import)");
      fix = "add the domain to the model's opset_import";
    } else if (reason = version_problem(domain, imported->second); !reason.empty()) {
      fix = "export the model for an opset that is understood, or convert it (onnx.version_converter)";
    } else if (op && imported->second < op->since) {
      reason = strf("%s is supported from opset %d on, the model uses %lld", name.c_str(), op->since,
                    static_cast<long long>(imported->second));
      fix =
          strf("convert the model to opset %d or newer (onnx.version_converter.convert_version)", op->since);
    }
    if (reason.empty()) return {};
    unsupported_.insert(&n);
    add_problem(problems_,
                {Code::unsupported, std::string(n.op_type), std::string(domain), label(n), 1, reason, fix});
    return {};
  }

  Status call(const FunctionP& f, const NodeP& n) {
    enum : uint8_t { fresh, open, done };
    uint8_t& state = states_[&f];
    if (state == done) return {};
    if (state == open)
      return error(Code::corrupt, "node %s: function %s calls itself; recursion is not allowed in ONNX",
                   label(n).c_str(), quote(f.name).c_str());
    if (++depth_ > limits_.call_depth)
      return error(Code::limit, "node %s: functions call each other more than %d deep, the limit",
                   label(n).c_str(), limits_.call_depth);
    state = open;
    HONE_CHECK(nodes(f.nodes, &f));
    states_[&f] = done;
    depth_--;
    return {};
  }

  const Library& library_;
  const ImportLimits& limits_;
  std::vector<ImportProblem>& problems_;
  std::unordered_set<const NodeP*>& unsupported_;
  std::unordered_map<const FunctionP*, uint8_t> states_;
  int depth_ = 0;
};

}  // namespace

std::string label(const NodeP& n) {
  std::string text = n.op_type.empty() ? "?" : std::string(n.op_type.substr(0, 40));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  if (!n.name.empty()) return text + " " + quote(n.name);
  for (const Text out : n.outputs)
    if (!out.empty()) return text + " making " + quote(out);
  return text;
}

const FunctionP* Library::function(const NodeP& n) const {
  if (functions_.empty()) return nullptr;
  const auto it = functions_.find(key_of(n.domain, n.op_type, n.overload));
  return it == functions_.end() ? nullptr : it->second;
}

Result<Library> Library::check(const ModelP& model, const ImportOptions& options) {
  std::vector<ImportProblem> own, &problems = options.survey ? options.survey->problems : own;
  if (!model.has_ir_version)
    return error(Code::corrupt, "the model states no IR version (ModelProto.ir_version)");
  if (model.ir_version < 3 || model.ir_version > 14)
    return error(Code::unsupported,
                 "IR version %lld is not among 3 to 14, which are understood; save the model with another "
                 "version of onnx",
                 static_cast<long long>(model.ir_version));
  Library library;
  HONE_TRY(library.opsets_[nullptr], collect_opsets(model.opsets));
  if (const auto it = library.opsets_[nullptr].find(""); it != library.opsets_[nullptr].end())
    if (const std::string problem = version_problem("", it->second); !problem.empty() && !options.survey)
      return error(Code::unsupported, "%s", problem.c_str());
  for (const FunctionP& f : model.functions) {
    if (!library.functions_.emplace(key_of(f.domain, f.name, f.overload), &f).second)
      return error(Code::corrupt, "function %s of domain %s is defined twice", quote(f.name).c_str(),
                   domain_name(normal_domain(f.domain)).c_str());
    auto opsets = collect_opsets(f.opsets);
    if (!opsets) return in("function " + quote(f.name), opsets.take_error());
    library.opsets_[&f] = *std::move(opsets);
  }
  Checker checker(library, options.limits, problems, library.unsupported_);
  HONE_CHECK(checker.nodes(model.graph.nodes, nullptr));
  if (!options.survey) HONE_CHECK(all_problems(problems, options.limits.errors));
  return library;
}

}  // namespace hone::onnx
