// bench_kernels [--isa NAME] [--threads N] [--tactic NAME] FILE|PROBLEM...: times every tactic that accepts
// the problems (the lines of tests/kernels/problem.h) and prints GFLOP/s, the share of what independent
// multiply-adds reach in this very process, and GB/s of input + output. Minimum over repetitions of at least
// 0.1 s; operands are as hot as the caches allow.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "problem.h"

namespace hone::test {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class F>
double best_time(double budget, F&& f) {
  double best = 1e9;
  const double end = now() + budget;
  do {
    const double start = now();
    f();
    best = std::min(best, now() - start);
  } while (now() < end);
  return best;
}

#if defined(__x86_64__)
#define ANY_REGISTER "+v"
#else
#define ANY_REGISTER "+w"
#endif
// Twelve accumulators hide the latency of up to four cycles on three units.
#define CEILING(isa, flags, size)                                                                    \
  flags double flops_##isa() {                                                                       \
    typedef float V __attribute__((vector_size(size)));                                              \
    V a[12] = {};                                                                                    \
    const V x = V{} + 0.999f, y = V{} + 1e-3f;                                                       \
    for (int i = 0; i < 4000; i++) {                                                                 \
      a[0] = a[0] * x + y, a[1] = a[1] * x + y, a[2] = a[2] * x + y;                                 \
      a[3] = a[3] * x + y, a[4] = a[4] * x + y, a[5] = a[5] * x + y;                                 \
      a[6] = a[6] * x + y, a[7] = a[7] * x + y, a[8] = a[8] * x + y;                                 \
      a[9] = a[9] * x + y, a[10] = a[10] * x + y, a[11] = a[11] * x + y;                             \
      asm volatile(""                                                                                \
                   : ANY_REGISTER(a[0]), ANY_REGISTER(a[1]), ANY_REGISTER(a[2]), ANY_REGISTER(a[3]), \
                     ANY_REGISTER(a[4]), ANY_REGISTER(a[5]));                                        \
      asm volatile(""                                                                                \
                   : ANY_REGISTER(a[6]), ANY_REGISTER(a[7]), ANY_REGISTER(a[8]), ANY_REGISTER(a[9]), \
                     ANY_REGISTER(a[10]), ANY_REGISTER(a[11]));                                      \
    }                                                                                                \
    return 2.0 * 4000 * 12 * size / sizeof(float);                                                   \
  }
#if defined(__x86_64__)
CEILING(sse42, __attribute__((target("sse4.2"))), 16)
CEILING(avx2, __attribute__((target("avx2,fma"))), 32)
CEILING(avx512, __attribute__((target("avx512f,avx512vl"))), 64)
#else
CEILING(neon, , 16)
#endif

double ceiling(Isa isa, int threads) {
  double (*flops)() = nullptr;
  switch (isa) {
#define ISA(name, supported) \
  case Isa::name:            \
    flops = flops_##name;    \
    break;
#include "base/isa.def"
#undef ISA
  }
  ThreadPool pool(threads);
  const double work = flops() * threads;
  return work / best_time(0.1, [&] { pool.run(threads, [&](int64_t, int) { flops(); }); });
}

struct Buffer {
  explicit Buffer(int64_t bytes)
      : data(std::aligned_alloc(4096, static_cast<size_t>((bytes + 8191) / 4096 * 4096))) {
    std::memset(data, 0, static_cast<size_t>(bytes));
  }
  ~Buffer() { std::free(data); }
  Buffer(const Buffer&) = delete;
  void* data;
};

void time_problem(const std::string& line, Isa isa, int threads, const std::string& only, double peak) {
  auto c = parse_problem(line, false);
  if (!c) {
    std::printf("%s: %s\n", line.c_str(), c.error().message.c_str());
    return;
  }
  const OpDef& op = *find_op(c->op);
  Attrs a = c->attrs;
  if (const Status s = bind_attrs(op, a, true); !s) {
    std::printf("%s: %s\n", line.c_str(), s.error().message.c_str());
    return;
  }
  std::vector<Operand> in;
  std::vector<const void*> data;
  std::vector<ValueType> types;
  double bytes = 0;
  for (const Tensor& t : c->in) {
    in.push_back(t ? Operand{t.dtype(), t.shape(), t.shape().rank() ? t.shape().back() : 1} : Operand{});
    data.push_back(t ? t.bytes() : nullptr);
    types.push_back(t ? ValueType(t.dtype(), t.shape()) : ValueType());
  }
  for (size_t i : c->constants)
    if (i < in.size()) in[i].constant = c->in[i].bytes();
  for (size_t i = 0; i < in.size(); i++)
    if (in[i] && !in[i].constant) bytes += static_cast<double>(c->in[i].byte_size());
  Infer infer{op, a, types, c->in, {}};
  infer.out.resize(1);
  if (const Status s = infer_types(infer); !s) {
    std::printf("%s: %s\n", line.c_str(), s.error().message.c_str());
    return;
  }
  const Shape shape = infer.out[0].shape;
  const std::vector<Operand> out = {{DType::f32, shape, shape.back()}};
  Buffer result(shape.elements() * 4);
  bytes += static_cast<double>(shape.elements()) * 4;
  const Problem p{&op, &a, in, out, isa, threads};
  ThreadPool pool(threads);
  std::printf("%s\n", line.c_str());
  for (const Tactic* t : tactics_for(op)) {
    if (!only.empty() && only != t->name) continue;
    if (const Accept accept = t->accepts(p); !accept) {
      if (!only.empty()) std::printf("  %-22s not used because %s\n", t->name, accept.why().c_str());
      continue;
    }
    Prepared prepared;
    if (!t->prepare(p, prepared)) continue;
    Buffer packed(prepared.packed_bytes), scratch(prepared.scratch_bytes);
    if (prepared.packed_bytes) t->pack(p, prepared, packed.data);
    void* const outputs[] = {result.data};
    const Run run{prepared.params.data(), packed.data, data, outputs, scratch.data, pool};
    const double time = best_time(0.15, [&] { t->run(run); });
    std::printf("  %-22s %9.1f us  %7.1f GFLOP/s  %5.1f %%  %6.1f GB/s\n", t->name, time * 1e6,
                flops(*c) / time / 1e9, 100 * flops(*c) / time / peak, bytes / time / 1e9);
  }
}

int usage() {
  std::fprintf(stderr, "usage: bench_kernels [--isa NAME] [--threads N] [--tactic NAME] FILE|PROBLEM...\n");
  return 2;
}

int bench(int argc, char** argv) {
  Isa isa = available_isas().back();
  int threads = 1;
  std::string only;
  std::vector<std::string> lines;
  for (int i = 1; i < argc; i++) {
    const std::string arg = argv[i];
    if (arg.rfind("--", 0) == 0) {
      if (++i == argc) return usage();
      if (arg == "--threads") threads = std::max(1, std::atoi(argv[i]));
      else if (arg == "--tactic") only = argv[i];
      else if (arg == "--isa") {
        bool found = false;
        for (Isa known : available_isas())
          if (std::strcmp(isa_name(known), argv[i]) == 0) isa = known, found = true;
        if (!found) return usage();
      } else return usage();
    } else if (std::filesystem::exists(arg)) {
      for (const std::string& line : read_lines(arg)) lines.push_back(line);
    } else {
      lines.push_back(arg);
    }
  }
  if (lines.empty()) return usage();
  const double peak = ceiling(isa, threads);
  std::printf("%s, %d threads, ceiling %.1f GFLOP/s\n", isa_name(isa), threads, peak / 1e9);
  for (const std::string& line : lines) time_problem(line, isa, threads, only, peak);
  return 0;
}

}  // namespace
}  // namespace hone::test

int main(int argc, char** argv) { return hone::test::bench(argc, argv); }
