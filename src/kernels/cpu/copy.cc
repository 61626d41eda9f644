#include "kernels/cpu/copy.h"

#include <algorithm>

#include "kernels/isa_kernels.h"

namespace hone {
namespace {

constexpr int64_t grain = 32768;  // bytes of a task, where there are as many

}  // namespace

bool can_copy(DType d) {
  const int bits = dtype_bits(d);
  return dtype_kind(d) != DKind::text && (bits == 8 || bits == 16 || bits == 32 || bits == 64);
}

std::array<int64_t, max_rank> strides_of(const Operand& o) {
  std::array<int64_t, max_rank> s{};
  int64_t step = 1;
  for (size_t i = o.shape.size(); i-- > 0;) {
    s[i] = step;
    step = i + 1 == o.shape.size() ? o.pitch : step * o.shape[i];
  }
  return s;
}

CopyPlan plan_copy(const Problem& problem, Nest<2> nest, int64_t to_offset, int64_t from_offset) {
  CopyPlan p;
  p.kernels = isa_kernels(problem.isa).copy;
  const int64_t bytes = dtype_bytes(problem.in[0].dtype, 1);
  while (int64_t{1} << p.log_size < bytes) p.log_size++;
  p.to_offset = to_offset;
  p.from_offset = from_offset;
  if (nest.empty()) return p;
  nest.join();
  // The innermost loop is the one that is contiguous in the destination; the last, as a rule.
  int inner = nest.rank - 1;
  for (int i = 0; i < nest.rank; i++)
    if (nest.stride[static_cast<size_t>(i)][0] == 1) inner = i;
  int across = -1;
  if (inner >= 0) {
    const auto k = static_cast<size_t>(inner);
    p.n = nest.size[k];
    p.to_step = nest.stride[k][0];
    p.from_step = nest.stride[k][1];
    p.kind = p.to_step == 1 && p.from_step == 1 ? CopyPlan::Kind::rows : CopyPlan::Kind::strided;
    // A loop contiguous in the source makes it a transposition.
    for (int i = 0; i < nest.rank && p.kind == CopyPlan::Kind::strided && p.to_step == 1 && p.from_step != 0;
         i++)
      if (i != inner && nest.stride[static_cast<size_t>(i)][1] == 1) across = i;
    if (across >= 0) {
      p.kind = CopyPlan::Kind::transpose;
      p.columns = nest.size[static_cast<size_t>(across)];
      p.to_row = nest.stride[static_cast<size_t>(across)][0];
    }
  }
  p.items = 1;
  for (int i = 0; i < nest.rank; i++) {
    if (i == inner || i == across) continue;
    const auto k = static_cast<size_t>(i), r = static_cast<size_t>(p.rank++);
    p.size[r] = nest.size[k];
    p.to[r] = nest.stride[k][0];
    p.from[r] = nest.stride[k][1];
    p.items *= nest.size[k];
  }
  const int64_t item = p.n * p.columns * bytes;
  const int64_t cut = across >= 0 ? p.columns : p.n;
  // Parts are multiples of 64 elements: threads share few cache lines, and squares stay whole.
  p.part = std::min(cut, std::max<int64_t>(64, (grain / std::max<int64_t>(1, item / cut) + 63) / 64 * 64));
  p.parts = (cut + p.part - 1) / p.part;
  p.items_per_task = p.parts > 1 ? 1 : std::clamp<int64_t>(grain / item, 1, p.items);
  p.tasks = (p.items + p.items_per_task - 1) / p.items_per_task * p.parts;
  return p;
}

void copy_task(const CopyPlan& p, void* to_, const void* from_, int64_t task) {
  const int64_t start = task % p.parts * p.part;
  int64_t item = task / p.parts * p.items_per_task;
  const int64_t end = std::min(p.items, item + p.items_per_task);
  int64_t at[Nest<2>::max_loops], to = p.to_offset, from = p.from_offset;
  for (int64_t i = p.rank - 1, rest = item; i >= 0; i--) {
    at[i] = rest % p.size[i];
    rest /= p.size[i];
    to += at[i] * p.to[i];
    from += at[i] * p.from[i];
  }
  char* const y = static_cast<char*>(to_);
  const char* const x = static_cast<const char*>(from_);
  for (;;) {
    char* const d = y + (to << p.log_size);
    const char* const s = x + (from << p.log_size);
    switch (p.kind) {
      case CopyPlan::Kind::rows:
        std::memcpy(d + (start << p.log_size), s + (start << p.log_size),
                    static_cast<size_t>(std::min(p.part, p.n - start) << p.log_size));
        break;
      case CopyPlan::Kind::transpose:
        p.kernels->transpose[p.log_size](d + (start * p.to_row << p.log_size), p.to_row,
                                         s + (start << p.log_size), p.from_step, p.n,
                                         std::min(p.part, p.columns - start));
        break;
      case CopyPlan::Kind::strided:
        p.kernels->strided[p.log_size](d + (start * p.to_step << p.log_size), p.to_step,
                                       s + (start * p.from_step << p.log_size), p.from_step,
                                       std::min(p.part, p.n - start));
        break;
    }
    if (++item == end) return;
    for (int i = p.rank - 1; i >= 0; i--) {
      to += p.to[i];
      from += p.from[i];
      if (++at[i] < p.size[i]) break;
      to -= p.to[i] * p.size[i];
      from -= p.from[i] * p.size[i];
      at[i] = 0;
    }
  }
}

}  // namespace hone
