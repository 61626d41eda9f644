// How much memory values may take that are made while a session runs. The budget of a thread is the innermost
// MemoryBudget::Scope that it is in; Tensor::allocate() takes from it and the last owner of the memory, in whatever
// thread, gives back. Without a scope nothing is counted. Thread-safe but for scopes, which belong to their thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace hone {

class MemoryBudget : public std::enable_shared_from_this<MemoryBudget> {
 public:
  explicit MemoryBudget(int64_t limit) : limit_(limit) {}
  int64_t limit() const { return limit_; }
  int64_t used() const { return used_.load(std::memory_order_relaxed); }
  // Errors: Code::limit, with the bytes asked for, those in use, the limit and what to do.
  Status take(int64_t bytes);
  void give(int64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  static MemoryBudget* current();  // null: none
  class Scope {
   public:
    explicit Scope(MemoryBudget*);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    MemoryBudget* outer_;
  };

 private:
  const int64_t limit_;
  std::atomic<int64_t> used_ = 0;
};

// Memory that is no tensor's, counted to the budget of the thread for as long as this lives.
class MemoryCharge {
 public:
  MemoryCharge() = default;
  ~MemoryCharge() { release(); }
  MemoryCharge(const MemoryCharge&) = delete;
  MemoryCharge& operator=(const MemoryCharge&) = delete;
  Status add(int64_t bytes);
  void release();

 private:
  std::shared_ptr<MemoryBudget> budget_;
  int64_t bytes_ = 0;
};

// "512M": bytes, or with K, M, G (powers of 1024). Errors: it is none, or 0, or above 2^60.
Result<int64_t> parse_bytes(std::string_view);
// The limit of a session: `wanted`, or if that is 0 the environment's HONE_MEMORY, or three quarters of the machine's
// memory (of the control group's, if that is less).
Result<int64_t> memory_limit(int64_t wanted);

}  // namespace hone
