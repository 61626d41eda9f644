#include "base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

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
  uint32_t value() const { return value_.load(std::memory_order_acquire); }
  // Returns once the value differs from `seen`.
  void wait(uint32_t seen, bool spin) {
    if (value() != seen) return;
    if (spin) {
      const auto end = std::chrono::steady_clock::now() + spin_time;
      do {
        for (int i = 0; i < 32; i++) {
          if (value() != seen) return;
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
    // 2 * loop: this worker's part of that loop is free to take; 2 * loop + 1: somebody has taken it. A loop does
    // not end before all its parts are done, so who takes one may read the fields below.
    std::atomic<uint64_t> part{1};
    std::atomic<uint64_t> noticed{0};  // the last loop that the worker knew of
    uint64_t nudged = 0;               // the loop when it was last sent to another core
    std::thread thread;
  };
  // Written by the caller before it frees the parts, read by those who take them.
  Task task = nullptr;
  void* context = nullptr;
  int64_t n = 0;
  int parts = 0;  // of this loop
  uint64_t loop = 0;
  std::atomic<bool> leave{false};
  cpu_set_t allowed;                        // cores that this process may use
  alignas(64) std::atomic<int> pending{0};  // parts that are not done
  Signal done;
  uint32_t done_seen = 0;
  bool spin = true, pinned = false;
  std::vector<std::unique_ptr<Worker>> workers;

  void pin(Worker& w, int p) const {
    int left = CPU_COUNT(&allowed) ? p % CPU_COUNT(&allowed) : -1;
    for (size_t core = 0; left >= 0 && core < CPU_SETSIZE; core++) {
      if (!CPU_ISSET(core, &allowed) || left-- > 0) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(core, &one);
      pthread_setaffinity_np(w.thread.native_handle(), sizeof one, &one);  // fails: it stays free
    }
  }

  // Part p of n: the first n % parts are one longer.
  void work(int p) const {
    const int64_t base = n / parts, extra = n % parts;
    const int64_t from = p * base + std::min<int64_t>(p, extra), to = from + base + (p < extra);
    for (int64_t i = from; i < to; i++) task(context, i, p);
  }
  static bool take(Worker& w) {
    uint64_t free = w.part.load();
    return free % 2 == 0 && w.part.compare_exchange_strong(free, free + 1);
  }
  bool last() { return pending.fetch_sub(1) == 1; }
  // A worker that has not noticed many loops is ready to run but has no core. Often it is queued behind the
  // caller, on whose core the system woke it, and would stay there as long as the caller does not sleep: this
  // moves it.
  void nudge(Worker& w) {
    constexpr uint64_t patience = 32;
    if (pinned || loop < std::max(w.noticed.load(std::memory_order_relaxed), w.nudged) + patience) return;
    w.nudged = loop;
    cpu_set_t cores = allowed;
    CPU_CLR(static_cast<size_t>(sched_getcpu()), &cores);
    if (CPU_COUNT(&cores) > 0) pthread_setaffinity_np(w.thread.native_handle(), sizeof cores, &cores);
  }
  void serve(Worker& w, int p) {
    for (uint32_t seen = 0;;) {
      w.start.wait(seen, spin);
      seen = w.start.value();
      if (leave.load()) return;
      w.noticed.store(w.part.load(std::memory_order_relaxed) / 2, std::memory_order_relaxed);
      if (!take(w)) continue;  // the caller was faster
      work(p);
      if (last()) done.raise();
    }
  }
};

ThreadPool::ThreadPool(int threads, bool pin) : impl_(std::make_unique<Impl>()) {
  // More threads than cores: whoever spins keeps another from working.
  impl_->spin = threads <= available_cores();
  impl_->pinned = pin;
  CPU_ZERO(&impl_->allowed);
  sched_getaffinity(0, sizeof impl_->allowed, &impl_->allowed);  // fails: nobody is moved
  for (int p = 1; p < threads; p++) {
    try {
      auto worker = std::make_unique<Impl::Worker>();
      impl_->workers.reserve(impl_->workers.size() + 1);
      worker->thread = std::thread([impl = impl_.get(), w = worker.get(), p] { impl->serve(*w, p); });
      if (pin) impl_->pin(*worker, p);
      impl_->workers.push_back(std::move(worker));
    } catch (const std::exception&) {
      break;  // the system gives no more: go on with those that run
    }
  }
}

ThreadPool::~ThreadPool() {
  impl_->leave.store(true);
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
  if (p.parts == 1) return p.work(0);
  p.pending.store(p.parts);
  p.loop++;
  for (int i = 1; i < p.parts; i++) {
    Impl::Worker& w = *p.workers[static_cast<size_t>(i - 1)];
    w.part.store(2 * p.loop);
    w.start.raise();
  }
  p.work(0);
  bool last = p.last();
  // A worker that has not begun by now sleeps, or something else has its core.
  for (int i = p.parts - 1; i > 0 && !last; i--)
    if (Impl::Worker& w = *p.workers[static_cast<size_t>(i - 1)]; Impl::take(w)) {
      p.work(i);
      last = p.last();
      p.nudge(w);
    }
  if (!last) p.done.wait(p.done_seen++, p.spin);
}

}  // namespace hone
