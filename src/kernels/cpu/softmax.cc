// Softmax and LogSoftmax along any axis.
#include <algorithm>

#include "kernels/isa/reduce.h"
#include "kernels/isa_kernels.h"
#include "kernels/tactic.h"

namespace hone {
namespace {

// outer blocks of `size` rows of `inner` neighbours, along whose columns the function goes; with inner = 1,
// rows of `size` neighbours.
struct Params {
  void (*apply)(const MatrixView&, float*, int64_t);
  int64_t outer, size, inner, in_pitch, out_pitch;
  int64_t per_task, column_block, column_tasks, tasks;
};

Accept accepts(const Problem& p) {
  REFUSE_UNLESS(p.in[0].dtype == DType::f32, "the element type is not f32");
  REFUSE_UNLESS(p.in[0].shape.rank() > 0, "the input is a scalar");
  REFUSE_UNLESS(p.in[0].shape.elements() > 0, "there are no elements");
  REFUSE_UNLESS(!p.attrs->flag("flatten"), "several axes are normalised as one");
  return Accept::yes();
}

template <bool Log>
Status prepare(const Problem& p, Prepared& out) {
  auto& q = out.make<Params>();
  const Operand& x = p.in[0];
  const ReduceKernels& k = *isa_kernels(p.isa).reduce;
  HONE_TRY(const int axis, normalize_axis(p.attrs->i("axis", -1), x.shape.rank()));
  q.outer = x.shape.product(0, axis);
  q.size = x.shape[static_cast<size_t>(axis)];
  q.inner = x.shape.product(axis + 1, x.shape.rank());
  q.in_pitch = x.pitch;
  q.out_pitch = p.out[0].pitch;
  if (axis == x.shape.rank() - 1) {
    q.apply = Log ? k.log_softmax : k.softmax;
    q.per_task = std::clamp<int64_t>(2048 / q.size, 1, q.outer);
    q.column_block = q.column_tasks = 1;
  } else {
    q.apply = Log ? k.log_softmax_columns : k.softmax_columns;
    q.per_task = 1;
    q.column_block = std::clamp<int64_t>(2048 / q.size / 64 * 64, 64, std::max<int64_t>(64, q.inner));
    q.column_tasks = (q.inner + q.column_block - 1) / q.column_block;
  }
  q.tasks = (q.outer + q.per_task - 1) / q.per_task * q.column_tasks;
  return {};
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  const float* x = static_cast<const float*>(r.in[0]);
  float* y = static_cast<float*>(r.out[0]);
  r.pool.run(q.tasks, [&](int64_t task, int) {
    if (q.column_tasks == 1 && q.column_block == 1) {
      const int64_t from = task * q.per_task;
      q.apply({x + from * q.in_pitch, std::min(q.per_task, q.outer - from), q.size, q.in_pitch},
              y + from * q.out_pitch, q.out_pitch);
      return;
    }
    const int64_t c = task % q.column_tasks * q.column_block,
                  at = task / q.column_tasks * q.size * q.inner + c;
    q.apply({x + at, q.size, std::min(q.column_block, q.inner - c), q.inner}, y + at, q.inner);
  });
}

// Rows may be pitched; along another axis than the last, the rows of the matrix are not those of the tensor.
Accept accepts_rows(const Problem& p) {
  REFUSE_UNLESS(accepts(p), accepts(p).why());
  const auto axis = normalize_axis(p.attrs->i("axis", -1), p.in[0].shape.rank());
  REFUSE_UNLESS(axis && *axis == p.in[0].shape.rank() - 1, "the axis is not the last");
  return Accept::yes();
}
Accept accepts_columns(const Problem& p) {
  REFUSE_UNLESS(accepts(p), accepts(p).why());
  const auto axis = normalize_axis(p.attrs->i("axis", -1), p.in[0].shape.rank());
  REFUSE_UNLESS(axis && *axis < p.in[0].shape.rank() - 1, "the axis is the last");
  return Accept::yes();
}

}  // namespace

#define ROWS(name_, op_, log_)                                 \
  extern const Tactic tactic_##name_{.name = #name_,           \
                                     .op = #op_,               \
                                     .accepts = accepts_rows,  \
                                     .prepare = prepare<log_>, \
                                     .run = run,               \
                                     .pitched_in = 1,          \
                                     .pitched_out = 1,         \
                                     .in_place = 0};
#define COLUMNS(name_, op_, log_)                                \
  extern const Tactic tactic_##name_{.name = #name_,             \
                                     .op = #op_,                 \
                                     .accepts = accepts_columns, \
                                     .prepare = prepare<log_>,   \
                                     .run = run,                 \
                                     .in_place = 0};
ROWS(softmax_rows_f32, Softmax, false)
ROWS(log_softmax_rows_f32, LogSoftmax, true)
COLUMNS(softmax_columns_f32, Softmax, false)
COLUMNS(log_softmax_columns_f32, LogSoftmax, true)
#undef ROWS
#undef COLUMNS

}  // namespace hone
