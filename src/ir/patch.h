// The only way passes change a graph. A patch is drawn beside the graph (its new nodes are there, but nothing
// uses them) and then applied as a whole; one that is dropped leaves no trace. It carries the rule it comes
// from and the reason, which end up in the origin of the new nodes and in the log that `hone build --explain`
// prints.
//
//   Patch p(g, "fold_batch_norm", "scale and shift are constants");
//   Value* y = p.add("Conv", {x, p.constant(w), p.constant(b)}, conv->attrs);
//   p.replace(bn->outputs[0], y);
//   HONE_CHECK(p.apply(log));
#pragma once
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace hone::ir {

// A node that a patch removed, and the one that does its work since then (0: none, it became constants or what
// an input of the graph is). `merged`: that one was made by the patch; else it was there already.
struct Fate {
  int node = 0, heir = 0;  // Node::id
  bool merged = false;
};
struct LogEntry {
  std::string rule, reason, node;  // node: label of what was replaced
  std::vector<Fate> fates = {};
};
using Log = std::vector<LogEntry>;

class Patch {
 public:
  Patch(Graph& g, std::string rule, std::string reason)
      : g_(g), rule_(std::move(rule)), reason_(std::move(reason)) {}
  ~Patch();
  Patch(const Patch&) = delete;
  Patch& operator=(const Patch&) = delete;

  Graph& graph() { return g_; }
  Value* constant(Tensor, std::string name = "");
  // A node with bound attributes (defaults are put in place here) and inferred types. What goes wrong is
  // remembered and returned by apply(). `name`: empty takes the name of the node that the patch replaces
  // first. null only if add() failed.
  Value* add(const char* op, std::vector<Value*> inputs, Attrs attrs = {}, std::string name = "");
  Node* add_node(const OpDef&, std::vector<Value*> inputs, Attrs attrs, size_t n_outputs = 1,
                 std::string name = "");
  // The nodes of a (not nested) graph, args in place of its inputs; returns the new values of what stands in
  // `wanted`.
  std::vector<Value*> add_graph(const Graph& body, std::span<Value* const> args,
                                std::span<Value* const> wanted);

  // Uses of `from` become uses of `to`. The name goes along where `to` is new, or `from` is an output of the
  // graph; where an output would become an input, another output or an outer value, an Identity keeps them
  // apart.
  void replace(Value* from, Value* to);
  // All outputs of `old` by those of a node with other attributes and inputs.
  Node* replace_node(Node* old, const OpDef&, std::vector<Value*> inputs, Attrs attrs);

  // `heir` does the work of `old`. Only patches that remake many nodes at once say so; of others, what dies with a
  // node that is replaced has gone into what replaces it.
  void inherit(const Node* old, const Node* heir) { heirs_[old->id] = heir->id; }

  // What went wrong so far; also whether the types of the replaced values agree with the new ones.
  Status check() const;
  // Replaces, refines types downstream, erases nodes and constants that died by it. An error leaves the graph
  // as it was.
  Status apply(Log* log = nullptr);

 private:
  Graph& g_;
  std::string rule_, reason_;
  std::vector<Node*> nodes_;
  std::vector<Value*> constants_;
  std::vector<std::pair<Value*, Value*>> replacements_;
  std::unordered_map<int, int> heirs_;
  Status status_;
  bool applied_ = false;
};

// Infers the users of v anew, and theirs, as long as something becomes more precise.
Status refine_users(Value* v);
// Erases n if all its outputs are dead, then what only it needed (constants too). `erased` gets their ids.
void erase_if_dead(Node* n, std::vector<int>* erased = nullptr);

}  // namespace hone::ir
