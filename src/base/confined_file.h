// Files that an untrusted file names (a model its weights, a task its labels): confined to that file's
// folder. The name is relative, without '..', and nothing on the way may be a link that leads out.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/mapped_file.h"

namespace hone {

// Errors give the reason only; the caller says which file and what for. An empty folder refuses every name.
Result<std::shared_ptr<const MappedFile>> open_confined(const std::string& folder, std::string_view name);

}  // namespace hone
