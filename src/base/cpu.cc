#include "base/cpu.h"

#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/log.h"

namespace hone {
namespace {
constexpr const char* names[] = {
#define ISA(name, supported) #name,
#include "base/isa.def"
#undef ISA
};
}  // namespace

const char* isa_name(Isa isa) { return names[static_cast<size_t>(isa)]; }

std::string target_name(Isa isa) {
#if defined(__x86_64__)
  constexpr const char* architecture = "x86-64 ";
#elif defined(__aarch64__)
  constexpr const char* architecture = "aarch64 ";
#endif
  return std::string(architecture) + isa_name(isa);
}

std::string processor_name() {
  // Arm's processors say numbers only: of who made the core, and of the core.
  std::ifstream file("/proc/cpuinfo");
  std::string line, arm;
  for (int lines = 0; lines < 64 && std::getline(file, line); lines++) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    std::string value = line.substr(colon + 2, 100);
    for (char& c : value) c = c >= ' ' && c <= '~' ? c : '?';
    if (line.rfind("model name", 0) == 0) return value;
    if (line.rfind("CPU implementer", 0) == 0 || (!arm.empty() && line.rfind("CPU part", 0) == 0))
      arm += (arm.empty() ? "Arm core " : " ") + value;
    if (line.rfind("CPU part", 0) == 0 && !arm.empty()) break;
  }
  return arm.empty() ? "unknown processor" : arm;
}

std::span<const Isa> available_isas() {
  static const std::vector<Isa> list = [] {
    std::vector<Isa> v;
#define ISA(name, supported) \
  if (supported) v.push_back(Isa::name);
#include "base/isa.def"
#undef ISA
    return v;
  }();
  return list;
}

Result<Isa> active_isa() {
  const auto list = available_isas();
  if (list.empty())
    return error(Code::unsupported, "this processor is too old: Hone needs at least %s", names[0]);
  const char* forced = std::getenv("HONE_ISA");
  if (!forced || !*forced) return list.back();
  std::string have;
  for (Isa isa : list) {
    if (std::string_view(forced) == isa_name(isa)) return isa;
    have += (have.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  return error(Code::invalid_argument, "HONE_ISA=%s: this machine has %s; set one of these or unset it",
               forced, have.c_str());
}

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? static_cast<int>(n) : 1;
}

int64_t l2_cache_bytes() {
  if (const char* text = std::getenv("HONE_L2"); text && *text) {
    char* end = nullptr;
    const long long n = std::strtoll(text, &end, 10);
    if (!*end && n > 0 && n < (1LL << 40)) return n;
    log(LogLevel::warning, "HONE_L2=%s is no number of bytes; the processor's own is used", text);
  }
#ifdef _SC_LEVEL2_CACHE_SIZE
  const long n = sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (n > 0) return n;
#endif
  return 512 * 1024;
}

Result<int> thread_count(int requested) {
  if (requested > 256) return error(Code::invalid_argument, "threads=%d: expected 1 to 256", requested);
  if (requested > 0) return requested;
  const char* text = std::getenv("HONE_THREADS");
  if (!text || !*text) return available_cores();
  char* end = nullptr;
  const long n = std::strtol(text, &end, 10);
  if (*end || n < 1 || n > 256)
    return error(Code::invalid_argument, "HONE_THREADS=%s: expected a number from 1 to 256", text);
  return static_cast<int>(n);
}

}  // namespace hone
