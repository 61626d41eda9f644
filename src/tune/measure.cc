#include "tune/measure.h"

#include <atomic>
#include <cstdlib>
#include <random>

namespace hone {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t most_between = 64 << 20;  // no cache of the machines we know keeps anything beyond
constexpr int least_rounds = 4, most_rounds = 24, quiet_rounds = 4;
constexpr double far_behind = 1.2, better = 0.99;

struct Memory {
  std::unique_ptr<void, void (*)(void*)> bytes{nullptr, std::free};
  Status allocate(int64_t size) {
    const size_t rounded = (static_cast<size_t>(size) + 127) / 64 * 64;
    bytes.reset(std::aligned_alloc(64, rounded));
    if (!bytes) return error(Code::limit, "out of memory: %zu bytes to time kernels", rounded);
    std::memset(bytes.get(), 0, rounded);
    return {};
  }
};

struct Contender {
  const Tactic* tactic = nullptr;
  Prepared prepared;
  Memory packed, scratch;
  double best = 0;
  bool out = false;
};

}  // namespace

Stopwatch::Stopwatch(int threads, int64_t between_runs)
    : threads_(threads),
      pool_(threads),
      other_(static_cast<size_t>(std::clamp<int64_t>(between_runs, 0, most_between)) / 8) {}

void Stopwatch::cool() {
  constexpr int64_t line = 8;
  std::atomic<uint64_t> sum = 0;
  const int64_t share = static_cast<int64_t>(other_.size()) / threads_;
  pool_.run(threads_, [&](int64_t part, int) {
    uint64_t mine = 0;
    for (int64_t i = part * share; i < (part + 1) * share; i += line) mine += other_[static_cast<size_t>(i)];
    sum += mine;
  });
  sum_ += sum;
}

Result<std::vector<double>> Stopwatch::time(const StepProblem& p,
                                            std::span<const Candidate* const> candidates,
                                            Clock::time_point end, const std::function<bool()>& cancelled) {
  const Problem problem = p.problem(threads_);
  std::vector<Memory> memory(p.in.size() + p.out.size());
  std::vector<const void*> in;
  std::vector<void*> out;
  std::mt19937 random(1);
  for (size_t i = 0; i < p.in.size(); i++) {
    const Operand& o = p.in[i];
    if (!o || o.constant) {
      in.push_back(o.constant);
      continue;
    }
    HONE_CHECK(memory[i].allocate(dtype_bytes(o.dtype, o.shape.elements())));
    in.push_back(memory[i].bytes.get());
    if (o.dtype != DType::f32) continue;
    float* x = static_cast<float*>(memory[i].bytes.get());
    for (int64_t k = 0; k < o.shape.elements(); k++) x[k] = static_cast<float>(random() >> 8) * 0x1p-23f - 1;
  }
  for (size_t i = 0; i < p.out.size(); i++) {
    const Operand& o = p.out[i];
    Memory& m = memory[p.in.size() + i];
    if (o) HONE_CHECK(m.allocate(dtype_bytes(o.dtype, o.shape.elements())));
    out.push_back(m.bytes.get());
  }
  // A network's steps share an arena: what they work on is where the one before has left it, each thread's share
  // near that thread; the input last, for it has just been written.
  const auto touch = [&](void* memory_of, int64_t size) {
    pool_.run(threads_, [&](int64_t part, int) {
      auto* bytes = static_cast<volatile unsigned char*>(memory_of);
      for (int64_t at = size / threads_ * part; at < size / threads_ * (part + 1); at += 64)
        bytes[at] = bytes[at];
    });
  };
  const auto warm = [&](const Contender& c) {
    touch(c.scratch.bytes.get(), c.prepared.scratch_bytes);
    for (size_t i = memory.size(); i-- > 0;) {
      const Operand& o = i < p.in.size() ? p.in[i] : p.out[i - p.in.size()];
      if (o && memory[i].bytes) touch(memory[i].bytes.get(), dtype_bytes(o.dtype, o.shape.elements()));
    }
  };
  std::vector<Contender> list;
  for (const Candidate* c : candidates) {
    Contender& one = list.emplace_back();
    one.tactic = c->tactic;
    HONE_CHECK(one.tactic->prepare(problem, one.prepared));
    HONE_CHECK(one.packed.allocate(packed_size(one.prepared)));
    HONE_CHECK(one.scratch.allocate(one.prepared.scratch_bytes));
    if (one.prepared.packed_bytes > 0) one.tactic->pack(problem, one.prepared, one.packed.bytes.get());
  }
  const auto run = [&](const Contender& c) {
    c.tactic->run({c.prepared.params.data(), c.prepared.packed_bytes > 0 ? c.packed.bytes.get() : nullptr, in,
                   out, c.scratch.bytes.get(), pool_});
  };
  for (const Contender& c : list) run(c);  // pages, code
  int since_better = 0;
  double leader = 0;
  for (int round = 1; round <= most_rounds; round++) {
    for (Contender& c : list) {
      if (c.out) continue;
      if (cancelled && cancelled()) return error(Code::cancelled, "cancelled by the caller");
      if (Clock::now() >= end && round <= least_rounds) return std::vector<double>();
      cool();
      warm(c);
      const auto start = Clock::now();
      run(c);
      const double us = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
      if (c.best == 0 || us < c.best) c.best = us;
    }
    double best = list.front().best;
    for (const Contender& c : list) best = std::min(best, c.best);
    since_better = leader == 0 || best < better * leader ? 0 : since_better + 1;
    leader = best;
    if (round < least_rounds) continue;
    int left = 0;
    for (Contender& c : list) left += !(c.out = c.out || c.best > far_behind * best);
    if (left < 2 || since_better >= quiet_rounds || Clock::now() >= end) break;
  }
  std::vector<double> times;
  for (const Contender& c : list) times.push_back(c.best);
  return times;
}

}  // namespace hone
