// Reads engine files (format.h). Everything structural is checked: checksums, bounds, counts, indices; memory
// allocated is proportional to the bytes given. Constants are views into the bytes, which the returned
// tensors keep alive. Thread-safe (no shared state).
#pragma once
#include <memory>
#include <span>

#include "base/mapped_file.h"
#include "engine/program.h"

namespace hone {

struct ReadOptions {
  bool verify_constants =
      false;  // also check the contents of the tensors against their checksums (reads all of them)
};

Result<EngineData> read_engine(std::shared_ptr<const MappedFile>, const ReadOptions& = {});

// The same from memory, kept alive by `owner`. Bytes that are not 64-byte aligned are copied.
Result<EngineData> read_engine_bytes(std::shared_ptr<const void> owner, std::span<const std::byte>,
                                     const ReadOptions& = {});

// Whether these bytes begin as an engine file does (of any version, whole or not).
bool looks_like_engine(std::span<const std::byte>);

}  // namespace hone
