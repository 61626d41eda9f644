// Lines for people about what happens. Errors are returned, never only logged. To standard error, or wherever
// set_log_sink() says; the environment's HONE_LOG=error|warning|info|debug says which (default: warning).
// Thread-safe.
#pragma once
#include <cstdint>

#include "base/result.h"

namespace hone {

enum class LogLevel : uint8_t { error = 0, warning, info, debug };

bool logs(LogLevel);  // whether such lines are wanted: ask before doing work for one
[[gnu::format(printf, 2, 3)]] void log(LogLevel, const char* format, ...);

using LogSink = void (*)(LogLevel, const char* line, void* user);
void set_log_sink(LogSink, void* user);  // null: standard error

}  // namespace hone
