/* An operator of one's own: com.example.Calibrate, a curve through points, as sensors need it. Between the points (xs[i], ys[i])
 * it is linear, outside constant. Build it as a shared library and name it where the model is built and run:
 *   cc -shared -fPIC 04_plugin.c -o calibrate.so
 *   hone run model.onnx --plugin ./calibrate.so --input x.npy
 * docs/plugins.md says more. */
#include "hone/plugin.h"

typedef struct curve {
  const float *xs, *ys;
  size_t count;
} curve;

/* The attributes; not 0: they make no curve. */
static int read_curve(hone_plugin_call* call, curve* c) {
  size_t n = 0;
  if (!call->host->attr_floats(call, "xs", &c->xs, &c->count) ||
      !call->host->attr_floats(call, "ys", &c->ys, &n))
    return call->host->fail(call, "xs and ys are missing");
  if (c->count < 2 || n != c->count)
    return call->host->fail(call, "%zu xs and %zu ys are given; two or more of each are needed", c->count, n);
  for (size_t i = 1; i < n; i++)
    if (!(c->xs[i] > c->xs[i - 1])) return call->host->fail(call, "xs must ascend, item %zu does not", i);
  return 0;
}

/* Before anything runs: which types come out. What is wrong with a node should be said here, where models are built. */
static int infer(hone_plugin_call* call) {
  curve c;
  if (call->inputs[0].dtype != HONE_F32)
    return call->host->fail(call, "input x is of element type %d, f32 (1) is needed",
                            (int)call->inputs[0].dtype);
  call->outputs[0] = call->inputs[0]; /* the same shape, be it known or not */
  return read_curve(call, &c);
}

static int run(hone_plugin_call* call) {
  const float* x = call->inputs[0].data;
  float* y = call->output_data[0];
  curve c;
  if (read_curve(call, &c)) return 1;
  for (size_t k = 0, n = call->inputs[0].bytes / sizeof *x; k < n; k++) {
    size_t i = 1;
    while (i + 1 < c.count && x[k] > c.xs[i]) i++;
    const float t = (x[k] - c.xs[i - 1]) / (c.xs[i] - c.xs[i - 1]);
    y[k] = t <= 0 ? c.ys[i - 1] : t >= 1 ? c.ys[i] : c.ys[i - 1] + t * (c.ys[i] - c.ys[i - 1]);
  }
  return 0;
}

static const hone_plugin_attr attrs[] = {
    {.name = "xs", .type = HONE_PLUGIN_FLOATS, .presence = HONE_PLUGIN_REQUIRED},
    {.name = "ys", .type = HONE_PLUGIN_FLOATS, .presence = HONE_PLUGIN_REQUIRED},
};

const hone_plugin* hone_plugin_entry(void) {
  static const hone_plugin_op calibrate = {
      .domain = "com.example",
      .name = "Calibrate",
      .doc = "y = the curve through (xs[i], ys[i]) at x",
      .since_version = 1,
      .min_inputs = 1,
      .max_inputs = 1,
      .min_outputs = 1,
      .max_outputs = 1,
      .attrs = attrs,
      .attr_count = 2,
      .flags = HONE_PLUGIN_PURE,
      .infer = infer,
      .run = run,
  };
  static const hone_plugin plugin = {HONE_PLUGIN_ABI, "calibrate", 1, &calibrate};
  return &plugin;
}
