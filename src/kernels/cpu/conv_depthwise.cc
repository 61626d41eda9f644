// Depthwise convolution over channels-last maps: as many groups as channels, one output for each.
#include <cstdio>

#include "kernels/cpu/conv.h"
#include "kernels/isa/depthwise.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

struct Depthwise {
  const DepthwiseKernels* kernels;
  DepthwiseJob job;  // all but the pointers to operands and the rectangle
  int64_t batch, oh, ow, weight_floats;
  int parts;
};

Accept accepts(const Problem& p) {
  ConvShape s;
  Epilogue e;
  const Accept basics = find_conv(p, false, s, e);
  REFUSE_UNLESS(basics, basics.why());
  REFUSE_UNLESS(s.groups == p.input(0).shape.back() && s.m == s.groups,
                "it is not depthwise: groups, input and output channels differ");
  return Accept::yes();
}

Status prepare(const Problem& p, Prepared& prepared) {
  const Operand &x = p.input(0), &w = p.input(1), &y = p.out[0], &z = p.input(3);
  HONE_TRY(const ConvShape s, conv_shape(*p.attrs, x.shape, w.shape, false));
  Depthwise& d = prepared.make<Depthwise>();
  Epilogue e;
  (void)find_epilogue(p, e);
  const Window& win = s.window;
  const size_t last = static_cast<size_t>(win.rank) - 1;
  const bool planar = win.rank == 2;
  d.kernels = isa_kernels(p.isa).depthwise;
  d.batch = x.shape[0];
  d.oh = planar ? win.out[0] : 1;
  d.ow = win.out[last];
  DepthwiseJob& j = d.job;
  j.h = planar ? win.in[0] : 1;
  j.w = win.in[last];
  j.channels = x.shape.back();
  j.kh = planar ? win.kernel[0] : 1;
  j.kw = win.kernel[last];
  j.sh = planar ? win.stride[0] : 1;
  j.sw = win.stride[last];
  j.dh = planar ? win.dilation[0] : 1;
  j.dw = win.dilation[last];
  j.top = planar ? win.begin[0] : 0;
  j.left = win.begin[last];
  j.in_pixel = x.pitch;
  j.in_row = j.w * x.pitch;
  j.out_pixel = y.pitch;
  j.out_row = d.ow * y.pitch;
  j.residual_pixel = z.pitch;
  j.residual_row = d.ow * z.pitch;
  j.lo = e.lo;
  j.hi = e.hi;
  j.act = e.act;
  j.alpha = e.alpha;
  j.beta = e.beta;
  const int64_t padded = (j.channels + d.kernels->lanes - 1) / d.kernels->lanes * d.kernels->lanes;
  d.weight_floats = padded * j.kh * j.kw;
  d.parts = static_cast<int>(std::clamp<int64_t>(d.batch * d.oh * d.ow, 1, p.threads));
  prepared.packed_bytes = (d.weight_floats + padded) * 4;
  char key[96];
  snprintf(key, sizeof key, "conv_depthwise c%lld %lldx%lld l%d b%d", static_cast<long long>(j.channels),
           static_cast<long long>(j.kh), static_cast<long long>(j.kw), d.kernels->lanes, p.input(2) ? 1 : 0);
  prepared.packed_key = key;
  return {};
}

void pack(const Problem& p, const Prepared& prepared, void* packed) {
  const Depthwise& d = *reinterpret_cast<const Depthwise*>(prepared.params.data());
  const float* w = static_cast<const float*>(p.input(1).constant);
  const float* bias = static_cast<const float*>(p.input(2).constant);
  float* to = static_cast<float*>(packed);
  const int64_t taps = d.job.kh * d.job.kw, lanes = d.kernels->lanes, channels = d.job.channels;
  const int64_t padded = d.weight_floats / taps;
  for (int64_t v = 0; v < padded; v += lanes)
    for (int64_t t = 0; t < taps; t++)
      for (int64_t i = v; i < v + lanes; i++) *to++ = i < channels ? w[i * taps + t] : 0.0f;
  for (int64_t i = 0; i < padded; i++) *to++ = bias && i < channels ? bias[i] : 0.0f;
}

struct Maps {
  const float *in, *residual, *packed;
  float* out;
  int64_t wrap = INT64_MAX, back = 0;  // rows of the input, numbered through all images, from wrap on lie so
                                       // many floats earlier
};

void make_pixels(const Depthwise& d, Share share, const Maps& maps) {
  DepthwiseJob job = d.job;
  job.weights = maps.packed;
  job.bias = job.weights + d.weight_floats;
  for (int64_t m = share.begin; m < share.end;) {
    // The rest of a row, or as many whole rows of the image as there are.
    const int64_t image = m / (d.oh * d.ow), left = share.end - m;
    job.y0 = m / d.ow % d.oh;
    job.x0 = m % d.ow;
    job.x1 = std::min(d.ow, job.x0 + left);
    job.y1 = job.y0 + 1;
    if (job.x0 == 0 && left >= d.ow) job.y1 = std::min(d.oh, job.y0 + left / d.ow);
    job.in = maps.in + image * job.h * job.in_row;
    job.in_wrap = maps.back ? maps.wrap - image * job.h : INT64_MAX;
    job.in_back = maps.back;
    job.out = maps.out + image * d.oh * job.out_row;
    job.residual = maps.residual ? maps.residual + image * d.oh * job.residual_row : nullptr;
    d.kernels->run(job);
    m += (job.x1 - job.x0) * (job.y1 - job.y0);
  }
}

Maps maps_of(std::span<const void* const> in, const void* packed, void* out) {
  return {.in = static_cast<const float*>(in[0]),
          .residual = in.size() > 3 ? static_cast<const float*>(in[3]) : nullptr,
          .packed = static_cast<const float*>(packed),
          .out = static_cast<float*>(out)};
}

void run(const Run& r) {
  const Depthwise& d = r.as<Depthwise>();
  r.pool.run(d.parts, [&](int64_t part, int) {
    make_pixels(d, Share(d.batch * d.oh * d.ow, d.parts, part), maps_of(r.in, r.packed, r.out[0]));
  });
}

Accept reach(const Problem& p, int operand, Reach& r) {
  if (operand < 0) return Accept::yes();
  REFUSE_UNLESS(operand == 0, "weights and residuals are wanted whole");
  const auto s = conv_shape(*p.attrs, p.in[0].shape, p.in[1].shape, false);
  REFUSE_UNLESS(s, "its attributes are invalid");
  const Window& w = s->window;
  if (w.rank == 2) r = {w.stride[0], w.begin[0], (w.kernel[0] - 1) * w.dilation[0] + 1};
  return Accept::yes();
}

void run_strip(const StripRun& r) {
  Maps maps = maps_of(r.in, r.packed, r.out);
  maps.wrap = r.wrap;
  maps.back = r.back / static_cast<int64_t>(sizeof(float));
  make_pixels(r.as<Depthwise>(), Share(r.begin, r.end), maps);
}

constexpr StripKernel strips{.reach = reach, .run = run_strip};

}  // namespace

extern const Tactic tactic_conv_depthwise_f32{.name = "conv_depthwise_f32",
                                              .op = "Conv",
                                              .accepts = accepts,
                                              .prepare = prepare,
                                              .run = run,
                                              .pack = pack,
                                              .pitched_in = 1u << 0 | 1u << 3,
                                              .pitched_out = 1,
                                              .strips = &strips};

}  // namespace hone
