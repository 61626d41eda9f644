// bench_kernels [--isa NAME] [--threads N] [--tactic NAME] [--cold] [FILE|PROBLEM]...: times every tactic that accepts
// the problems (lines as tests/kernels/problem.h explains; FILE: a path, or the name of a list of the tests such
// as conv; none: all lists of the tests). Prints for each the time (minimum over repetitions of at least 0.15 s;
// operands are as hot as the caches allow; with --cold, weights come from memory as in a network whose weights
// exceed the caches), GFLOP/s, and how near it is to what the machine can do, as measured
// in this very process (ceiling.h): percent of the time that multiply-adds take at best, or, where reading the
// operands takes longer, of that. More than 100 percent of the multiply-adds is possible: Winograd's algorithm
// needs fewer than the definition.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "bench/ceiling.h"
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

// What bounds a kernel: multiply-adds, and reading from the level of the caches that a set fits.
class Machine {
 public:
  Machine(Isa isa, int threads) : threads_(threads), flops_(bench::multiply_add_rate(isa, threads)) {
    for (const bench::Level& level : bench::cache_levels(threads))
      if (const double rate = bench::read_rate(isa, level.set_bytes, threads); rate > 0)
        levels_.push_back({level.name, level.capacity, rate});
  }
  double flops() const { return flops_; }
  struct Bound {
    const char* name;
    double seconds;
  };
  Bound bound(double flops, double bytes) const {
    const Bound compute = {"compute", flops / flops_};
    for (size_t i = 0; i < levels_.size(); i++) {
      const LevelRate& level = levels_[i];
      // Of the first two levels each core has its own.
      const double room = static_cast<double>(level.capacity) * (i < 2 ? threads_ : 1);
      if (bytes > room && i + 1 < levels_.size()) continue;
      const double seconds = bytes / level.rate;
      return seconds > compute.seconds ? Bound{level.name, seconds} : compute;
    }
    return compute;
  }
  void print() const {
    std::printf("%.1f GFLOP/s", flops_ / 1e9);
    for (const LevelRate& level : levels_) std::printf(", %s %.0f GB/s", level.name, level.rate / 1e9);
    std::printf("\n");
  }

 private:
  struct LevelRate {
    const char* name;
    int64_t capacity;
    double rate;
  };
  int threads_;
  double flops_;
  std::vector<LevelRate> levels_;
};

struct Buffer {
  explicit Buffer(int64_t bytes)
      : data(std::aligned_alloc(4096, static_cast<size_t>((bytes + 8191) / 4096 * 4096))) {
    std::memset(data, 0, static_cast<size_t>(bytes));
  }
  ~Buffer() { std::free(data); }
  Buffer(const Buffer&) = delete;
  void* data;
};

// Copies of weights of so many bytes together are no longer in any cache when the first one's turn comes again.
constexpr int64_t cold_bytes = 128 << 20;

void time_problem(const std::string& line, Isa isa, int threads, const std::string& only, bool cold,
                  const Machine& machine) {
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
    const int64_t packed_bytes = (prepared.packed_bytes + 4095) / 4096 * 4096,
                  copies = cold && packed_bytes ? std::max<int64_t>(cold_bytes / packed_bytes, 2) : 1;
    Buffer packed(packed_bytes * copies), scratch(prepared.scratch_bytes);
    const auto copy = [&](int64_t i) { return static_cast<std::byte*>(packed.data) + i * packed_bytes; };
    if (prepared.packed_bytes) t->pack(p, prepared, packed.data);
    for (int64_t i = 1; i < copies; i++)
      std::memcpy(copy(i), packed.data, static_cast<size_t>(prepared.packed_bytes));
    void* const outputs[] = {result.data};
    Run run{prepared.params.data(), packed.data, data, outputs, scratch.data, pool};
    const auto all_copies = [&] {
      for (int64_t i = 0; i < copies; i++) {
        run.packed = copy(i);
        if (copies > 1) {
          run.next = copy((i + 1) % copies);
          run.next_step = prepared.first_step;
          run.next_bytes = prepared.first_bytes;
        }
        t->run(run);
      }
    };
    const double time = best_time(0.15, all_copies) / static_cast<double>(copies);
    const double read = bytes + static_cast<double>(prepared.packed_bytes);
    const Machine::Bound bound = machine.bound(flops(*c), read);
    std::printf("  %-22s %9.1f us  %7.1f GFLOP/s  %6.1f GB/s  %5.1f %% of %s\n", t->name, time * 1e6,
                flops(*c) / time / 1e9, read / time / 1e9, 100 * bound.seconds / time, bound.name);
  }
}

int usage() {
  std::fprintf(
      stderr, "usage: bench_kernels [--isa NAME] [--threads N] [--tactic NAME] [--cold] [FILE|PROBLEM]...\n");
  return 2;
}

int bench(int argc, char** argv) {
  Isa isa = available_isas().back();
  int threads = 1;
  std::string only;
  bool cold = false;
  const std::string lists = HONE_SOURCE_DIR "/tests/kernels/cases/";
  std::vector<std::string> lines;
  for (int i = 1; i < argc; i++) {
    const std::string arg = argv[i];
    if (arg == "--cold") {
      cold = true;
    } else if (arg.rfind("--", 0) == 0) {
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
    } else if (const std::string list = lists + arg + ".txt"; std::filesystem::exists(list)) {
      for (const std::string& line : read_lines(list)) lines.push_back(line);
    } else {
      lines.push_back(arg);
    }
  }
  if (lines.empty()) {
    std::vector<std::string> files;
    for (const auto& file : std::filesystem::directory_iterator(lists)) files.push_back(file.path());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files)
      for (const std::string& line : read_lines(file)) lines.push_back(line);
  }
  const Machine machine(isa, threads);
  std::printf("%s, %d thread%s: ", isa_name(isa), threads, threads == 1 ? "" : "s");
  machine.print();
  for (const std::string& line : lines) time_problem(line, isa, threads, only, cold, machine);
  return 0;
}

}  // namespace
}  // namespace hone::test

int main(int argc, char** argv) { return hone::test::bench(argc, argv); }
