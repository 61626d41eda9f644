// The graph that the builder works on. Nodes are in SSA form: each value is made once, by a node, as a graph
// input or as a constant. A nested graph (If, Loop, Scan: an attribute of type graph) may use values of the
// graphs around it directly.
//
// Ownership: a Graph owns its nodes and values; pointers to them are stable until the graph dies or compact()
// is called. Not thread-safe. Passes change a graph only through ir::Patch (ir/patch.h), which carries its
// reason.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/attrs.h"
#include "ops/op.h"

namespace hone::ir {

class Graph;
struct Node;

struct Use {
  Node* node = nullptr;
  int index = 0;
  bool operator==(const Use&) const = default;
};

struct Value {
  Graph* graph = nullptr;
  std::string name;  // unique within the model; what the model file called it, or made up
  ValueType type;
  Node* producer = nullptr;  // null: graph input or constant
  int output_index = 0;      // of producer
  Tensor constant;           // set: this value is a constant
  bool is_input = false;
  int outputs = 0;        // how many times it stands in its graph's output list
  std::vector<Use> uses;  // by nodes, also those of nested graphs; a node using it twice stands here twice
  bool is_constant() const { return static_cast<bool>(constant); }
  bool dead() const { return uses.empty() && outputs == 0; }
};

struct Node {
  Graph* graph = nullptr;
  const OpDef* op = nullptr;
  std::string name;             // as in the model file; used in messages and profiles; may be empty
  Attrs attrs;                  // bound: bind_attrs() has run
  std::vector<Value*> inputs;   // null: absent optional
  std::vector<Value*> outputs;  // null: not wanted
  std::string origin;  // which rules made or changed it, newest last: "fold_batch_norm;fuse_activation"
  int id = 0;          // not 0; unique within the model, if nested graphs know their parent from the start
  bool erased = false;
  std::string label() const;  // "Conv 'layer1.0.conv1'"
};

class Graph : public Subgraph {
 public:
  Graph() = default;
  ~Graph() override;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  // Deep copy, nested graphs included (constants share their bytes).
  std::shared_ptr<Graph> clone() const;

  std::string name;
  // The graph whose node has this one as an attribute. May be set before that node exists (names are then
  // unique within the whole model from the start); otherwise add_node() sets it and renames values whose
  // names are already taken.
  Graph* parent = nullptr;
  Node* owner = nullptr;             // that node; set by add_node()
  std::vector<std::string> symbols;  // names of symbolic dimensions (of the outermost graph only)
  std::vector<std::pair<std::string, std::string>>
      metadata;  // model metadata: producer, licence, ... sorted by key

  const std::vector<Value*>& inputs() const { return inputs_; }
  const std::vector<Value*>& outputs() const { return outputs_; }
  // A name that is taken or empty gives way to a fresh one.
  Value* add_input(std::string name, ValueType);
  Value* add_constant(Tensor, std::string name = "");
  void add_output(Value*);  // a value of this very graph (put an Identity after an outer one)
  void set_output(size_t i, Value*);
  // Appends a node with fresh outputs (n_outputs; names given or made up). Attributes must be bound. Types of
  // the outputs are not inferred: see infer(Node&). Graph attributes get this graph as their parent.
  Node* add_node(const OpDef&, std::vector<Value*> inputs, Attrs, size_t n_outputs = 1,
                 std::string name = "");
  Value* add_output_value(Node*, size_t index, std::string name);  // (re)creates outputs[index]

  void drop_output(Node*, size_t index);        // a dead one: becomes null
  void set_input(Node*, size_t index, Value*);  // null: absent; grows the list as needed
  void replace_uses(Value* from, Value* to);    // in nodes (nested graphs too) and outputs
  void erase(Node*);                            // its outputs must be dead
  void erase_constant(Value*);                  // must be dead
  void rename(Value*,
              std::string name);  // of this graph; the name must be free (else a fresh one is made from it)
  // Copies the nodes of `body` behind the nodes of this graph, args in place of its inputs, and returns what
  // its outputs became. Values that body takes from graphs around it stay what they are. Names are made
  // fresh; node names and origins get `prefix` in front. `made` receives the new nodes, in order.
  std::vector<Value*> inline_graph(const Graph& body, std::span<Value* const> args,
                                   const std::string& prefix = "", std::vector<Node*>* made = nullptr);

  // Live nodes, producers before consumers (stable: otherwise in order of insertion). Error: a cycle, naming
  // a node in it.
  Result<std::vector<Node*>> sorted() const;
  // Live nodes in order of insertion (for callers that do not care).
  std::vector<Node*> nodes() const;
  std::vector<Value*> values() const;             // live: inputs, constants, outputs of live nodes
  Value* find(std::string_view name) const;       // in this graph only
  std::string fresh_name(std::string_view stem);  // unique in the outermost graph's name space
  int symbol(std::string_view name);              // index in the outermost graph's symbol table, added if new
  Graph* outermost();
  const Graph* outermost() const;
  Status compact();  // frees erased nodes and values, sorts; invalidates pointers to erased ones

 private:
  Value* new_value(std::string name, ValueType);
  std::string claim_name(std::string name);  // as given if free, else fresh
  void adopt(Graph& nested);
  void drop_captures();  // forgets the uses of outer values (before these or this graph go)
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Value>> values_;
  std::vector<Value*> inputs_, outputs_;
  std::unordered_map<std::string, Value*> by_name_;  // values of this graph
  std::unordered_map<std::string, int>
      taken_;        // outermost graph: every name of the model, and the next suffix to try
  int last_id_ = 0;  // outermost graph: of nodes
};

// The node's nested graphs, in order of attribute names.
std::vector<Graph*> nested_graphs(const Node&);
// Values of outer graphs that the node's nested graphs (at any depth) use; each once, in order of first use.
std::vector<Value*> captures(const Node&);
// Runs the operator's inference and stores the types (a type already known better, e.g. from the model file,
// is merged).
Status infer(Node&);
// All nodes in order; nested graphs are inferred by their operators.
Status infer(Graph&);
// Refines a by b: unknown parts of a are taken from b; contradictions are errors.
Result<ValueType> merge(const ValueType& a, const ValueType& b);

}  // namespace hone::ir
