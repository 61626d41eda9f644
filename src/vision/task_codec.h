// How the values of a task's keys are read from TOML, written, and described, by the type of the member that
// holds them. Only task_fields.cc needs it.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "vision/toml_text.h"

namespace hone::vision::codec {

struct Limits {
  double low = 0, high = 0;            // of numbers
  size_t most = 0;                     // items of a list, bytes of a text
  std::span<const char* const> names;  // of an enumeration, in the order of its values; of a text: the choice
  bool nonzero = false;
};

inline std::string range(const Limits& l) {
  return "from " + toml_number(l.low) + " to " + toml_number(l.high) + (l.nonzero ? ", not 0" : "");
}
inline std::string choice(std::span<const char* const> names) {
  std::string out;
  for (const char* name : names) out += (out.empty() ? "" : ", ") + toml_string(name);
  return (names.size() > 1 ? "one of " : "") + out;
}
inline bool plain_text(const std::string& s, size_t most) {
  return s.size() <= most && is_utf8(s) &&
         std::none_of(s.begin(), s.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

template <class T>
struct Codec;

template <>
struct Codec<double> {
  static std::string right(const Limits& l) { return "a number " + range(l); }
  static bool read(const TomlValue& v, double& out, const Limits& l) {
    // Negated: a NaN is in no range.
    if (!v.is_number() || !(v.real >= l.low && v.real <= l.high) || (l.nonzero && v.real == 0)) return false;
    out = v.real;
    return true;
  }
  static std::string write(double v, const Limits&) { return toml_number(v); }
};

template <>
struct Codec<float> {
  static std::string right(const Limits& l) { return Codec<double>::right(l); }
  static bool read(const TomlValue& v, float& out, const Limits& l) {
    double wide = 0;
    if (!Codec<double>::read(v, wide, l)) return false;
    out = static_cast<float>(wide);
    return !l.nonzero || out != 0;
  }
  static std::string write(float v, const Limits&) { return toml_number(v); }
};

template <>
struct Codec<int> {
  static std::string right(const Limits& l) { return "a whole number " + range(l); }
  static bool read(const TomlValue& v, int& out, const Limits& l) {
    if (v.kind != TomlValue::Kind::integer || v.real < l.low || v.real > l.high) return false;
    out = static_cast<int>(v.integer);
    return true;
  }
  static std::string write(int v, const Limits&) { return std::to_string(v); }
};

template <>
struct Codec<bool> {
  static std::string right(const Limits&) { return "true or false"; }
  static bool read(const TomlValue& v, bool& out, const Limits&) {
    out = v.boolean;
    return v.kind == TomlValue::Kind::boolean;
  }
  static std::string write(bool v, const Limits&) { return v ? "true" : "false"; }
};

template <>
struct Codec<std::string> {
  static std::string right(const Limits& l) {
    if (!l.names.empty()) return choice(l.names);
    return "text of at most " + std::to_string(l.most) + " bytes without control characters";
  }
  static bool read(const TomlValue& v, std::string& out, const Limits& l) {
    if (v.kind != TomlValue::Kind::text) return false;
    out = v.text;
    if (l.names.empty()) return plain_text(v.text, l.most);
    return std::find(l.names.begin(), l.names.end(), v.text) != l.names.end();
  }
  static std::string write(const std::string& v, const Limits&) { return toml_string(v); }
};

template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
  static std::string right(const Limits& l) { return choice(l.names); }
  static bool read(const TomlValue& v, E& out, const Limits& l) {
    const auto found = std::find(l.names.begin(), l.names.end(), v.text);
    if (v.kind != TomlValue::Kind::text || found == l.names.end()) return false;
    out = static_cast<E>(found - l.names.begin());
    return true;
  }
  static std::string write(E v, const Limits& l) { return toml_string(l.names[static_cast<size_t>(v)]); }
};

// One value for each channel; one number stands for three.
template <>
struct Codec<std::array<float, 3>> {
  using Three = std::array<float, 3>;
  static std::string right(const Limits& l) { return "a number or a list of three, " + range(l); }
  static bool read(const TomlValue& v, Three& out, const Limits& l) {
    if (v.is_number()) {
      const bool good = Codec<float>::read(v, out[0], l);
      out[1] = out[2] = out[0];
      return good;
    }
    if (v.kind != TomlValue::Kind::list || v.items.size() != 3) return false;
    for (size_t i = 0; i < 3; i++)
      if (!Codec<float>::read(v.items[i], out[i], l)) return false;
    return true;
  }
  static std::string write(const Three& v, const Limits&) {
    if (v[0] == v[1] && v[1] == v[2]) return toml_number(v[0]);
    return "[" + toml_number(v[0]) + ", " + toml_number(v[1]) + ", " + toml_number(v[2]) + "]";
  }
};

template <class T>
struct Codec<std::vector<T>> {
  static std::string right(const Limits& l) {
    return "a list of at most " + std::to_string(l.most) + ", each " + Codec<T>::right(item(l));
  }
  static bool read(const TomlValue& v, std::vector<T>& out, const Limits& l) {
    if (v.kind != TomlValue::Kind::list || v.items.size() > l.most) return false;
    out.resize(v.items.size());
    for (size_t i = 0; i < out.size(); i++)
      if (!Codec<T>::read(v.items[i], out[i], item(l))) return false;
    return true;
  }
  static std::string write(const std::vector<T>& v, const Limits& l) {
    std::string out = "[";
    size_t column = 1;  // lists of names can be long: several lines
    for (size_t i = 0; i < v.size(); i++) {
      const std::string text = Codec<T>::write(v[i], item(l));
      const bool wrap = i && column + text.size() > 96;
      if (i) out += wrap ? ",\n  " : ", ";
      column = (wrap ? 2 : column + 2) + text.size();
      out += text;
    }
    return out + "]";
  }
  // A list of texts: `low` is the most bytes of each.
  static Limits item(Limits l) {
    if constexpr (std::is_same_v<T, std::string>) l.most = static_cast<size_t>(l.low);
    return l;
  }
};

}  // namespace hone::vision::codec
