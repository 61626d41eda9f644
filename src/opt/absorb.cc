#include <algorithm>

#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

using ir::Node;
using ir::Value;

// The spatial pads (begins, then ends) of a Pad that puts zeros around images; nullopt for any other.
std::optional<std::vector<int64_t>> zero_pads(const Node* pad, size_t rank) {
  if (pad->attrs.s("mode") != "constant" || input(pad, 3)) return std::nullopt;
  const Value* value = input(pad, 2);
  if (value && uniform(value) != 0.0) return std::nullopt;
  const auto pads = ints(input(pad, 1));
  if (!pads || pads->size() != 2 * rank || std::ranges::any_of(*pads, [](int64_t i) { return i < 0; }))
    return std::nullopt;
  std::vector<int64_t> out;
  for (size_t side = 0; side < 2; side++)
    for (size_t i = 0; i < rank; i++) {
      const int64_t v = (*pads)[side * rank + i];
      if (i >= 2) out.push_back(v);
      else if (v) return std::nullopt;
    }
  return out;
}

}  // namespace

// Conv pads by zeros itself. AveragePool does where it counts them; one without pads of its own can be told
// to. MaxPool pads by what is less than everything: not the same.
Result<int> absorb_pad(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    const bool average = is_op(n, "AveragePool");
    if (n->erased || (!is_op(n, "Conv") && !average) || n->attrs.s("auto_pad") != "NOTSET") continue;
    Node* pad = made_by(n->inputs[0], "Pad");
    const Shape& x = n->inputs[0]->type.shape;
    if (!pad || !x.ranked() || n->attrs.flag("channels_last") || !single_use(n->inputs[0])) continue;
    auto pads = zero_pads(pad, x.size());
    const auto& own = n->attrs.ints("pads");
    if (!pads || own.size() != pads->size()) continue;
    Attrs attrs = n->attrs;
    if (average && !attrs.flag("count_include_pad")) {
      if (std::ranges::any_of(own, [](int64_t i) { return i != 0; }) || attrs.flag("ceil_mode")) continue;
      attrs.set("count_include_pad", int64_t{1});
    }
    if (average && attrs.flag("ceil_mode"))
      continue;  // windows that hang over the end are counted differently
    for (size_t i = 0; i < pads->size(); i++) (*pads)[i] += own[i];
    attrs.set("pads", *pads);
    std::vector<Value*> inputs = n->inputs;
    inputs[0] = pad->inputs[0];
    ir::Patch p(g, "absorb_pad", "its input is padded by zeros");
    p.replace_node(n, *n->op, std::move(inputs), std::move(attrs));
    if (!p.check()) continue;
    HONE_CHECK(p.apply(&log));
    changes++;
  }
  return changes;
}

namespace {

// C of Gemm may not widen the product of matrices: every dimension of it is 1 or certainly the product's.
bool fits_gemm(const Node* product, const Value* c) {
  const Shape &a = product->inputs[0]->type.shape, &b = product->inputs[1]->type.shape,
              &wide = product->outputs[0]->type.shape, &s = c->type.shape;
  if (a.rank() != 2 || b.rank() != 2 || s.rank() > 2) return false;
  for (int i = 0; i < s.rank(); i++) {
    const Dim d = s[static_cast<size_t>(i)], whole = wide[static_cast<size_t>(2 - s.rank() + i)];
    if (d != 1 && (d != whole || d == unknown_dim)) return false;
  }
  return true;
}

// C is a number for each column of the product.
bool fits_columns(const Node* product, const Value* c) {
  const Shape &wide = product->outputs[0]->type.shape, &s = c->type.shape;
  return is_op(product, "MatMul") && product->inputs[1]->is_constant() &&
         product->inputs[1]->type.shape.rank() >= 2 && wide.ranked() && s.rank() >= 1 &&
         s.rank() <= wide.rank() && known(s.back()) && s.back() == wide.back() &&
         s.product(0, s.rank() - 1) == 1;
}

}  // namespace

// Add(MatMul(A, B), C) = Gemm(A, B, C) for matrices A and B, and C that broadcasts to the product; likewise
// into a Gemm that has no C yet. A MatMul of any rank takes a C that has a number for each column.
Result<int> matmul_bias(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    if (n->erased || !is_op(n, "Add") || !n->attrs.s("activation").empty()) continue;
    for (size_t side = 0; side < 2; side++) {
      Value *product = n->inputs[side], *c = n->inputs[1 - side];
      Node* maker = product->producer;
      if ((!is_op(maker, "MatMul") && !is_op(maker, "Gemm")) || !single_use(product)) continue;
      if (input(maker, 2) || input(maker, 3) || !maker->attrs.s("activation").empty() ||
          !is_float(product->type.dtype))
        continue;
      if (!n->outputs[0]->type.shape.ranked() || !c->type.shape.ranked()) continue;
      const bool gemm = fits_gemm(maker, c);
      if (!gemm && !fits_columns(maker, c)) continue;
      ir::Patch p(g, "matmul_bias", "only " + n->label() + " uses it");
      if (!gemm && c->type.shape.rank() > 1)
        c = p.add("Reshape", {c, p.constant(int_tensor({c->type.shape.back()}))});
      Node* made = p.add_node(gemm ? *find_op("Gemm") : *maker->op, {maker->inputs[0], maker->inputs[1], c},
                              maker->attrs, 1, maker->name);
      made->origin = maker->origin;
      p.replace(n->outputs[0], made->outputs[0]);
      if (!p.check()) continue;
      HONE_CHECK(p.apply(&log));
      changes++;
      break;
    }
  }
  return changes;
}

}  // namespace hone::opt
