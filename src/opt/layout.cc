#include "opt/layout.h"

#include <algorithm>
#include <numeric>

#include "opt/passes.h"

namespace hone::opt {

Perm identity_perm(int rank) {
  Perm p(static_cast<size_t>(rank));
  std::iota(p.begin(), p.end(), 0);
  return p;
}

Perm channels_last_perm(int rank) {
  Perm p = identity_perm(rank);
  if (rank > 2) std::rotate(p.begin() + 1, p.begin() + 2, p.end());
  return p;
}

bool is_identity(const Perm& p) { return std::ranges::is_sorted(p); }

Perm inverse(const Perm& p) {
  Perm out(p.size());
  for (size_t i = 0; i < p.size(); i++) out[static_cast<size_t>(p[i])] = static_cast<int>(i);
  return out;
}

Shape permuted(const Shape& s, const Perm& p) {
  if (!s.ranked()) return s;
  Shape out;
  for (int i : p) out.push_back(s[static_cast<size_t>(i)]);
  return out;
}

bool moves_nothing(const Shape& s, const Perm& p) {
  int last = -1;
  for (int i : p) {
    if (s[static_cast<size_t>(i)] == 1) continue;
    if (i < last) return false;
    last = i;
  }
  return true;
}

Placed Layouts::of(ir::Value* v) const {
  auto it = placed_.find(v);
  return it == placed_.end() ? Placed{v, identity_perm(v->type.shape.rank())} : it->second;
}

ir::Value* Layouts::reshape(ir::Value* actual, const Shape& target, const std::string& name) {
  std::vector<int64_t> dims;
  for (Dim d : target) dims.push_back(known(d) ? d : -1);
  if (std::ranges::count(dims, -1) > 1 || std::ranges::count(dims, 0) > 0) return nullptr;
  return p_.add("Reshape", {actual, p_.constant(int_tensor(dims))}, {}, name);
}

ir::Value* Layouts::get(ir::Value* v, const Perm& perm) {
  const Placed at = of(v);
  if (at.perm == perm) return at.actual;
  auto [it, is_new] = made_.try_emplace({v, perm});
  if (!is_new) return it->second;
  // actual'[i] = v[perm[i]] = actual[inverse(at.perm)[perm[i]]]
  const Perm back = inverse(at.perm);
  std::vector<int64_t> step;
  for (int i : perm) step.push_back(back[static_cast<size_t>(i)]);
  const Shape& from = at.actual->type.shape;
  const std::string name =
      (v->producer && !v->producer->name.empty() ? v->producer->name : v->name) + "/layout";
  ir::Value* made = nullptr;
  if (moves_nothing(from, Perm(step.begin(), step.end())))
    made = reshape(at.actual, permuted(from, Perm(step.begin(), step.end())), name);
  if (!made) {
    Attrs attrs;
    attrs.set("perm", step);
    made = p_.add("Transpose", {at.actual}, std::move(attrs), name);
  }
  made_[{v, perm}] = made;
  return made;
}

ir::Value* Layouts::get_broadcast(ir::Value* v, const Perm& perm) {
  const Shape& s = v->type.shape;
  const int rank = static_cast<int>(perm.size());
  if (s.rank() == rank) return get(v, perm);
  if (std::ranges::all_of(s, [](Dim d) { return d == 1; })) return get(v, identity_perm(s.rank()));
  std::vector<int64_t> axes;
  for (int i = 0; i < rank - s.rank(); i++) axes.push_back(i);
  Shape wide = Shape::of_rank(rank, 1);
  for (size_t i = 0; i < s.size(); i++) wide[static_cast<size_t>(rank - s.rank()) + i] = s[i];
  ir::Value* padded = p_.add("Unsqueeze", {get(v, identity_perm(s.rank())), p_.constant(int_tensor(axes))});
  return padded ? get(padded, perm) : nullptr;
}

Status Layouts::put(ir::Value* v, ir::Value* actual, Perm perm) {
  if (!v || !actual) return {};
  auto merged = ir::merge(ValueType(v->type.dtype, permuted(v->type.shape, perm)), actual->type);
  if (!merged) return in("layout of '" + v->name + "'", merged.take_error());
  if (!actual->is_input && !actual->is_constant()) actual->type = *std::move(merged);
  placed_[v] = {actual, std::move(perm)};
  return {};
}

Status Layouts::remake(ir::Node* n, std::vector<ir::Value*> inputs, Attrs attrs, const Perm& perm) {
  // Operands that were handed on as they are may have been remade themselves.
  for (ir::Value*& v : inputs)
    if (v) v = get(v, identity_perm(v->type.shape.rank()));
  ir::Node* made = p_.add_node(*n->op, std::move(inputs), std::move(attrs), n->outputs.size(), n->name);
  for (size_t i = 0; i < n->outputs.size(); i++) {
    if (n->outputs[i]) HONE_CHECK(put(n->outputs[i], made->outputs[i], perm));
  }
  made->origin = n->origin;
  p_.inherit(n, made);
  return {};
}

void Layouts::restore(ir::Value* v) {
  if (!v) return;
  const Placed at = of(v);
  if (at.actual == v && is_identity(at.perm)) return;
  if (restored_.emplace(v, nullptr).second) p_.replace(v, get(v, identity_perm(v->type.shape.rank())));
}

void Layouts::keep(ir::Node* n) {
  for (ir::Value* v : n->inputs) restore(v);
  for (ir::Value* v : ir::captures(*n)) restore(v);
}

namespace {
// Pools and the like gain nothing by the layout alone: without a convolution that wants it, everything stays.
bool has_convolution(const std::vector<ir::Node*>& order) {
  return std::ranges::any_of(order, [](const ir::Node* n) {
    return n->op->layout == Layout::spatial &&
           std::string_view(n->op->name).find("Conv") != std::string_view::npos;
  });
}
// Whether v reaches outputs of the graph only, by a few steps element by element.
bool only_goes_out(const ir::Value* v) {
  std::vector<const ir::Value*> reached{v};
  for (size_t i = 0; i < reached.size(); i++) {
    const ir::Value* at = reached[i];
    if (i == 16 || at->dead()) return false;
    for (const ir::Use& use : at->uses) {
      const ir::Node* n = use.node;
      const bool unary = std::ranges::all_of(
          n->inputs, [&](const ir::Value* in) { return !in || in == at || in->is_constant(); });
      if (n->op->layout != Layout::elementwise || n->outputs.size() != 1 || !unary) return false;
      reached.push_back(n->outputs[0]);
    }
  }
  return true;
}

// What a Resize enlarges for the outputs alone (as the last step of segmentation) is transposed before, where
// it is small.
bool better_planar(const ir::Node* n) {
  if (!is_op(n, "Resize") || !n->inputs[0] || !n->outputs[0]) return false;
  const Shape &in = n->inputs[0]->type.shape, &out = n->outputs[0]->type.shape;
  return in.all_known() && out.all_known() && out.elements() > in.elements() && only_goes_out(n->outputs[0]);
}
}  // namespace

Result<int> channels_last(ir::Graph& g, ir::Log& log) {
  HONE_TRY(const std::vector<ir::Node*> order, g.sorted());
  if (!has_convolution(order)) return 0;
  ir::Patch p(g, "channels_last", "images flow as N, spatial, C");
  Layouts layouts(p);
  int changes = 0;
  for (ir::Node* n : order) {
    bool done = false;
    if (!better_planar(n)) { HONE_TRY(done, make_channels_last(layouts, n)); }
    if (done) changes++;
    const bool reached = std::ranges::any_of(n->inputs, [&](ir::Value* v) { return layouts.moved(v); });
    if (!done && reached) { HONE_TRY(done, pass_through(layouts, n)); }
    if (!done) layouts.keep(n);
  }
  if (!changes) return 0;
  for (ir::Value* v : g.outputs()) layouts.restore(v);
  HONE_CHECK(p.apply(&log));
  return changes;
}

}  // namespace hone::opt
