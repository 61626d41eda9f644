#include "base/log.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>

namespace hone {
namespace {
constexpr const char* names[] = {"error", "warning", "info", "debug"};

LogLevel from_environment() {
  const char* text = std::getenv("HONE_LOG");
  for (int i = 0; text && i < 4; i++)
    if (std::string_view(text) == names[i]) return static_cast<LogLevel>(i);
  return LogLevel::warning;
}

struct Log {
  std::mutex mutex;
  LogSink sink = nullptr;
  void* user = nullptr;
  const LogLevel level = from_environment();
};
Log& the_log() {
  static Log log;
  return log;
}
}  // namespace

bool logs(LogLevel level) { return level <= the_log().level; }

void log(LogLevel level, const char* format, ...) {
  if (!logs(level)) return;
  char line[1024];
  va_list args;
  va_start(args, format);
  std::vsnprintf(line, sizeof line, format, args);
  va_end(args);
  Log& l = the_log();
  std::lock_guard lock(l.mutex);
  if (l.sink) l.sink(level, line, l.user);
  else std::fprintf(stderr, "hone: %s: %s\n", names[static_cast<size_t>(level)], line);
}

void set_log_sink(LogSink sink, void* user) {
  Log& l = the_log();
  std::lock_guard lock(l.mutex);
  l.sink = sink;
  l.user = user;
}

}  // namespace hone
