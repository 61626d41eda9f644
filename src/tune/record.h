// The timing record: how long tactics took on problems, on machines. A text that can be kept, merged (the shorter
// time of two counts), compared and replayed: the same record makes the same choices. By lines:
//
//   hone timing record 1
//   # a comment
//   machine x86-64 avx512, 2 threads, AMD EPYC 9B45        whose times follow
//   problem Conv kernel_shape=3,3 ... | f32[1,56,56,64] ... | f32[1,56,56,64]
//   time conv_gemm_f32 412.53                              microseconds of that tactic on that problem
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "base/cpu.h"

namespace hone {

class TimingRecord {
 public:
  using Times = std::map<std::string, double>;    // of a problem: microseconds by tactic
  using Problems = std::map<std::string, Times>;  // of a machine
  static constexpr size_t max_bytes = 64u << 20;  // of the text
  static constexpr size_t max_line = 16u << 10;
  static constexpr double max_microseconds = 1e10;  // about three hours

  // `name` is what errors call the text: they tell the line, what stands there, and the remedy.
  static Result<TimingRecord> parse(std::string_view text, const std::string& name);
  // A file that does not exist is an empty record.
  static Result<TimingRecord> read(const std::string& path);
  std::string text() const;

  void merge(const TimingRecord&);
  // Keeps the shorter time, rounded to what the text can hold.
  static void add(Times&, std::string_view tactic, double microseconds);
  Times& times(const std::string& machine, const std::string& problem) { return machines_[machine][problem]; }
  const Times* find(const std::string& machine, const std::string& problem) const;  // null: none
  bool empty() const { return machines_.empty(); }
  bool knows(const std::string& machine) const { return machines_.count(machine) > 0; }
  const std::map<std::string, Problems>& machines() const { return machines_; }

 private:
  std::map<std::string, Problems> machines_;
};

// What times depend on besides the problem: "x86-64 avx512, 2 threads, AMD EPYC 9B45".
std::string timing_machine(Isa, int threads);

}  // namespace hone
