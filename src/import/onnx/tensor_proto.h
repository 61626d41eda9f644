// TensorProto and its relatives -> Tensor and Value. The number of bytes must be exactly what type and
// dimensions say, and is checked before anything is allocated, so a small file cannot ask for much memory.
#pragma once
#include "import/onnx/external_data.h"
#include "import/onnx/proto.h"

namespace hone::onnx {

struct TensorSource {
  std::shared_ptr<const void>
      owner;  // of the messages' bytes; null: they do not outlive the import, so copy them
  ExternalData* external = nullptr;  // null: external data are refused
};

// A view into the file where the data are raw and aligned for their type, else a copy. Errors say what is
// wrong but not with which tensor: the caller knows better how to call it.
Result<Tensor> read_tensor(const TensorP&, const TensorSource&);
// With zeros filled in; `dense_bytes` is what limits.dense_bytes still allows, and is reduced.
Result<Tensor> read_sparse_tensor(const SparseTensorP&, const TensorSource&, int64_t& dense_bytes);

}  // namespace hone::onnx
