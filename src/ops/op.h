// What operators mean. An operator is one OpDef value in one file of this folder plus one line in ops.def.
// Import, verification, shape inference, the reference tactic, the documentation and the generic tests all
// follow from it.
//
// The definition is that of the newest opset. Older versions are brought to it at import by `upgrades`, so
// that nothing after the importer ever sees an opset number.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/attrs.h"
#include "base/result.h"
#include "base/tensor.h"

namespace hone {

struct OpDef;

// What an operator keeps of one node from run to run; operators of plugins do (src/plugin).
using NodeState = std::shared_ptr<void>;

// One attribute: its name, type and default. `internal` ones exist only inside Hone (set by the optimiser)
// and are refused in model files.
struct AttrDef {
  const char* name;
  AttrType type;
  enum Presence : uint8_t { optional, required, defaulted } presence = optional;
  bool internal = false;
  int64_t i = 0;
  float f = 0;
  const char* s = "";

  static constexpr AttrDef opt(const char* n, AttrType t) { return {n, t, optional}; }
  static constexpr AttrDef req(const char* n, AttrType t) { return {n, t, required}; }
  static constexpr AttrDef def_i(const char* n, int64_t v) { return {n, AttrType::i, defaulted, false, v}; }
  static constexpr AttrDef def_f(const char* n, float v) { return {n, AttrType::f, defaulted, false, 0, v}; }
  static constexpr AttrDef def_s(const char* n, const char* v) {
    return {n, AttrType::s, defaulted, false, 0, 0, v};
  }
  constexpr AttrDef hidden() const {
    AttrDef d = *this;
    d.internal = true;
    return d;
  }
};

// Type and shape inference. Inputs may be partly known; outputs are as precise as the inputs allow and no
// more. With concrete input shapes (and values[] where the op needs them) inference is exact, or leaves
// unknown_dim where the shape depends on data: this is how the runtime plans for a shape.
struct Infer {
  const OpDef& op;
  const Attrs& attrs;
  std::span<const ValueType> in;   // kind none: absent optional input, or type not known
  std::span<const Tensor> values;  // values[i] is empty unless input i is known to be this constant
  std::vector<ValueType> out;      // one per output of the node, to be filled in
  // Infers a nested graph given the types of its inputs (If, Loop, Scan).
  std::function<Result<std::vector<ValueType>>(const SubgraphPtr&, std::span<const ValueType>)> infer_graph =
      {};

  bool has(size_t i) const { return i < in.size() && in[i].kind != hone::Value::Kind::none; }
  DType dtype(size_t i) const { return has(i) ? in[i].dtype : DType::none; }
  Shape shape(size_t i) const { return has(i) ? in[i].shape : Shape::unranked(); }
  const Tensor* value(size_t i) const { return i < values.size() && values[i] ? &values[i] : nullptr; }
  // The integers of constant input i; nullopt where it is not constant.
  std::optional<std::vector<int64_t>> ints(size_t i) const;
  void set(size_t i, DType d, const Shape& s) {
    if (i < out.size()) out[i] = ValueType(d, s);
  }
};

// What a reference kernel sees. It asks for each output once its shape is known; the memory may come from a
// plan or be allocated then. Inputs and outputs never overlap. Types and counts of inputs have been verified
// against the OpDef and infer; values inside tensors have not.
class EvalContext {
 public:
  // The inputs must stay where they are while the context lives.
  EvalContext(const OpDef& op, const Attrs& attrs, std::span<const Value> in, size_t outputs)
      : op(op), attrs(attrs), in_(in), outputs_(outputs) {}
  virtual ~EvalContext() = default;
  EvalContext(const EvalContext&) = delete;
  EvalContext& operator=(const EvalContext&) = delete;
  const OpDef& op;
  const Attrs& attrs;

  size_t inputs() const { return in_.size(); }
  size_t outputs() const { return outputs_; }
  const Value& in(size_t i) const {  // kind none where absent, also for i >= inputs()
    static const Value none;
    return i < in_.size() ? in_[i] : none;
  }
  virtual bool wanted(size_t i) const = 0;  // false: output i has no consumer and need not be made
  virtual Result<TensorView> output(size_t i, DType,
                                    const Shape&) = 0;  // an unwanted output may be asked for too
  virtual Status set_output(size_t i,
                            Value) = 0;  // sequences, optionals, or a tensor passed on without a copy
  virtual Result<std::vector<Value>> run_graph(std::string_view attr, std::span<const Value> args) = 0;
  // What is known of output i beforehand (none: nothing): a loop without turns has no other way to learn its
  // types.
  virtual ValueType output_type(size_t) const { return {}; }
  // Whether output_type() is what inference says of these very inputs, also for outputs that are not wanted.
  virtual bool planned() const { return false; }
  // Where the node is run again it finds here what it left; one thread at a time uses it.
  virtual NodeState& state() { return state_; }
  virtual bool cancelled() const { return false; }  // long loops ask now and then

  bool has(size_t i) const { return static_cast<bool>(in(i)); }
  TensorView input(size_t i) const { return in(i).tensor.view(); }
  // Integers of input i, or of attribute `attr` where the input is absent.
  Result<std::vector<int64_t>> ints(size_t i) const { return in(i).tensor.as_ints(); }

 protected:
  // Memory for an output that nobody wants but the operator computes.
  Result<TensorView> spare(DType d, const Shape& s) {
    HONE_TRY(Tensor t, Tensor::allocate(d, s));
    spare_.push_back(std::move(t));
    return spare_.back().view();
  }
  void forget_spare() { spare_.clear(); }

 private:
  std::span<const Value> in_;
  size_t outputs_;
  std::vector<Tensor> spare_;
  NodeState state_;
};

// A node while it is still in a model's opset; an upgrade rewrites it towards the newest definition.
class OpsetNode {
 public:
  virtual ~OpsetNode() = default;
  virtual int opset() const = 0;  // version of the node's domain that the model imports
  virtual Attrs& attrs() = 0;
  virtual size_t inputs() const = 0;
  virtual bool has(size_t i) const = 0;
  virtual Tensor constant(size_t i) const = 0;  // empty unless input i is known to be this constant
  virtual ValueType type(size_t i) const = 0;   // as far as known at this point of the import
  virtual void set_constant(size_t i,
                            Tensor) = 0;  // input i becomes this constant; gaps before it become absent
  virtual void remove_input(size_t i) = 0;
  // Inputs from i on move up by one; input i becomes absent.
  virtual void insert_absent(size_t i) = 0;
  virtual void rename(
      const char* op) = 0;  // becomes another operator of the standard domain (at its newest version)
};
struct Upgrade {
  int below;  // applied where the model's opset is lower than this; ascending in OpDef::upgrades
  Status (*apply)(OpsetNode&);
};

// How a permutation of the axes of the data passes through an operator (opt/layout).
enum class Layout : uint8_t {
  none,         // it does not
  elementwise,  // any permutation passes: output axes are input axes (with broadcasting of the other inputs)
  axis,         // passes, the attribute "axis" is mapped through it
  spatial,      // has the attribute "channels_last": input 0 and output 0 are N,C,spatial...; with it
                // N,spatial...,C
};

struct OpDef {
  const char* name;
  const char* domain =
      "";  // "" is ai.onnx; "ai.onnx.ml"; "com.microsoft"; "hone" = internal, never in a model file
  const char* doc = "";                // one line: the mathematics
  int min_inputs = 1, max_inputs = 1;  // max -1: variadic
  int max_model_inputs =
      -2;  // >= -1: what a model file may give where that is less than max_inputs (the rest is internal)
  int min_outputs = 1, max_outputs = 1;
  std::span<const AttrDef> attrs = {};
  int since = 1;  // oldest opset whose nodes can be brought to this definition
  std::span<const Upgrade> upgrades = {};
  Status (*infer)(Infer&) = nullptr;
  Status (*reference)(EvalContext&) = nullptr;  // null only where body is set or an upgrade always renames
  // A decomposition instead of a reference: the text form of a graph (ir/text.h) whose inputs are the op's
  // inputs in order and whose nodes may name the op's attributes as $attr. Expanded at import.
  const char* body = nullptr;
  Layout layout = Layout::none;
  bool view = false;  // output 0 has the bytes of input 0 in the same order (Reshape, Squeeze, Identity, ...)
  bool shape_only = false;   // reads only the shapes of its inputs, never their bytes (Shape, Size)
  bool commutative = false;  // of its first two inputs
  bool pure = true;          // the same inputs give the same outputs (false: random generators)
  const char* notes = "";    // limits, and what a user would not expect, for docs/operators.md
};

// The list (ops.def), sorted as in the file.
std::span<const OpDef* const> all_ops();
// Of the list, or else of those added. Thread-safe.
const OpDef* find_op(std::string_view name, std::string_view domain = "");
// Adds operators, all or none, for as long as the process lives, which they must too (src/plugin). Errors: a domain that
// is ONNX's or Hone's own; an operator that is known already. Thread-safe.
Status add_ops(std::span<const OpDef* const>);
// Whether all operators of the domain come with Hone: "", "ai.onnx...", "hone".
bool is_own_domain(std::string_view domain);
// What to do about an unknown operator of another domain.
inline constexpr char plugin_remedy[] =
    "if a plugin has what is missing, name its library with --plugin FILE, HONE_PLUGINS or "
    "hone_load_plugin()";

// Checks names, types and presence of attributes against the definition and puts defaults in place.
// allow_internal: whether AttrDef::internal ones may be present (not when they come from a model file).
Status bind_attrs(const OpDef&, Attrs&, bool allow_internal);
// Runs op.infer after checking the counts; errors carry the op's name.
Status infer_types(Infer&);

// --- helpers shared by operator files (ops/common.cc) ---
Status same_as_first(Infer&);        // out[i] = type of input 0, for every output
Status broadcast_same_type(Infer&);  // out[0]: broadcast of all inputs' shapes, type of input 0
Status broadcast_to_bool(Infer&);    // the same, type boolean

}  // namespace hone
