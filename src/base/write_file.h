// Writes whole files. A regular file is written to a temporary in its folder, flushed to the disk and
// renamed, so that whatever happens the path holds the old contents or the new ones; no temporary is left
// behind. A link is followed. Something that is not a regular file (/dev/stdout, a pipe) is written directly.
// Errors (io) name the path and the system's reason.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "base/result.h"

namespace hone {

Status write_file(const std::string& path, std::span<const std::span<const std::byte>> pieces);
Status write_file(const std::string& path, const std::string& text);

}  // namespace hone
