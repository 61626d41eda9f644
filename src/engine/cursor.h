// Reads records one after another. The first failure sticks: reads after it yield zeros and empty lists, and
// status() tells what it was. Loops over counts end at once, as a count is bounded by the bytes that are
// left.
#pragma once
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace hone {

class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const char* section) : bytes_(bytes), section_(section) {}

  template <class T>
  T number() {
    T v{};
    if (bytes_.size() - at_ < sizeof v) return fail("it ends within a number"), v;
    std::memcpy(&v, bytes_.data() + at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  uint8_t u8() { return number<uint8_t>(); }
  uint32_t u32() { return number<uint32_t>(); }
  uint64_t u64() { return number<uint64_t>(); }

  // A count of items of at least `item_bytes` each.
  uint32_t count(size_t item_bytes) {
    const uint32_t n = u32();
    if (n > (bytes_.size() - at_) / item_bytes)
      return fail("a count of %u exceeds what the section can hold", n), 0;
    return n;
  }
  std::string string() {
    const uint32_t n = count(1);
    const auto* p = reinterpret_cast<const char*>(bytes_.data() + at_);
    at_ += n;
    return std::string(p, n);
  }
  template <class T>
  std::vector<T> numbers() {
    std::vector<T> v(count(sizeof(T)));
    for (T& x : v) x = number<T>();
    return v;
  }
  std::vector<int> indices() {
    std::vector<int> v(count(sizeof(int32_t)));
    for (int& x : v) x = number<int32_t>();
    return v;
  }

  [[gnu::format(printf, 2, 3)]] void fail(const char* format, ...) {
    if (failed_) return;
    va_list args;
    va_start(args, format);
    char text[256];
    std::vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error_ = error(Code::corrupt, "section '%s', offset %zu: %s", section_, at_, text);
    failed_ = true;
    at_ = bytes_.size();
  }
  bool ok() const { return !failed_; }
  // `whole`: the section must have been read to its end.
  Status status(bool whole) {
    if (whole && at_ != bytes_.size()) fail("%zu bytes too many", bytes_.size() - at_);
    if (failed_) return error_;
    return {};
  }

 private:
  std::span<const std::byte> bytes_;
  const char* section_;
  size_t at_ = 0;
  bool failed_ = false;
  Error error_;
};

}  // namespace hone
