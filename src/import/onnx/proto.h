// The messages of onnx.proto (the ONNX specification's IR.md) as plain structs, and their reader. Text and
// raw data are views into the file's bytes. Fields that nothing here needs (doc strings, denotations, device
// placement) are not kept.
//
// The reader checks structure only: wire types, lengths, nesting, counts. What the messages mean is checked
// by those who use them.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "import/import.h"

namespace hone::onnx {

using Text = std::string_view;

struct TensorP {
  Text name;
  std::vector<int64_t> dims;
  int64_t data_type = 0;
  bool segmented = false;
  bool external = false;  // data_location
  bool has_raw = false;
  Text raw;
  unsigned typed = 0;  // bit n: field n (float_data = 4, int32_data = 5, ...) is present in `message`
  std::vector<std::pair<Text, Text>> external_data;
  Text message;  // the whole tensor: typed data are decoded from it when the tensor is made
};

struct SparseTensorP {
  TensorP values, indices;
  std::vector<int64_t> dims;
};

struct DimP {
  int64_t value = -1;  // meaningful if has_value
  bool has_value = false;
  Text param;
};

struct TypeP {
  enum Kind : uint8_t { none, tensor, sequence, map, opaque, sparse, optional } kind = none;
  int64_t element_type = 0;
  bool has_shape = false;
  std::vector<DimP> dims;
  std::unique_ptr<TypeP> element;  // sequence, optional
};

struct ValueInfoP {
  Text name;
  bool has_type = false;
  TypeP type;
};

struct GraphP;

struct AttributeP {
  // The numbers of AttributeProto.AttributeType.
  enum Type : uint8_t {
    undefined,
    f,
    i,
    s,
    tensor,
    graph,
    floats,
    ints,
    strings,
    tensors,
    graphs,
    sparse,
    sparses,
    type_proto,
    type_protos
  };
  Text name, ref;
  int64_t type = undefined;
  unsigned present = 0;  // bit Type: a field of that type is present
  float f_value = 0;
  int64_t i_value = 0;
  Text s_value;
  std::unique_ptr<TensorP> t;
  std::unique_ptr<GraphP> g;
  std::unique_ptr<SparseTensorP> sparse_tensor;
  std::unique_ptr<TypeP> type_value;
  std::vector<float> floats_value;
  std::vector<int64_t> ints_value;
  std::vector<Text> strings_value;
};

struct NodeP {
  Text name, op_type, domain, overload;
  std::vector<Text> inputs, outputs;
  std::vector<AttributeP> attributes;
};

struct GraphP {
  Text name;
  std::vector<NodeP> nodes;
  std::vector<TensorP> initializers;
  std::vector<SparseTensorP> sparse_initializers;
  std::vector<ValueInfoP> inputs, outputs, value_info;
};

struct OpsetP {
  Text domain;
  int64_t version = 0;
};

struct FunctionP {
  Text name, domain, overload;
  std::vector<Text> inputs, outputs, attributes;
  std::vector<AttributeP> default_attributes;
  std::vector<NodeP> nodes;
  std::vector<OpsetP> opsets;
  std::vector<ValueInfoP> value_info;
};

struct ModelP {
  bool has_ir_version = false;
  int64_t ir_version = 0;
  Text producer_name, producer_version, domain, doc_string;
  int64_t model_version = 0;
  std::vector<OpsetP> opsets;
  bool has_graph = false;
  GraphP graph;
  std::vector<FunctionP> functions;
  std::vector<std::pair<Text, Text>> metadata;
  int training_infos = 0;
};

struct SequenceP;
struct OptionalP;

struct SequenceP {
  int64_t element_type = 0;  // SequenceProto.DataType = OptionalProto.DataType
  std::vector<TensorP> tensors;
  std::vector<SequenceP> sequences;
  std::vector<OptionalP> optionals;
  bool unsupported = false;  // has sparse tensors or maps
};

struct OptionalP {
  int64_t element_type = 0;
  std::unique_ptr<TensorP> tensor;
  std::unique_ptr<SequenceP> sequence;
  std::unique_ptr<OptionalP> optional;
  bool unsupported = false;
};

Result<ModelP> read_model(Text bytes, const ImportLimits&);
Result<TensorP> read_tensor_message(Text bytes, const ImportLimits&);
Result<SequenceP> read_sequence_message(Text bytes, const ImportLimits&);
Result<OptionalP> read_optional_message(Text bytes, const ImportLimits&);

}  // namespace hone::onnx
