#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/cpu.h"

namespace hone {
namespace {

// How long a thread looks for news before it sleeps: several times what the operating system needs to wake
// one, so that the short loops of one inference follow each other without a system call, and short enough not
// to matter when nothing comes.
constexpr auto spin_time = std::chrono::microseconds(40);

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// A number that one thread raises and another waits for. The waiter spins, then parks; the raiser makes a
// system call only if the waiter is parked. Both sides use sequentially consistent order: either the raiser
// sees parked_, or the waiter, which looks at value_ once more after setting parked_, sees the new value.
class alignas(64) Signal {
 public:
  void raise() {
    value_.fetch_add(1);
    if (!parked_.load()) return;
    {
      std::lock_guard lock(mutex_);
    }  // the waiter is now either past its check of value_ and asleep, or awake
    wake_.notify_one();
  }
  // Returns once the value differs from `seen`.
  void wait(uint32_t seen, bool spin) {
    if (value_.load(std::memory_order_acquire) != seen) return;
    if (spin) {
      const auto end = std::chrono::steady_clock::now() + spin_time;
      do {
        for (int i = 0; i < 32; i++) {
          if (value_.load(std::memory_order_acquire) != seen) return;
          relax();
        }
      } while (std::chrono::steady_clock::now() < end);
    }
    std::unique_lock lock(mutex_);
    parked_.store(true);
    wake_.wait(lock, [&] { return value_.load() != seen; });
    parked_.store(false);
  }

 private:
  std::atomic<uint32_t> value_{0};
  std::atomic<bool> parked_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace

struct ThreadPool::Impl {
  struct Worker {
    Signal start;
    std::thread thread;
  };
  // Written by the caller before it raises a worker's `start`, read by that worker after.
  Task task = nullptr;
  void* context = nullptr;
  int64_t n = 0;
  int parts = 0;  // threads that take part in this loop; 0: workers leave
  alignas(64) std::atomic<int> pending{0};
  Signal done;
  uint32_t done_seen = 0;
  bool spin = true;
  std::vector<std::unique_ptr<Worker>> workers;

  // Part p of n: the first n % parts are one longer.
  void work(int p) const {
    const int64_t base = n / parts, extra = n % parts;
    const int64_t from = p * base + std::min<int64_t>(p, extra), to = from + base + (p < extra);
    for (int64_t i = from; i < to; i++) task(context, i, p);
  }
  void serve(Signal& start, int p) {
    for (uint32_t seen = 0;; seen++) {
      start.wait(seen, spin);
      if (parts == 0) return;
      work(p);
      if (pending.fetch_sub(1) == 1) done.raise();
    }
  }
};

ThreadPool::ThreadPool(int threads) : impl_(std::make_unique<Impl>()) {
  // More threads than cores: whoever spins keeps another from working.
  impl_->spin = threads <= available_cores();
  for (int p = 1; p < threads; p++) {
    try {
      auto worker = std::make_unique<Impl::Worker>();
      impl_->workers.reserve(impl_->workers.size() + 1);
      worker->thread = std::thread([impl = impl_.get(), w = worker.get(), p] { impl->serve(w->start, p); });
      impl_->workers.push_back(std::move(worker));
    } catch (const std::exception&) {
      break;  // the system gives no more: go on with those that run
    }
  }
}

ThreadPool::~ThreadPool() {
  impl_->parts = 0;
  for (auto& w : impl_->workers) w->start.raise();
  for (auto& w : impl_->workers) w->thread.join();
}

int ThreadPool::threads() const { return static_cast<int>(impl_->workers.size()) + 1; }

void ThreadPool::run_erased(int64_t n, Task task, void* context) {
  if (n <= 0) return;
  Impl& p = *impl_;
  p.task = task;
  p.context = context;
  p.n = n;
  p.parts = static_cast<int>(std::min<int64_t>(n, threads()));
  if (p.parts > 1) {
    p.pending.store(p.parts - 1);
    for (int i = 1; i < p.parts; i++) p.workers[static_cast<size_t>(i - 1)]->start.raise();
  }
  p.work(0);
  if (p.parts > 1) p.done.wait(p.done_seen++, p.spin);
}

}  // namespace hone
