#include "base/memory_budget.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace hone {
namespace {
thread_local MemoryBudget* innermost = nullptr;

constexpr int64_t most_bytes = int64_t{1} << 60;

// Of a control group of version 2, as containers have; 0: none.
int64_t group_limit() {
  long long bytes = 0;
  if (std::FILE* f = std::fopen("/sys/fs/cgroup/memory.max", "r")) {
    if (std::fscanf(f, "%lld", &bytes) != 1) bytes = 0;  // "max"
    std::fclose(f);
  }
  return bytes;
}
}  // namespace

Status MemoryBudget::take(int64_t bytes) {
  const int64_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
  if (bytes <= limit_ - before) return {};
  give(bytes);
  return error(Code::limit,
               "%lld bytes are wanted, but values may take %lld in all and %lld are in use: raise that limit "
               "(--memory, HONE_MEMORY, hone_session_options.memory) or give smaller inputs",
               static_cast<long long>(bytes), static_cast<long long>(limit_), static_cast<long long>(before));
}

MemoryBudget* MemoryBudget::current() { return innermost; }
MemoryBudget::Scope::Scope(MemoryBudget* budget) : outer_(innermost) { innermost = budget; }
MemoryBudget::Scope::~Scope() { innermost = outer_; }

Status MemoryCharge::add(int64_t bytes) {
  if (!budget_ && MemoryBudget::current()) budget_ = MemoryBudget::current()->shared_from_this();
  if (!budget_) return {};
  HONE_CHECK(budget_->take(bytes));
  bytes_ += bytes;
  return {};
}
void MemoryCharge::release() {
  if (budget_) budget_->give(bytes_);
  budget_.reset();
  bytes_ = 0;
}

Result<int64_t> parse_bytes(std::string_view text) {
  int64_t n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (failed != std::errc() || shift < 0 || n < 1 || n > most_bytes >> shift)
    return error(Code::invalid_argument,
                 "'%.*s' is no amount of memory: expected bytes, or 512K, 256M, 2G, ...",
                 static_cast<int>(std::min<size_t>(text.size(), 80)), text.data());
  return n << shift;
}

Result<int64_t> memory_limit(int64_t wanted) {
  if (wanted < 0 || wanted > most_bytes)
    return error(Code::invalid_argument, "a memory limit of %lld bytes is outside 1 to 2^60",
                 static_cast<long long>(wanted));
  if (wanted) return wanted;
  if (const char* set = std::getenv("HONE_MEMORY")) {
    auto bytes = parse_bytes(set);
    if (!bytes) return in("HONE_MEMORY", bytes.take_error());
    return *bytes;
  }
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  int64_t all = pages > 0 && page > 0 ? static_cast<int64_t>(pages) * page : most_bytes;
  if (const int64_t group = group_limit(); group > 0) all = std::min(all, group);
  return all / 4 * 3;
}

}  // namespace hone
