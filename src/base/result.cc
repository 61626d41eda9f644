#include "base/result.h"

#include <cstdarg>
#include <cstdio>

namespace hone {
namespace {
std::string format_v(const char* format, va_list args) {
  va_list again;
  va_copy(again, args);
  const int n = std::vsnprintf(nullptr, 0, format, args);
  std::string text(n > 0 ? static_cast<size_t>(n) : 0, '\0');
  if (n > 0) std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}
}  // namespace

Error error(Code code, const char* format, ...) {
  va_list args;
  va_start(args, format);
  Error e{code, format_v(format, args)};
  va_end(args);
  return e;
}

std::string strf(const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string text = format_v(format, args);
  va_end(args);
  return text;
}

}  // namespace hone
