#include "ir/graph.h"

namespace hone::ir {
namespace {

// A known dimension beats a symbol beats nothing. Two symbols may stand for the same number: no
// contradiction.
Result<Shape> merge_shapes(const Shape& a, const Shape& b) {
  if (!a.ranked()) return b;
  if (!b.ranked()) return a;
  if (a.rank() != b.rank())
    return error(Code::invalid_argument, "shapes %s and %s differ in rank", a.str().c_str(), b.str().c_str());
  Shape out = a;
  for (size_t i = 0; i < a.size(); i++) {
    if (known(a[i]) && known(b[i]) && a[i] != b[i])
      return error(Code::invalid_argument, "shapes %s and %s differ in dimension %zu", a.str().c_str(),
                   b.str().c_str(), i);
    if (known(b[i]) || (symbolic(b[i]) && a[i] == unknown_dim)) out[i] = b[i];
  }
  return out;
}

}  // namespace

Result<ValueType> merge(const ValueType& a, const ValueType& b) {
  using Kind = hone::Value::Kind;
  if (a.kind == Kind::none) return b;
  if (b.kind == Kind::none) return a;
  if (a.kind != b.kind)
    return error(Code::invalid_argument, "types %s and %s differ in kind", a.str().c_str(), b.str().c_str());
  if (a.kind == Kind::tensor) {
    if (a.dtype != DType::none && b.dtype != DType::none && a.dtype != b.dtype)
      return error(Code::invalid_argument, "element types of %s and %s differ", a.str().c_str(),
                   b.str().c_str());
    HONE_TRY(const Shape shape, merge_shapes(a.shape, b.shape));
    return ValueType(a.dtype == DType::none ? b.dtype : a.dtype, shape);
  }
  if (!a.element) return b;
  if (!b.element) return a;
  HONE_TRY(ValueType element, merge(*a.element, *b.element));
  return ValueType::of(a.kind, std::move(element));
}

Status infer(Node& n) {
  std::vector<ValueType> in;
  std::vector<Tensor> values;
  for (const Value* v : n.inputs) {
    in.push_back(v ? v->type : ValueType());
    values.push_back(v ? v->constant : Tensor());
  }
  Infer c{*n.op, n.attrs, in, values, std::vector<ValueType>(n.outputs.size())};
  c.infer_graph = [](const SubgraphPtr& g,
                     std::span<const ValueType> types) -> Result<std::vector<ValueType>> {
    auto* graph = dynamic_cast<Graph*>(g.get());
    if (!graph) return error(Code::internal, "a nested graph is missing");
    if (types.size() != graph->inputs().size())
      return error(Code::corrupt, "nested graph '%s' has %zu inputs, its operator gives it %zu",
                   graph->name.c_str(), graph->inputs().size(), types.size());
    for (size_t i = 0; i < types.size(); i++) {
      Value* v = graph->inputs()[i];
      auto merged = merge(v->type, types[i]);
      if (!merged)
        return hone::in("input '" + v->name + "' of nested graph '" + graph->name + "'", merged.take_error());
      v->type = *std::move(merged);
    }
    HONE_CHECK(infer(*graph));
    std::vector<ValueType> out;
    for (const Value* v : graph->outputs()) out.push_back(v->type);
    return out;
  };
  if (auto ok = infer_types(c); !ok) return hone::in(n.label(), ok.take_error());
  for (size_t i = 0; i < n.outputs.size(); i++) {
    Value* v = n.outputs[i];
    if (!v) continue;
    auto merged = merge(v->type, c.out[i]);
    if (!merged) return hone::in(n.label() + ": output '" + v->name + "'", merged.take_error());
    v->type = *std::move(merged);
  }
  return {};
}

Status infer(Graph& g) {
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) HONE_CHECK(infer(*n));
  return {};
}

}  // namespace hone::ir
