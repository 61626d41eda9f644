// TOML as a tree of plain values that know their lines: all that the rest of Hone sees of the TOML library.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hone::vision {

inline constexpr size_t max_toml_bytes = size_t{1} << 20;

struct TomlValue {
  enum class Kind : uint8_t { boolean, integer, real, text, list, table, time };
  Kind kind = Kind::table;
  int line = 0;     // of a table's member: the line of its key
  std::string key;  // of a table's member
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;  // of an integer too
  std::string text;
  std::vector<TomlValue> items;  // of a list or a table, a table's in the order of the text

  bool is_number() const { return kind == Kind::integer || kind == Kind::real; }
  const TomlValue* find(std::string_view member) const;
};

// The root table. Errors, with the line: what is not TOML 1.0; more than max_toml_bytes, 4,096 keys or list
// brackets, or 16 levels (a task needs three); dates and times are values of kind `time`.
Result<TomlValue> read_toml(std::string_view text);

// As a basic string, in quotes. `s`: UTF-8.
std::string toml_string(std::string_view s);
// The shortest number that reads back as the same.
std::string toml_number(double);
std::string toml_number(float);
// For messages: 'cut after 60 bytes...', strings in quotes, control bytes escaped.
std::string shown(const TomlValue&);

}  // namespace hone::vision
