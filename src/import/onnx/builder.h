// Messages -> ir::Graph. One Builder per import. Local functions are inlined at their calls and operators
// with a body are expanded, so that only operators with a reference remain.
#pragma once
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "import/onnx/library.h"
#include "import/onnx/tensor_proto.h"
#include "ir/graph.h"

namespace hone::onnx {

struct Frame;

// The names visible at one level: a graph, or the body of a function (which sees nothing around it). A value
// may be null: a function's input that the call leaves out.
struct Scope {
  const Scope* outer = nullptr;
  ir::Graph* graph = nullptr;
  bool main = false;  // the model's own graph
  std::unordered_map<Text, ir::Value*> values = {};
};

// An attribute together with where it was written, which its nested graphs and references refer to.
struct BoundAttribute {
  const AttributeP* attribute = nullptr;
  const Frame* frame = nullptr;
  const Scope* scope = nullptr;
};

// The model itself, or one call of a local function.
struct Frame {
  const FunctionP* function = nullptr;  // null: the model
  std::unordered_map<Text, BoundAttribute> attributes = {};
  std::string prefix = {};  // of node names: the calls that led here
};

class Builder {
 public:
  Builder(const ModelP&, const Library&, const TensorSource&, const ImportOptions&);
  Result<std::shared_ptr<ir::Graph>> build();

 private:
  // builder.cc: graphs
  Status inputs(Scope&);
  Status outputs(Scope&);
  Status output(const ValueInfoP&, std::unordered_set<Text>& seen, Scope&);
  Status survive(Error, const NodeP&, Scope&);
  Status survive(Error, const std::string& what, Scope&, Text name);
  Status stand_in(const NodeP&, Scope&);
  Status initializers(const GraphP&, Scope&);
  void metadata();
  Result<ValueType> input_type(const ValueInfoP&);
  Result<ValueType> type(const TypeP&);
  Result<Dim> dim(const DimP&);
  Status nodes(const std::vector<NodeP>&, const Frame&, Scope&);
  Result<std::shared_ptr<ir::Graph>> nested(const GraphP&, const Frame&, const Scope&, ir::Graph* parent);
  Status define(Scope&, Text name, ir::Value*);
  Result<ir::Value*> find(const Scope&, Text name) const;
  std::string value_name(const Scope&, Text name) const;
  void add_hint(ir::Value*, Text name);
  Result<ir::Value*> identity(ir::Graph&, ir::Value*);
  void log(const std::string& line) const {
    if (options_.log) options_.log(line);
  }

  // nodes.cc
  struct Attribute {
    Text name;
    BoundAttribute bound;
  };
  Status node(const NodeP&, const Frame&, Scope&);
  Status call(const FunctionP&, const NodeP&, const Frame&, Scope&);
  Status constant(const NodeP&, const Frame&, Scope&);
  Status operation(const NodeP&, const Frame&, Scope&);
  Status gradient(const NodeP&, const Frame&, Scope&);
  Status expand(const OpDef&, const Attrs&, std::vector<ir::Value*> inputs, ir::Graph&,
                const std::string& name, std::vector<ir::Value*>& outputs);
  Result<std::vector<Attribute>> resolve(const NodeP&, const Frame&, const Scope&) const;
  Result<AttrValue> value(const BoundAttribute&, ir::Graph& graph);
  Result<Tensor> tensor(const TensorP&);
  Status count_nodes(int64_t n);
  Status charge(size_t bytes);
  std::string node_name(const NodeP&, const Frame&) const;

  const ModelP& model_;
  const Library& library_;
  TensorSource source_;
  const ImportOptions& options_;
  std::shared_ptr<ir::Graph> graph_;
  std::unordered_map<Text, const ValueInfoP*> hints_;  // of the main graph
  std::unordered_set<Text> output_names_;              // of the main graph: nothing else may take them
  std::unordered_map<Text, Dim> symbols_;              // dim_param -> symbol, or number if the options say so
  std::unordered_map<const TensorP*, Tensor> tensors_;  // a function called twice shares its constants
  bool stale_hints_ =
      false;  // the options changed a known dimension: shapes stored in the model no longer hold
  int64_t node_count_ = 0, dense_bytes_ = 0, copied_bytes_ = 0;
  int graph_depth_ = 0;
};

}  // namespace hone::onnx
