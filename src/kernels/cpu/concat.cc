// Concat and Split: one strided copy for each part. A part that the planner has put in its place in the whole
// is skipped.
#include <algorithm>
#include <new>

#include "kernels/cpu/copy.h"

namespace hone {
namespace {

// What the params hold: this, then as many plans.
struct Header {
  int64_t parts;
};
constexpr size_t plans_offset = 16;
static_assert(plans_offset >= sizeof(Header) && plans_offset % alignof(CopyPlan) == 0);

const CopyPlan* plans_of(const Run& r) {
  return reinterpret_cast<const CopyPlan*>(static_cast<const std::byte*>(r.params) + plans_offset);
}

Accept accepts(const Problem& p) {
  REFUSE_UNLESS(can_copy(p.in[0].dtype), "the element type has not 8, 16, 32 or 64 bits");
  return Accept::yes();
}

// The whole is the output where ToWhole, else the input.
template <bool ToWhole>
Status prepare(const Problem& p, Prepared& out) {
  const Operand& whole = ToWhole ? p.out[0] : p.in[0];
  const std::span<const Operand> parts = ToWhole ? p.in : p.out;
  HONE_TRY(const int axis, normalize_axis(p.attrs->i("axis"), whole.shape.rank()));
  out.params.assign(plans_offset + parts.size() * sizeof(CopyPlan), std::byte{0});
  new (out.params.data()) Header{static_cast<int64_t>(parts.size())};
  auto* plan = reinterpret_cast<CopyPlan*>(out.params.data() + plans_offset);
  const auto w = strides_of(whole);
  int64_t offset = 0, rest = whole.shape[static_cast<size_t>(axis)];
  for (const Operand& part : parts)
    if (part) rest -= part.shape[static_cast<size_t>(axis)];
  for (const Operand& part : parts) {
    if (!part) {  // an output without a consumer: the others leave it the rest
      new (plan++) CopyPlan();
      offset += rest * w[static_cast<size_t>(axis)];
      continue;
    }
    const auto s = strides_of(part);
    Nest<2> nest;
    for (size_t i = 0; i < part.shape.size(); i++)
      nest.add(part.shape[i],
               ToWhole ? std::array<int64_t, 2>{w[i], s[i]} : std::array<int64_t, 2>{s[i], w[i]});
    new (plan++) CopyPlan(plan_copy(p, nest, ToWhole ? offset : 0, ToWhole ? 0 : offset));
    offset += part.shape[static_cast<size_t>(axis)] * w[static_cast<size_t>(axis)];
  }
  return {};
}

template <bool ToWhole>
void run(const Run& r) {
  const CopyPlan* plans = plans_of(r);
  const int64_t parts = r.as<Header>().parts;
  const auto pointers = [&](int64_t i) {
    const auto k = static_cast<size_t>(i);
    return ToWhole ? std::pair<void*, const void*>{r.out[0], r.in[k]}
                   : std::pair<void*, const void*>{r.out[k], r.in[0]};
  };
  const auto skipped = [&](int64_t i) {
    const auto [to, from] = pointers(i);
    const CopyPlan& plan = plans[i];
    return !to || !from ||
           static_cast<char*>(to) + (plan.to_offset << plan.log_size) ==
               static_cast<const char*>(from) + (plan.from_offset << plan.log_size);
  };
  int64_t tasks = 0;
  for (int64_t i = 0; i < parts; i++) tasks += skipped(i) ? 0 : plans[i].tasks;
  r.pool.run(tasks, [&](int64_t task, int) {
    for (int64_t i = 0; i < parts; i++) {
      if (skipped(i)) continue;
      if (task >= plans[i].tasks) {
        task -= plans[i].tasks;
        continue;
      }
      const auto [to, from] = pointers(i);
      return copy_task(plans[i], to, from, task);
    }
  });
}

Accept accepts_split(const Problem& p) {
  REFUSE_UNLESS(accepts(p), accepts(p).why());
  REFUSE_UNLESS(std::ranges::count_if(p.out, [](const Operand& o) { return !o; }) <= 1,
                "more than one part is not wanted");
  return Accept::yes();
}

}  // namespace

extern const Tactic tactic_concat_copy{.name = "concat_copy",
                                       .op = "Concat",
                                       .accepts = accepts,
                                       .prepare = prepare<true>,
                                       .run = run<true>,
                                       .pitched_in = ~0u,
                                       .pitched_out = 1};
extern const Tactic tactic_split_copy{.name = "split_copy",
                                      .op = "Split",
                                      .accepts = accepts_split,
                                      .prepare = prepare<false>,
                                      .run = run<false>,
                                      .pitched_in = 1,
                                      .pitched_out = ~0u};

}  // namespace hone
