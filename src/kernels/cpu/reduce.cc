// Sums, means, maxima and minima over any axes, and the global pools, which are reductions over the spatial
// axes.
#include "kernels/isa/reduce.h"

#include <algorithm>

#include "kernels/isa_kernels.h"
#include "kernels/tactic.h"
#include "ops/window.h"

namespace hone {
namespace {

constexpr int64_t grain = 8192;  // elements of a task, where there are as many

// After merging, the input is: kept dimensions `outer`, each of whose elements starts a set of rows x columns
// (at each place of the reduced dimensions `apart`), which is reduced over its rows, or over its columns
// where `by_row`.
struct Params {
  ReduceKernels::Op op;
  float (*row)(const float*, int64_t);
  void (*columns)(const MatrixView&, float*, bool);
  int outer_rank, apart_rank;
  int64_t outer_size[max_rank], outer_stride[max_rank], apart_size[max_rank], apart_stride[max_rank];
  bool by_row;
  int64_t rows, row_stride, width;  // width: columns; of one row, the elements reduced
  int64_t outer, apart;             // products of the sizes
  int64_t outer_per_task, slices, column_tasks, column_block, tasks;
  float scale;  // of the result
  bool mean;
};

struct Axis {
  int64_t size, stride;
  bool reduced;
};

void plan(const Operand& x, const bool* reduced, Params& q) {
  Axis axes[max_rank + 1];
  int n = 0;
  int64_t stride = 1, count = 1;
  // From the last dimension on; axes[] is in that order.
  for (int i = x.shape.rank() - 1; i >= 0; i--) {
    const int64_t d = x.shape[static_cast<size_t>(i)];
    if (reduced[i]) count *= d;
    if (d != 1) {
      if (n > 0 && axes[n - 1].reduced == reduced[i] && stride == axes[n - 1].stride * axes[n - 1].size)
        axes[n - 1].size *= d;
      else axes[n++] = {d, stride, reduced[i]};
    }
    stride = i == x.shape.rank() - 1 ? x.pitch : stride * d;
  }
  if (n == 0 || axes[0].stride != 1) {  // a pitched last dimension of size 1, or a single element
    for (int i = n++; i > 0; i--) axes[i] = axes[i - 1];
    axes[0] = {1, 1, false};
  }
  int next = 1;
  q.by_row = axes[0].reduced;
  q.width = axes[0].size;
  q.rows = 1;
  q.row_stride = 0;
  if (!q.by_row && n > 1) {
    // Kept columns below reduced rows; were the next axis kept, it would have been merged unless pitched.
    if (axes[1].reduced) {
      q.rows = axes[1].size;
      q.row_stride = axes[1].stride;
      next = 2;
    }
  }
  q.outer = q.apart = 1;
  for (int i = n - 1; i >= next; i--) {
    const Axis& a = axes[i];
    if (a.reduced) {
      q.apart_size[q.apart_rank] = a.size;
      q.apart_stride[q.apart_rank++] = a.stride;
      q.apart *= a.size;
    } else {
      q.outer_size[q.outer_rank] = a.size;
      q.outer_stride[q.outer_rank++] = a.stride;
      q.outer *= a.size;
    }
  }
  q.scale = q.mean ? static_cast<float>(1.0 / static_cast<double>(count)) : 1.0f;
  // The cut into tasks depends on the sizes alone, so that sums do not depend on the number of threads.
  const int64_t columns = q.by_row ? 1 : q.width, reduce = q.by_row ? q.width : q.rows;
  const int64_t work = std::max<int64_t>(1, q.rows * q.width * q.apart);
  q.slices = q.column_tasks = 1;
  if (work >= 2 * grain && q.outer < 64) {
    if (columns >= 512) q.column_tasks = columns / 128;
    else if (q.apart == 1) q.slices = std::clamp<int64_t>(work / grain, 1, std::min<int64_t>(64, reduce));
  }
  q.column_block = (columns + q.column_tasks - 1) / q.column_tasks;
  q.outer_per_task =
      q.slices * q.column_tasks > 1 ? 1 : std::clamp<int64_t>(grain / work, 1, std::max<int64_t>(q.outer, 1));
  q.tasks = (q.outer + q.outer_per_task - 1) / q.outer_per_task * q.slices * q.column_tasks;
}

float join(ReduceKernels::Op op, float a, float b) {
  if (op == ReduceKernels::sum) return a + b;
  if (a != a) return a;
  return op == ReduceKernels::max ? (a > b ? a : b) : (a < b ? a : b);
}

int64_t offset_of(int rank, const int64_t* size, const int64_t* stride, int64_t index) {
  int64_t offset = 0;
  for (int i = rank - 1; i >= 0; i--) {
    offset += index % size[i] * stride[i];
    index /= size[i];
  }
  return offset;
}

// Columns [c, c + n) of slice s of the set at x into out.
void reduce_part(const Params& q, const float* x, int64_t c, int64_t n, int64_t s, float* out) {
  const int64_t length = q.by_row ? q.width : q.rows, from = length * s / q.slices,
                to = length * (s + 1) / q.slices;
  for (int64_t k = 0; k < q.apart; k++) {
    const float* p = x + offset_of(q.apart_rank, q.apart_size, q.apart_stride, k);
    if (q.by_row) {
      const float v = q.row(p + from, to - from);
      *out = k ? join(q.op, *out, v) : v;
    } else {
      q.columns({p + from * q.row_stride + c, to - from, n, q.row_stride}, out + c, k > 0);
    }
  }
  if (q.apart == 0) q.columns({x, 0, q.by_row ? 1 : n, 0}, q.by_row ? out : out + c, false);
}

void scale(const Params& q, float* p, int64_t n) {
  if (q.mean)
    for (int64_t i = 0; i < n; i++) p[i] *= q.scale;
}

// The outputs, from those of each slice.
void join_slices(const Params& q, const float* partial, float* y) {
  const int64_t columns = q.by_row ? 1 : q.width;
  for (int64_t o = 0; o < q.outer; o++) {
    q.columns({partial + o * q.slices * columns, q.slices, columns, columns}, y + o * columns, false);
    scale(q, y + o * columns, columns);
  }
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  const float* x = static_cast<const float*>(r.in[0]);
  float* y = static_cast<float*>(r.out[0]);
  const int64_t columns = q.by_row ? 1 : q.width;
  float* partial = q.slices > 1 ? static_cast<float*>(r.scratch) : y;
  r.pool.run(q.tasks, [&](int64_t task, int) {
    const int64_t c = task % q.column_tasks * q.column_block, n = std::min(q.column_block, columns - c);
    const int64_t s = task / q.column_tasks % q.slices,
                  first = task / q.column_tasks / q.slices * q.outer_per_task;
    for (int64_t o = first; o < std::min(q.outer, first + q.outer_per_task); o++) {
      float* out = partial + (o * q.slices + s) * columns;
      reduce_part(q, x + offset_of(q.outer_rank, q.outer_size, q.outer_stride, o), c, n, s, out);
      if (q.slices == 1) scale(q, out + c, n);
    }
  });
  if (q.slices > 1) join_slices(q, partial, y);
}

Status prepare_axes(const Problem& p, Prepared& out, ReduceKernels::Op op, bool mean, const bool* reduced) {
  auto& q = out.make<Params>();
  const ReduceKernels& k = *isa_kernels(p.isa).reduce;
  q.op = op;
  q.mean = mean;
  q.row = k.row[op];
  q.columns = k.columns[op];
  plan(p.in[0], reduced, q);
  if (q.slices > 1)
    out.scratch_bytes = q.outer * q.slices * (q.by_row ? 1 : q.width) * static_cast<int64_t>(sizeof(float));
  return {};
}

// --- Reduce* ---

Accept accepts(const Problem& p) {
  REFUSE_UNLESS(p.in[0].dtype == DType::f32, "the element type is not f32");
  REFUSE_UNLESS(p.in[0].shape.elements() > 0, "there are no elements");
  const Operand& axes = p.input(1);
  REFUSE_UNLESS(!axes || (axes.dtype == DType::i64 && axes.constant), "the axes are not constant");
  const bool some = axes && axes.shape.elements() > 0;
  REFUSE_UNLESS(some || !p.attrs->flag("noop_with_empty_axes"), "no axis is reduced");
  return Accept::yes();
}

template <ReduceKernels::Op Op, bool Mean>
Status prepare(const Problem& p, Prepared& out) {
  const int rank = p.in[0].shape.rank();
  const Operand& axes = p.input(1);
  const int64_t n = axes ? axes.shape.elements() : 0;
  bool reduced[max_rank];
  std::fill(reduced, reduced + max_rank, n == 0);
  for (int64_t i = 0; i < n; i++) {
    HONE_TRY(const int axis, normalize_axis(static_cast<const int64_t*>(axes.constant)[i], rank));
    reduced[axis] = true;
  }
  return prepare_axes(p, out, Op, Mean, reduced);
}

// --- global pools ---

Accept accepts_global(const Problem& p) {
  REFUSE_UNLESS(p.in[0].dtype == DType::f32, "the element type is not f32");
  REFUSE_UNLESS(p.in[0].shape.elements() > 0, "there are no elements");
  return Accept::yes();
}

// Maps of several rows, of pixels and channels that no dimension of size 1 lets plan() merge away.
bool by_map_rows(const Problem& p) {
  const Shape& s = p.in[0].shape;
  return p.attrs->flag("channels_last") && s.rank() == 4 && s[1] > 1 && s[2] > 1 && s[3] > 1;
}
int64_t partial_bytes(const void* params) {
  const auto& q = *static_cast<const Params*>(params);
  return q.outer * q.slices * q.width * static_cast<int64_t>(sizeof(float));
}

template <ReduceKernels::Op Op>
Status prepare_global(const Problem& p, Prepared& out) {
  bool reduced[max_rank] = {};
  const size_t first = spatial_axis(p.attrs->flag("channels_last"));
  for (size_t i = 0; i + 2 < p.in[0].shape.size(); i++) reduced[first + i] = true;
  HONE_CHECK(prepare_axes(p, out, Op, Op == ReduceKernels::sum, reduced));
  if (!by_map_rows(p)) return {};
  // Rows of the map are slices, as then they can be reduced where they are made, with the same bits.
  auto& q = *reinterpret_cast<Params*>(out.params.data());
  q.slices = p.in[0].shape[1];
  q.column_tasks = q.outer_per_task = 1;
  q.column_block = q.width;
  q.tasks = q.outer * q.slices;
  out.scratch_bytes = partial_bytes(&q);
  return {};
}

Accept reach_global(const Problem& p, int operand, Reach& r) {
  REFUSE_UNLESS(operand == 0, "it sums up what another step makes");
  REFUSE_UNLESS(by_map_rows(p), "the operand is no map of several rows with channels last");
  r.pixel = true;
  return Accept::yes();
}

void run_strip(const StripRun& r) {
  const auto& q = r.as<Params>();
  const int64_t width = q.rows / q.slices;  // of the map; all images follow one another
  for (int64_t row = r.begin / width; row < r.end / width; row++)
    q.columns({static_cast<const float*>(r.in[0]) + row * width * q.row_stride, width, q.width, q.row_stride},
              static_cast<float*>(r.out) + row * q.width, false);
}

void finish_strips(const void* params, const void* partial, void* out) {
  join_slices(*static_cast<const Params*>(params), static_cast<const float*>(partial),
              static_cast<float*>(out));
}

constexpr StripKernel strips{
    .reach = reach_global, .run = run_strip, .partial = partial_bytes, .finish = finish_strips};

}  // namespace

#define REDUCE_TACTIC(name_, op_, accepts_, ...) \
  extern const Tactic tactic_##name_{            \
      .name = #name_, .op = #op_, .accepts = accepts_, .prepare = __VA_ARGS__, .run = run, .pitched_in = 1};
REDUCE_TACTIC(reduce_max_f32, ReduceMax, accepts, prepare<ReduceKernels::max, false>)
REDUCE_TACTIC(reduce_mean_f32, ReduceMean, accepts, prepare<ReduceKernels::sum, true>)
REDUCE_TACTIC(reduce_min_f32, ReduceMin, accepts, prepare<ReduceKernels::min, false>)
REDUCE_TACTIC(reduce_sum_f32, ReduceSum, accepts, prepare<ReduceKernels::sum, false>)
#undef REDUCE_TACTIC
#define POOL_TACTIC(name_, op_, kind)                                                \
  extern const Tactic tactic_##name_{.name = #name_,                                 \
                                     .op = #op_,                                     \
                                     .accepts = accepts_global,                      \
                                     .prepare = prepare_global<ReduceKernels::kind>, \
                                     .run = run,                                     \
                                     .pitched_in = 1,                                \
                                     .strips = &strips};
POOL_TACTIC(global_average_pool_f32, GlobalAveragePool, sum)
POOL_TACTIC(global_max_pool_f32, GlobalMaxPool, max)
#undef POOL_TACTIC

}  // namespace hone
