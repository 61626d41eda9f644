#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

namespace hone {
namespace {

TEST(ThreadPool, RunsEveryIndexExactlyOnce) {
  for (int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (int64_t n : {0, 1, 2, 3, 4, 5, 7, 64, 1001}) {
      std::vector<int> hits(static_cast<size_t>(n) + 1,
                            0);  // plain ints: a second visitor would be a race tsan sees
      pool.run(n, [&](int64_t i, int) { hits[static_cast<size_t>(i)]++; });
      for (int64_t i = 0; i < n; i++)
        EXPECT_EQ(hits[static_cast<size_t>(i)], 1) << "index " << i << " of " << n;
      EXPECT_EQ(hits[static_cast<size_t>(n)], 0);
    }
  }
}

TEST(ThreadPool, GivesContiguousBalancedRangesFixedByCounts) {
  ThreadPool pool(3);
  for (int64_t n : {1, 2, 3, 4, 10, 11, 12}) {
    std::vector<int> who(static_cast<size_t>(n)), count(3);
    pool.run(n, [&](int64_t i, int thread) { who[static_cast<size_t>(i)] = thread; });
    EXPECT_EQ(who[0], 0) << "the caller takes part";
    for (size_t i = 0; i < who.size(); i++) {
      if (i > 0) { EXPECT_GE(who[i], who[i - 1]); }
      count[static_cast<size_t>(who[i])]++;
    }
    EXPECT_LE(count[0] - count[2], 1);
    std::vector<int> again(static_cast<size_t>(n));
    pool.run(n, [&](int64_t i, int thread) { again[static_cast<size_t>(i)] = thread; });
    EXPECT_EQ(who, again);
  }
}

TEST(ThreadPool, NegativeCountRunsNothing) {
  ThreadPool pool(2);
  pool.run(-3, [&](int64_t, int) { FAIL(); });
}

TEST(ThreadPool, ZeroThreadsMeansTheCallerAlone) {
  ThreadPool pool(0);
  EXPECT_EQ(pool.threads(), 1);
  int64_t sum = 0;
  pool.run(5, [&](int64_t i, int thread) { sum += i + thread; });
  EXPECT_EQ(sum, 10);
}

TEST(ThreadPool, SeesWritesOfTheLoopBefore) {
  ThreadPool pool(3);
  std::vector<int64_t> a(300, 1), b(300);
  for (int round = 0; round < 3000; round++) {  // each loop reads what other threads wrote in the last one
    pool.run(300, [&](int64_t i, int) { b[static_cast<size_t>(i)] = a[static_cast<size_t>(299 - i)] + 1; });
    std::swap(a, b);
  }
  for (int64_t v : a) EXPECT_EQ(v, 3001);
}

TEST(ThreadPool, WorksAfterItsWorkersFellAsleep) {
  ThreadPool pool(3);
  std::atomic<int> sum{0};
  for (int round = 0; round < 20; round++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 2 ? 2 : 0));
    pool.run(3, [&](int64_t, int thread) {
      if (thread == 2)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the caller falls asleep too
      sum++;
    });
  }
  EXPECT_EQ(sum, 60);
}

TEST(ThreadPool, ManyPoolsAtOnceDoNotDisturbEachOther) {
  std::vector<std::thread> callers;
  std::vector<int64_t> sums(6, 0);
  for (size_t c = 0; c < sums.size(); c++)
    callers.emplace_back([&, c] {
      ThreadPool pool(1 + static_cast<int>(c % 4));
      std::vector<int64_t> parts(100);
      for (int round = 0; round < 200; round++) {
        pool.run(100, [&](int64_t i, int) { parts[static_cast<size_t>(i)] = i + static_cast<int64_t>(c); });
        for (int64_t v : parts) sums[c] += v;
      }
    });
  for (auto& t : callers) t.join();
  for (size_t c = 0; c < sums.size(); c++) EXPECT_EQ(sums[c], 200 * (4950 + 100 * static_cast<int64_t>(c)));
}

TEST(ThreadPool, PinnedWorkersStayOnTheirCores) {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; core++)
    if (CPU_ISSET(static_cast<size_t>(core), &allowed)) cores.push_back(core);
  ThreadPool pool(3, true);
  std::vector<int> seen(3, -1);
  for (int turn = 0; turn < 1000 && (seen[1] < 0 || seen[2] < 0); turn++)
    pool.run(3, [&, caller = std::this_thread::get_id()](int64_t, int part) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));  // or the caller takes all
      if (std::this_thread::get_id() != caller) seen[static_cast<size_t>(part)] = sched_getcpu();
    });
  for (size_t part = 1; part < 3; part++) {
    if (seen[part] >= 0) { EXPECT_EQ(seen[part], cores[part % cores.size()]); }
  }
  EXPECT_TRUE(seen[1] >= 0 || seen[2] >= 0);
}

TEST(ThreadPool, IsDestroyedAsleepSpinningAndUnused) {
  for (int i = 0; i < 50; i++) {
    ThreadPool unused(4);
    ThreadPool spinning(4);
    spinning.run(4, [](int64_t, int) {});
    if (i % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HONE_TEST_SANITIZED 1
#else
#define HONE_TEST_SANITIZED 0
#endif
TEST(ThreadPoolDeathTest, GoesOnWithFewerThreadsWhenTheSystemRefusesSome) {
  if (HONE_TEST_SANITIZED) GTEST_SKIP() << "sanitizers need unlimited address space";
  static constexpr int went_on = 7, limit_ignored = 8;
  const auto with_little_room = [] {
    int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit;
    limit.rlim_cur = limit.rlim_max =
        static_cast<rlim_t>(pages) * 4096 + (100u << 20);  // a few stacks of 8 MiB
    setrlimit(RLIMIT_AS, &limit);
    if (mmap(nullptr, size_t{4} << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
      std::_Exit(limit_ignored);  // emulators do
    ThreadPool pool(200);
    std::atomic<int> sum{0};
    pool.run(1000, [&](int64_t, int) { sum++; });
    std::_Exit(pool.threads() < 200 && sum == 1000 ? went_on : 1);
  };
  const auto as_it_should = [](int status) {
    return WIFEXITED(status) && (WEXITSTATUS(status) == went_on || WEXITSTATUS(status) == limit_ignored);
  };
  EXPECT_EXIT(with_little_room(), as_it_should, "");
}

}  // namespace
}  // namespace hone
