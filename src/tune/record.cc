#include "tune/record.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "base/mapped_file.h"

namespace hone {
namespace {

constexpr std::string_view header = "hone timing record ";
constexpr int version = 1;

bool take(std::string_view& line, std::string_view word) {
  if (line.substr(0, word.size()) != word) return false;
  line.remove_prefix(word.size());
  return true;
}

// As messages show it.
std::string shown(std::string_view s) {
  std::string text;
  for (char c : s.substr(0, 60)) text += c >= ' ' && c <= '~' ? c : '?';
  return "'" + text + (s.size() > 60 ? "...'" : "'");
}

bool printable(std::string_view s) {
  for (char c : s)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return false;
  return !s.empty();
}

struct Reader {
  const std::string& name;
  TimingRecord record;
  std::string machine, problem;
  TimingRecord::Times* times = nullptr;  // of that problem, once it has one
  int number = 0;                        // of the line
  bool started = false;

  Error fault(Code code, std::string_view value, const char* what) const {
    return error(code, "%s:%d: %s %s", name.c_str(), number, shown(value).c_str(), what);
  }

  Status start(std::string_view line) {
    constexpr const char* what =
        "is not how a timing record begins (\"hone timing record 1\"); give a file that --time-record made";
    std::string_view rest = line;
    if (!take(rest, header) || rest.empty() || rest.size() > 9) return fault(Code::corrupt, line, what);
    int v = 0;
    for (char c : rest) {
      if (c < '0' || c > '9') return fault(Code::corrupt, line, what);
      v = v * 10 + (c - '0');
    }
    if (v != version)
      return fault(Code::unsupported, line,
                   "is of another version than 1; use the Hone that made it, or measure anew");
    started = true;
    return {};
  }

  Status time(std::string_view rest) {
    if (problem.empty())
      return fault(Code::corrupt, rest, "is a time before any problem; put its `problem` line before it");
    const size_t space = rest.find(' ');
    const std::string_view tactic = rest.substr(0, space);
    const std::string number_text(space == rest.npos ? std::string_view() : rest.substr(space + 1));
    char* end = nullptr;
    const double us = std::strtod(number_text.c_str(), &end);
    const bool plain = number_text.find_first_not_of("0123456789.") == std::string::npos;
    if (tactic.empty() || number_text.empty() || !plain || *end || !(us > 0) ||
        us > TimingRecord::max_microseconds)
      return fault(
          Code::corrupt, rest,
          "is not a tactic and its microseconds, above 0 and up to 1e10; remove the line or measure anew");
    if (!times) times = &record.times(machine, problem);
    TimingRecord::add(*times, tactic, us);
    return {};
  }

  Status line(std::string_view line) {
    number++;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.size() > TimingRecord::max_line)
      return fault(Code::limit, line, "is a line of more than 16384 bytes; remove it");
    if (line.empty() || line[0] == '#') return {};
    if (!started) return start(line);
    if (!printable(line)) return fault(Code::corrupt, line, "holds control characters; remove the line");
    std::string_view rest = line;
    if (take(rest, "time ")) return time(rest);
    if (take(rest, "machine ")) {
      machine = rest;
      problem.clear();
      times = nullptr;
      return {};
    }
    if (take(rest, "problem ")) {
      if (machine.empty())
        return fault(Code::corrupt, rest,
                     "is a problem before any machine; put its `machine` line before it");
      problem = rest;
      times = nullptr;
      return {};
    }
    return fault(Code::corrupt, line, "is no line of a timing record (machine, problem, time); remove it");
  }
};

}  // namespace

Result<TimingRecord> TimingRecord::parse(std::string_view text, const std::string& name) {
  if (text.size() > max_bytes)
    return error(Code::limit,
                 "%s: %zu bytes are more than the %zu a timing record may have; give a smaller one",
                 name.c_str(), text.size(), max_bytes);
  Reader reader{name};
  while (!text.empty()) {
    const size_t end = text.find('\n');
    HONE_CHECK(reader.line(text.substr(0, end)));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  if (!reader.started) HONE_CHECK(reader.start(""));
  return std::move(reader.record);
}

Result<TimingRecord> TimingRecord::read(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0 && errno == ENOENT) return TimingRecord();
  HONE_TRY(const auto file, MappedFile::open(path));
  const auto bytes = file->bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

std::string TimingRecord::text() const {
  std::string s = std::string(header) + std::to_string(version) + "\n";
  for (const auto& [machine, problems] : machines_) {
    s += "machine " + machine + "\n";
    for (const auto& [problem, times] : problems) {
      s += "problem " + problem + "\n";
      for (const auto& [tactic, us] : times) s += strf("time %s %.2f\n", tactic.c_str(), us);
    }
  }
  return s;
}

void TimingRecord::merge(const TimingRecord& other) {
  for (const auto& [machine, problems] : other.machines_)
    for (const auto& [problem, times] : problems)
      for (const auto& [tactic, us] : times) add(machines_[machine][problem], tactic, us);
}

void TimingRecord::add(Times& times, std::string_view tactic, double microseconds) {
  const double rounded = std::clamp(std::round(microseconds * 100) / 100, 0.01, max_microseconds);
  const auto [it, fresh] = times.try_emplace(std::string(tactic), rounded);
  it->second = std::min(it->second, rounded);
}

const TimingRecord::Times* TimingRecord::find(const std::string& machine, const std::string& problem) const {
  const auto m = machines_.find(machine);
  if (m == machines_.end()) return nullptr;
  const auto p = m->second.find(problem);
  return p == m->second.end() ? nullptr : &p->second;
}

std::string timing_machine(Isa isa, int threads) {
  return strf("%s, %d %s, %s", target_name(isa).c_str(), threads, threads == 1 ? "thread" : "threads",
              processor_name().c_str());
}

}  // namespace hone
