#include "args.h"

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "base/memory_budget.h"

namespace cli {
namespace {
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string label(const Option& o) {
  std::string s = o.letter ? std::string("-") + o.letter + ", " + o.name : std::string(o.name);
  return o.value ? s + " " + o.value : s;
}

void print_help(const Command& c) {
  std::printf("usage: hone %s %s\n\n%s\n", c.name, c.synopsis, c.about);
  if (!c.options.empty()) std::printf("\noptions:\n");
  size_t width = 0;
  for (const Option& o : c.options) width = std::max(width, label(o).size());
  for (const Option& o : c.options)
    std::printf("  %-*s  %s%s\n", static_cast<int>(width), label(o).c_str(), o.help,
                o.repeats ? " (may be repeated)" : "");
  std::printf("\nexamples:\n");
  for (std::string_view rest = c.examples; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::printf("  %.*s\n", static_cast<int>(end), rest.data());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

template <class T>
bool number(std::string_view s, T& out) {
  const auto r = std::from_chars(s.data(), s.data() + s.size(), out);
  return r.ec == std::errc() && r.ptr == s.data() + s.size();
}

// Empty if the value is right, else what is expected.
std::string expected(const Option& o, const std::string& v) {
  switch (o.kind) {
    case Option::flag:
    case Option::text:
      return v.empty() && o.kind == Option::text ? "a text that is not empty" : "";
    case Option::whole: {
      int64_t n = 0;
      if (number(v, n) && static_cast<double>(n) >= o.least && static_cast<double>(n) <= o.most) return "";
      return hone::strf("a whole number from %.0f to %.0f", o.least, o.most);
    }
    case Option::real: {
      double x = 0;
      if (number(v, x) && x >= o.least && x <= o.most) return "";
      return hone::strf("a number from %g to %g", o.least, o.most);
    }
    case Option::bytes:
      return hone::parse_bytes(v) ? "" : "an amount of memory such as 512K, 256M or 2G";
    case Option::duration:
      return parse_duration(v) ? "" : "a time such as 60s, 500ms, 2m or 1h";
    case Option::shape: {
      const size_t eq = v.rfind('=');
      return eq != std::string::npos && eq > 0 && parse_shape(std::string_view(v).substr(eq + 1))
                 ? ""
                 : "NAME=1x3x224x224";
    }
    case Option::choice: {
      const std::string all = std::string("|") + o.value + "|";
      return !v.empty() && all.find("|" + v + "|") != std::string::npos ? ""
                                                                        : std::string("one of ") + o.value;
    }
  }
  return "";
}
}  // namespace

struct Parser {
  const Command& command;
  Args args;

  [[gnu::format(printf, 2, 3)]] Parsed wrong(const char* format, ...) {
    char text[512];
    va_list list;
    va_start(list, format);
    std::vsnprintf(text, sizeof text, format, list);
    va_end(list);
    std::fprintf(stderr, "hone %s: %s (hone %s --help)\n", command.name, text, command.name);
    return {std::nullopt, 2};
  }

  const Option* find(const std::string& name) const {
    for (const Option& o : command.options)
      if (name == o.name || (name.size() == 2 && name[0] == '-' && o.letter && name[1] == o.letter))
        return &o;
    return nullptr;
  }

  Parsed run(const std::vector<std::string>& words) {
    bool options = true;
    for (size_t i = 0; i < words.size(); i++) {
      const std::string& word = words[i];
      if (!options || word.size() < 2 || word[0] != '-') {
        args.positionals_.push_back(word);
        continue;
      }
      if (word == "--") {
        options = false;
        continue;
      }
      if (word == "--help" || word == "-h") {
        print_help(command);
        return {std::nullopt, 0};
      }
      const size_t eq = word.rfind("--", 0) == 0 ? word.find('=') : std::string::npos;
      const std::string name = word.substr(0, eq);
      const Option* o = find(name);
      if (!o) {
        std::vector<std::string> names;
        for (const Option& known : command.options) names.push_back(known.name);
        const std::string near = nearest(name, names);
        if (near.empty()) return wrong("unknown option '%s'", name.c_str());
        return wrong("unknown option '%s'; did you mean '%s'?", name.c_str(), near.c_str());
      }
      std::string value;
      if (o->kind == Option::flag) {
        if (eq != std::string::npos) return wrong("option '%s' takes no value", o->name);
      } else if (eq != std::string::npos) {
        value = word.substr(eq + 1);
      } else if (i + 1 < words.size()) {
        value = words[++i];
      } else {
        return wrong("option '%s' needs a value: %s", o->name, o->value);
      }
      if (const std::string want = expected(*o, value); !want.empty())
        return wrong("option '%s' is '%s', expected %s", o->name, value.c_str(), want.c_str());
      auto& list = args.values_[o->name];
      if (!list.empty() && !o->repeats) return wrong("option '%s' is given twice", o->name);
      list.push_back(std::move(value));
    }
    const auto& names = command.positionals;
    const std::string_view last = names.empty() ? "" : names.back();
    const bool or_none = last.ends_with("...]"), any_number = or_none || last.ends_with("...");
    if (args.positionals_.size() + or_none < names.size())
      return wrong("%s is missing", names[args.positionals_.size()]);
    if (args.positionals_.size() > names.size() && !any_number)
      return wrong("unexpected argument '%s'", args.positionals_[names.size()].c_str());
    for (const Option& o : command.options)
      if (o.required && !args.has(o.name)) return wrong("option '%s' is missing: %s", o.name, o.help);
    return {std::move(args), 0};
  }
};

Parsed parse(const Command& c, const std::vector<std::string>& words) { return Parser{c, {}}.run(words); }

std::string Args::text(std::string_view name, const std::string& fallback) const {
  const auto& list = all(name);
  return list.empty() ? fallback : list.back();
}
int64_t Args::whole(std::string_view name, int64_t fallback) const {
  return has(name) ? std::strtoll(text(name).c_str(), nullptr, 10) : fallback;
}
double Args::real(std::string_view name, double fallback) const {
  return has(name) ? std::strtod(text(name).c_str(), nullptr) : fallback;
}
const std::vector<std::string>& Args::all(std::string_view name) const {
  static const std::vector<std::string> none;
  const auto it = values_.find(std::string(name));
  return it == values_.end() ? none : it->second;
}
std::map<std::string, std::vector<int64_t>> Args::shapes(std::string_view name) const {
  std::map<std::string, std::vector<int64_t>> out;
  for (const std::string& v : all(name)) {
    const size_t eq = v.rfind('=');
    out[v.substr(0, eq)] = *parse_shape(std::string_view(v).substr(eq + 1));
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& among) {
  std::string best;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : among)
    if (const size_t d = edit_distance(word, candidate); d < least) {
      least = d;
      best = candidate;
    }
  return best;
}

double Args::seconds(std::string_view name, double fallback) const {
  return has(name) ? *parse_duration(text(name)) : fallback;
}

int64_t Args::bytes(std::string_view name, int64_t fallback) const {
  return has(name) ? *hone::parse_bytes(text(name)) : fallback;
}

std::optional<double> parse_duration(std::string_view s) {
  constexpr std::pair<std::string_view, double> units[] = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
  for (const auto& [unit, seconds] : units) {
    double x = 0;
    if (s.size() <= unit.size() || s.substr(s.size() - unit.size()) != unit) continue;
    if (number(s.substr(0, s.size() - unit.size()), x) && x >= 0 && x * seconds <= 7 * 24 * 3600)
      return x * seconds;
  }
  return {};
}

std::optional<std::vector<int64_t>> parse_shape(std::string_view s) {
  std::vector<int64_t> dims;
  if (s == "scalar") return dims;
  for (size_t at = 0; at <= s.size();) {
    const size_t end = std::min(s.find('x', at), s.size());
    int64_t d = 0;
    if (!number(s.substr(at, end - at), d) || d < 0) return std::nullopt;
    dims.push_back(d);
    at = end + 1;
  }
  if (dims.size() > 12) return std::nullopt;
  return dims;
}

}  // namespace cli
