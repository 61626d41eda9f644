// Errors as values. A fallible function returns Result<T>; its Error is a code, one sentence that names the
// thing, the value and the remedy, and the context added by callers on the way up (outermost first). Nothing
// in Hone throws on purpose; the C ABI is the only place that catches (bad_alloc and the like).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace hone {

enum class Code : uint8_t {
  ok = 0,
  invalid_argument,  // the caller asked for something that cannot be
  not_found,         // a file, a tensor or an operator of that name does not exist
  io,                // the operating system refused (message carries its reason)
  corrupt,           // a file's bytes contradict its format
  unsupported,       // well formed, but outside what Hone does
  limit,             // exceeds a stated limit (memory, depth, counts)
  cancelled,         // the caller's callback said stop
  internal,          // our bug
};

struct Error {
  Code code = Code::internal;
  std::string message;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}
  explicit operator bool() const { return !error_; }
  bool ok() const { return !error_; }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  const Error& error() const { return *error_; }
  Error take_error() { return std::move(*error_); }

 private:
  std::optional<T> value_;
  std::unique_ptr<Error> error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}
  explicit operator bool() const { return !error_; }
  bool ok() const { return !error_; }
  const Error& error() const { return *error_; }
  Error take_error() { return std::move(*error_); }

 private:
  std::unique_ptr<Error> error_;
};
using Status = Result<void>;

// printf-like: error(Code::corrupt, "%s: section %d ends at %llu, past the file's end", ...).
[[gnu::format(printf, 2, 3)]] Error error(Code code, const char* format, ...);
[[gnu::format(printf, 1, 2)]] std::string strf(const char* format, ...);

// Prefixes "context: " to the message.
inline Error in(std::string context, Error e) {
  e.message = std::move(context) + ": " + e.message;
  return e;
}

#define HONE_CONCAT_(a, b) a##b
#define HONE_CONCAT(a, b) HONE_CONCAT_(a, b)
// HONE_TRY(auto x, f()): x is f's value, or the error is returned.   HONE_CHECK(f()): the same for a value
// not needed.
#define HONE_TRY(declaration, expression)                                                  \
  auto HONE_CONCAT(result_, __LINE__) = (expression);                                      \
  if (!HONE_CONCAT(result_, __LINE__)) return HONE_CONCAT(result_, __LINE__).take_error(); \
  declaration = *std::move(HONE_CONCAT(result_, __LINE__))
#define HONE_CHECK(expression)                                                             \
  do {                                                                                     \
    if (auto hone_status_ = (expression); !hone_status_) return hone_status_.take_error(); \
  } while (0)

}  // namespace hone
