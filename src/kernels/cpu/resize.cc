// Resize of one axis or of two neighbouring ones, by the tables that also drive the reference (ops/resize.h).
// Either rows are blended first and then pixels of the blended row, or, where there are fewer rows to widen
// than to make (enlarging), the rows that a block of outputs needs are widened first and then blended.
// `nearest` moves elements of any type.
#include "ops/resize.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/copy.h"
#include "kernels/isa/resize.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

// The tables stand behind it in the params: begin, index and weight of each axis, at these offsets in bytes.
struct Params {
  const ResizeKernels* kernels;
  struct Table {
    int64_t begin, index, weight, out;
    int32_t taps;  // not 0: ordered by taps, of which each output has so many
    bool identity;
  } rows, pixels;
  int64_t outer, in_rows, in_pixels, n;          // images of rows of pixels of n elements
  int64_t out_pitch, size;                       // size of an element in bytes
  int64_t rows_per_task, tasks, scratch_floats;  // scratch of each thread
  bool nearest, widen_first;
};

Result<ResizePlan> plan_of(const Problem& p) {
  const auto floats = [&](size_t i) {
    std::vector<float> v;
    if (const Operand& o = p.input(i); o && o.dtype == DType::f32)
      v.assign(static_cast<const float*>(o.constant),
               static_cast<const float*>(o.constant) + o.shape.elements());
    return v;
  };
  const std::vector<float> scales = floats(2);
  std::vector<int64_t> sizes;
  if (const Operand& o = p.input(3); o)
    sizes.assign(static_cast<const int64_t*>(o.constant),
                 static_cast<const int64_t*>(o.constant) + o.shape.elements());
  return plan_resize(*p.attrs, p.in[0].shape,
                     {nullptr, scales.empty() ? nullptr : &scales, sizes.empty() ? nullptr : &sizes});
}

// Whether every output is the input of the same place. (ResizeTaps::identity misses edges where clamped taps
// coincide.)
bool identity(const ResizeTaps& t, const ResizeAxis& axis) {
  if (axis.in != axis.out) return false;
  for (int64_t o = 0; o < axis.out; o++) {
    float own = 0, others = 0;
    for (int64_t k = t.begin[static_cast<size_t>(o)]; k < t.begin[static_cast<size_t>(o) + 1]; k++) {
      const float w = t.weight[static_cast<size_t>(k)];
      if (t.index[static_cast<size_t>(k)] == o) own += w;
      else others += w < 0 ? -w : w;
    }
    if (own != 1 || others != 0) return false;
  }
  return true;
}

struct Axes {
  size_t first = 0, count = 0;  // the resized ones, neighbours
  std::vector<ResizeTaps> taps;
};
Result<Axes> axes_of(const Problem& p) {
  HONE_TRY(const ResizePlan plan, plan_of(p));
  Axes a;
  for (size_t i = 0; i < plan.axes.size(); i++) {
    ResizeTaps t = resize_taps(*p.attrs, plan.mode, plan.axes[i]);
    if (identity(t, plan.axes[i])) continue;
    if (a.count == 0) a.first = i;
    else if (i != a.first + a.count) return error(Code::unsupported, "the resized axes are not neighbours");
    a.count++;
    a.taps.push_back(std::move(t));
  }
  if (a.count == 0 || a.count > 2) return error(Code::unsupported, "not one or two axes are resized");
  return a;
}

Accept accepts(const Problem& p) {
  const bool nearest = p.attrs->s("mode") == "nearest";
  REFUSE_UNLESS(nearest ? can_copy(p.in[0].dtype) : p.in[0].dtype == DType::f32,
                "the element type is not f32");
  REFUSE_UNLESS(p.attrs->s("coordinate_transformation_mode") != "tf_crop_and_resize", "it crops");
  for (size_t i = 2; i < p.in.size(); i++)
    REFUSE_UNLESS(!p.in[i] || p.in[i].constant || p.in[i].shape.elements() == 0,
                  "scales or sizes are not constant");
  REFUSE_UNLESS(p.in[0].shape.elements() > 0 && p.out[0].shape.elements() > 0, "there are no elements");
  const auto axes = axes_of(p);
  REFUSE_UNLESS(axes, axes.error().message);
  return Accept::yes();
}

// Where a pixel is a row of the last dimension, the output may be pitched.
Accept accepts_pixels(const Problem& p) {
  REFUSE_UNLESS(accepts(p), accepts(p).why());
  const auto axes = axes_of(p);
  REFUSE_UNLESS(axes->first + axes->count + 1 == p.in[0].shape.size(),
                "the resized axes are not those before the last");
  return Accept::yes();
}

// The rows of the input that outputs [from, to) are made of.
struct InputRows {
  int64_t begin, end;
};
template <class Begin, class Index>
InputRows input_rows(const Begin& begin, const Index& index, int64_t from, int64_t to) {
  const auto *first = &index[0] + begin[static_cast<size_t>(from)],
             *last = &index[0] + begin[static_cast<size_t>(to)];
  const auto [least, most] = std::minmax_element(first, last);
  return {static_cast<int64_t>(*least), static_cast<int64_t>(*most) + 1};
}

// Counted in vectors: blending rows fills them, blending pixels takes at least one for each.
bool widening_first_is_less(const Params& q, const Axes& a, int64_t lanes) {
  const auto rows = static_cast<int64_t>(a.taps[0].index.size()),
             pixels = static_cast<int64_t>(a.taps[1].index.size()) * ((q.n + lanes - 1) / lanes) * lanes;
  return q.in_rows * pixels + rows * q.pixels.out * q.n < rows * q.in_pixels * q.n + q.rows.out * pixels;
}

// Vectors of outputs want their first taps side by side, then the second ones, ... Returns the number of taps; 0
// where it differs among outputs, and nothing is changed.
int32_t order_by_taps(ResizeTaps& t) {
  const size_t outputs = t.begin.size() - 1, taps = t.index.size() / outputs;
  for (size_t o = 0; o < outputs; o++)
    if (t.begin[o + 1] - t.begin[o] != static_cast<int64_t>(taps)) return 0;
  const ResizeTaps by_output = t;
  for (size_t o = 0; o < outputs; o++)
    for (size_t j = 0; j < taps; j++) {
      t.index[j * outputs + o] = by_output.index[o * taps + j];
      t.weight[j * outputs + o] = by_output.weight[o * taps + j];
    }
  return static_cast<int32_t>(taps);
}

Status prepare(const Problem& p, Prepared& out) {
  HONE_TRY(Axes a, axes_of(p));
  const Shape &x = p.in[0].shape, &y = p.out[0].shape;
  Params q{};
  q.kernels = isa_kernels(p.isa).resize;
  q.nearest = p.attrs->s("mode") == "nearest";
  q.size = dtype_bytes(p.in[0].dtype, 1);
  // With one resized axis it is that of the rows; each then is one pixel.
  const int first = static_cast<int>(a.first), past = first + static_cast<int>(a.count);
  q.outer = x.product(0, first);
  q.in_rows = x[a.first];
  q.in_pixels = a.count == 2 ? x[a.first + 1] : 1;
  q.n = x.product(past, x.rank());
  q.rows.out = y[a.first];
  q.pixels.out = a.count == 2 ? y[a.first + 1] : 1;
  q.pixels.identity = a.count == 1;
  q.out_pitch = past == x.rank() - 1 ? p.out[0].pitch : q.n;
  const int64_t work = q.pixels.out * q.n;
  q.rows_per_task = std::max<int64_t>(1, 8192 / work);
  if (!q.nearest && a.count == 2) {
    q.widen_first = q.out_pitch == q.n && widening_first_is_less(q, a, q.kernels->lanes);
    q.scratch_floats = q.in_pixels * q.n;
    if (q.widen_first) {
      // At most 8 rows lose little by those that two tasks both widen.
      q.rows_per_task = std::max(q.rows_per_task, (8 * q.rows.out + q.in_rows - 1) / q.in_rows);
      q.rows_per_task = std::min(q.rows_per_task, (q.rows.out + p.threads - 1) / p.threads);
      int64_t most = 0;
      for (int64_t o = 0; o < q.rows.out; o += q.rows_per_task) {
        const InputRows in =
            input_rows(a.taps[0].begin, a.taps[0].index, o, std::min(q.rows.out, o + q.rows_per_task));
        most = std::max(most, in.end - in.begin);
      }
      q.scratch_floats = most * work;
    }
    q.scratch_floats = (q.scratch_floats + 15) / 16 * 16;
    out.scratch_bytes = p.threads * q.scratch_floats * static_cast<int64_t>(sizeof(float));
  }
  q.tasks = q.outer * ((q.rows.out + q.rows_per_task - 1) / q.rows_per_task);
  // The tables, behind the struct.
  out.params.resize(sizeof(Params));
  const auto append = [&](const auto& values, auto as) {
    using T = decltype(as);
    const auto at = out.params.size();
    out.params.resize(at + values.size() * sizeof(T));
    auto* to = reinterpret_cast<T*>(out.params.data() + at);
    for (size_t i = 0; i < values.size(); i++) to[i] = static_cast<T>(values[i]);
    return static_cast<int64_t>(at);
  };
  const auto table = [&](const ResizeTaps& t, Params::Table& to) {
    to.begin = append(t.begin, int32_t{});
    to.index = append(t.index, int32_t{});
    to.weight = append(t.weight, float{});
  };
  table(a.taps[0], q.rows);
  if (a.count == 2) {
    if (!q.nearest && q.n == 1 && q.out_pitch == 1) q.pixels.taps = order_by_taps(a.taps[1]);
    table(a.taps[1], q.pixels);
  }
  std::memcpy(out.params.data(), &q, sizeof q);
  return {};
}

ResizeTable table_of(const Run& r, const Params::Table& t) {
  const auto* base = static_cast<const std::byte*>(r.params);
  return {reinterpret_cast<const int32_t*>(base + t.begin), reinterpret_cast<const int32_t*>(base + t.index),
          reinterpret_cast<const float*>(base + t.weight), t.taps};
}

void blend_row(const Run& r, const Params& q, int64_t row, int thread) {
  const ResizeTable rows = table_of(r, q.rows), pixels = table_of(r, q.pixels);
  const int64_t o = row % q.rows.out, in_row = q.in_pixels * q.n, n = q.in_pixels * q.n;
  const float* x = static_cast<const float*>(r.in[0]) + row / q.rows.out * q.in_rows * in_row;
  float* y = static_cast<float*>(r.out[0]) + row * q.pixels.out * q.out_pitch;
  if (q.pixels.identity) return q.kernels->blend_rows(rows, o, x, in_row, n, y);
  const int32_t from = rows.begin[o];
  const float* blended = x + rows.index[from] * in_row;
  if (rows.begin[o + 1] != from + 1 || rows.weight[from] != 1.0f) {
    float* scratch = static_cast<float*>(r.scratch) + thread * q.scratch_floats;
    q.kernels->blend_rows(rows, o, x, in_row, n, scratch);
    blended = scratch;
  }
  q.kernels->blend_pixels(pixels, q.pixels.out, blended, q.n, y, q.out_pitch);
}

// Rows [from, to) of one image.
void blend_widened(const Run& r, const Params& q, int64_t image, int64_t from, int64_t to, int thread) {
  const ResizeTable rows = table_of(r, q.rows), pixels = table_of(r, q.pixels);
  const InputRows in = input_rows(rows.begin, rows.index, from, to);
  const int64_t wide = q.pixels.out * q.n;
  const float* x = static_cast<const float*>(r.in[0]) + image * q.in_rows * q.in_pixels * q.n;
  float* scratch = static_cast<float*>(r.scratch) + thread * q.scratch_floats;
  for (int64_t i = in.begin; i < in.end; i++)
    q.kernels->blend_pixels(pixels, q.pixels.out, x + i * q.in_pixels * q.n, q.n,
                            scratch + (i - in.begin) * wide, q.n);
  float* y = static_cast<float*>(r.out[0]) + image * q.rows.out * wide;
  for (int64_t o = from; o < to; o++)
    q.kernels->blend_rows(rows, o, scratch - in.begin * wide, wide, wide, y + o * wide);
}

template <class T>
void pick(const int32_t* index, int64_t count, const void* from, void* to) {
  for (int64_t i = 0; i < count; i++) static_cast<T*>(to)[i] = static_cast<const T*>(from)[index[i]];
}

void move_row(const Run& r, const Params& q, int64_t row) {
  const ResizeTable rows = table_of(r, q.rows), pixels = table_of(r, q.pixels);
  const int64_t pixel = q.n * q.size, in_row = q.in_pixels * pixel, out_pixel = q.out_pitch * q.size;
  const char* x = static_cast<const char*>(r.in[0]) +
                  (row / q.rows.out * q.in_rows + rows.index[row % q.rows.out]) * in_row;
  char* y = static_cast<char*>(r.out[0]) + row * q.pixels.out * out_pixel;
  if (q.pixels.identity) return void(std::memcpy(y, x, static_cast<size_t>(pixel)));
  if (q.n == 1 && q.out_pitch == 1) {
    switch (q.size) {
      case 1:
        return pick<uint8_t>(pixels.index, q.pixels.out, x, y);
      case 2:
        return pick<uint16_t>(pixels.index, q.pixels.out, x, y);
      case 4:
        return pick<uint32_t>(pixels.index, q.pixels.out, x, y);
      default:
        return pick<uint64_t>(pixels.index, q.pixels.out, x, y);
    }
  }
  for (int64_t o = 0; o < q.pixels.out; o++)
    std::memcpy(y + o * out_pixel, x + pixels.index[o] * pixel, static_cast<size_t>(pixel));
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  const int64_t tasks_of_image = q.tasks / q.outer;
  r.pool.run(q.tasks, [&](int64_t task, int thread) {
    const int64_t image = task / tasks_of_image, from = task % tasks_of_image * q.rows_per_task,
                  to = std::min(q.rows.out, from + q.rows_per_task);
    if (q.widen_first) return blend_widened(r, q, image, from, to, thread);
    for (int64_t o = from; o < to; o++) {
      if (q.nearest) move_row(r, q, image * q.rows.out + o);
      else blend_row(r, q, image * q.rows.out + o, thread);
    }
  });
}

}  // namespace

extern const Tactic tactic_resize_pixels{.name = "resize_pixels",
                                         .op = "Resize",
                                         .accepts = accepts_pixels,
                                         .prepare = prepare,
                                         .run = run,
                                         .pitched_out = 1};
extern const Tactic tactic_resize_separable{
    .name = "resize_separable", .op = "Resize", .accepts = accepts, .prepare = prepare, .run = run};

}  // namespace hone
