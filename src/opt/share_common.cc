#include <map>
#include <unordered_map>

#include "ir/equal.h"
#include "opt/passes.h"

namespace hone::opt {
namespace {

// Equal constants: one is kept. Bytes are hashed only where another constant has the same type.
int share_constants(ir::Graph& g) {
  std::map<std::pair<DType, std::vector<Dim>>, std::vector<ir::Value*>> by_type;
  for (ir::Value* v : g.values())
    if (v->is_constant() && !v->uses.empty())
      by_type[{v->constant.dtype(), {v->constant.shape().begin(), v->constant.shape().end()}}].push_back(v);
  int changes = 0;
  for (auto& [type, values] : by_type) {
    if (values.size() < 2) continue;
    std::unordered_map<uint64_t, std::vector<ir::Value*>> kept;
    for (ir::Value* v : values) {
      auto& same_hash = kept[ir::hash(v->constant)];
      ir::Value* first = nullptr;
      for (ir::Value* k : same_hash)
        if (ir::equal(k->constant, v->constant)) first = k;
      if (!first) {
        same_hash.push_back(v);
      } else if (v->outputs == 0) {  // an output keeps its own name
        g.replace_uses(v, first);
        g.erase_constant(v);
        changes++;
      }
    }
  }
  return changes;
}

struct Key {
  const ir::Node* n;
  bool operator==(const Key& o) const {
    return n->op == o.n->op && n->inputs == o.n->inputs && n->outputs.size() == o.n->outputs.size() &&
           ir::equal(n->attrs, o.n->attrs);
  }
};
struct KeyHash {
  size_t operator()(const Key& k) const {
    uint64_t h = ir::hash(k.n->attrs) ^ reinterpret_cast<uintptr_t>(k.n->op);
    for (const ir::Value* v : k.n->inputs) h = (h ^ reinterpret_cast<uintptr_t>(v)) * 0x100000001b3u;
    return h;
  }
};

}  // namespace

Result<int> share_common(ir::Graph& g, ir::Log& log) {
  int changes = share_constants(g);
  std::unordered_map<Key, ir::Node*, KeyHash> seen;
  HONE_TRY(const std::vector<ir::Node*> order, g.sorted());
  for (ir::Node* n : order) {
    if (n->erased || !n->op->pure || !ir::nested_graphs(*n).empty()) continue;
    auto [it, is_new] = seen.emplace(Key{n}, n);
    if (is_new) continue;
    ir::Node* first = it->second;
    ir::Patch p(g, "share_common", "the same is computed by " + first->label());
    bool possible = true;
    for (size_t i = 0; i < n->outputs.size(); i++) {
      if (!n->outputs[i] || n->outputs[i]->dead()) continue;
      // Two outputs of the graph need two values.
      possible = possible && first->outputs[i] && !(n->outputs[i]->outputs && first->outputs[i]->outputs);
      if (possible) p.replace(n->outputs[i], first->outputs[i]);
    }
    if (!possible || !p.check()) continue;
    HONE_CHECK(p.apply(&log));
    changes++;
  }
  return changes;
}

}  // namespace hone::opt
