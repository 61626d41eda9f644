// How a permutation passes through each kind of operator (opt/layout.h). The other inputs of spatial
// operators (weights, the sizes of Resize) are in the order N, C, spatial whatever the layout of the data.
#include <algorithm>

#include "opt/layout.h"

namespace hone::opt {
namespace {

using ir::Node;
using ir::Value;

bool ranked(const Value* v) {
  return v && v->type.kind == hone::Value::Kind::tensor && v->type.shape.ranked();
}
int rank_of(const Value* v) { return v->type.shape.rank(); }

// Where logical axis k lies in the actual tensor.
int64_t mapped_axis(int64_t k, const Perm& perm) {
  if (k < 0) k += static_cast<int64_t>(perm.size());
  return std::ranges::find(perm, static_cast<int>(k)) - perm.begin();
}
bool valid_axis(int64_t k, const Perm& perm) {
  const auto rank = static_cast<int64_t>(perm.size());
  return k >= -rank && k < rank;
}

// The permutation that costs least: the one that most elements among these inputs already have. Constants,
// and tensors for which it makes no difference, have no say. A tie goes to what is permuted: its users are
// likely spatial.
Perm vote(const Layouts& l, const std::vector<Value*>& inputs, int rank) {
  std::map<Perm, double> votes;
  for (Value* v : inputs) {
    if (!v || v->is_constant() || rank_of(v) != rank) continue;
    const Placed at = l.of(v);
    if (is_identity(at.perm) && moves_nothing(v->type.shape, channels_last_perm(rank))) continue;
    double elements = 1;
    for (Dim d : v->type.shape) elements *= known(d) ? static_cast<double>(d) : 1;
    votes[at.perm] += is_identity(at.perm) ? elements : elements * 1.001;
  }
  Perm best = identity_perm(rank);
  double most = 0;
  for (const auto& [perm, count] : votes)
    if (count > most) best = perm, most = count;
  return best;
}

Result<bool> elementwise(Layouts& l, Node* n) {
  const Value* out = n->outputs[0];
  if (!ranked(out)) return false;
  for (const Value* v : n->inputs)
    if (v && !ranked(v)) return false;
  const Perm perm = vote(l, n->inputs, rank_of(out));
  if (is_identity(perm)) return false;
  for (const Value* v : n->outputs)
    if (v && rank_of(v) != rank_of(out)) return false;
  std::vector<Value*> inputs;
  for (Value* v : n->inputs) inputs.push_back(v ? l.get_broadcast(v, perm) : nullptr);
  HONE_CHECK(l.remake(n, std::move(inputs), n->attrs, perm));
  return true;
}

// Quantisation with one scale for the whole tensor is elementwise; with one for each channel its axis would
// have to move.
bool quantises_whole_tensors(const Node* n) {
  const std::string_view op = n->op->name;
  const bool plain = !*n->op->domain && (op == "QuantizeLinear" || op == "DequantizeLinear");
  const bool microsoft =
      std::string_view(n->op->domain) == "com.microsoft" &&
      (op == "QLinearAdd" || op == "QLinearMul" || op == "QLinearLeakyRelu" || op == "QLinearSigmoid");
  if (!plain && !microsoft) return false;
  const size_t second =
      op == "QLinearAdd" || op == "QLinearMul" ? 3 : 0;  // a, scale, zero, b, scale, zero, scale, zero
  for (size_t i = 1; i < n->inputs.size(); i++)
    if (i != second && n->inputs[i] && (!ranked(n->inputs[i]) || n->inputs[i]->type.shape.elements() != 1))
      return false;
  return true;
}

Result<bool> axis_op(Layouts& l, Node* n) {
  const bool concat = is_op(n, "Concat");
  if (n->attrs.flag("flatten")) return false;
  for (const Value* v : n->inputs)
    if (concat && !ranked(v)) return false;
  const Perm perm = concat ? vote(l, n->inputs, rank_of(n->inputs[0])) : l.of(n->inputs[0]).perm;
  if (is_identity(perm) || !valid_axis(n->attrs.i("axis"), perm)) return false;
  std::vector<Value*> inputs = n->inputs;
  for (size_t i = 0; i < (concat ? inputs.size() : 1); i++) inputs[i] = l.get(inputs[i], perm);
  Attrs attrs = n->attrs;
  attrs.set("axis", mapped_axis(attrs.i("axis"), perm));
  HONE_CHECK(l.remake(n, std::move(inputs), std::move(attrs), perm));
  return true;
}

Result<bool> transpose(Layouts& l, Node* n) {
  const Placed at = l.of(n->inputs[0]);
  Perm step;
  for (int64_t i : n->attrs.ints("perm")) step.push_back(static_cast<int>(i));
  if (step.empty()) {
    step = identity_perm(static_cast<int>(at.perm.size()));
    std::ranges::reverse(step);
  }
  if (step.size() != at.perm.size()) return false;
  // out[j] = x[step[j]], actual[i] = x[perm[i]]  =>  actual[i] = out[inverse(step)[perm[i]]]
  const Perm back = inverse(step);
  Perm perm;
  for (int i : at.perm) perm.push_back(back[static_cast<size_t>(i)]);
  HONE_CHECK(l.put(n->outputs[0], at.actual, perm));
  return true;
}

// What is left of a permutation when these logical axes go.
Perm without(const Perm& perm, const std::vector<int>& gone) {
  Perm out;
  for (int i : perm) {
    if (std::ranges::count(gone, i)) continue;
    out.push_back(i - static_cast<int>(std::ranges::count_if(gone, [&](int k) { return k < i; })));
  }
  return out;
}

Result<bool> reduce(Layouts& l, Node* n) {
  const Placed at = l.of(n->inputs[0]);
  auto axes = ints(input(n, 1));
  if (input(n, 1) && !axes) return false;
  if ((!axes || axes->empty()) && n->attrs.flag("noop_with_empty_axes")) return false;
  std::vector<int> gone;
  std::vector<int64_t> mapped;
  if (!axes || axes->empty()) gone = identity_perm(static_cast<int>(at.perm.size()));
  else
    for (int64_t k : *axes) {
      if (!valid_axis(k, at.perm)) return false;
      gone.push_back(static_cast<int>(k < 0 ? k + static_cast<int64_t>(at.perm.size()) : k));
      mapped.push_back(mapped_axis(k, at.perm));
    }
  const Perm perm = n->attrs.flag("keepdims") ? at.perm : without(at.perm, gone);
  std::vector<Value*> inputs{at.actual};
  if (!mapped.empty()) inputs.push_back(l.patch().constant(int_tensor(mapped)));
  HONE_CHECK(l.remake(n, std::move(inputs), n->attrs, perm));
  return true;
}

Result<bool> pad(Layouts& l, Node* n) {
  const Placed at = l.of(n->inputs[0]);
  const auto pads = ints(input(n, 1));
  const size_t rank = at.perm.size();
  if (!pads || input(n, 3) || pads->size() != 2 * rank) return false;
  std::vector<int64_t> moved;
  for (size_t side = 0; side < 2; side++)
    for (int i : at.perm) moved.push_back((*pads)[side * rank + static_cast<size_t>(i)]);
  std::vector<Value*> inputs = n->inputs;
  inputs[0] = at.actual;
  inputs[1] = l.patch().constant(int_tensor(moved));
  HONE_CHECK(l.remake(n, std::move(inputs), n->attrs, at.perm));
  return true;
}

Result<bool> slice(Layouts& l, Node* n) {
  const Placed at = l.of(n->inputs[0]);
  std::vector<int64_t> axes;
  if (input(n, 3)) {
    const auto given = ints(n->inputs[3]);
    if (!given) return false;
    axes = *given;
  } else {
    const Shape& starts = n->inputs[1]->type.shape;
    if (!starts.all_known() || starts.rank() != 1) return false;
    for (int64_t i = 0; i < starts[0]; i++) axes.push_back(i);
  }
  for (int64_t& k : axes) {
    if (!valid_axis(k, at.perm)) return false;
    k = mapped_axis(k, at.perm);
  }
  std::vector<Value*> inputs = n->inputs;
  inputs.resize(std::max<size_t>(4, inputs.size()));
  inputs[0] = at.actual;
  inputs[3] = l.patch().constant(int_tensor(axes));
  HONE_CHECK(l.remake(n, std::move(inputs), n->attrs, at.perm));
  return true;
}

Result<bool> gather(Layouts& l, Node* n) {
  const Placed at = l.of(n->inputs[0]);
  const int64_t axis = n->attrs.i("axis");
  if (!valid_axis(axis, at.perm) || !ranked(n->inputs[1]) || rank_of(n->inputs[1]) > 1 ||
      l.moved(n->inputs[1]))
    return false;
  const int64_t mapped = mapped_axis(axis, at.perm);
  Attrs attrs = n->attrs;
  attrs.set("axis", mapped);
  const Perm perm =
      rank_of(n->inputs[1]) == 1 ? at.perm : without(at.perm, {at.perm[static_cast<size_t>(mapped)]});
  HONE_CHECK(l.remake(n, {at.actual, n->inputs[1]}, std::move(attrs), perm));
  return true;
}

// Stretches of input and output dimensions with the same product.
struct Block {
  std::vector<int> in, out;
};

// nullopt: dimensions that are not numbers hide how they correspond.
std::optional<std::vector<Block>> blocks_of(const Shape& in, const Shape& out) {
  std::vector<Block> blocks;
  size_t i = 0, j = 0;
  while (i < in.size() || j < out.size()) {
    Block b;
    if (i < in.size() && j < out.size() && in[i] == out[j] && in[i] != unknown_dim) {
      b.in.push_back(static_cast<int>(i++));
      b.out.push_back(static_cast<int>(j++));
    } else if (i < in.size() && in[i] == 1) {
      b.in.push_back(static_cast<int>(i++));
    } else if (j < out.size() && out[j] == 1) {
      b.out.push_back(static_cast<int>(j++));
    } else {
      if (i == in.size() || j == out.size() || in[i] <= 0 || out[j] <= 0) return std::nullopt;
      int64_t p = in[i], q = out[j];
      b.in.push_back(static_cast<int>(i++));
      b.out.push_back(static_cast<int>(j++));
      while (p != q) {
        const bool more_in = p < q;
        if (more_in ? i == in.size() || in[i] <= 0 : j == out.size() || out[j] <= 0) return std::nullopt;
        if (more_in) p *= in[i], b.in.push_back(static_cast<int>(i++));
        else q *= out[j], b.out.push_back(static_cast<int>(j++));
      }
    }
    blocks.push_back(std::move(b));
  }
  return blocks;
}

// Reshape, Flatten, Squeeze, Unsqueeze: each block of dimensions is reshaped where it lies, if its dimensions
// lie side by side and in order; otherwise they are brought together first.
Result<bool> reshape(Layouts& l, Node* n) {
  const Placed at = l.of(n->inputs[0]);
  if (!ranked(n->outputs[0])) return false;
  const Shape &in = n->inputs[0]->type.shape, &out = n->outputs[0]->type.shape;
  const auto blocks = blocks_of(in, out);
  if (!blocks) return false;
  std::vector<int> block_of(in.size());
  for (size_t b = 0; b < blocks->size(); b++)
    for (int i : (*blocks)[b].in) block_of[static_cast<size_t>(i)] = static_cast<int>(b);
  // Blocks in the order in which their first dimension other than 1 lies in memory; those of ones follow the
  // block before.
  std::vector<int> order;
  for (int i : at.perm)
    if (in[static_cast<size_t>(i)] != 1 && !std::ranges::count(order, block_of[static_cast<size_t>(i)]))
      order.push_back(block_of[static_cast<size_t>(i)]);
  for (int b = 0; b < static_cast<int>(blocks->size()); b++) {
    if (std::ranges::count(order, b)) continue;
    auto before = std::ranges::find(order, b - 1);
    order.insert(before == order.end() ? order.begin() : before + 1, b);
  }
  Perm from, to;
  Shape target;
  for (int b : order) {
    from.insert(from.end(), (*blocks)[static_cast<size_t>(b)].in.begin(),
                (*blocks)[static_cast<size_t>(b)].in.end());
    for (int j : (*blocks)[static_cast<size_t>(b)].out) {
      to.push_back(j);
      target.push_back(out[static_cast<size_t>(j)]);
    }
  }
  if (std::ranges::count_if(target, [](Dim d) { return !known(d); }) > 1 || std::ranges::count(target, 0))
    return false;
  // The step from perm to from: nothing to do if only ones move.
  std::vector<int> filtered_at, filtered_from;
  for (int i : at.perm)
    if (in[static_cast<size_t>(i)] != 1) filtered_at.push_back(i);
  for (int i : from)
    if (in[static_cast<size_t>(i)] != 1) filtered_from.push_back(i);
  Value* source = filtered_at == filtered_from ? at.actual : l.get(n->inputs[0], from);
  Value* made = l.reshape(source, target, n->name);
  if (!made) return false;
  HONE_CHECK(l.put(n->outputs[0], made, to));
  return true;
}

}  // namespace

namespace {
bool joins_channels(const Node* n) {
  if (!is_op(n, "Conv")) return false;
  const Value *x = n->inputs[0], *w = n->inputs[1];
  return n->attrs.i("group", 1) == 1 && ranked(w) && known(w->type.shape[1]) && w->type.shape[1] <= 4 &&
         x->type.dtype == DType::f32 && w->is_constant() && !(x->producer && is_op(x->producer, "Transpose"));
}
}  // namespace

Result<bool> make_channels_last(Layouts& l, Node* n) {
  if (n->op->layout != Layout::spatial || n->attrs.flag("channels_last") || !ranked(n->inputs[0]))
    return false;
  const int rank = rank_of(n->inputs[0]);
  if (rank < 3 || rank > 4) return false;
  for (size_t i = 1; i < n->outputs.size(); i++)
    if (n->outputs[i] && !n->outputs[i]->dead()) return false;  // indices count in the model's layout
  Perm perm = channels_last_perm(rank);
  Attrs attrs = n->attrs;
  attrs.set("channels_last", int64_t{1});
  std::vector<Value*> inputs = n->inputs;
  const Perm given = l.of(inputs[0]).perm;
  const bool pointwise =
      is_op(n, "Conv") && ranked(inputs[1]) &&
      std::ranges::all_of(std::span(inputs[1]->type.shape.begin() + 2, static_cast<size_t>(rank - 2)),
                          [](Dim d) { return d == 1; }) &&
      std::ranges::all_of(attrs.ints("strides"), [](int64_t s) { return s == 1; }) &&
      std::ranges::all_of(attrs.ints("pads"), [](int64_t s) { return s == 0; });
  // Nothing tells the spatial axes of a pointwise convolution apart: their order does not matter.
  if (pointwise && given.front() == 0 && given.back() == 1) perm = given;
  for (size_t i = 1; i < inputs.size(); i++)
    if (inputs[i]) inputs[i] = l.get(inputs[i], identity_perm(rank_of(inputs[i])));
  // The convolution brings the few channels of an image together as it reads them.
  const bool joins = is_identity(given) && joins_channels(n);
  if (joins) attrs.set("planar_input", int64_t{1});
  inputs[0] = l.get(n->inputs[0], joins ? given : perm);
  ir::Node* made = l.patch().add_node(*n->op, std::move(inputs), std::move(attrs), 1, n->name);
  made->origin = n->origin;
  l.patch().inherit(n, made);
  HONE_CHECK(l.put(n->outputs[0], made->outputs[0], perm));
  return true;
}

Result<bool> pass_through(Layouts& l, Node* n) {
  if (n->outputs.empty() || !n->outputs[0] || !n->inputs[0] || !ir::nested_graphs(*n).empty()) return false;
  if (n->op->layout == Layout::elementwise || quantises_whole_tensors(n)) return elementwise(l, n);
  if (n->op->layout == Layout::axis) return axis_op(l, n);
  // From here on it is input 0 that a permutation passes from.
  if (!l.moved(n->inputs[0])) return false;
  if (is_op(n, "Transpose")) return transpose(l, n);
  if (is_op(n, "Reshape") || is_op(n, "Flatten") || is_op(n, "Squeeze") || is_op(n, "Unsqueeze"))
    return reshape(l, n);
  if (is_op(n, "Pad")) return pad(l, n);
  if (is_op(n, "Slice")) return slice(l, n);
  if (is_op(n, "Gather")) return gather(l, n);
  if (std::string_view(n->op->name).starts_with("Reduce") && !*n->op->domain) return reduce(l, n);
  return false;
}

}  // namespace hone::opt
