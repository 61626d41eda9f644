#include "bench/ceiling.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace hone::bench {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Best time of body(thread) on all threads at once, from when the first may start until the last is done.
double best_time(int threads, double seconds, const std::function<void(int)>& body) {
  double best = 1e9;
  std::atomic<int> round{0}, ready{0}, done{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;
  for (int t = 1; t < threads; t++)
    workers.emplace_back([&, t] {
      for (int seen = 0;;) {
        ready++;
        while (round == seen)
          if (stop) return;
        seen++;
        body(t);
        done++;
      }
    });
  const double end = now() + seconds;
  do {
    while (ready < threads - 1) std::this_thread::yield();
    ready = done = 0;
    const double start = now();
    round++;
    body(0);
    while (done < threads - 1) continue;
    best = std::min(best, now() - start);
  } while (now() < end);
  stop = true;
  for (std::thread& w : workers) w.join();
  return best;
}

// Chains of multiply-adds that depend on themselves only: as many as hide the latency of the units. Values stay
// near 1, since the clock of some processors depends on what is computed.
constexpr int64_t rounds = 20000;
struct Kernel {
  int operations;                      // of one round
  void (*multiply_add)();              // `rounds` rounds
  void (*read)(const char*, int64_t);  // all bytes, a multiple of 1024
};

#define EACH12(M) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13)
constexpr float factor = 0.999f, summand = 1e-3f;

#if defined(__x86_64__)
#define CLOBBERED                                                                                          \
  "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

// A loop over `body`; a setup before it; %0 counts down, and x and y are the constants.
#define REPEATED(setup, body, finish) \
  int64_t n = rounds;                 \
  asm volatile(setup "1:\n" body "dec %0\njnz 1b\n" finish : "+r"(n) : "m"(factor), "m"(summand) : CLOBBERED)

// Seven chains of each: additions and multiplications that do not wait for each other.
#define SSE_EACH(M) M(2, 9) M(3, 10) M(4, 11) M(5, 12) M(6, 13) M(7, 14) M(8, 15)
#define SSE_SET(a, b) "movaps %%xmm1, %%xmm" #a "\nmovaps %%xmm1, %%xmm" #b "\n"
#define SSE_STEP(a, b) "mulps %%xmm0, %%xmm" #a "\naddps %%xmm1, %%xmm" #b "\n"
void multiply_add_sse42() {
  // A factor of one: nothing renews these products, and denormal numbers would be slow.
  static const float one = 1;
  int64_t n = rounds;
  asm volatile(
      "movss %1, %%xmm0\nshufps $0, %%xmm0, %%xmm0\nmovss %2, %%xmm1\nshufps $0, %%xmm1, %%xmm1\n"  //
      SSE_EACH(SSE_SET) "1:\n" SSE_EACH(SSE_STEP) "dec %0\njnz 1b\n"
      : "+r"(n)
      : "m"(one), "m"(summand)
      : CLOBBERED);
}
#define AVX2_SET(i) "vmovaps %%ymm1, %%ymm" #i "\n"
#define AVX2_STEP(i) "vfmadd213ps %%ymm1, %%ymm0, %%ymm" #i "\n"
void multiply_add_avx2() {
  REPEATED("vbroadcastss %1, %%ymm0\nvbroadcastss %2, %%ymm1\n" EACH12(AVX2_SET), EACH12(AVX2_STEP),
           "vzeroupper\n");
}
#define AVX512_SET(i) "vmovaps %%zmm1, %%zmm" #i "\n"
#define AVX512_STEP(i) "vfmadd213ps %%zmm1, %%zmm0, %%zmm" #i "\n"
void multiply_add_avx512() {
  REPEATED("vbroadcastss %1, %%zmm0\nvbroadcastss %2, %%zmm1\n" EACH12(AVX512_SET), EACH12(AVX512_STEP),
           "vzeroupper\n");
}

#define READING(body, finish) \
  asm volatile("1:\n" body "cmp %1, %0\njb 1b\n" finish : "+r"(p) : "r"(p + bytes) : CLOBBERED)
#define LOAD(kind, r, i, bytes) "vmovaps " #i "*" #bytes "(%0), %%" #kind #r "\n"
void read_sse42(const char* p, int64_t bytes) {
#define SSE_LOAD(i, r) "movaps " #i "*16(%0), %%xmm" #r "\n"
  READING(SSE_LOAD(0, 0) SSE_LOAD(1, 1) SSE_LOAD(2, 2) SSE_LOAD(3, 3) SSE_LOAD(4, 4) SSE_LOAD(5, 5)
              SSE_LOAD(6, 6) SSE_LOAD(7, 7) SSE_LOAD(8, 8) SSE_LOAD(9, 9) SSE_LOAD(10, 10) SSE_LOAD(11, 11)
                  SSE_LOAD(12, 12) SSE_LOAD(13, 13) SSE_LOAD(14, 14) SSE_LOAD(15, 15) "add $256, %0\n",
          "");
}
void read_avx2(const char* p, int64_t bytes) {
  READING(LOAD(ymm, 0, 0, 32) LOAD(ymm, 1, 1, 32) LOAD(ymm, 2, 2, 32) LOAD(ymm, 3, 3, 32) LOAD(ymm, 4, 4, 32)
              LOAD(ymm, 5, 5, 32) LOAD(ymm, 6, 6, 32) LOAD(ymm, 7, 7, 32) LOAD(ymm, 8, 8, 32)
                  LOAD(ymm, 9, 9, 32) LOAD(ymm, 10, 10, 32) LOAD(ymm, 11, 11, 32) LOAD(ymm, 12, 12, 32)
                      LOAD(ymm, 13, 13, 32) LOAD(ymm, 14, 14, 32) LOAD(ymm, 15, 15, 32) "add $512, %0\n",
          "vzeroupper\n");
}
void read_avx512(const char* p, int64_t bytes) {
  READING(LOAD(zmm, 0, 0, 64) LOAD(zmm, 1, 1, 64) LOAD(zmm, 2, 2, 64) LOAD(zmm, 3, 3, 64) LOAD(zmm, 4, 4, 64)
              LOAD(zmm, 5, 5, 64) LOAD(zmm, 6, 6, 64) LOAD(zmm, 7, 7, 64) LOAD(zmm, 8, 8, 64)
                  LOAD(zmm, 9, 9, 64) LOAD(zmm, 10, 10, 64) LOAD(zmm, 11, 11, 64) LOAD(zmm, 12, 12, 64)
                      LOAD(zmm, 13, 13, 64) LOAD(zmm, 14, 14, 64) LOAD(zmm, 15, 15, 64) "add $1024, %0\n",
          "vzeroupper\n");
}
constexpr Kernel kernel_sse42 = {7 * 2 * 4, multiply_add_sse42, read_sse42};
constexpr Kernel kernel_avx2 = {12 * 2 * 8, multiply_add_avx2, read_avx2};
constexpr Kernel kernel_avx512 = {12 * 2 * 16, multiply_add_avx512, read_avx512};

#elif defined(__aarch64__)
#define EACH24(M) EACH12(M) M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23) M(24) M(25)
#define CLOBBERED                                                                                         \
  "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", \
      "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25"
#define NEON_SET(i) "mov v" #i ".16b, v1.16b\n"
#define NEON_STEP(i) "fmla v" #i ".4s, v0.4s, v1.4s\n"
// fmla adds to its register: 1e-3 * 0.999 each time, far from overflow.
void multiply_add_neon() {
  int64_t n = rounds;
  asm volatile("ld1r {v0.4s}, [%1]\nld1r {v1.4s}, [%2]\n" EACH24(NEON_SET) "1:\n" EACH24(
                   NEON_STEP) "subs %0, %0, #1\nb.ne 1b\n"
               : "+r"(n)
               : "r"(&factor), "r"(&summand)
               : CLOBBERED);
}
void read_neon(const char* p, int64_t bytes) {
  asm volatile(
      "1:\n"
      "ldp q0, q1, [%0]\nldp q2, q3, [%0, #32]\nldp q4, q5, [%0, #64]\nldp q6, q7, [%0, #96]\n"
      "ldp q16, q17, [%0, #128]\nldp q18, q19, [%0, #160]\nldp q20, q21, [%0, #192]\nldp q22, q23, [%0, "
      "#224]\n"
      "add %0, %0, #256\ncmp %0, %1\nb.lo 1b\n"
      : "+r"(p)
      : "r"(p + bytes)
      : CLOBBERED);
}
constexpr Kernel kernel_neon = {24 * 2 * 4, multiply_add_neon, read_neon};
#endif

const Kernel& kernel_of(Isa isa) {
  constexpr const Kernel* kernels[] = {
#define ISA(name, supported) &kernel_##name,
#include "base/isa.def"
#undef ISA
  };
  return *kernels[static_cast<size_t>(isa)];
}

struct Free {
  void operator()(char* p) const { std::free(p); }
};
using Memory = std::unique_ptr<char, Free>;

// What the kernel tells of the first processor, else the C library: on AMD's that counts the L3 of all dies as
// one, on Arm's it knows none.
int64_t cache_bytes(int level) {
  for (int i = 0; i < 8; i++) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i);
    const auto word = [&](const char* file) {
      char text[32] = "";
      if (std::FILE* f = std::fopen((folder + file).c_str(), "r")) {
        if (std::fscanf(f, "%31s", text) != 1) text[0] = 0;
        std::fclose(f);
      }
      return std::string(text);
    };
    if (word("/level") != std::to_string(level) || word("/type") == "Instruction") continue;
    const std::string size = word("/size");
    const int64_t unit = size.empty() ? 0 : size.back() == 'M' ? 1 << 20 : size.back() == 'K' ? 1 << 10 : 1;
    if (const int64_t bytes = std::atoll(size.c_str()) * unit; bytes > 0) return bytes;
  }
  constexpr int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  return std::max<int64_t>(sysconf(names[level - 1]), 0);
}

}  // namespace

double multiply_add_rate(Isa isa, int threads, double seconds) {
  const Kernel& k = kernel_of(isa);
  const double time = best_time(threads, seconds, [&](int) { k.multiply_add(); });
  return static_cast<double>(rounds) * k.operations * threads / time;
}

double read_rate(Isa isa, int64_t bytes, int threads, double seconds) {
  bytes = std::max<int64_t>(bytes / 1024, 1) * 1024;
  std::vector<Memory> sets;
  for (int t = 0; t < threads; t++) {
    sets.emplace_back(static_cast<char*>(
        std::aligned_alloc(size_t{1} << 21, (static_cast<size_t>(bytes) + (1 << 21) - 1) >> 21 << 21)));
    if (!sets.back()) return 0;
    std::memset(sets.back().get(), 1, static_cast<size_t>(bytes));
  }
  const Kernel& k = kernel_of(isa);
  const int64_t passes = std::max<int64_t>(1, (int64_t{4} << 20) / bytes);
  const double time = best_time(threads, seconds, [&](int t) {
    for (int64_t i = 0; i < passes; i++) k.read(sets[static_cast<size_t>(t)].get(), bytes);
  });
  return static_cast<double>(bytes) * static_cast<double>(passes) * threads / time;
}

Levels cache_levels(int threads) {
  constexpr const char* names[] = {"L1", "L2", "L3"};
  Levels levels;
  int64_t largest = 0;
  for (int i = 1; i <= 3; i++) {
    const int64_t capacity = cache_bytes(i);
    if (capacity <= largest) continue;
    // The last level is shared by all threads, and on a rented machine by others.
    levels.level[levels.count++] = {names[i - 1], capacity, i == 3 ? capacity / 2 / threads : capacity / 2};
    largest = capacity;
  }
  const int64_t machine = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  const int64_t beyond = std::min(std::max<int64_t>(4 * largest, 128 << 20), machine / 4 / threads);
  if (beyond > largest) levels.level[levels.count++] = {"memory", INT64_MAX, beyond};
  return levels;
}

}  // namespace hone::bench
