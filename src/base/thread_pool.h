// A pool of threads that share loops. run(n, f) calls f(i, part) once for each i in [0, n). The partition is
// static: part p of as many as there are threads is a contiguous range that n and the number of threads alone
// fix, and one thread runs all of it, so that `part` may choose scratch memory. The caller runs part 0, and then
// the parts of workers that have not begun theirs: on a busy machine it does not wait for a thread that has no
// core. Workers spin briefly after a loop, then park. No allocation in run().
// Not re-entrant: one run() at a time per pool, and f must not call run() of the same pool.
#pragma once
#include <cstdint>
#include <memory>

#include "base/result.h"

namespace hone {

class ThreadPool {
 public:
  // threads - 1 workers are started; if the system refuses some, there are fewer. pin: worker i stays on core i of
  // those that the process may use (counted from 0, around again if there are fewer); the caller is not touched.
  explicit ThreadPool(int threads, bool pin = false);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  int threads() const;

  template <class F>
  void run(int64_t n, F&& f) {
    run_erased(
        n, [](void* p, int64_t i, int thread) { (*static_cast<std::remove_reference_t<F>*>(p))(i, thread); },
        const_cast<void*>(static_cast<const void*>(&f)));
  }

 private:
  using Task = void (*)(void* context, int64_t i, int thread);
  void run_erased(int64_t n, Task, void* context);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hone
