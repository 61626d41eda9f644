#include "import/onnx/external_data.h"

#include "base/confined_file.h"
#include "import/quote.h"

namespace hone::onnx {

Result<std::shared_ptr<const MappedFile>> ExternalData::open(std::string_view location) {
  if (const auto found = files_.find(location); found != files_.end()) return found->second;
  auto file = open_confined(folder_, location);
  if (!file) return in("external data " + quote(location), file.take_error());
  files_.emplace(location, *file);
  return *file;
}

}  // namespace hone::onnx
