// Constant folding and shape folding. Shapes are followed as small integer tensors whose elements are
// dimensions: known numbers, symbols or unknown. Where all elements are known the value becomes a constant;
// where a Reshape's target lacks one element, that element becomes -1.
#include <algorithm>
#include <unordered_map>

#include "ir/eval.h"
#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

constexpr int64_t growth_limit = 4 << 20;  // bytes that folding one node may add to the model
constexpr int64_t memory_limit = int64_t{1} << 30;
constexpr size_t max_dims = 64;  // elements of a shape tensor that are followed

// A constant, or (for operators that read shapes only) a tensor with the shape and no bytes.
hone::Value known_input(const ir::Node& n, const ir::Value* v) {
  if (!v) return {};
  if (v->is_constant()) return hone::Value(v->constant);
  if (n.op->shape_only && v->type.kind == hone::Value::Kind::tensor && v->type.shape.all_known() &&
      v->type.dtype != DType::none)
    return hone::Value(Tensor::view(nullptr, nullptr, v->type.dtype, v->type.shape));
  return {};
}

int64_t bytes_of(const ValueType& t) {
  if (t.kind != hone::Value::Kind::tensor || !t.shape.all_known()) return -1;
  auto n = checked_elements(t.shape);
  return n ? dtype_bytes(t.dtype, *n) : INT64_MAX;
}

// Replaces the outputs of n by constants if all that it reads is known.
Result<bool> fold_node(ir::Graph& g, ir::Node* n, ir::Log& log) {
  if (!n->op->pure || !n->op->reference) return false;
  std::vector<hone::Value> in;
  int64_t in_bytes = 0;
  for (const ir::Value* v : n->inputs) {
    in.push_back(known_input(*n, v));
    if (v && !in.back()) return false;
    if (v && v->is_constant()) in_bytes += v->constant.byte_size();
  }
  for (const ir::Value* v : ir::captures(*n))
    if (!v->is_constant()) return false;
  int64_t out_bytes = 0;
  for (const ir::Value* v : n->outputs) out_bytes += v ? std::max<int64_t>(0, bytes_of(v->type)) : 0;
  const int64_t allowed = std::max(growth_limit, in_bytes);
  if (out_bytes > allowed) return false;
  auto out = ir::evaluate(*n, in, {.memory_limit = memory_limit});
  if (!out) {
    // Our own bugs must surface; a model that asks for nonsense fails when it runs, with the same words.
    if (out.error().code == Code::internal) return out.take_error();
    return false;
  }
  out_bytes = 0;
  for (size_t i = 0; i < out->size(); i++) {
    if (!n->outputs[i] || n->outputs[i]->dead()) continue;
    if ((*out)[i].kind != hone::Value::Kind::tensor) return false;
    out_bytes += (*out)[i].tensor.byte_size();
  }
  if (out_bytes > allowed) return false;
  ir::Patch p(g, "fold", "all that it reads is known");
  for (size_t i = 0; i < out->size(); i++)
    if (n->outputs[i] && !n->outputs[i]->dead()) p.replace(n->outputs[i], p.constant((*out)[i].tensor));
  HONE_CHECK(p.apply(&log));
  return true;
}

// --- values of shape tensors ---

using Dims = std::vector<Dim>;
using Known = std::unordered_map<const ir::Value*, Dims>;

std::optional<Dims> dims_of(const Known& known_dims, const ir::Value* v) {
  if (!v) return std::nullopt;
  if (auto it = known_dims.find(v); it != known_dims.end()) return it->second;
  if (!v->is_constant() || !is_int(v->constant.dtype()) || v->constant.shape().rank() > 1)
    return std::nullopt;
  auto values = ints(v);
  // Negative constants (-1 in a Reshape, an axis) would read as unknown or symbols: they are no dimensions.
  if (!values || values->size() > max_dims || std::ranges::any_of(*values, [](int64_t i) { return i < 0; }))
    return std::nullopt;
  return *values;
}

std::optional<Dims> combine(const std::string& op, const Dims& a, const Dims& b) {
  if (a.size() != b.size() && a.size() != 1 && b.size() != 1) return std::nullopt;
  Dims out(std::max(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); i++) {
    const Dim x = a[a.size() == 1 ? 0 : i], y = b[b.size() == 1 ? 0 : i];
    Dim& o = out[i];
    o = unknown_dim;
    if (known(x) && known(y)) {
      int64_t r = 0;
      if (op == "Mul" && !__builtin_mul_overflow(x, y, &r)) o = r;
      if (op == "Add" && !__builtin_add_overflow(x, y, &r)) o = r;
      if (op == "Sub" && x >= y) o = x - y;
      if (op == "Div" && y > 0) o = x / y;
    } else if ((op == "Mul" || op == "Div") && y == 1) {
      o = x;
    } else if (op == "Mul" && x == 1) {
      o = y;
    } else if ((op == "Add" || op == "Sub") && y == 0) {
      o = x;
    }
  }
  return out;
}

std::optional<Dims> slice(const ir::Node& n, const Dims& data) {
  const auto starts = ints(input(&n, 1)), ends = ints(input(&n, 2));
  auto axes = ints(input(&n, 3)), steps = ints(input(&n, 4));
  if (!starts || !ends || starts->size() != 1 || ends->size() != 1) return std::nullopt;
  if ((input(&n, 3) && (!axes || axes->at(0) > 0)) || (input(&n, 4) && (!steps || steps->at(0) < 1)))
    return std::nullopt;
  const auto size = static_cast<int64_t>(data.size());
  auto clip = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + size : i, 0, size); };
  Dims out;
  for (int64_t i = clip(starts->at(0)); i < clip(ends->at(0)); i += steps ? steps->at(0) : 1)
    out.push_back(data[static_cast<size_t>(i)]);
  return out;
}

// The elements of a node's output 0 as dimensions, from those of its inputs.
std::optional<Dims> propagate(const ir::Node& n, const Known& known_dims) {
  const std::string op = n.op->name;
  const ir::Value* out = n.outputs[0];
  if (*n.op->domain || !out || !is_int(out->type.dtype) || out->type.shape.rank() > 1) return std::nullopt;
  if (op == "Shape") {
    const Shape& s = n.inputs[0]->type.shape;
    if (!s.ranked()) return std::nullopt;
    const int64_t rank = s.rank(), start = n.attrs.i("start"), end = n.attrs.i("end", rank);
    auto clip = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank); };
    Dims d;
    for (int64_t i = clip(start); i < clip(end); i++) d.push_back(s[static_cast<size_t>(i)]);
    return d;
  }
  if (op == "Concat") {
    Dims all;
    bool any = false;
    for (const ir::Value* v : n.inputs) {
      auto d = dims_of(known_dims, v);
      if (!d && v && v->type.shape.rank() == 1 && v->type.shape.all_known() && v->type.shape[0] <= 8)
        d = Dims(static_cast<size_t>(v->type.shape[0]), unknown_dim);
      else any = any || d;
      if (!d || all.size() + d->size() > max_dims) return std::nullopt;
      all.insert(all.end(), d->begin(), d->end());
    }
    return any ? std::optional(all) : std::nullopt;
  }
  const auto data = dims_of(known_dims, input(&n, 0));
  if (!data) return std::nullopt;
  if (op == "Identity" || op == "Cast" || op == "Squeeze" || op == "Unsqueeze" || op == "Reshape")
    return data;
  if (op == "Slice") return slice(n, *data);
  if (op == "Gather") {
    const auto index = ints(input(&n, 1));
    if (!index || n.attrs.i("axis") > 0 || input(&n, 0)->type.shape.rank() != 1) return std::nullopt;
    Dims d;
    for (int64_t i : *index) {
      const auto size = static_cast<int64_t>(data->size());
      if (i < -size || i >= size) return std::nullopt;
      d.push_back((*data)[static_cast<size_t>(i < 0 ? i + size : i)]);
    }
    return d;
  }
  if (op == "Mul" || op == "Add" || op == "Sub" || op == "Div") {
    const auto other = dims_of(known_dims, input(&n, 1));
    return other ? combine(op, *data, *other) : std::nullopt;
  }
  return std::nullopt;
}

// A Reshape whose target is known but for one element: -1 says the rest.
Result<bool> simplify_target(ir::Graph& g, ir::Node* n, const Known& known_dims, ir::Log& log) {
  if (!is_op(n, "Reshape") || n->inputs.size() != 2 || n->inputs[1]->is_constant()) return false;
  auto it = known_dims.find(n->inputs[1]);
  if (it == known_dims.end() || n->attrs.flag("allowzero")) return false;
  Dims target = it->second;
  if (std::ranges::count(target, 0)) return false;  // 0 copies a dimension: another meaning than the number
  const Shape& from = n->inputs[0]->type.shape;
  // A symbol that stands at the same place in the data is copied by 0.
  for (size_t i = 0; i < target.size() && from.ranked(); i++)
    if (symbolic(target[i]) && i < from.size() && from[i] == target[i]) target[i] = 0;
  if (std::ranges::count_if(target, [](Dim d) { return d < 0; }) > 1) return false;
  for (Dim& d : target) d = d < 0 ? -1 : d;
  // With an empty tensor -1 is not determined; a dimension known to be 0 would show in the data's shape.
  ir::Patch p(g, "fold", "its target shape is known but for one dimension");
  p.replace_node(n, *n->op, {n->inputs[0], p.constant(int_tensor(target))}, n->attrs);
  if (!p.check()) return false;
  HONE_CHECK(p.apply(&log));
  return true;
}

}  // namespace

Result<int> fold(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<ir::Node*> order, g.sorted());
  Known known_dims;
  for (ir::Node* n : order) {
    if (n->erased) continue;
    HONE_TRY(const bool folded, fold_node(g, n, log));
    if (folded) {
      changes++;
      continue;
    }
    if (n->outputs.empty()) continue;
    auto dims = propagate(*n, known_dims);
    if (dims && std::ranges::all_of(*dims, [](Dim d) { return known(d); }) && !n->outputs[0]->dead() &&
        n->outputs[0]->type.dtype == DType::i64) {
      const Shape shape = n->outputs[0]->type.shape.rank() == 0 && n->outputs[0]->type.shape.ranked()
                              ? Shape{}
                              : Shape{static_cast<Dim>(dims->size())};
      ir::Patch p(g, "fold", "its elements are known dimensions");
      p.replace(n->outputs[0], p.constant(int_tensor(*dims).reshaped(shape)));
      if (p.check()) {
        HONE_CHECK(p.apply(&log));
        changes++;
        continue;
      }
    }
    if (dims) known_dims[n->outputs[0]] = *std::move(dims);
    HONE_TRY(const bool simpler, simplify_target(g, n, known_dims, log));
    changes += simpler;
  }
  return changes;
}

Result<int> inline_if(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  for (ir::Node* n : g.nodes()) {
    if (n->erased || !is_op(n, "If")) continue;
    const auto condition = ints(n->inputs[0]);
    if (!condition || condition->size() != 1) continue;
    const auto* branch = dynamic_cast<const ir::Graph*>(
        n->attrs.graph(condition->front() ? "then_branch" : "else_branch").get());
    if (!branch || branch->outputs().size() != n->outputs.size()) continue;
    const std::string prefix = n->name.empty() ? "" : n->name + "/";
    const std::vector<ir::Value*> made = g.inline_graph(*branch, {}, prefix);
    ir::Patch p(g, "inline_if",
                condition->front() ? "its condition is always true" : "its condition is always false");
    for (size_t i = 0; i < made.size(); i++)
      if (n->outputs[i] && !n->outputs[i]->dead()) p.replace(n->outputs[i], made[i]);
    HONE_CHECK(p.apply(&log));
    ir::erase_if_dead(n);
    changes++;
  }
  return changes;
}

}  // namespace hone::opt
