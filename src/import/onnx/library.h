// What the nodes of a model may call: operators at the versions the model imports, and the model's own
// functions. check() walks everything reachable once, before anything is built, and reports all that is
// missing together.
#pragma once
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "import/onnx/proto.h"

namespace hone::onnx {

using Opsets = std::unordered_map<Text, int64_t>;  // by domain, "" for ai.onnx

inline Text normal_domain(Text domain) { return domain == "ai.onnx" ? Text() : domain; }
// "Conv 'conv1'", or by its first output where it has no name.
std::string label(const NodeP&);

class Library {
 public:
  // Errors: versions not understood, functions defined twice or calling themselves, operators not supported. With a
  // survey, versions and operators are listed there instead.
  static Result<Library> check(const ModelP&, const ImportOptions&);

  const FunctionP* function(const NodeP&) const;                              // null: an operator
  const Opsets& opsets(const FunctionP* f) const { return opsets_.at(f); }    // null: of the model
  bool supports(const NodeP& n) const { return !unsupported_.contains(&n); }  // false in a survey only

 private:
  std::unordered_map<std::string, const FunctionP*> functions_;
  std::unordered_map<const FunctionP*, Opsets> opsets_;
  std::unordered_set<const NodeP*> unsupported_;
};

}  // namespace hone::onnx
