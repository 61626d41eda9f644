#include "vision/toml_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

// The library asserts what it believes of the text, in places wrongly ("[$"), and where asserts are off lets
// the compiler rely on it. Neither here: what follows each such place reports the text as an error.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 16
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "base/utf8.h"

namespace hone::vision {
namespace {

constexpr int max_levels = 16, max_keys = 4096;

// The library's tables nest without a limit ("a.b.c..."), and it searches lists of tables for each key: both
// are bounded before it sees the text. Nor does it get to see characters that only strings and comments can
// hold: on some of them its tables of Unicode run into undefined behaviour. Reads no more of the grammar than
// where strings and comments end.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {
    if (text.starts_with("\xef\xbb\xbf")) at_ = 3;  // byte order mark
  }
  Status run() {
    while (at_ < text_.size()) {
      const auto c = static_cast<signed char>(text_[at_]);
      if (c == '"' || c == '\'') {
        HONE_CHECK(skip_string(text_[at_]));
        continue;
      }
      at_++;
      switch (c) {
        case '#':
          at_ = std::min(text_.find('\n', at_), text_.size());
          break;
        case '\n':
          line_++;
          dots_ = 0;
          break;
        case '.':
          if (++dots_ >= max_levels)
            return error(Code::limit, "line %d: more than %d levels of keys; a task needs three", line_,
                         max_levels);
          break;
        case '[':
        case '=':
        case '{':
          if (++keys_ > max_keys)
            return error(Code::limit, "line %d: more than %d keys and brackets; a task needs a hundred",
                         line_, max_keys);
          dots_ = 0;
          break;
        case ',':
        case ']':
        case '}':
          dots_ = 0;
          break;
        default:
          if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)  // beyond ASCII: negative
            return error(Code::corrupt, "line %d: a character that TOML has in strings and comments alone",
                         line_);
      }
    }
    return {};
  }

 private:
  Status skip_string(char quote) {
    const std::string three(3, quote);
    const bool many = text_.substr(at_, 3) == three;
    at_ += many ? 3 : 1;
    while (at_ < text_.size()) {
      if (text_[at_] == '\n') {
        if (!many) return {};  // broken: the library will say so
        line_++;
      }
      if (quote == '"' && text_[at_] == '\\') {
        const size_t next = text_.find_first_not_of(" \t\r\n", at_ + 1);
        if (next != std::string_view::npos && static_cast<signed char>(text_[next]) < 0)
          return error(Code::corrupt, "line %d: a backslash before a character beyond ASCII", line_);
      }
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
        at_ += 2;
      } else if (many ? text_.substr(at_, 3) == three : text_[at_] == quote) {
        at_ += many ? 3 : 1;
        // Of up to five quotes at the end the last three are the end.
        for (int more = 0; many && more < 2 && at_ < text_.size() && text_[at_] == quote; more++) at_++;
        return {};
      } else {
        at_++;
      }
    }
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1, dots_ = 0, keys_ = 0;
};

int line_of(const toml::source_region& source) { return static_cast<int>(source.begin.line); }

TomlValue taken(const toml::node& node) {
  TomlValue out;
  out.line = line_of(node.source());
  using Kind = TomlValue::Kind;
  if (const auto* table = node.as_table()) {
    out.kind = Kind::table;
    for (const auto& [key, value] : *table) {
      TomlValue& member = out.items.emplace_back(taken(value));
      member.key = key.str();
      member.line = line_of(key.source());
    }
    std::stable_sort(out.items.begin(), out.items.end(),
                     [](const TomlValue& a, const TomlValue& b) { return a.line < b.line; });
  } else if (const auto* list = node.as_array()) {
    out.kind = Kind::list;
    out.items.reserve(list->size());
    for (const auto& item : *list) out.items.push_back(taken(item));
  } else if (const auto* text = node.as_string()) {
    out.kind = Kind::text;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = Kind::integer;
    out.integer = integer->get();
    out.real = static_cast<double>(out.integer);
  } else if (const auto* real = node.as_floating_point()) {
    out.kind = Kind::real;
    out.real = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = Kind::boolean;
    out.boolean = boolean->get();
  } else {
    out.kind = Kind::time;
  }
  return out;
}

int first_line_not_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && next_utf8(text, at) >= 0) continue;
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n'));
}

template <class T>
std::string shortest(T v) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view member) const {
  for (const TomlValue& v : items)
    if (v.key == member) return &v;
  return nullptr;
}

Result<TomlValue> read_toml(std::string_view text) {
  if (text.size() > max_toml_bytes)
    return error(Code::limit, "%zu bytes of TOML: at most %zu are read", text.size(), max_toml_bytes);
  if (!is_utf8(text)) return error(Code::corrupt, "line %d is not UTF-8", first_line_not_utf8(text));
  HONE_CHECK(Scan(text).run());
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed)
    return error(Code::corrupt, "line %d: %s", line_of(parsed.error().source()),
                 std::string(parsed.error().description()).c_str());
  return taken(parsed.table());
}

std::string toml_string(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += strf("\\u%04x", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string toml_number(double v) {
  // Whole numbers in digits: shorter is 1e+05, but who reads that?
  if (v == std::trunc(v) && std::fabs(v) < 1e15) return std::to_string(static_cast<int64_t>(v));
  return shortest(v);
}

std::string toml_number(float v) {
  if (v == std::trunc(v)) return toml_number(static_cast<double>(v));
  std::string text = shortest(v);
  // Read as a double and rounded again, the shortest text of a float might miss it by one place.
  double back = 0;
  std::from_chars(text.data(), text.data() + text.size(), back);
  return static_cast<float>(back) == v ? text : shortest(static_cast<double>(v));
}

std::string shown(const TomlValue& v) {
  constexpr size_t longest = 60;
  using Kind = TomlValue::Kind;
  switch (v.kind) {
    case Kind::boolean:
      return v.boolean ? "true" : "false";
    case Kind::integer:
      return std::to_string(v.integer);
    case Kind::real:
      return std::isnan(v.real) ? "nan" : toml_number(v.real);
    case Kind::time:
      return "a date or time";
    case Kind::table:
      return "a table";
    case Kind::text: {
      size_t end = std::min(v.text.size(), longest);
      while (end < v.text.size() && (static_cast<unsigned char>(v.text[end]) & 0xc0) == 0x80) end--;
      return toml_string(v.text.substr(0, end)) + (end < v.text.size() ? "..." : "");
    }
    case Kind::list:
      break;
  }
  std::string out = "[";
  for (const TomlValue& item : v.items) {
    if (out.size() > longest) return out + ", ...]";
    out += (out.size() > 1 ? ", " : "") + (item.kind == Kind::list ? "[...]" : shown(item));
  }
  return out + "]";
}

}  // namespace hone::vision
