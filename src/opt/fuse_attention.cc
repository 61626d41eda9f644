// Finds softmax(scale * Q K' + mask) V and makes one Attention of it. Exporters write the heads of Q, K and V as chains
// of Split, Gather, Reshape and Transpose: these are followed back to the tensor that they rearrange, and where heads
// turn out to lie side by side in its rows, Attention reads them there, [batch, length, heads * size], and nothing has to
// be moved.
#include <algorithm>
#include <map>

#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

using ir::Node;
using ir::Value;
using Ints = std::vector<int64_t>;

// Elements of `base`, which is contiguous: index (i, j, ...) is at offset + i * strides[0] + j * strides[1] + ..., times
// scale.
struct View {
  Value* base = nullptr;
  int64_t offset = 0;
  Ints dims, strides;
  double scale = 1;
};

std::optional<Ints> static_dims(const Value* v) {
  if (!v || v->type.kind != hone::Value::Kind::tensor || !v->type.shape.all_known() ||
      v->type.shape.elements() == 0)
    return std::nullopt;
  return Ints(v->type.shape.begin(), v->type.shape.end());
}

Ints contiguous(const Ints& dims) {
  Ints strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

// The strides under which the elements, in the same order, have other dimensions; nullopt where none do.
std::optional<Ints> reshaped(const View& v, const Ints& dims) {
  Ints from, step;  // without dimensions of 1
  for (size_t i = 0; i < v.dims.size(); i++)
    if (v.dims[i] != 1) from.push_back(v.dims[i]), step.push_back(v.strides[i]);
  Ints out(dims.size(), 0);
  // From the last on, the smallest groups of dimensions of equal size; those of the old side must be dense.
  size_t i = from.size(), j = dims.size();
  while (j > 0) {
    if (dims[j - 1] == 1) {
      j--;
      continue;
    }
    if (i == 0) return std::nullopt;
    int64_t stride = step[--i], size = from[i], inner = step[i] * from[i], covered = 1;
    while (true) {
      if (j == 0) return std::nullopt;
      const int64_t d = dims[--j];
      out[j] = stride * covered;
      covered *= d;
      if (covered == size) break;
      while (covered > size) {
        if (i == 0 || step[i - 1] != inner) return std::nullopt;
        size *= from[--i];
        inner = step[i] * from[i];
      }
      if (covered == size) break;
      if (size % covered) return std::nullopt;
    }
  }
  return i == 0 ? std::optional(out) : std::nullopt;
}

bool is_reshape(const Node* n) {
  return is_op(n, "Reshape") || is_op(n, "Flatten") || is_op(n, "Squeeze") || is_op(n, "Unsqueeze");
}

// x of x * factor or x / factor, for one number.
struct Scaled {
  Value* x = nullptr;
  double factor = 1;
};
std::optional<Scaled> scaled(const Value* v) {
  const Node* n = v->producer;
  const bool mul = is_op(n, "Mul"), div = is_op(n, "Div");
  if ((!mul && !div) || !n->attrs.s("activation").empty()) return std::nullopt;
  for (size_t side = 0; side < (mul ? 2u : 1u); side++) {
    const auto factor = uniform(n->inputs[1 - side]);
    Value* x = n->inputs[side];
    if (!factor || *factor == 0 || x->is_constant() || !same_shape(x->type, v->type)) continue;
    return Scaled{x, mul ? *factor : 1 / *factor};
  }
  return std::nullopt;
}

std::optional<View> follow(Value* v, int depth = 16) {
  const auto dims = static_dims(v);
  if (!dims) return std::nullopt;
  const View itself{v, 0, *dims, contiguous(*dims)};
  const Node* n = v->producer;
  if (!n || depth == 0 || n->inputs.empty() || !n->inputs[0]) return itself;
  if (const auto s = scaled(v)) {
    auto in = follow(s->x, depth - 1);
    if (in) in->scale *= s->factor;
    return in ? in : itself;
  }
  const bool gather = is_op(n, "Gather"), split = is_op(n, "Split"), transpose = is_op(n, "Transpose");
  if (!gather && !split && !transpose && !is_reshape(n)) return itself;
  auto in = follow(n->inputs[0], depth - 1);
  if (!in) return itself;
  if (is_reshape(n)) {
    const auto strides = reshaped(*in, *dims);
    if (!strides) return itself;
    in->dims = *dims;
    in->strides = *strides;
    return in;
  }
  const auto rank = static_cast<int>(in->dims.size());
  if (transpose) {
    const Ints& perm = n->attrs.ints("perm");
    if (static_cast<int>(perm.size()) != rank) return itself;
    View out = *in;
    for (size_t i = 0; i < perm.size(); i++) {
      out.dims[i] = in->dims[static_cast<size_t>(perm[i])];
      out.strides[i] = in->strides[static_cast<size_t>(perm[i])];
    }
    return out;
  }
  const auto axis = normalize_axis(n->attrs.i("axis"), rank);
  if (!axis) return itself;
  const auto a = static_cast<size_t>(*axis);
  if (split) {
    const auto sizes = ints(input(n, 1));
    if (input(n, 1) && !sizes) return itself;
    const auto parts = static_cast<int64_t>(n->outputs.size());
    for (int i = 0; i < v->output_index; i++)  // without sizes, only the last part may be smaller
      in->offset +=
          in->strides[a] * (sizes ? (*sizes)[static_cast<size_t>(i)] : (in->dims[a] + parts - 1) / parts);
    in->dims = *dims;
    return in;
  }
  const auto index = ints(input(n, 1));
  if (!index || index->size() != 1 || n->inputs[1]->type.shape.rank() > 1) return itself;
  const int64_t i = index->front() < 0 ? index->front() + in->dims[a] : index->front();
  if (i < 0 || i >= in->dims[a]) return itself;
  in->offset += i * in->strides[a];
  if (n->inputs[1]->type.shape.rank() == 1) {
    in->dims[a] = 1;
  } else {
    in->dims.erase(in->dims.begin() + *axis);
    in->strides.erase(in->strides.begin() + *axis);
  }
  return in;
}

// An operand as [batch, heads, length, size]; of three dimensions, the first are heads.
struct Heads {
  Value* value = nullptr;   // what the product reads
  View view;                // of four dimensions
  bool transposed = false;  // value is [..., size, length]
  int64_t row = 0;          // floats of a row of the base, if the heads lie side by side in it; else 0
};

std::optional<Heads> heads_of(Value* v, bool transposed) {
  auto view = follow(v);
  if (!view || view->dims.size() < 3 || view->dims.size() > 4) return std::nullopt;
  if (view->dims.size() == 3) {
    view->dims.insert(view->dims.begin(), 1);
    view->strides.insert(view->strides.begin(), 0);
  }
  if (transposed) {
    std::swap(view->dims[2], view->dims[3]);
    std::swap(view->strides[2], view->strides[3]);
  }
  Heads h{v, std::move(*view), transposed, 0};
  const Ints &d = h.view.dims, &s = h.view.strides;
  const int64_t width = d[1] * d[3], elements = h.view.base->type.shape.elements();
  if (elements % (d[0] * d[2])) return h;
  const int64_t row = elements / (d[0] * d[2]);
  if ((d[3] == 1 || s[3] == 1) && (d[1] == 1 || s[1] == d[3]) && (d[2] == 1 || s[2] == row) &&
      (d[0] == 1 || s[0] == d[2] * row) && h.view.offset + width <= row)
    h.row = row;
  return h;
}

// The mask as [batch, heads, queries, keys], broadcast where it has fewer dimensions or ones.
bool fits_mask(const Value* mask, const Ints& scores) {
  const auto d = static_dims(mask);
  if (!d || d->size() > 4 || d->empty() || d->back() != scores[3]) return false;
  for (size_t i = 0; i < d->size(); i++)
    if ((*d)[i] != 1 && (*d)[i] != scores[4 - d->size() + i]) return false;
  return true;
}

struct Match {
  Node *softmax = nullptr, *scores = nullptr, *product = nullptr;
  Heads q, k, v;
  double scale = 1;
  std::vector<Value*> masks;        // added to the scores
  std::vector<Value*> group_masks;  // with a dimension of 1 in front, which is to go
};

// The addend of an Add whose other operand has the shape of the sum: what is added to the scores.
Value* addend(const Node* add, Value*& rest) {
  if (!is_op(add, "Add") || !add->attrs.s("activation").empty()) return nullptr;
  for (size_t side = 0; side < 2; side++) {
    Value *x = add->inputs[side], *m = add->inputs[1 - side];
    if (x->is_constant() || !same_shape(x->type, add->outputs[0]->type) || !single_use(x)) continue;
    if (same_shape(m->type, x->type) && !m->is_constant() && !is_op(x->producer, "MatMul") &&
        !is_op(x->producer, "Mul") && !is_op(x->producer, "Div") && !is_op(x->producer, "Add") &&
        !is_reshape(x->producer))
      continue;  // the other one is the product
    rest = x;
    return m;
  }
  return nullptr;
}

// From the softmax up to the product of queries and keys.
bool match_scores(Match& m, const Ints& shape) {
  Value* at = m.softmax->inputs[0];
  bool scaled_yet = false;
  for (int steps = 0; steps < 8; steps++) {
    if (!single_use(at) || !at->producer) return false;
    Node* n = at->producer;
    if (is_op(n, "MatMul")) {
      if (input(n, 2) || input(n, 3) || !n->attrs.s("activation").empty()) return false;
      m.scores = n;
      return true;
    }
    if (const auto s = scaled(at)) {
      m.scale *= s->factor;
      scaled_yet = true;
      at = s->x;
      continue;
    }
    if (scaled_yet) return false;  // the mask would be scaled
    Value* rest = nullptr;
    if (Value* mask = addend(n, rest)) {
      if (!fits_mask(mask, shape)) return false;
      m.masks.push_back(mask);
      at = rest;
      continue;
    }
    // Windows of an image are one batch; their masks are added as [images, windows, heads, queries, keys].
    if (!is_reshape(n) || !single_use(n->inputs[0])) return false;
    Value* mask = addend(n->inputs[0]->producer, rest);
    const auto grouped = static_dims(n->inputs[0]);
    if (!mask || !grouped || grouped->size() != 5 || grouped->front() != 1 ||
        !std::equal(shape.begin(), shape.end(), grouped->begin() + 1) || !is_reshape(rest->producer) ||
        static_dims(rest->producer->inputs[0]) != static_dims(at))
      return false;
    const auto d = static_dims(mask);
    if (!d || d->size() != 5 || d->front() != 1 || d->back() != shape[3]) return false;
    m.group_masks.push_back(mask);
    at = rest->producer->inputs[0];
  }
  return false;
}

std::optional<Match> match(Node* softmax) {
  Match m{.softmax = softmax};
  Value* weights = softmax->outputs[0];
  const auto dims = static_dims(weights);
  if (!dims || dims->size() < 3 || dims->size() > 4 || weights->type.dtype != DType::f32 ||
      !single_use(weights))
    return std::nullopt;
  const auto axis = normalize_axis(softmax->attrs.i("axis", -1), static_cast<int>(dims->size()));
  if (!axis || *axis != static_cast<int>(dims->size()) - 1 || softmax->attrs.flag("flatten"))
    return std::nullopt;
  m.product = weights->uses[0].node;
  if (!is_op(m.product, "MatMul") || weights->uses[0].index != 0 || input(m.product, 2) ||
      input(m.product, 3) || !m.product->attrs.s("activation").empty())
    return std::nullopt;
  Ints shape = *dims;
  if (shape.size() == 3) shape.insert(shape.begin(), 1);
  if (!match_scores(m, shape)) return std::nullopt;
  auto q = heads_of(m.scores->inputs[0], false), k = heads_of(m.scores->inputs[1], true),
       v = heads_of(m.product->inputs[1], false);
  if (!q || !k || !v) return std::nullopt;
  for (const Heads* h : {&*k, &*v})
    if (h->view.dims[0] != shape[0] || h->view.dims[1] != shape[1] || h->view.dims[2] != shape[3])
      return std::nullopt;
  if (q->view.dims[0] != shape[0] || q->view.dims[1] != shape[1] || v->view.scale != 1) return std::nullopt;
  m.scale *= q->view.scale * k->view.scale;
  m.q = std::move(*q), m.k = std::move(*k), m.v = std::move(*v);
  return m;
}

Value* reshape(ir::Patch& p, Value* v, const Ints& dims) {
  return static_dims(v) == dims ? v : p.add("Reshape", {v, p.constant(int_tensor(dims))});
}
Value* transpose(ir::Patch& p, Value* v, Ints perm) {
  Attrs attrs;
  attrs.set("perm", std::move(perm));
  return p.add("Transpose", {v}, std::move(attrs));
}

// The operands [batch, length, heads * size]: pieces of the rows of their bases, one Split for each base.
class Pieces {
 public:
  void want(const Heads& h) {
    Ints& cuts = cuts_[key(h)];
    cuts.push_back(h.view.offset);
    cuts.push_back(h.view.offset + width(h));
  }
  Value* get(ir::Patch& p, const Heads& h) {
    auto& parts = parts_[key(h)];
    Ints& cuts = cuts_[key(h)];
    if (parts.empty()) {
      cuts.push_back(0);
      cuts.push_back(h.row);
      std::ranges::sort(cuts);
      cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
      Value* rows = reshape(p, h.view.base, {h.view.dims[0], h.view.dims[2], h.row});
      if (cuts.size() == 2) return rows;
      Ints sizes;
      for (size_t i = 0; i + 1 < cuts.size(); i++) sizes.push_back(cuts[i + 1] - cuts[i]);
      Attrs attrs;
      attrs.set("axis", int64_t{2});
      Node* split = p.add_node(*find_op("Split"), {rows, p.constant(int_tensor(sizes))}, std::move(attrs),
                               sizes.size());
      if (!split) return nullptr;
      parts = split->outputs;
    }
    const auto first = std::ranges::find(cuts, h.view.offset) - cuts.begin();
    // Pieces that overlap would have to be joined again.
    return cuts[static_cast<size_t>(first) + 1] == h.view.offset + width(h)
               ? parts[static_cast<size_t>(first)]
               : nullptr;
  }

 private:
  struct Key {
    Value* base;
    int64_t batch, length;
    auto operator<=>(const Key&) const = default;
  };
  static Key key(const Heads& h) { return {h.view.base, h.view.dims[0], h.view.dims[2]}; }
  static int64_t width(const Heads& h) { return h.view.dims[1] * h.view.dims[3]; }
  std::map<Key, Ints> cuts_;
  std::map<Key, std::vector<Value*>> parts_;
};

// [batch, heads, length, size], moved if need be.
Value* apart(ir::Patch& p, Heads& h, double& scale) {
  scale /= h.view.scale;  // value has been scaled
  Value* v = h.value;
  const Ints d = *static_dims(v);
  if (h.transposed) v = transpose(p, v, d.size() == 3 ? Ints{0, 2, 1} : Ints{0, 1, 3, 2});
  return reshape(p, v, h.view.dims);
}

Result<bool> fuse(ir::Graph& g, Match& m, ir::Log& log) {
  ir::Patch p(g, "fuse_attention", "softmax of a product, times values");
  Pieces pieces;
  for (const Heads* h : {&m.q, &m.k, &m.v})
    if (h->row) pieces.want(*h);
  std::vector<Value*> inputs;
  for (Heads* h : {&m.q, &m.k, &m.v}) {
    Value* v = h->row ? pieces.get(p, *h) : nullptr;
    if (!v) h->row = 0, v = apart(p, *h, m.scale);
    inputs.push_back(v);
  }
  Value* mask = nullptr;
  const auto add_mask = [&](Value* v) { mask = mask ? p.add("Add", {mask, v}) : v; };
  for (Value* v : m.masks) {
    const Ints d = *static_dims(v);
    add_mask(d.size() == 1 ? reshape(p, v, {1, d[0]}) : v);
  }
  for (Value* v : m.group_masks) {
    const Ints d = *static_dims(v);
    add_mask(reshape(p, v, Ints(d.begin() + 1, d.end())));
  }
  if (mask) inputs.push_back(mask);
  const Ints &q = m.q.view.dims, &v = m.v.view.dims;
  Attrs attrs;
  attrs.set("scale", static_cast<float>(m.scale));
  attrs.set("q_num_heads", q[1]);
  attrs.set("kv_num_heads", q[1]);
  Node* made = p.add_node(*find_op("Attention"), std::move(inputs), std::move(attrs), 1, m.product->name);
  if (!made) return false;
  Value* y = made->outputs[0];
  const Ints result = *static_dims(m.product->outputs[0]);
  if (m.q.row && result.size() == 3) y = transpose(p, reshape(p, y, {q[2], q[1], v[3]}), {1, 0, 2});
  else if (m.q.row) y = transpose(p, reshape(p, y, {q[0], q[2], q[1], v[3]}), {0, 2, 1, 3});
  y = reshape(p, y, result);
  p.replace(m.product->outputs[0], y);
  if (!p.check()) return false;
  HONE_CHECK(p.apply(&log));
  return true;
}

}  // namespace

Result<int> fuse_attention(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    if (n->erased || !is_op(n, "Softmax") || !n->outputs[0]) continue;
    auto m = match(n);
    if (!m || !static_dims(m->product->outputs[0])) continue;
    HONE_TRY(const bool done, fuse(g, *m, log));
    changes += done;
  }
  return changes;
}

}  // namespace hone::opt
