// Command lines, by table: a command lists its options; parsing checks everything that can be known without
// the model, so that commands read values that are right. Wrong usage ends with exit code 2 and names the
// nearest option.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cli {

struct Option {
  enum Kind : uint8_t { flag, text, whole, real, shape, choice, duration, bytes };
  const char* name;  // "--output"
  char letter = 0;   // 'o': -o does too
  Kind kind = flag;
  const char* value = nullptr;  // what the help calls the value: "FILE"; of a choice "fp32|fp16"
  const char* help = "";
  bool repeats = false;
  bool required = false;
  double least = 0, most = 0;  // whole, real
};

class Args {
 public:
  bool has(std::string_view name) const { return values_.count(std::string(name)) > 0; }
  // The last one given, or the fallback.
  std::string text(std::string_view name, const std::string& fallback = "") const;
  int64_t whole(std::string_view name, int64_t fallback) const;
  double real(std::string_view name, double fallback) const;
  double seconds(std::string_view name, double fallback) const;  // of a duration
  int64_t bytes(std::string_view name, int64_t fallback) const;
  const std::vector<std::string>& all(std::string_view name) const;
  std::map<std::string, std::vector<int64_t>> shapes(std::string_view name) const;
  const std::string& positional(size_t i) const { return positionals_[i]; }
  std::vector<std::string> positionals_from(size_t i) const {
    return {positionals_.begin() + static_cast<ptrdiff_t>(i), positionals_.end()};
  }

 private:
  friend struct Parser;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positionals_;
};

struct Command {
  const char* name;
  const char* synopsis;                  // behind "hone NAME"
  const char* about;                     // one paragraph
  std::vector<const char*> positionals;  // the last may be "IMAGE...": one or more, "[IMAGE...]": or none
  std::vector<Option> options;
  const char* examples;                   // one per line
  hone::Result<int> (*run)(const Args&);  // the exit code; an error is printed and means 1
};

// Either arguments, or (after printing help or what is wrong) the exit code.
struct Parsed {
  std::optional<Args> args;
  int exit_code = 0;
};
Parsed parse(const Command&, const std::vector<std::string>& words);

// The entry nearest to a mistyped word; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& among);

// "1x3x224x224": each number 0 or more. Empty optional: it is none. "scalar" is the shape of rank 0.
std::optional<std::vector<int64_t>> parse_shape(std::string_view);

// "60s", "500ms", "2m", "1h" in seconds. Empty optional: it is none, or longer than a week.
std::optional<double> parse_duration(std::string_view);

}  // namespace cli
