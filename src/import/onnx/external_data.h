// Files beside a model that hold the bytes of its large tensors. A model is untrusted and names them, so a
// name is confined to the model's folder: relative, without '..', and nothing on the way may be a link that
// leads out. Each file is mapped once.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mapped_file.h"

namespace hone::onnx {

class ExternalData {
 public:
  // An empty folder refuses every file.
  explicit ExternalData(std::string folder) : folder_(std::move(folder)) {}
  Result<std::shared_ptr<const MappedFile>> open(std::string_view location);

 private:
  std::string folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>, std::less<>> files_;
};

}  // namespace hone::onnx
