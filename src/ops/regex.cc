#include "ops/regex.h"

#include <algorithm>

namespace hone {
namespace {

// Next character of UTF-8 text; a broken sequence is taken byte by byte.
char32_t next_char(std::string_view s, size_t& i) {
  const auto lead = static_cast<unsigned char>(s[i++]);
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
  char32_t ch = more == 0 ? lead : lead & (0x3fu >> more);
  if (i + static_cast<size_t>(more) > s.size()) return lead;
  for (int k = 0; k < more; k++) {
    const auto byte = static_cast<unsigned char>(s[i + static_cast<size_t>(k)]);
    if ((byte & 0xc0) != 0x80) return lead;
    ch = ch << 6 | (byte & 0x3f);
  }
  i += static_cast<size_t>(more);
  return ch;
}

constexpr size_t max_states = 20000;
constexpr int max_depth = 100, max_repeat = 1000;

}  // namespace

bool Regex::Set::has(char32_t ch) const {
  bool in = ch < 128 && ascii[ch];
  for (const auto& [low, high] : others) in = in || (ch >= low && ch <= high);
  return in != negated;
}

// Recursive descent over the pattern into fragments: a start state and the ends still to be connected.
class RegexParser {
 public:
  RegexParser(Regex& r, std::string_view p) : r_(r), p_(p) {}

  Status parse() {
    HONE_TRY(Fragment f, alternatives(0));
    if (i_ < p_.size()) return fail("unmatched ')'");
    HONE_TRY(const int accept, add({Regex::State::accept}));
    connect(f, accept);
    r_.start_ = f.start;
    return {};
  }

 private:
  using State = Regex::State;
  struct Fragment {
    int start = -1;                          // -1: matches the empty string, and `open` is empty
    std::vector<std::pair<int, bool>> open;  // states and whether their `other` is meant
  };

  Error fail(const char* what) const {
    return error(Code::unsupported, "regular expression '%.*s': %s at position %zu",
                 static_cast<int>(p_.size()), p_.data(), what, i_);
  }
  Result<int> add(State s) {
    if (r_.states_.size() >= max_states) return fail("too many states");
    r_.states_.push_back(s);
    return static_cast<int>(r_.states_.size()) - 1;
  }
  void connect(const Fragment& f, int to) {
    for (const auto& [state, other] : f.open)
      (other ? r_.states_[static_cast<size_t>(state)].other : r_.states_[static_cast<size_t>(state)].next) =
          to;
  }
  Result<Fragment> empty() {  // a split with one way
    HONE_TRY(const int s, add({State::split}));
    return Fragment{s, {{s, false}}};
  }
  Fragment in_turn(Fragment a, Fragment b) {
    if (a.start < 0) return b;
    connect(a, b.start);
    return {a.start, std::move(b.open)};
  }

  Result<Fragment> alternatives(int depth) {
    if (depth > max_depth) return fail("nested too deeply");
    HONE_TRY(Fragment f, sequence(depth));
    while (i_ < p_.size() && p_[i_] == '|') {
      i_++;
      HONE_TRY(Fragment g, sequence(depth));
      HONE_TRY(const int s, add({State::split, 0, f.start, g.start}));
      f.start = s;
      f.open.insert(f.open.end(), g.open.begin(), g.open.end());
    }
    return f;
  }
  Result<Fragment> sequence(int depth) {
    HONE_TRY(Fragment f, empty());
    while (i_ < p_.size() && p_[i_] != '|' && p_[i_] != ')') {
      HONE_TRY(Fragment g, repeated(depth));
      f = in_turn(std::move(f), std::move(g));
    }
    return f;
  }
  // An atom and what says how often. Counted repetition parses the atom again for each copy.
  Result<Fragment> repeated(int depth) {
    const size_t from = i_;
    HONE_TRY(Fragment f, atom(depth));
    int low = 1, high = 1;  // high -1: no end
    HONE_CHECK(count(low, high));
    const size_t end = i_;
    if (low == 1 && high == 1) return f;
    HONE_TRY(Fragment all, empty());
    const int copies = std::max({low, high, high < 0 ? low + 1 : 0});
    if (high == 0) return all;
    for (int k = 0; k < copies; k++) {
      if (k > 0) {
        i_ = from;
        HONE_TRY(f, atom(depth));
      }
      if (k >= low) {
        HONE_TRY(const int s, add({State::split, 0, f.start}));
        const bool loop = high < 0;
        if (loop) {
          connect(f, s);
          f = {s, {{s, true}}};
        } else {
          f.start = s;
          f.open.emplace_back(s, true);
        }
      }
      all = in_turn(std::move(all), std::move(f));
    }
    i_ = end;
    return all;
  }
  Status count(int& low, int& high) {
    if (i_ >= p_.size()) return {};
    const char ch = p_[i_];
    if (ch == '*') low = 0, high = -1;
    else if (ch == '+') low = 1, high = -1;
    else if (ch == '?') low = 0, high = 1;
    else if (ch != '{') return {};
    i_++;
    if (ch == '{') {
      const auto number = [&](int& n) {
        const size_t from = i_;
        for (n = 0; i_ < p_.size() && p_[i_] >= '0' && p_[i_] <= '9'; i_++)
          n = std::min(n * 10 + (p_[i_] - '0'), max_repeat + 1);
        return i_ > from;
      };
      if (!number(low)) return fail("expected a number after '{'");
      high = low;
      if (i_ < p_.size() && p_[i_] == ',') {
        i_++;
        if (!number(high)) high = -1;
      }
      if (i_ >= p_.size() || p_[i_] != '}') return fail("expected '}'");
      i_++;
      if (low > max_repeat || high > max_repeat) return fail("more than 1000 repetitions");
      if (high >= 0 && high < low) return fail("a range that runs backwards");
    }
    if (i_ < p_.size() && p_[i_] == '?') i_++;  // lazy: the same set of whole matches
    if (i_ < p_.size() && (p_[i_] == '*' || p_[i_] == '+')) return fail("a repetition of a repetition");
    return {};
  }

  Result<Fragment> one(Regex::Set set) {
    r_.sets_.push_back(std::move(set));
    HONE_TRY(const int s, add({State::set, static_cast<int>(r_.sets_.size()) - 1}));
    return Fragment{s, {{s, false}}};
  }
  Result<Fragment> assertion(State::Kind kind) {
    HONE_TRY(const int s, add({kind}));
    return Fragment{s, {{s, false}}};
  }
  static void include(Regex::Set& set, char32_t low, char32_t high) {
    for (char32_t ch = low; ch <= std::min<char32_t>(high, 127); ch++) set.ascii.set(ch);
    if (high >= 128) set.others.emplace_back(std::max<char32_t>(low, 128), high);
  }

  Result<Fragment> atom(int depth) {
    const char ch = p_[i_];
    if (ch == '(') {
      i_++;
      if (p_.substr(i_, 2) == "?:") i_ += 2;
      else if (i_ < p_.size() && p_[i_] == '?') return fail("this kind of group is not supported");
      HONE_TRY(Fragment f, alternatives(depth + 1));
      if (i_ >= p_.size()) return fail("expected ')'");
      i_++;
      return f;
    }
    if (ch == '*' || ch == '+' || ch == '?' || ch == '{') return fail("nothing to repeat");
    if (ch == '[') return bracket();
    if (ch == '^' || ch == '$') {
      i_++;
      return assertion(ch == '^' ? State::begin : State::end);
    }
    Regex::Set set;
    if (ch == '.') {
      i_++;
      include(set, '\n', '\n');
      set.negated = true;
      return one(std::move(set));
    }
    if (ch == '\\') {
      static constexpr std::pair<std::string_view, State::Kind> assertions[] = {
          {"\\A", State::begin}, {"\\z", State::end}, {"\\b", State::boundary}, {"\\B", State::no_boundary}};
      for (const auto& [text, kind] : assertions)
        if (p_.substr(i_, 2) == text) {
          i_ += 2;
          return assertion(kind);
        }
      char32_t literal = 0;
      HONE_TRY(const bool is_class, escape(set, literal));
      if (!is_class) include(set, literal, literal);
      return one(std::move(set));
    }
    const char32_t literal = next_char(p_, i_);
    include(set, literal, literal);
    return one(std::move(set));
  }
  // After a backslash: a class, which goes into `set` (true), or one character.
  Result<bool> escape(Regex::Set& set, char32_t& literal) {
    if (++i_ >= p_.size()) return fail("a backslash at the end");
    const char ch = p_[i_++];
    const auto members = [&](std::string_view name) {
      Regex::Set s;
      if (name == "d" || name == "w") include(s, '0', '9');
      if (name == "w") include(s, 'a', 'z'), include(s, 'A', 'Z'), include(s, '_', '_');
      if (name == "s")
        for (const char32_t space : {' ', '\t', '\n', '\r', '\f'}) include(s, space, space);
      return s.ascii;
    };
    switch (ch) {
      case 'd':
      case 'w':
      case 's':
        set.ascii |= members(std::string_view(&ch, 1));
        return true;
      case 'D':
      case 'W':
      case 'S': {
        const char lower = static_cast<char>(ch + 32);
        set.ascii |= ~members(std::string_view(&lower, 1));
        set.others.emplace_back(128, 0x10ffff);
        return true;
      }
      case 't':
        literal = '\t';
        return false;
      case 'n':
        literal = '\n';
        return false;
      case 'r':
        literal = '\r';
        return false;
      case 'f':
        literal = '\f';
        return false;
      case 'v':
        literal = '\v';
        return false;
      case 'x': {
        literal = 0;
        for (int k = 0; k < 2; k++, i_++) {
          const char h = i_ < p_.size() ? p_[i_] : 0;
          const int digit = h >= '0' && h <= '9'                 ? h - '0'
                            : (h | 32) >= 'a' && (h | 32) <= 'f' ? (h | 32) - 'a' + 10
                                                                 : -1;
          if (digit < 0) return fail("expected two hexadecimal digits after '\\x'");
          literal = literal << 4 | static_cast<char32_t>(digit);
        }
        return false;
      }
      default:
        break;
    }
    const bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
    if (letter || static_cast<unsigned char>(ch) >= 128) return fail("this escape is not supported");
    literal = static_cast<char32_t>(ch);
    return false;
  }
  Result<Fragment> bracket() {
    Regex::Set set;
    i_++;
    if (i_ < p_.size() && p_[i_] == '^') {
      set.negated = true;
      i_++;
    }
    for (bool first = true; first || (i_ < p_.size() && p_[i_] != ']'); first = false) {
      if (i_ >= p_.size()) return fail("expected ']'");
      if (p_.substr(i_, 2) == "[:") return fail("named classes are not supported");
      char32_t low = 0;
      if (p_[i_] == '\\') {
        HONE_TRY(const bool is_class, escape(set, low));
        if (is_class) continue;
      } else {
        low = next_char(p_, i_);
      }
      char32_t high = low;
      if (i_ + 1 < p_.size() && p_[i_] == '-' && p_[i_ + 1] != ']') {
        i_++;
        if (p_[i_] == '\\') {
          HONE_TRY(const bool is_class, escape(set, high));
          if (is_class) return fail("a class cannot end a range");
        } else {
          high = next_char(p_, i_);
        }
        if (high < low) return fail("a range that runs backwards");
      }
      include(set, low, high);
    }
    if (i_ >= p_.size()) return fail("expected ']'");
    i_++;
    return one(std::move(set));
  }

  Regex& r_;
  std::string_view p_;
  size_t i_ = 0;
};

Result<Regex> Regex::compile(std::string_view pattern) {
  Regex r;
  RegexParser parser(r, pattern);
  HONE_CHECK(parser.parse());
  return r;
}

bool Regex::full_match(std::string_view text) const {
  std::vector<int> now, next, stack;
  std::vector<size_t> seen(states_.size(), 0);
  size_t step = 0;
  const auto is_word = [&](size_t i) {
    const char ch = i < text.size() ? text[i] : ' ';
    return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
  };
  // Adds `state` and all that it leads to, before the character at `at`.
  const auto add = [&](std::vector<int>& to, int state, size_t at) {
    const bool boundary = is_word(at) != (at > 0 && is_word(at - 1));
    stack.assign(1, state);
    while (!stack.empty()) {
      const int s = stack.back();
      stack.pop_back();
      if (s < 0 || seen[static_cast<size_t>(s)] == step) continue;
      seen[static_cast<size_t>(s)] = step;
      const State& st = states_[static_cast<size_t>(s)];
      bool passes = false;
      switch (st.kind) {
        case State::set:
        case State::accept:
          to.push_back(s);
          break;
        case State::split:
          stack.insert(stack.end(), {st.other, st.next});
          break;
        case State::begin:
          passes = at == 0;
          break;
        case State::end:
          passes = at == text.size();
          break;
        case State::boundary:
          passes = boundary;
          break;
        case State::no_boundary:
          passes = !boundary;
          break;
      }
      if (passes) stack.push_back(st.next);
    }
  };
  step++;
  add(now, start_, 0);
  for (size_t i = 0; i < text.size();) {
    const char32_t ch = next_char(text, i);
    step++;
    next.clear();
    for (const int s : now) {
      const State& st = states_[static_cast<size_t>(s)];
      if (st.kind == State::set && sets_[static_cast<size_t>(st.set_index)].has(ch)) add(next, st.next, i);
    }
    now.swap(next);
    if (now.empty()) return false;
  }
  return std::any_of(now.begin(), now.end(),
                     [&](int s) { return states_[static_cast<size_t>(s)].kind == State::accept; });
}

}  // namespace hone
