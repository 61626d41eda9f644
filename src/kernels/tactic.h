// How operators run. A tactic is one way to run some problems of one operator. tactics.def lists them, for
// each operator from best to worst; behind all of them stands the operator's reference (ops/op.h), which
// accepts everything and is not listed. Dispatch (choose.h), tests and benchmarks read that list.
//
// Life of a tactic on one step:
//   accepts(problem)            says yes, or why not
//   cost(problem)               guesses what it would take, where the best of several depends on the problem
//   prepare(problem, prepared)  computes everything that depends on shapes only, into a plain struct of its
//   own (params), and
//                               says how much scratch and packed-weight memory it wants
//   pack(problem, prepared, p)  writes the constants of the problem in the layout the kernel likes (once per
//   engine) run(run)                    any number of times, from any thread but not two at a time on the
//   same scratch; allocates
//                               nothing, cannot fail
//
// Layout: see ops/op.h (channels_last). Tensors are row-major, but rows of the last dimension may lie `pitch`
// elements apart (pitch >= size of the last dimension): concat and split along channels are then free. Only
// tactics with pitched_in / pitched_out see pitch != size of the last dimension.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/cpu.h"
#include "base/thread_pool.h"
#include "ops/op.h"

namespace hone {

struct Operand {
  DType dtype = DType::none;       // none: absent optional operand
  Shape shape;                     // concrete
  int64_t pitch = 0;               // elements between rows of the last dimension
  const void* constant = nullptr;  // the bytes, where known when preparing
  explicit operator bool() const { return dtype != DType::none; }
};

struct Problem {
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::span<const Operand> in, out;
  Isa isa{};
  int threads = 1;
  const Operand& input(size_t i) const {
    static const Operand none;
    return i < in.size() ? in[i] : none;
  }
};

// The answer of accepts(): yes, or a reason that completes "not used because ...".
class Accept {
 public:
  static Accept yes() { return {}; }
  static Accept no(std::string why) {
    Accept a;
    a.why_ = std::move(why);
    a.ok_ = false;
    return a;
  }
  explicit operator bool() const { return ok_; }
  const std::string& why() const { return why_; }

 private:
  bool ok_ = true;
  std::string why_;
};
#define REFUSE_UNLESS(condition, why)                 \
  do {                                                \
    if (!(condition)) return ::hone::Accept::no(why); \
  } while (0)

struct Prepared {
  std::vector<std::byte> params;  // a trivially copyable struct of the tactic's own
  int64_t scratch_bytes = 0;      // for all threads together; 64-byte aligned when run() sees it
  int64_t packed_bytes = 0;       // 0: pack() is not called
  std::string
      packed_key;  // two steps with equal constants and equal keys share one packed copy. Must name all that
                   // the packing depends on besides the constants' bytes (tile sizes, lanes, ...), not the
                   // isa
  // Where the packed bytes are read first: by part i of run() at i * first_step, and how many. The step before
  // fetches them while it computes.
  int64_t first_step = 0, first_bytes = 0;
  template <class T>
  T& make() {
    static_assert(std::is_trivially_copyable_v<T>);
    params.resize(sizeof(T));
    return *new (params.data()) T();
  }
};

struct Run {
  const void* params;
  const void* packed;               // 64-byte aligned
  std::span<const void* const> in;  // null where absent
  std::span<void* const> out;       // null where not wanted
  void* scratch;
  ThreadPool& pool;
  // The packed bytes that the next step will read first, to be fetched ahead (prefetched, never read); may be null.
  const std::byte* next = nullptr;
  int64_t next_step = 0, next_bytes = 0;  // Prepared::first_step and first_bytes of that step
  template <class T>
  const T& as() const {
    return *static_cast<const T*>(params);
  }
};

// Which rows of an operand an output row needs: row y those from y * stride - before on, `extent` of them (as
// far as there are). `pixel`: each output pixel needs the pixel of the operand that has its number, no other.
struct Reach {
  int64_t stride = 1, before = 0, extent = 1;
  bool pixel = false;
};

// Some pixels of the output of a step over channels-last maps. Pixels and rows are numbered through all images.
struct StripRun {
  const void* params;
  const void* packed;
  std::span<const void* const> in;  // where the first pixel is, or would be if more than a strip were there
  void* out;                        // likewise
  int64_t begin, end;               // pixels, all of one image if an operand's reach is more than a pixel
  int64_t wrap, back;  // rows of the operand that comes in strips, from `wrap` on, lie `back` bytes earlier
  void* scratch;       // of this thread
  template <class T>
  const T& as() const {
    return *static_cast<const T*>(params);
  }
};

// How a tactic makes its output in pieces of any size, in any order, with the bits of a whole run; for
// kernels/strips.h.
struct StripKernel {
  // May this operand come a strip at a time (dense, as tall as the reach wants)? -1: none does, all are whole.
  Accept (*reach)(const Problem&, int operand, Reach&);
  void (*run)(const StripRun&);
  int64_t (*scratch)(const void* params) = nullptr;  // bytes, of a thread; null: none
  // Of a step that sums its operand up; it can only end a chain. run() then takes pixels of the operand, whole
  // rows, each once, and leaves what it finds in memory of `partial` bytes (StripRun::out) that all threads
  // share; finish() makes the output of that.
  int64_t (*partial)(const void* params) = nullptr;
  void (*finish)(const void* params, const void* partial, void* out) = nullptr;
};

struct Tactic {
  const char* name;  // unique within the operator: "conv_gemm_f32"
  const char* op;    // OpDef::name (standard domain)
  Accept (*accepts)(const Problem&);
  Status (*prepare)(const Problem&, Prepared&);
  void (*run)(const Run&);
  // Packed bytes may come from an engine file, whose contents nobody vouches for: numbers to calculate with,
  // never sizes or places.
  void (*pack)(const Problem&, const Prepared&, void* packed) = nullptr;
  // > 0, in a unit that the tactics of the operator share; of problems that it accepts. Whatever the number of
  // threads. Null: the place in the list decides (kernels/choose.h).
  double (*cost)(const Problem&) = nullptr;
  int layout = 1;            // version of what pack() makes; raise it when that changes
  uint32_t pitched_in = 0;   // bit i: input i may be pitched (1: input 0 only; ~0u: all, also past the 32nd)
  uint32_t pitched_out = 0;  // bit i: output i may be pitched
  // >= 0: output 0 may be the very memory of this input (same size, type and pitch). It is not where the same
  // memory is another operand as well, but for elementwise operators.
  int in_place = -1;
  // Concat, Split and the like must skip a copy whose source is its destination: the planner has then put it
  // in place.
  // 0: an output is as exact as plain summation makes it. Else the algorithm spreads errors, but by no more than
  // this share of the largest sum of magnitudes, |bias| + |w1 x1| + |w2 x2| + ..., behind any output.
  float error_bound = 0;
  const StripKernel* strips = nullptr;  // null: makes whole outputs only
};

// What packed bytes depend on besides the constants: "conv_gemm_f32 1 avx512 conv_gemm g1 ...". Engine files
// keep it.
std::string layout_name(const Tactic&, Isa, const Prepared&);
// The memory to pack into: one more cache line than asked for, as kernels may prefetch, and read, the vector
// behind the last one.
inline int64_t packed_size(const Prepared& p) { return (p.packed_bytes + 63) / 64 * 64 + 64; }

std::span<const Tactic* const> all_tactics();          // in the order of tactics.def
std::vector<const Tactic*> tactics_for(const OpDef&);  // best first
const Tactic* find_tactic(std::string_view op, std::string_view name);

}  // namespace hone
