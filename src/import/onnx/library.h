// What the nodes of a model may call: operators at the versions the model imports, and the model's own
// functions. check() walks everything reachable once, before anything is built, and reports all that is
// missing together.
#pragma once
#include <string>
#include <unordered_map>

#include "import/onnx/proto.h"

namespace hone::onnx {

using Opsets = std::unordered_map<Text, int64_t>;  // by domain, "" for ai.onnx

inline Text normal_domain(Text domain) { return domain == "ai.onnx" ? Text() : domain; }
// "Conv 'conv1'", or by its first output where it has no name.
std::string label(const NodeP&);

class Library {
 public:
  // Errors: versions not understood, functions defined twice or calling themselves, operators not supported.
  static Result<Library> check(const ModelP&, const ImportLimits&);

  const FunctionP* function(const NodeP&) const;                            // null: an operator
  const Opsets& opsets(const FunctionP* f) const { return opsets_.at(f); }  // null: of the model

 private:
  std::unordered_map<std::string, const FunctionP*> functions_;
  std::unordered_map<const FunctionP*, Opsets> opsets_;
};

}  // namespace hone::onnx
