// JSON (RFC 8259): a value that prints and parses. Objects keep the order in which keys were added. Numbers
// that are whole and below 2^53 print without a fraction; others with the fewest digits that read back the
// same; NaN and infinities as null. Text that is not UTF-8 prints with U+FFFD in place of the bad bytes.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hone {

class Json {
 public:
  enum class Kind : uint8_t { null, boolean, number, string, array, object };
  Json() = default;
  Json(bool b) : kind_(Kind::boolean), number_(b) {}
  Json(double n) : kind_(Kind::number), number_(n) {}
  Json(int n) : Json(static_cast<double>(n)) {}
  Json(int64_t n) : Json(static_cast<double>(n)) {}
  Json(size_t n) : Json(static_cast<double>(n)) {}
  Json(std::string_view s) : kind_(Kind::string), text_(s) {}
  Json(const std::string& s) : Json(std::string_view(s)) {}
  Json(const char* s) : Json(std::string_view(s)) {}
  static Json array() { return of(Kind::array); }
  static Json object() { return of(Kind::object); }

  // Building. set() replaces a key that exists.
  Json& set(std::string_view key, Json value);
  Json& push(Json value);

  // Looking. What is absent or of another kind reads as null, 0, "" or empty.
  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool boolean() const { return kind_ == Kind::boolean && number_ != 0; }
  double number() const { return kind_ == Kind::number ? number_ : 0; }
  int64_t integer() const { return static_cast<int64_t>(number()); }
  const std::string& string() const { return text_; }
  const std::vector<Json>& items() const { return items_; }
  const Json& operator[](std::string_view key) const;
  const std::vector<std::string>& keys() const { return keys_; }  // of an object; items() are the values

  std::string str() const;  // on one line
  // Errors name the offset. At most 64 levels deep.
  static Result<Json> parse(std::string_view);

 private:
  static Json of(Kind k) {
    Json j;
    j.kind_ = k;
    return j;
  }
  void print(std::string& out) const;
  friend class JsonParser;
  Kind kind_ = Kind::null;
  double number_ = 0;
  std::string text_;
  std::vector<std::string> keys_;
  std::vector<Json> items_;
};

}  // namespace hone
