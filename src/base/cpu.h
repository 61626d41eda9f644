// What processor this is: instruction sets, cores, caches.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hone {

enum class Isa : uint8_t {
#define ISA(name, supported) name,
#include "base/isa.def"
#undef ISA
};
const char* isa_name(Isa);
std::string processor_name();  // as it calls itself, in printable characters; "unknown processor"
std::string target_name(Isa);  // with the architecture: "x86-64 avx512"
std::span<const Isa>
available_isas();  // those of this machine, weakest first; empty: the machine is below our floor
// The one to use: the strongest, or the one HONE_ISA names. Errors: HONE_ISA names none of the available ones
// (the message lists them), or the machine is below the floor. Reads the environment at each call.
Result<Isa> active_isa();

int available_cores();  // that this process may use (affinity mask)
// Per core: what HONE_L2 says, else the system, else 512 KiB. Reads the environment at each call.
int64_t l2_cache_bytes();
// Threads to use: `requested` if > 0, else HONE_THREADS, else available_cores(). Errors: not a number
// in 1..256.
Result<int> thread_count(int requested);

}  // namespace hone
