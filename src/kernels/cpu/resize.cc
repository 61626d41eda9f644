// Resize of one axis or of two neighbouring ones, by the tables that also drive the reference (ops/resize.h):
// first rows are blended, then pixels of the blended row. `nearest` moves elements of any type.
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
    bool identity;
  } rows, pixels;
  int64_t outer, in_rows, in_pixels, n;  // images of rows of pixels of n elements
  int64_t out_pitch, size;               // size of an element in bytes
  int64_t rows_per_task, tasks, scratch_row;
  bool nearest;
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

Status prepare(const Problem& p, Prepared& out) {
  HONE_TRY(const Axes a, axes_of(p));
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
  q.tasks = (q.outer * q.rows.out + q.rows_per_task - 1) / q.rows_per_task;
  q.scratch_row = (q.in_pixels * q.n + 15) / 16 * 16;
  if (!q.nearest) out.scratch_bytes = p.threads * q.scratch_row * static_cast<int64_t>(sizeof(float));
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
  if (a.count == 2) table(a.taps[1], q.pixels);
  std::memcpy(out.params.data(), &q, sizeof q);
  return {};
}

ResizeTable table_of(const Run& r, const Params::Table& t) {
  const auto* base = static_cast<const std::byte*>(r.params);
  return {reinterpret_cast<const int32_t*>(base + t.begin), reinterpret_cast<const int32_t*>(base + t.index),
          reinterpret_cast<const float*>(base + t.weight)};
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
    float* scratch = static_cast<float*>(r.scratch) + thread * q.scratch_row;
    q.kernels->blend_rows(rows, o, x, in_row, n, scratch);
    blended = scratch;
  }
  q.kernels->blend_pixels(pixels, q.pixels.out, blended, q.n, y, q.out_pitch);
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
  r.pool.run(q.tasks, [&](int64_t task, int thread) {
    const int64_t to = std::min(q.outer * q.rows.out, (task + 1) * q.rows_per_task);
    for (int64_t row = task * q.rows_per_task; row < to; row++) {
      if (q.nearest) move_row(r, q, row);
      else blend_row(r, q, row, thread);
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
