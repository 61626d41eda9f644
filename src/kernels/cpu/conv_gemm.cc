// Convolution over channels-last maps: one sliding-window product.
#include <cstdio>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/window_gemm.h"

namespace hone {
namespace {

Accept accepts(const Problem& p) {
  ConvShape s;
  Epilogue e;
  const Accept basics = find_conv(p, false, s, e, true);
  REFUSE_UNLESS(basics, basics.why());
  REFUSE_UNLESS(!p.attrs->flag("planar_input") || s.groups == 1, "channels that lie apart are grouped");
  for (int i = 0; i < s.window.rank; i++)
    REFUSE_UNLESS(
        s.window.begin[static_cast<size_t>(i)] <= 4096 && s.window.end[static_cast<size_t>(i)] <= 4096,
        "padding exceeds 4096");
  return Accept::yes();
}

Status prepare(const Problem& p, Prepared& prepared) {
  const Operand &x = p.input(0), &w = p.input(1);
  HONE_TRY(const ConvShape s, conv_shape(*p.attrs, x.shape, w.shape, false));
  WindowGemm& g = prepared.make<WindowGemm>();
  const Window& win = s.window;
  const size_t last = static_cast<size_t>(win.rank) - 1;
  g.batch = x.shape[0];
  const bool planar = p.attrs->flag("planar_input");
  g.ic = planar ? x.shape[1] : x.shape.back();
  g.oc = s.m;
  g.groups = s.groups;
  g.w = win.in[last];
  g.ow = win.out[last];
  g.kw = win.kernel[last];
  g.sw = win.stride[last];
  g.dw = win.dilation[last];
  g.left = win.begin[last];
  if (win.rank == 2) {
    g.h = win.in[0];
    g.oh = win.out[0];
    g.kh = win.kernel[0];
    g.sh = win.stride[0];
    g.dh = win.dilation[0];
    g.top = win.begin[0];
  }
  g.in_pitch = x.pitch;
  if (planar) g.in_plane = g.h * x.pitch;
  g.out_pixel = p.out[0].pitch;
  g.out_row = g.ow * g.out_pixel;
  g.out_image = g.oh * g.out_row;
  g.residual_pixel = p.input(3).pitch;
  g.residual_row = g.ow * g.residual_pixel;
  (void)find_epilogue(p, g.epilogue);
  g.plan(p.isa, p.threads);
  prepared.packed_bytes = g.packed_floats() * 4;
  prepared.scratch_bytes = g.scratch_bytes();
  prepared.first_bytes = g.first_bytes();
  prepared.first_step = g.grid.by_panels > 1 ? g.panels.weight_floats() / g.grid.by_panels * 4 : 0;
  prepared.packed_key =
      strf("conv_gemm g%lld k%lldx%lld nr%dx%d%s o%lld i%lld b%d", static_cast<long long>(g.groups),
           static_cast<long long>(g.kh), static_cast<long long>(g.kw), g.panels.nr, g.panels.lanes,
           g.panels.pairs ? "p" : "", static_cast<long long>(g.oc), static_cast<long long>(g.ic),
           p.input(2) ? 1 : 0);
  return {};
}

void pack(const Problem& p, const Prepared& prepared, void* packed) {
  const WindowGemm& g = *reinterpret_cast<const WindowGemm*>(prepared.params.data());
  const float* w = static_cast<const float*>(p.input(1).constant);
  const float* bias = static_cast<const float*>(p.input(2).constant);
  const int64_t icg = g.ic / g.groups, ocg = g.oc / g.groups, taps = g.kh * g.kw;
  for (int64_t group = 0; group < g.groups; group++) {
    const float* from = w + group * ocg * icg * taps;
    float* to = static_cast<float*>(packed) + group * g.panels.floats();
    // [O][I][taps] -> [tap][I][O]
    pack_panels(g.panels, to,
                [&](int64_t k, int64_t n) { return from[(n * icg + k % icg) * taps + k / icg]; });
    pack_bias(g.panels, to, [&](int64_t n) { return bias ? bias[group * ocg + n] : 0.0f; });
  }
}

void run(const Run& r) {
  const WindowGemm& g = r.as<WindowGemm>();
  const float* residual = r.in.size() > 3 ? static_cast<const float*>(r.in[3]) : nullptr;
  r.pool.run(g.grid.parts(), [&](int64_t part, int) {
    g.run(part, static_cast<const float*>(r.in[0]), residual, static_cast<const float*>(r.packed),
          static_cast<float*>(r.out[0]), r.scratch, Ahead(r, part));
  });
}

Accept reach(const Problem& p, int operand, Reach& r) {
  if (operand < 0) return Accept::yes();
  REFUSE_UNLESS(operand == 0, "weights and residuals are wanted whole");
  REFUSE_UNLESS(!p.attrs->flag("planar_input"), "the input is channels first");
  const auto s = conv_shape(*p.attrs, p.in[0].shape, p.in[1].shape, false);
  REFUSE_UNLESS(s, "its attributes are invalid");
  const Window& w = s->window;
  for (size_t i = 0; i < static_cast<size_t>(w.rank); i++)
    REFUSE_UNLESS(w.kernel[i] == 1 && w.stride[i] == 1 && w.begin[i] == 0 && w.end[i] == 0,
                  "the window is more than a pixel");
  r.pixel = true;
  return Accept::yes();
}

int64_t strip_scratch(const void* params) {
  return static_cast<const WindowGemm*>(params)->part_scratch_bytes();
}

void run_strip(const StripRun& r) {
  const float* residual = r.in.size() > 3 ? static_cast<const float*>(r.in[3]) : nullptr;
  r.as<WindowGemm>().run_pixels(Share(r.begin, r.end), static_cast<const float*>(r.in[0]), residual,
                                static_cast<const float*>(r.packed), static_cast<float*>(r.out), r.scratch);
}

constexpr StripKernel strips{.reach = reach, .run = run_strip, .scratch = strip_scratch};

}  // namespace

extern const Tactic tactic_conv_gemm_f32{.name = "conv_gemm_f32",
                                         .op = "Conv",
                                         .accepts = accepts,
                                         .prepare = prepare,
                                         .run = run,
                                         .pack = pack,
                                         .cost = [](const Problem& p) { return conv_cost(p, 1); },
                                         .pitched_in = 1u << 0 | 1u << 3,
                                         .pitched_out = 1,
                                         .in_place = 3,
                                         .strips = &strips};

}  // namespace hone
