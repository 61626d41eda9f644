// Regular expressions matched in time proportional to text times pattern, without recursion over the text:
// Thompson's construction (Thompson, "Regular expression search algorithm", 1968). The syntax is the common
// part of RE2:
//   literals . [a-z] [^a-z] \d \D \w \W \s \S \t \n \r \f \v \xHH escapes of punctuation, ( ) (?: ) | * + ?
//   {m} {m,} {m,n} and lazy forms *? (which match the same whole strings), ^ $ \A \z \b \B.
// Text is bytes; in classes and for "." a UTF-8 character outside ASCII counts as one.
#pragma once
#include <array>
#include <bitset>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hone {

class Regex {
 public:
  // Errors: syntax that is not in the list above, more than 20 000 states.
  static Result<Regex> compile(std::string_view pattern);
  bool full_match(std::string_view text) const;

 private:
  struct Set {
    std::bitset<128> ascii;
    std::vector<std::pair<char32_t, char32_t>> others;
    bool negated = false;
    bool has(char32_t ch) const;
  };
  struct State {
    enum Kind : uint8_t { set, split, begin, end, boundary, no_boundary, accept } kind;
    int set_index = 0;
    int next = -1, other = -1;  // other: of split
  };
  friend class RegexParser;
  std::vector<State> states_;
  std::vector<Set> sets_;
  int start_ = 0;
};

}  // namespace hone
