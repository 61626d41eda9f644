// bench_ceilings [--threads N]... [--json]: what this machine reaches at best: float32 multiply-adds with each
// instruction set, and reading from each level of the caches and from memory, for one and two threads unless
// told otherwise. Takes some seconds; see ceiling.h for what is measured.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/json.h"
#include "bench/ceiling.h"

namespace hone::bench {
namespace {

int usage() {
  std::fprintf(stderr, "usage: bench_ceilings [--threads N]... [--json]\n");
  return 2;
}

int run(int argc, char** argv) {
  std::vector<int> counts;
  bool json = false;
  for (int i = 1; i < argc; i++) {
    if (std::strcmp(argv[i], "--json") == 0) {
      json = true;
    } else if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
      const int n = std::atoi(argv[++i]);
      if (n < 1 || n > 256) return usage();
      counts.push_back(n);
    } else {
      return usage();
    }
  }
  if (counts.empty()) counts = {1, 2};
  if (available_isas().empty()) {
    std::fprintf(stderr, "bench_ceilings: this processor is below what Hone needs\n");
    return 1;
  }
  Json all = Json::array();
  for (int threads : counts) {
    if (threads > available_cores())
      std::fprintf(stderr, "bench_ceilings: %d threads on %d cores share them\n", threads, available_cores());
    Json rates = Json::object(), reads = Json::array();
    if (!json) std::printf("%d thread%s\n", threads, threads == 1 ? "" : "s");
    for (Isa isa : available_isas()) {
      const double gflops = multiply_add_rate(isa, threads) / 1e9;
      rates.set(isa_name(isa), gflops);
      if (!json) std::printf("  %-8s %8.1f GFLOP/s\n", isa_name(isa), gflops);
    }
    for (const Level& level : cache_levels(threads)) {
      const double gbs = read_rate(available_isas().back(), level.set_bytes, threads) / 1e9;
      if (gbs <= 0) continue;
      reads.push(
          Json::object().set("level", level.name).set("set_bytes", level.set_bytes).set("gb_per_s", gbs));
      if (!json)
        std::printf("  %-8s %8.1f GB/s   (%lld KiB for each thread)\n", level.name, gbs,
                    static_cast<long long>(level.set_bytes / 1024));
    }
    all.push(Json::object().set("threads", threads).set("gflops", rates).set("read", reads));
  }
  if (json) std::printf("%s\n", Json::object().set("ceilings", all).str().c_str());
  return 0;
}

}  // namespace
}  // namespace hone::bench

int main(int argc, char** argv) { return hone::bench::run(argc, argv); }
