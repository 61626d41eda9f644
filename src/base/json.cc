#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace hone {
namespace {
void print_string(std::string& out, std::string_view s) {
  out += '"';
  for (size_t at = 0; at < s.size();) {
    const int32_t c = next_utf8(s, at);
    if (c == '"' || c == '\\') (out += '\\') += static_cast<char>(c);
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c >= 0 && c < 0x20) out += strf("\\u%04x", static_cast<unsigned>(c));
    else append_utf8(out, c < 0 ? 0xfffd : static_cast<uint32_t>(c));
  }
  out += '"';
}
}  // namespace

Json& Json::set(std::string_view key, Json value) {
  kind_ = Kind::object;
  const auto it = std::find(keys_.begin(), keys_.end(), key);
  if (it != keys_.end()) {
    items_[static_cast<size_t>(it - keys_.begin())] = std::move(value);
  } else {
    keys_.emplace_back(key);
    items_.push_back(std::move(value));
  }
  return *this;
}

Json& Json::push(Json value) {
  kind_ = Kind::array;
  items_.push_back(std::move(value));
  return *this;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json nothing;
  const auto it = std::find(keys_.begin(), keys_.end(), key);
  return it == keys_.end() ? nothing : items_[static_cast<size_t>(it - keys_.begin())];
}

void Json::print(std::string& out) const {
  switch (kind_) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += number_ != 0 ? "true" : "false";
      return;
    case Kind::number: {
      if (!std::isfinite(number_)) {
        out += "null";
        return;
      }
      char text[32];
      const bool whole = std::fabs(number_) < 0x1p53 && number_ == std::floor(number_);
      const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<int64_t>(number_))
                             : std::to_chars(text, text + sizeof text, number_);
      out.append(text, end.ptr);
      return;
    }
    case Kind::string:
      print_string(out, text_);
      return;
    case Kind::array:
    case Kind::object: {
      const bool object = kind_ == Kind::object;
      out += object ? '{' : '[';
      for (size_t i = 0; i < items_.size(); i++) {
        if (i) out += ", ";
        if (object) {
          print_string(out, keys_[i]);
          out += ": ";
        }
        items_[i].print(out);
      }
      out += object ? '}' : ']';
      return;
    }
  }
}

std::string Json::str() const {
  std::string out;
  print(out);
  return out;
}

class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text) {}
  Result<Json> document() {
    Json j;
    if (!value(j, 0) || (skip(), at_ != text_.size()))
      return error(Code::corrupt, "offset %zu: this is not JSON", at_);
    return j;
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      at_++;
  }
  bool accept(std::string_view word) {
    skip();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool hex4(uint32_t& c) {
    if (text_.size() - at_ < 4) return false;
    const auto r = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, c, 16);
    if (r.ptr != text_.data() + at_ + 4) return false;
    at_ += 4;
    return true;
  }
  bool string(std::string& out) {
    if (!accept("\"")) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) return false;
      const char e = text_[at_++];
      constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
      if (const size_t i = from.find(e); i != std::string_view::npos) {
        out += to[i];
        continue;
      }
      uint32_t u = 0, low = 0;
      if (e != 'u' || !hex4(u)) return false;
      if (u >= 0xd800 && u < 0xdc00 && text_.substr(at_, 2) == "\\u") {
        at_ += 2;
        if (!hex4(low)) return false;
        u = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
      }
      append_utf8(out, u);
    }
    return false;
  }
  bool value(Json& j, int depth) {
    if (depth > 64) return false;
    if (accept("null")) return true;
    if (accept("true")) return j = Json(true), true;
    if (accept("false")) return j = Json(false), true;
    if (at_ < text_.size() && text_[at_] == '"') {
      j = Json("");
      return string(j.text_);
    }
    if (accept("[")) {
      j = Json::array();
      if (accept("]")) return true;
      do {
        if (!value(j.items_.emplace_back(), depth + 1)) return false;
      } while (accept(","));
      return accept("]");
    }
    if (accept("{")) {
      j = Json::object();
      if (accept("}")) return true;
      do {
        std::string key;
        Json item;
        if (!string(key) || !accept(":") || !value(item, depth + 1)) return false;
        j.keys_.push_back(std::move(key));
        j.items_.push_back(std::move(item));
      } while (accept(","));
      return accept("}");
    }
    double n = 0;
    const size_t first =
        at_ + (at_ < text_.size() && text_[at_] == '-');  // from_chars also knows "inf" and "nan"
    if (first >= text_.size() || text_[first] < '0' || text_[first] > '9') return false;
    const auto r = std::from_chars(text_.data() + at_, text_.data() + text_.size(), n);
    if (r.ec != std::errc()) return false;
    at_ = static_cast<size_t>(r.ptr - text_.data());
    j = Json(n);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

Result<Json> Json::parse(std::string_view text) { return JsonParser(text).document(); }

}  // namespace hone
