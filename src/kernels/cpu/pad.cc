// Pad with a constant: each row of the output is filled, copied and filled again.
#include <algorithm>

#include "kernels/cpu/copy.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

struct Params {
  int log_size;
  void (*fill)(void*, int64_t, const void*, int64_t, int64_t);
  int rank;                                               // of the loops around the rows
  int64_t out[max_rank], before[max_rank], in[max_rank];  // `before` < 0: that many are cut off
  int64_t to[max_rank], from[max_rank];                   // strides
  int64_t row, row_before, row_in,
      row_from;  // output row: row_before constants, row_in elements from row_from on, constants
  int64_t rows, rows_per_task, tasks;
};

int64_t integer(const Operand& o, int64_t i) {
  return o.dtype == DType::i64 ? static_cast<const int64_t*>(o.constant)[i]
                               : static_cast<const int32_t*>(o.constant)[i];
}

Accept accepts(const Problem& p) {
  REFUSE_UNLESS(can_copy(p.in[0].dtype), "the element type has not 8, 16, 32 or 64 bits");
  REFUSE_UNLESS(p.attrs->s("mode") == "constant", "the mode is not constant");
  REFUSE_UNLESS(p.input(1).constant, "the amounts are not constant");
  REFUSE_UNLESS(!p.input(3) || p.in[3].constant, "the axes are not constant");
  REFUSE_UNLESS(p.in[0].shape.rank() > 0, "the input is a scalar");
  return Accept::yes();
}

Status prepare(const Problem& p, Prepared& out) {
  auto& q = out.make<Params>();
  const Shape &x = p.in[0].shape, &y = p.out[0].shape;
  const auto xs = strides_of(p.in[0]), ys = strides_of(p.out[0]);
  while (int64_t{1} << q.log_size < dtype_bytes(p.in[0].dtype, 1)) q.log_size++;
  q.fill = isa_kernels(p.isa).copy->strided[q.log_size];
  int64_t before[max_rank] = {};
  const int64_t n = p.in[1].shape.elements() / 2;
  for (int64_t i = 0; i < n; i++) {
    HONE_TRY(const int axis, normalize_axis(p.input(3) ? integer(p.in[3], i) : i, x.rank()));
    before[axis] = integer(p.in[1], i);
  }
  // Trailing dimensions that stay whole are part of the row of the one before them.
  int last = x.rank() - 1;
  int64_t unit = 1;
  const auto whole = [&](int i) {
    return before[i] == 0 && x[static_cast<size_t>(i)] == y[static_cast<size_t>(i)];
  };
  while (last > 0 && whole(last)) {
    const auto i = static_cast<size_t>(last);
    unit *= x[i];
    last--;
    if (xs[i - 1] != unit || ys[i - 1] != unit) {  // pitched: the last dimension alone is the row
      last++;
      unit = 1;
      break;
    }
  }
  const auto k = static_cast<size_t>(last);
  const int64_t start = std::max<int64_t>(before[last], 0), cut = std::max<int64_t>(-before[last], 0);
  q.row = y[k] * unit;
  q.row_before = std::min(start, y[k]) * unit;
  q.row_in = std::max<int64_t>(0, std::min(x[k] - cut, y[k] - start)) * unit;
  q.row_from = cut * unit;
  q.rank = last;
  q.rows = q.row ? 1 : 0;
  for (int i = 0; i < last; i++) {
    const auto j = static_cast<size_t>(i);
    q.out[i] = y[j];
    q.before[i] = before[i];
    q.in[i] = x[j];
    q.to[i] = ys[j];
    q.from[i] = xs[j];
    q.rows *= y[j];
  }
  q.rows_per_task = std::max<int64_t>(1, 8192 / std::max<int64_t>(q.row, 1));
  q.tasks = (q.rows + q.rows_per_task - 1) / q.rows_per_task;
  return {};
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  static constexpr int64_t zero = 0;
  const void* value = r.in.size() > 2 && r.in[2] ? r.in[2] : &zero;
  r.pool.run(q.tasks, [&](int64_t task, int) {
    const int64_t end = std::min(q.rows, (task + 1) * q.rows_per_task);
    for (int64_t row = task * q.rows_per_task; row < end; row++) {
      int64_t to = 0, from = 0, rest = row;
      bool inside = true;
      for (int i = q.rank - 1; i >= 0; i--) {
        const int64_t o = rest % q.out[i], at = o - q.before[i];
        rest /= q.out[i];
        inside = inside && at >= 0 && at < q.in[i];
        to += o * q.to[i];
        from += at * q.from[i];
      }
      char* y = static_cast<char*>(r.out[0]) + (to << q.log_size);
      const int64_t head = inside ? q.row_before : q.row, body = inside ? q.row_in : 0;
      q.fill(y, 1, value, 0, head);
      if (body > 0)
        std::memcpy(y + (head << q.log_size),
                    static_cast<const char*>(r.in[0]) + ((from + q.row_from) << q.log_size),
                    static_cast<size_t>(body << q.log_size));
      q.fill(y + ((head + body) << q.log_size), 1, value, 0, q.row - head - body);
    }
  });
}

}  // namespace

extern const Tactic tactic_pad_constant{.name = "pad_constant",
                                        .op = "Pad",
                                        .accepts = accepts,
                                        .prepare = prepare,
                                        .run = run,
                                        .pitched_in = 1,
                                        .pitched_out = 1};

}  // namespace hone
