// Writes engine files (format.h). The same EngineData gives the same bytes on every machine. Tensors of equal
// contents are stored once. Errors: what validate() refuses (corrupt), a list or string of more than 2^32-1
// items (limit), the system's refusals (io).
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "engine/program.h"

namespace hone {

Result<std::vector<std::byte>> engine_bytes(const EngineData&);

// To a temporary beside `path`, which then takes its name: readers see the old file or the new one, never a
// part.
Status write_engine(const EngineData&, const std::string& path);

}  // namespace hone
