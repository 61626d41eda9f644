// Builder, the part that differentiates.
#include "import/onnx/builder.h"
#include "import/onnx/gradient.h"
#include "import/quote.h"

namespace hone::onnx {

// The derivatives of y by each of xs, in place of a node: its inputs stand for xs and zs.
Status Builder::gradient(const NodeP& n, const Frame& frame, Scope& scope) {
  HONE_TRY(const auto attributes, resolve(n, frame, scope));
  std::vector<Text> names[2], y;
  for (const auto& [name, bound] : attributes) {
    const AttributeP& a = *bound.attribute;
    if (name == "xs" || name == "zs") names[name == "zs"] = a.strings_value;
    else if (name == "y") y = {a.s_value};
    else return error(Code::corrupt, "it has no attribute %s", quote(name).c_str());
  }
  if (names[0].empty() || y.empty()) return error(Code::corrupt, "the attributes xs and y are needed");
  const size_t wanted = names[0].size();
  names[0].insert(names[0].end(), names[1].begin(), names[1].end());
  if (n.inputs.size() != names[0].size() || n.outputs.size() > wanted)
    return error(Code::corrupt, "%zu inputs and %zu outputs; xs and zs have %zu names, xs alone %zu",
                 n.inputs.size(), n.outputs.size(), names[0].size(), wanted);
  const auto look_up = [&](Text name) -> Result<ir::Value*> {
    HONE_TRY(ir::Value * v, find(scope, name));
    if (!v || v->graph != scope.graph)
      return error(Code::unsupported, "%s is not of the graph that the node is in", quote(name).c_str());
    return v;
  };
  std::vector<ir::Value*> leaves, given;
  for (size_t i = 0; i < n.inputs.size(); i++) {
    HONE_TRY(leaves.emplace_back(), look_up(names[0][i]));
    HONE_TRY(given.emplace_back(), look_up(n.inputs[i]));
  }
  HONE_TRY(ir::Value * of, look_up(y[0]));
  std::unordered_set<const ir::Value*> known;
  for (const ir::Value* v : scope.graph->values()) known.insert(v);
  HONE_TRY(const auto made, differentiate({.graph = *scope.graph,
                                           .leaves = leaves,
                                           .given = given,
                                           .wanted = wanted,
                                           .y = of,
                                           .prefix = node_name(n, frame),
                                           .charge = [this](int64_t count) { return count_nodes(count); }}));
  for (size_t i = 0; i < n.outputs.size(); i++) {
    if (n.outputs[i].empty()) continue;
    // Several may be the same.
    if (made[i]->producer && known.insert(made[i]).second)
      scope.graph->rename(made[i], value_name(scope, n.outputs[i]));
    HONE_CHECK(define(scope, n.outputs[i], made[i]));
  }
  return {};
}

}  // namespace hone::onnx
