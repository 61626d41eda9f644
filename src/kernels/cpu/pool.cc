// MaxPool and AveragePool of channels-last maps with one to three spatial dimensions.
#include "kernels/isa/pool.h"

#include <algorithm>

#include "kernels/isa_kernels.h"
#include "kernels/tactic.h"
#include "ops/window.h"

namespace hone {
namespace {

struct Params {
  void (*row)(const PoolRow&);
  Window window;  // rank 3: depth, height, width
  int64_t images, channels, in_pitch, out_pitch;
  bool count_padding;
  int64_t rows, rows_per_task, tasks;
};

Accept accepts(const Problem& p) {
  const Shape& s = p.in[0].shape;
  REFUSE_UNLESS(p.in[0].dtype == DType::f32, "the element type is not f32");
  REFUSE_UNLESS(p.attrs->flag("channels_last"), "channels are not last");
  REFUSE_UNLESS(s.rank() >= 3 && s.rank() <= 5, "there are not one to three spatial dimensions");
  REFUSE_UNLESS(p.out.size() == 1 || !p.out[1], "indices are asked for");
  return Accept::yes();
}

template <bool Max>
Status prepare(const Problem& p, Prepared& out) {
  auto& q = out.make<Params>();
  const PoolKernels& k = *isa_kernels(p.isa).pool;
  q.row = Max ? k.max : k.average;
  const Shape& s = p.in[0].shape;
  const auto rank = s.size() - 2;
  const auto rounding = p.attrs->flag("ceil_mode") ? Rounding::ceil : Rounding::floor;
  HONE_TRY(const Window w,
           slide(*p.attrs, s.dims().subspan(1, rank), p.attrs->ints("kernel_shape"), rounding));
  q.window.rank = 3;
  for (size_t i = 0; i < 3; i++) {  // missing outer dimensions have size 1
    const bool there = i + rank >= 3;
    const size_t j = i + rank - 3;
    q.window.in[i] = there ? w.in[j] : 1;
    q.window.out[i] = there ? w.out[j] : 1;
    q.window.kernel[i] = there ? w.kernel[j] : 1;
    q.window.stride[i] = there ? w.stride[j] : 1;
    q.window.dilation[i] = there ? w.dilation[j] : 1;
    q.window.begin[i] = there ? w.begin[j] : 0;
    q.window.end[i] = there ? w.end[j] : 0;
  }
  q.images = s[0];
  q.channels = s.back();
  q.in_pitch = p.in[0].pitch;
  q.out_pitch = p.out[0].pitch;
  q.count_padding = p.attrs->i("count_include_pad") != 0;
  q.rows = p.out[0].shape.elements() ? q.images * q.window.out[0] * q.window.out[1] : 0;
  const int64_t work = q.channels * q.window.out[2] * q.window.kernel[2] * q.window.kernel[1];
  q.rows_per_task = std::clamp<int64_t>(16384 / std::max<int64_t>(work, 1), 1, std::max<int64_t>(q.rows, 1));
  q.tasks = (q.rows + q.rows_per_task - 1) / q.rows_per_task;
  return {};
}

// Taps of output position o along dimension r: the first that lies in the input, how many do, how many lie in
// it or its padding.
struct Range {
  int64_t first, count, padded;
};
Range taps(const Window& w, size_t r, int64_t o) {
  const int64_t i = o * w.stride[r] - w.begin[r], d = w.dilation[r];
  const int64_t first = i < 0 ? (-i + d - 1) / d : 0;
  const auto below = [&](int64_t size) {
    return i < size ? std::min(w.kernel[r], (size - i + d - 1) / d) : 0;
  };
  return {i + first * d, std::max<int64_t>(0, below(w.in[r]) - first), below(w.in[r] + w.end[r])};
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  const Window& w = q.window;
  const int64_t in_row = w.in[2] * q.in_pitch, in_slice = w.in[1] * in_row, in_image = w.in[0] * in_slice;
  r.pool.run(q.tasks, [&](int64_t task, int) {
    const int64_t to = std::min(q.rows, (task + 1) * q.rows_per_task);
    for (int64_t row = task * q.rows_per_task; row < to; row++) {
      const int64_t y = row % w.out[1], z = row / w.out[1] % w.out[0], image = row / w.out[1] / w.out[0];
      const Range d = taps(w, 0, z), h = taps(w, 1, y);
      q.row(
          {.x = static_cast<const float*>(r.in[0]) + image * in_image + d.first * in_slice + h.first * in_row,
           .depth = {d.count, w.dilation[0] * in_slice},
           .height = {h.count, w.dilation[1] * in_row},
           .width = w.in[2],
           .kernel = w.kernel[2],
           .stride = w.stride[2],
           .dilation = w.dilation[2],
           .begin = w.begin[2],
           .end = w.end[2],
           .in_pitch = q.in_pitch,
           .out_pitch = q.out_pitch,
           .out_width = w.out[2],
           .channels = q.channels,
           .y = static_cast<float*>(r.out[0]) + row * w.out[2] * q.out_pitch,
           .divisor = q.count_padding ? d.padded * h.padded : d.count * h.count,
           .count_padding = q.count_padding});
    }
  });
}

}  // namespace

extern const Tactic tactic_max_pool_f32{.name = "max_pool_f32",
                                        .op = "MaxPool",
                                        .accepts = accepts,
                                        .prepare = prepare<true>,
                                        .run = run,
                                        .pitched_in = 1,
                                        .pitched_out = 1};
extern const Tactic tactic_average_pool_f32{.name = "average_pool_f32",
                                            .op = "AveragePool",
                                            .accepts = accepts,
                                            .prepare = prepare<false>,
                                            .run = run,
                                            .pitched_in = 1,
                                            .pitched_out = 1};

}  // namespace hone
