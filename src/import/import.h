// Trained model file -> ir::Graph. What follows sees the newest operator definitions only: opsets, local
// functions, decompositions and initialisers of the file formats are gone. Weights stay views into the mapped
// file where their alignment allows.
//
// A model is untrusted: whatever the bytes, the answer is a graph or an error that names the thing (node,
// tensor or field), the value and the remedy; memory and time stay within `limits` and a small multiple of
// the file's size.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/shape.h"
#include "base/tensor.h"
#include "ir/graph.h"

namespace hone {

struct ImportLimits {
  int64_t nodes = 500'000;         // in the file, and again after local functions have been expanded
  int64_t values = 2'000'000;      // tensors, inputs, outputs and type hints in the file
  int64_t attributes = 1'000'000;  // in the file
  int depth = 16;                  // nested graphs, and nested sequence or optional types
  int call_depth = 64;             // local functions calling each other
  int64_t dense_bytes = 1 << 30;   // memory that sparse tensors may take once they are made dense
  size_t name_bytes = 64 * 1024;   // longest name
  int errors = 50;                 // reasons listed when a model is refused for several
};

// All that stands against a model, not only what stands first.
struct ImportProblem {
  Code code = Code::unsupported;
  std::string op;      // "Conv"; "": not a node's
  std::string domain;  // of the operator
  std::string node;    // the first one concerned: "Conv 'conv1'", "input 'x'"
  int nodes = 1;       // how many
  std::string reason, fix;
};
struct ImportSurvey {
  struct Node {
    std::string op, domain, name;
    bool supported = true;
  };
  std::vector<Node> nodes;  // of the model and its nested graphs, as far as the import came
  std::vector<ImportProblem> problems;
};

struct ImportOptions {
  std::map<std::string, Shape> shapes;  // input name -> its shape, in place of the model's own
  bool other_ranks = false;             // those shapes may have another rank than the model declares
  ImportLimits limits;
  std::function<void(const std::string&)> log;  // one line each: what was ignored or assumed
  // Not null: the import goes on behind a problem with what it makes left unknown, lists all here, and then fails.
  ImportSurvey* survey = nullptr;
};

// The format is recognised by the file's content (importers.def), never by its name.
Result<std::shared_ptr<ir::Graph>> import_model(const std::string& path, const ImportOptions& options = {});

// A model in memory. `owner` keeps `bytes` alive for the graph's constants, which are views into them; with a
// null owner they are copied. External tensor data are looked for in `folder` and nowhere outside; an empty
// folder refuses them.
struct ModelBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};
Result<std::shared_ptr<ir::Graph>> import_onnx(const ModelBytes&, const std::string& folder,
                                               const ImportOptions& options = {});
// Whether the bytes look like the beginning of an ONNX model (a damaged one too).
bool looks_like_onnx(std::span<const std::byte>);

// A serialised ONNX TensorProto, SequenceProto or OptionalProto (the .pb files of ONNX's test cases), which
// do not say themselves which they are: `kind` does. An absent optional is a Value of kind optional without
// items.
Result<Value> read_onnx_value(const ModelBytes&, Value::Kind kind);

}  // namespace hone
