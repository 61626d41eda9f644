#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

using ir::Node;
using ir::Value;

struct Fused {
  std::string name;
  float alpha = 0, beta = 0;
};

// A bound of Clip: absent is infinite.
std::optional<float> bound(const Value* v, double absent) {
  if (!v) return static_cast<float>(absent);
  const auto x = uniform(v);
  return x ? std::optional(static_cast<float>(*x)) : std::nullopt;
}

// n as an activation of ops/unary.def.
std::optional<Fused> as_activation(const Node* n) {
  if (*n->op->domain) return std::nullopt;
  const std::string op = n->op->name;
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const char* plain : {"Relu", "Sigmoid", "Tanh", "HardSwish", "Mish", "Softplus"})
    if (op == plain) return Fused{op};
  for (const char* one : {"LeakyRelu", "Elu", "Swish"})
    if (op == one) return Fused{op, n->attrs.f("alpha")};
  if (op == "HardSigmoid") return Fused{op, n->attrs.f("alpha"), n->attrs.f("beta")};
  if (op == "Gelu") return Fused{n->attrs.s("approximate") == "tanh" ? "GeluTanh" : "Gelu"};
  if (op == "Clip") {
    const auto low = bound(input(n, 1), -inf), high = bound(input(n, 2), inf);
    if (low && high && *low <= *high) return Fused{op, *low, *high};
  }
  return std::nullopt;
}

bool takes_activation(const Node* n) {
  return n && std::ranges::any_of(n->op->attrs,
                                  [](const AttrDef& d) { return std::string_view(d.name) == "activation"; });
}

// n can add an operand of its output's shape to its sum. Kernels of grouped convolutions cannot.
bool takes_residual(const Node* n) {
  if (!n || n->outputs.size() != 1 || input(n, 3) || !n->attrs.s("activation").empty()) return false;
  return is_op(n, "Conv") ? n->attrs.i("group") == 1
                          : is_op(n, "MatMul") && is_float(n->outputs[0]->type.dtype);
}

}  // namespace

Result<int> fuse_activation(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    if (n->erased || n->inputs.empty() || !n->inputs[0] || !n->outputs[0]) continue;
    const auto activation = as_activation(n);
    Node* maker = n->inputs[0]->producer;
    if (!activation || !takes_activation(maker) || !single_use(n->inputs[0]) || maker->outputs.size() != 1)
      continue;
    if (!maker->attrs.s("activation").empty() || !is_float(n->outputs[0]->type.dtype)) continue;
    Attrs attrs = maker->attrs;
    attrs.set("activation", activation->name);
    attrs.set("activation_alpha", activation->alpha);
    attrs.set("activation_beta", activation->beta);
    ir::Patch p(g, "fuse_activation", "the only user of " + maker->label());
    Node* made = p.add_node(*maker->op, maker->inputs, std::move(attrs), 1, maker->name);
    made->origin = maker->origin;
    p.replace(n->outputs[0], made->outputs[0]);
    HONE_CHECK(p.apply(&log));
    changes++;
  }
  return changes;
}

Result<int> fuse_residual(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  std::unordered_map<const Node*, size_t> position;
  for (size_t i = 0; i < order.size(); i++) position[order[i]] = i;
  for (Node* n : order) {
    if (n->erased || !is_op(n, "Add") || !n->attrs.s("activation").empty()) continue;
    Node* maker = nullptr;
    Value* other = nullptr;
    for (size_t i = 0; i < 2; i++) {
      Node* candidate = n->inputs[i]->producer;
      if (!takes_residual(candidate) || !single_use(n->inputs[i])) continue;
      if (!same_shape(n->inputs[i]->type, n->inputs[1 - i]->type)) continue;
      // The one that runs last: the other's result is then there already.
      if (!maker || position[candidate] > position[maker]) maker = candidate, other = n->inputs[1 - i];
    }
    if (!maker || other->is_constant()) continue;
    ir::Patch p(g, "fuse_residual", "only " + n->label() + " uses it");
    Node* made = p.add_node(*maker->op, {maker->inputs[0], maker->inputs[1], input(maker, 2), other},
                            maker->attrs, 1, maker->name);
    made->origin = maker->origin;
    position[made] = position[maker];
    p.replace(n->outputs[0], made->outputs[0]);
    HONE_CHECK(p.apply(&log));
    changes++;
  }
  return changes;
}

}  // namespace hone::opt
