#include "import/onnx/gradient.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "import/quote.h"
#include "ir/text.h"

namespace hone::onnx {
namespace {

using ir::Node;
using ir::Value;
using Values = std::vector<Value*>;

struct Rule {
  const char *op, *inputs, *results, *statements;
};
#define ONE "%one_f = const f32[] {1} %one = CastLike(%one_f, %a) "
#define ZERO "%zero_f = const f32[] {0} %zero = CastLike(%zero_f, %a) "
#define ZEROG "%zero_f = const f32[] {0} %zero = CastLike(%zero_f, %g) "
#define REDUCTION(op, results, statements)
constexpr Rule rules[] = {
#define GRADIENT(op, inputs, results, statements) {#op, inputs, results, statements},
#include "import/onnx/gradient.def"
#undef GRADIENT
};
#undef REDUCTION
#define GRADIENT(op, inputs, results, statements)
constexpr Rule reductions[] = {
#define REDUCTION(op, results, statements) {#op, "%a", results, statements},
#include "import/onnx/gradient.def"
#undef REDUCTION
};
#undef GRADIENT

const Rule* find(std::span<const Rule> list, std::string_view op) {
  const auto it = std::find_if(list.begin(), list.end(), [&](const Rule& r) { return op == r.op; });
  return it == list.end() ? nullptr : &*it;
}

Attrs with(const char* name, AttrValue value) {
  Attrs a;
  a.set(name, std::move(value));
  return a;
}

class Differentiator {
 public:
  explicit Differentiator(const GradientRequest& r) : r_(r), graph_(r.graph) {}

  Result<Values> run() {
    HONE_CHECK(find_path());
    HONE_CHECK(substitute());
    HONE_TRY(Value * start, filled(y_, 1));
    adjoint_[y_] = start;
    for (auto it = path_.rbegin(); it != path_.rend(); ++it) {
      auto ok = node(**it);
      if (!ok) return in((*it)->label() + " on the way to the derivative", ok.take_error());
    }
    Values out;
    for (size_t i = 0; i < r_.wanted; i++) {
      const auto found = adjoint_.find(r_.given[i]);
      if (found != adjoint_.end()) out.push_back(found->second);
      else { HONE_TRY(out.emplace_back(), filled(r_.given[i], 0)); }
    }
    sweep(out);
    return out;
  }

 private:
  // The nodes between the leaves and y, in order: y depends on them, and they on a leaf.
  Status find_path() {
    const std::vector<Node*> all = graph_.nodes();
    HONE_CHECK(r_.charge(static_cast<int64_t>(all.size() / 16)));
    const std::unordered_set<const Value*> leaves(r_.leaves.begin(), r_.leaves.end());
    std::unordered_set<const Value*> needed{r_.y}, reached(r_.leaves.begin(), r_.leaves.end());
    std::vector<Node*> before;
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
      const auto gives = [&](const Value* v) { return v && needed.contains(v) && !leaves.contains(v); };
      if (std::none_of((*it)->outputs.begin(), (*it)->outputs.end(), gives)) continue;
      before.push_back(*it);
      needed.insert((*it)->inputs.begin(), (*it)->inputs.end());
    }
    for (auto it = before.rbegin(); it != before.rend(); ++it) {
      if (std::none_of((*it)->inputs.begin(), (*it)->inputs.end(),
                       [&](const Value* v) { return reached.contains(v); }))
        continue;
      path_.push_back(*it);
      for (const Value* v : (*it)->outputs)
        if (v) reached.insert(v);
    }
    return {};
  }

  // Where other values are given in the place of leaves, the path is computed anew from them.
  Status substitute() {
    y_ = r_.y;
    std::unordered_map<const Value*, Value*> now;
    for (size_t i = 0; i < r_.leaves.size(); i++) now[r_.leaves[i]] = r_.given[i];
    if (!std::equal(r_.leaves.begin(), r_.leaves.end(), r_.given.begin())) {
      for (Node*& n : path_) {
        for (const auto& [name, value] : n->attrs)
          if (std::holds_alternative<SubgraphPtr>(value))
            return error(Code::unsupported, "%s: graphs within are not differentiated", n->label().c_str());
        HONE_CHECK(r_.charge(1));
        Values inputs = n->inputs;
        for (Value*& v : inputs)
          if (const auto it = now.find(v); it != now.end()) v = it->second;
        Node* copy = graph_.add_node(*n->op, inputs, n->attrs, n->outputs.size(), r_.prefix + "/" + n->name);
        made_.push_back(copy);
        HONE_CHECK(ir::infer(*copy));
        for (size_t i = 0; i < n->outputs.size(); i++)
          if (n->outputs[i]) now.try_emplace(n->outputs[i], copy->outputs[i]);
        n = copy;
      }
    }
    if (const auto it = now.find(y_); it != now.end()) y_ = it->second;
    for (size_t i = 0; i < r_.wanted; i++) active_.insert(r_.given[i]);
    for (const Node* n : path_)
      if (std::any_of(n->inputs.begin(), n->inputs.end(),
                      [&](const Value* v) { return active_.contains(v); }))
        active_.insert(n->outputs.begin(), n->outputs.end());
    active_.erase(nullptr);
    return {};
  }

  Result<Value*> emit(const char* op, Values inputs, Attrs attrs = {}) {
    HONE_CHECK(r_.charge(1));
    const OpDef* def = find_op(op);
    if (!def) return error(Code::internal, "operator %s is missing", op);
    HONE_CHECK(bind_attrs(*def, attrs, false));
    Node* n = graph_.add_node(*def, std::move(inputs), std::move(attrs), 1, r_.prefix);
    made_.push_back(n);
    HONE_CHECK(ir::infer(*n));
    return n->outputs[0];
  }
  Value* ints(std::span<const int64_t> list) { return graph_.add_constant(Tensor::of_ints(list)); }

  // A tensor of like's type and shape.
  Result<Value*> filled(Value* like, float with_what) {
    if (like->type.kind != hone::Value::Kind::tensor || !is_float(like->type.dtype))
      return error(Code::unsupported, "%s is %s: only tensors of floats have derivatives",
                   quote(like->name).c_str(), like->type.str().c_str());
    Value* scalar = graph_.add_constant(Tensor::scalar(DType::f32, with_what));
    HONE_TRY(scalar, emit("CastLike", {scalar, like}));
    return shaped("Expand", scalar, like);
  }

  // Reshaped or expanded to like's shape, however much of it is known.
  Result<Value*> shaped(const char* op, Value* v, Value* like) {
    HONE_TRY(Value * shape, emit("Shape", {like}));
    HONE_TRY(v, emit(op, {v, shape}));
    v->type = like->type;
    return v;
  }
  static bool is_shaped_like(const Value* g, const Value* x) {
    const Node* p = g->producer;
    if (!p || (std::string_view(p->op->name) != "Reshape" && std::string_view(p->op->name) != "Expand"))
      return false;
    const Node* shape = p->inputs[1]->producer;
    return shape && std::string_view(shape->op->name) == "Shape" && shape->inputs[0] == x;
  }

  // Sums g over the axes along which x was broadcast.
  Result<Value*> unbroadcast(Value* g, Value* x) {
    if (is_shaped_like(g, x)) {
      g->type = x->type;
      return g;
    }
    const Shape &from = g->type.shape, &to = x->type.shape;
    std::vector<int64_t> axes;
    bool open = !from.ranked() || !to.ranked() || from.rank() < to.rank();
    const size_t more = open ? 0 : from.size() - to.size();
    for (size_t i = 0; !open && i < from.size(); i++) {
      if (i < more || (to[i - more] == 1 && from[i] != 1)) axes.push_back(static_cast<int64_t>(i));
      else open = to[i - more] != from[i] || (from[i] == unknown_dim);
    }
    if (open)
      return error(Code::unsupported,
                   "whether %s %s was broadcast to %s is not known: give its shape (--shape)",
                   quote(x->name).c_str(), to.str().c_str(), from.str().c_str());
    if (axes.empty()) return g;
    HONE_TRY(g, emit("ReduceSum", {g, ints(axes)}));
    return more ? shaped("Reshape", g, x) : Result<Value*>(g);
  }

  Status hand_back(Value* x, Value* g) {
    if (!x || !g || !active_.contains(x)) return {};
    HONE_TRY(g, unbroadcast(g, x));
    Value*& sum = adjoint_[x];
    if (!sum) {
      sum = g;
      return {};
    }
    HONE_TRY(Value * added, emit("Add", {sum, g}));
    adjoint_[x] = added;
    return {};
  }

  Status node(const Node& n) {
    Value* g = nullptr;
    for (size_t i = 0; i < n.outputs.size(); i++) {
      const auto it = n.outputs[i] ? adjoint_.find(n.outputs[i]) : adjoint_.end();
      if (it == adjoint_.end()) continue;
      if (i > 0) return error(Code::unsupported, "only first outputs of operators are differentiated");
      g = it->second;
    }
    if (!g || std::none_of(n.inputs.begin(), n.inputs.end(),
                           [&](const Value* v) { return v && active_.contains(v); }))
      return {};
    const size_t needed = n.op->max_inputs < 0 ? n.inputs.size() : static_cast<size_t>(n.op->min_inputs);
    for (size_t i = 0; i < needed; i++)
      if (i >= n.inputs.size() || !n.inputs[i]) return error(Code::corrupt, "input %zu is missing", i);
    const std::string_view op = n.op->name;
    const bool standard = std::string_view(n.op->domain).empty();
    if (const Rule* r = find(rules, op); standard && r && !n.attrs.flag("flatten")) {
      HONE_TRY(const Values back, apply(*r, n.inputs, n.outputs[0], g, n.attrs));
      for (size_t i = 0; i < back.size() && i < n.inputs.size(); i++)
        HONE_CHECK(hand_back(n.inputs[i], back[i]));
      return {};
    }
    if (const Rule* r = find(reductions, op); standard && r) return reduction(*r, n, g);
    if (standard && op == "MatMul") return matmul(n, g);
    if (standard && op == "Gemm") return gemm(n, g);
    if (standard && op == "Transpose") return transpose(n, g);
    if (standard && op == "Concat") return concat(n, g);
    if (standard && (op == "Sum" || op == "Mean")) return sum(n, g);
    if (standard && (op == "Max" || op == "Min")) return extreme(n, g);
    return error(Code::unsupported, "operator %s has no derivative here", n.op->name);
  }

  // The rule's statements as nodes; null where nothing is handed back.
  Result<Values> apply(const Rule& rule, Values inputs, Value* y, Value* g, const Attrs& attrs) {
    std::string results = rule.results;
    std::vector<bool> given{results[0] != '_'};
    for (size_t i = 0; i < results.size(); i++)
      if (results[i] == ',') given.push_back(results[i + 2] != '_');
    // What is handed back to nobody stands for anything.
    for (size_t at; (at = results.find('_')) != std::string::npos;) results.replace(at, 1, "%g");
    const std::string text = std::string("graph @derivative(") + rule.inputs + ", %y, %g) -> (" + results +
                             ") {\n" + rule.statements + "\n}";
    auto body = ir::parse_graph(text, {.bindings = &attrs});
    if (!body)
      return error(Code::internal, "the derivative of %s: %s", rule.op, body.error().message.c_str());
    const size_t count = given.size();
    inputs.resize(count);
    inputs.insert(inputs.end(), {y, g});
    std::vector<Node*> made;
    Values out = graph_.inline_graph(**body, inputs, r_.prefix + "/", &made);
    HONE_CHECK(r_.charge(static_cast<int64_t>(made.size())));
    made_.insert(made_.end(), made.begin(), made.end());
    for (Node* n : made) HONE_CHECK(ir::infer(*n));
    for (size_t i = 0; i < count; i++)
      if (!given[i]) out[i] = nullptr;
    return out;
  }

  Status reduction(const Rule& rule, const Node& n, Value* g) {
    Value *x = n.inputs[0], *axes = n.inputs.size() > 1 ? n.inputs[1] : nullptr, *y = n.outputs[0];
    const bool all = !axes || (axes->is_constant() && axes->constant.elements() == 0);
    if (all && n.attrs.flag("noop_with_empty_axes"))
      return error(Code::unsupported, "a reduction along no axes is not differentiated");
    // A reduction of everything is a scalar, which fits any rank.
    if (!n.attrs.flag("keepdims") && !all) {
      HONE_TRY(g, emit("Unsqueeze", {g, axes}));
      HONE_TRY(y, emit("Unsqueeze", {y, axes}));
    }
    HONE_TRY(const Values back, apply(rule, {x}, y, g, n.attrs));
    return hand_back(x, back[0]);
  }

  Result<Value*> swapped(Value* v) {
    const int rank = v->type.shape.rank();
    if (!v->type.shape.ranked() || rank < 2)
      return error(Code::unsupported, "%s is %s: only products of two or more dimensions are differentiated",
                   quote(v->name).c_str(), v->type.str().c_str());
    std::vector<int64_t> perm;
    for (int i = 0; i < rank; i++) perm.push_back(i < rank - 2 ? i : 2 * rank - 3 - i);
    return emit("Transpose", {v}, with("perm", perm));
  }

  Status matmul(const Node& n, Value* g) {
    HONE_TRY(Value * a, swapped(n.inputs[0]));
    HONE_TRY(Value * b, swapped(n.inputs[1]));
    HONE_TRY(Value * da, emit("MatMul", {g, b}));
    HONE_TRY(Value * db, emit("MatMul", {a, g}));
    HONE_CHECK(hand_back(n.inputs[0], da));
    return hand_back(n.inputs[1], db);
  }

  Result<Value*> product(Value* a, bool turn_a, Value* b, bool turn_b, float alpha) {
    Attrs attrs = with("alpha", alpha);
    attrs.set("transA", int64_t{turn_a});
    attrs.set("transB", int64_t{turn_b});
    return emit("Gemm", {a, b}, std::move(attrs));
  }

  // y = alpha A' B' + beta C, A' and B' perhaps transposed.
  Status gemm(const Node& n, Value* g) {
    Value *a = n.inputs[0], *b = n.inputs[1];
    const bool ta = n.attrs.flag("transA"), tb = n.attrs.flag("transB");
    const float alpha = n.attrs.f("alpha");
    HONE_TRY(Value * da, ta ? product(b, tb, g, true, alpha) : product(g, false, b, !tb, alpha));
    HONE_TRY(Value * db, tb ? product(g, true, a, ta, alpha) : product(a, !ta, g, false, alpha));
    HONE_CHECK(hand_back(a, da));
    HONE_CHECK(hand_back(b, db));
    if (n.inputs.size() < 3 || !n.inputs[2]) return {};
    Value* beta = graph_.add_constant(Tensor::scalar(DType::f32, n.attrs.f("beta")));
    HONE_TRY(beta, emit("CastLike", {beta, g}));
    HONE_TRY(Value * dc, emit("Mul", {g, beta}));
    return hand_back(n.inputs[2], dc);
  }

  Status transpose(const Node& n, Value* g) {
    const std::vector<int64_t> perm = n.attrs.ints("perm");
    std::vector<int64_t> back(perm.size());
    for (size_t i = 0; i < perm.size(); i++) {
      if (perm[i] < 0 || perm[i] >= static_cast<int64_t>(perm.size()))
        return error(Code::corrupt, "perm has %lld among %zu axes", static_cast<long long>(perm[i]),
                     perm.size());
      back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
    }
    HONE_TRY(Value * d, emit("Transpose", {g}, perm.empty() ? Attrs() : with("perm", back)));
    return hand_back(n.inputs[0], d);
  }

  Status concat(const Node& n, Value* g) {
    const int64_t axis = n.attrs.i("axis");
    int64_t at = 0;
    for (Value* x : n.inputs) {
      const Shape& s = x->type.shape;
      const int64_t k = axis < 0 ? axis + s.rank() : axis;
      if (!s.ranked() || k < 0 || k >= s.rank() || !known(s[static_cast<size_t>(k)]))
        return error(Code::unsupported,
                     "the length of %s along axis %lld is not known: give its shape (--shape)",
                     quote(x->name).c_str(), static_cast<long long>(axis));
      const int64_t end = at + s[static_cast<size_t>(k)];
      HONE_TRY(Value * d, emit("Slice", {g, ints({{at}}), ints({{end}}), ints({{k}})}));
      HONE_CHECK(hand_back(x, d));
      at = end;
    }
    return {};
  }

  Status sum(const Node& n, Value* g) {
    if (std::string_view(n.op->name) == "Mean") {
      Value* count = graph_.add_constant(Tensor::scalar(DType::f32, static_cast<float>(n.inputs.size())));
      HONE_TRY(count, emit("CastLike", {count, g}));
      HONE_TRY(g, emit("Div", {g, count}));
    }
    for (Value* x : n.inputs) HONE_CHECK(hand_back(x, g));
    return {};
  }

  // Handed back to those that have the greatest (least) value, in equal parts.
  Status extreme(const Node& n, Value* g) {
    Values masks;
    Value* count = nullptr;
    for (Value* x : n.inputs) {
      HONE_TRY(Value * same, emit("Equal", {x, n.outputs[0]}));
      HONE_TRY(masks.emplace_back(), emit("CastLike", {same, g}));
      if (!count) count = masks.back();
      else { HONE_TRY(count, emit("Add", {count, masks.back()})); }
    }
    HONE_TRY(Value * share, emit("Div", {g, count}));
    for (size_t i = 0; i < masks.size(); i++) {
      HONE_TRY(Value * d, emit("Mul", {masks[i], share}));
      HONE_CHECK(hand_back(n.inputs[i], d));
    }
    return {};
  }

  // Rules make more than is wanted.
  void sweep(const Values& wanted) {
    const std::unordered_set<const Value*> kept(wanted.begin(), wanted.end());
    for (auto it = made_.rbegin(); it != made_.rend(); ++it)
      if (std::all_of((*it)->outputs.begin(), (*it)->outputs.end(),
                      [&](const Value* v) { return !v || (v->dead() && !kept.contains(v)); }))
        graph_.erase(*it);
  }

  const GradientRequest& r_;
  ir::Graph& graph_;
  std::vector<Node*> path_, made_;
  Value* y_ = nullptr;
  std::unordered_set<const Value*> active_;  // depend on what is differentiated by
  std::unordered_map<const Value*, Value*> adjoint_;
};

}  // namespace

Result<std::vector<ir::Value*>> differentiate(const GradientRequest& request) {
  return Differentiator(request).run();
}

}  // namespace hone::onnx
