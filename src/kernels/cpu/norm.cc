// LayerNormalization, BatchNormalization and InstanceNormalization. Moments are taken in two passes: the
// mean, then the mean of the squared distances from it.
#include <algorithm>
#include <cmath>

#include "kernels/isa/reduce.h"
#include "kernels/isa_kernels.h"
#include "kernels/tactic.h"
#include "ops/window.h"

namespace hone {
namespace {

constexpr int64_t grain = 8192;

Accept all_f32(const Problem& p) {
  for (const Operand& o : p.in) REFUSE_UNLESS(!o || o.dtype == DType::f32, "an input is not f32");
  REFUSE_UNLESS(p.in[0].shape.elements() > 0, "there are no elements");
  return Accept::yes();
}

float inverse_deviation(float squares, int64_t n, float epsilon) {
  return 1.0f / std::sqrt(squares / static_cast<float>(n) + epsilon);
}

// --- LayerNormalization: rows of n neighbours ---

struct LayerParams {
  const ReduceKernels* kernels;
  int64_t rows, n, rows_per_task, tasks;
  float epsilon;
};

// 0 where the axis is wrong, which infer has refused.
int64_t normalized(const Problem& p) {
  const Shape& s = p.in[0].shape;
  const auto axis = normalize_axis(p.attrs->i("axis", -1), s.rank());
  return axis ? s.product(*axis, s.rank()) : 0;
}

Accept accepts_layer(const Problem& p) {
  REFUSE_UNLESS(all_f32(p), all_f32(p).why());
  for (size_t i = 1; i < 3; i++)
    REFUSE_UNLESS(!p.input(i) || p.in[i].shape.elements() == normalized(p),
                  "scale or bias is broadcast within a row");
  for (size_t i = 1; i < p.out.size(); i++)
    REFUSE_UNLESS(!p.out[i] || p.out[i].dtype == DType::f32, "the statistics are not f32");
  return Accept::yes();
}

Status prepare_layer(const Problem& p, Prepared& out) {
  auto& q = out.make<LayerParams>();
  q.kernels = isa_kernels(p.isa).reduce;
  q.n = normalized(p);
  q.rows = p.in[0].shape.elements() / q.n;
  // Few rows: threads share them almost evenly, and each gets the rows that it works on in products before and after.
  q.rows_per_task = std::clamp<int64_t>(grain / 8 / q.n, 1, q.rows);
  q.tasks = (q.rows + q.rows_per_task - 1) / q.rows_per_task;
  q.epsilon = p.attrs->f("epsilon");
  return {};
}

void run_layer(const Run& r) {
  const auto& q = r.as<LayerParams>();
  const auto input = [&](size_t i) { return i < r.in.size() ? static_cast<const float*>(r.in[i]) : nullptr; };
  const auto output = [&](size_t i) { return i < r.out.size() ? static_cast<float*>(r.out[i]) : nullptr; };
  float *means = output(1), *inverses = output(2);
  r.pool.run(q.tasks, [&](int64_t task, int) {
    const int64_t to = std::min(q.rows, (task + 1) * q.rows_per_task);
    for (int64_t row = task * q.rows_per_task; row < to; row++) {
      const float* x = input(0) + row * q.n;
      const float mean = q.kernels->row[ReduceKernels::sum](x, q.n) / static_cast<float>(q.n);
      // Of neighbours that are close together and far from zero, the rounding of the mean is not small
      // against their deviation. x - mean is exact there, so its own mean is what was lost.
      float distances = 0, squares = 0;
      q.kernels->row_moments(x, q.n, mean, &distances, &squares);
      const float count = static_cast<float>(q.n), rest = distances / count;
      squares -= count * rest * rest;
      const float inverse = inverse_deviation(std::max(squares, 0.0f), q.n, q.epsilon);
      q.kernels->normalize(x, q.n, mean, rest, inverse, input(1), input(2), output(0) + row * q.n);
      if (means) means[row] = mean + rest;
      if (inverses) inverses[row] = inverse;
    }
  });
}

// --- BatchNormalization: a factor and an offset for each channel ---

struct BatchParams {
  const ReduceKernels* kernels;
  bool last;
  int64_t channels, rows, columns, in_pitch,
      out_pitch;  // last: rows of channels. else: rows (n, c) of pixels
  int64_t rows_per_task, tasks;
  float epsilon;
};

Accept accepts_batch(const Problem& p) {
  REFUSE_UNLESS(all_f32(p), all_f32(p).why());
  REFUSE_UNLESS(!p.attrs->flag("training_mode"), "it is in training mode");
  REFUSE_UNLESS(p.in[0].shape.rank() >= 2, "there is no channel dimension");
  return Accept::yes();
}

Status prepare_batch(const Problem& p, Prepared& out) {
  auto& q = out.make<BatchParams>();
  const Operand& x = p.in[0];
  q.kernels = isa_kernels(p.isa).reduce;
  // [N, C] is channels last whatever the attribute says.
  q.last = p.attrs->flag("channels_last") || x.shape.rank() == 2;
  q.channels = x.shape[channel_axis(x.shape.rank(), q.last)];
  q.columns = q.last ? q.channels : x.shape.product(2, x.shape.rank());
  q.rows = x.shape.elements() / q.columns;
  q.in_pitch = q.last ? x.pitch : q.columns;
  q.out_pitch = q.last ? p.out[0].pitch : q.columns;
  q.rows_per_task = std::clamp<int64_t>(grain / q.columns, 1, q.rows);
  q.tasks = (q.rows + q.rows_per_task - 1) / q.rows_per_task;
  q.epsilon = p.attrs->f("epsilon");
  // Rows (n, c) are cut into tasks without regard to n, so the factors are repeated for each image.
  const int64_t factors = q.last ? q.channels : q.rows;
  out.scratch_bytes = 2 * factors * static_cast<int64_t>(sizeof(float));
  return {};
}

void run_batch(const Run& r) {
  const auto& q = r.as<BatchParams>();
  const float* in[5];
  for (size_t i = 0; i < 5; i++) in[i] = static_cast<const float*>(r.in[i]);
  const int64_t factors = q.last ? q.channels : q.rows;
  float *factor = static_cast<float*>(r.scratch), *offset = factor + factors;
  for (int64_t i = 0; i < factors; i++) {
    const int64_t c = i % q.channels;
    factor[i] = in[1][c] / std::sqrt(in[4][c] + q.epsilon);
    offset[i] = in[2][c] - in[3][c] * factor[i];
  }
  r.pool.run(q.tasks, [&](int64_t task, int) {
    const int64_t row = task * q.rows_per_task;
    const MatrixView x = {in[0] + row * q.in_pitch, std::min(q.rows_per_task, q.rows - row), q.columns,
                          q.in_pitch};
    float* y = static_cast<float*>(r.out[0]) + row * q.out_pitch;
    if (q.last) q.kernels->scale_columns(x, factor, offset, y, q.out_pitch);
    else q.kernels->scale_rows(x, factor + row, offset + row, y, q.out_pitch);
  });
}

// --- InstanceNormalization: each channel of each image by its own moments ---

struct InstanceParams {
  const ReduceKernels* kernels;
  bool last;
  int64_t images, channels, pixels, in_pitch, out_pitch;
  int64_t block, blocks;  // channels of a task, tasks of an image
  float epsilon;
};
constexpr int64_t max_block = 64;  // channels: their moments fit on the stack

Accept accepts_instance(const Problem& p) {
  REFUSE_UNLESS(all_f32(p), all_f32(p).why());
  REFUSE_UNLESS(p.in[0].shape.rank() >= 3, "there are no spatial dimensions");
  return Accept::yes();
}

Status prepare_instance(const Problem& p, Prepared& out) {
  auto& q = out.make<InstanceParams>();
  const Operand& x = p.in[0];
  q.kernels = isa_kernels(p.isa).reduce;
  q.last = p.attrs->flag("channels_last");
  q.images = x.shape[0];
  q.channels = x.shape[channel_axis(x.shape.rank(), q.last)];
  q.pixels = x.shape.elements() / q.images / q.channels;
  q.in_pitch = x.pitch;
  q.out_pitch = p.out[0].pitch;
  q.block = q.last ? std::min(max_block, q.channels) : 1;
  q.blocks = (q.channels + q.block - 1) / q.block;
  q.epsilon = p.attrs->f("epsilon");
  return {};
}

void run_instance(const Run& r) {
  const auto& q = r.as<InstanceParams>();
  const ReduceKernels& k = *q.kernels;
  const float *scale = static_cast<const float*>(r.in[1]), *bias = static_cast<const float*>(r.in[2]);
  r.pool.run(q.images * q.blocks, [&](int64_t task, int) {
    const int64_t image = task / q.blocks, c = task % q.blocks * q.block,
                  n = std::min(q.block, q.channels - c);
    float mean[max_block], factor[max_block], offset[max_block];
    MatrixView x{};
    float* y = static_cast<float*>(r.out[0]);
    if (q.last) {
      x = {static_cast<const float*>(r.in[0]) + image * q.pixels * q.in_pitch + c, q.pixels, n, q.in_pitch};
      y += image * q.pixels * q.out_pitch + c;
      k.columns[ReduceKernels::sum](x, mean, false);
    } else {
      x = {static_cast<const float*>(r.in[0]) + task * q.pixels, 1, q.pixels, q.pixels};
      y += task * q.pixels;
      mean[0] = k.row[ReduceKernels::sum](x.data, q.pixels);
    }
    for (int64_t i = 0; i < n; i++) mean[i] /= static_cast<float>(q.pixels);
    if (q.last) k.column_squares(x, mean, factor);
    else factor[0] = k.row_squares(x.data, q.pixels, mean[0]);
    for (int64_t i = 0; i < n; i++) {
      factor[i] = scale[c + i] * inverse_deviation(factor[i], q.pixels, q.epsilon);
      offset[i] = bias[c + i] - mean[i] * factor[i];
    }
    if (q.last) k.scale_columns(x, factor, offset, y, q.out_pitch);
    else k.scale_rows(x, factor, offset, y, q.pixels);
  });
}

Accept batch_last(const Problem& p) {
  REFUSE_UNLESS(accepts_batch(p), accepts_batch(p).why());
  REFUSE_UNLESS(p.attrs->flag("channels_last") || p.in[0].shape.rank() == 2, "channels are not last");
  return Accept::yes();
}
Accept instance_last(const Problem& p) {
  REFUSE_UNLESS(accepts_instance(p), accepts_instance(p).why());
  REFUSE_UNLESS(p.attrs->flag("channels_last"), "channels are not last");
  return Accept::yes();
}

}  // namespace

extern const Tactic tactic_layer_norm_f32{.name = "layer_norm_f32",
                                          .op = "LayerNormalization",
                                          .accepts = accepts_layer,
                                          .prepare = prepare_layer,
                                          .run = run_layer,
                                          .in_place = 0};
extern const Tactic tactic_batch_norm_last_f32{.name = "batch_norm_last_f32",
                                               .op = "BatchNormalization",
                                               .accepts = batch_last,
                                               .prepare = prepare_batch,
                                               .run = run_batch,
                                               .pitched_in = 1,
                                               .pitched_out = 1,
                                               .in_place = 0};
extern const Tactic tactic_batch_norm_f32{.name = "batch_norm_f32",
                                          .op = "BatchNormalization",
                                          .accepts = accepts_batch,
                                          .prepare = prepare_batch,
                                          .run = run_batch,
                                          .in_place = 0};
extern const Tactic tactic_instance_norm_last_f32{.name = "instance_norm_last_f32",
                                                  .op = "InstanceNormalization",
                                                  .accepts = instance_last,
                                                  .prepare = prepare_instance,
                                                  .run = run_instance,
                                                  .pitched_in = 1,
                                                  .pitched_out = 1,
                                                  .in_place = 0};
extern const Tactic tactic_instance_norm_f32{.name = "instance_norm_f32",
                                             .op = "InstanceNormalization",
                                             .accepts = accepts_instance,
                                             .prepare = prepare_instance,
                                             .run = run_instance,
                                             .in_place = 0};

}  // namespace hone
