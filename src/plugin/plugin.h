// Operators from shared libraries (hone/plugin.h, docs/plugins.md). Loading checks the library's table and adds its operators
// to those of ops/op.h; from then on they are operators like others, opaque to the optimiser. Libraries stay until the process
// ends. Thread-safe.
//
// A path is always a file's: no search path is ever asked. Nothing but these two functions loads a library; engine files and
// models name operators only.
#pragma once
#include <string>

#include "base/result.h"

namespace hone {

// Loading the same library again does nothing. Errors (they name the file): it cannot be read, is no shared library or no
// plugin, is made for another version of plugin.h, its table is wrong (which operator, and what), it has an operator that is
// known already. A library that is refused has no operators here, but its initialisers have run.
Status load_plugin(const std::string& path);

// Those that the environment variable HONE_PLUGINS lists, separated by ':' (ignored in programs that run with another user's
// rights). After a success further calls do nothing.
Status load_environment_plugins();

}  // namespace hone
