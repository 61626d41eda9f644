// Transposed convolution over channels-last maps, in gather form. Output positions whose index plus padding
// leaves the same remainder modulo the stride meet the same taps of the kernel, and step through the input
// one by one: each remainder is an ordinary sliding-window product with stride 1 whose results lie `stride`
// pixels apart. No sums are scattered, and where kernel and stride are equal each is a plain product.
//
//   y[o] = sum of w[k] * x[i] over i * s + k * d = o + pad.  With o = r + s * t the taps are those k with k *
//   d = r + pad (mod s), every s / gcd(s, d)-th, and i = t + (r + pad - k * d) / s falls by d / gcd(s, d)
//   from one such tap to the next.
#include <numeric>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/window_gemm.h"

namespace hone {
namespace {

// One dimension.
struct Axis {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;
};
struct Phase {
  int64_t out;  // positions
  int64_t first, step,
      taps;          // kernel indices: first, first - step, ...: `taps` of them, in the order of the input
  int64_t origin;    // input position of the first tap for t = 0
  int64_t dilation;  // of input positions
};
Phase phase_of(const Axis& a, int64_t r) {
  const int64_t g = std::gcd(a.stride, a.dilation);
  Phase p{.out = r < a.out ? (a.out - r + a.stride - 1) / a.stride : 0,
          .first = 0,
          .step = a.stride / g,
          .taps = 0,
          .origin = 0,
          .dilation = a.dilation / g};
  for (int64_t k = 0; k < std::min(a.kernel, p.step); k++) {
    if ((r + a.pad - k * a.dilation) % a.stride != 0) continue;
    p.taps = (a.kernel - k + p.step - 1) / p.step;
    p.first = k + (p.taps - 1) * p.step;
    p.origin = (r + a.pad - p.first * a.dilation) / a.stride;
    break;
  }
  return p;
}

struct ConvTranspose {
  Axis y, x;
  WindowGemm common;  // what all phases share
  Isa isa;
  int threads;
  bool with_bias;

  // The product of one phase; its geometry alone decides the plan, so it is worked out where it is needed.
  WindowGemm product(const Phase& py, const Phase& px, int64_t ry, int64_t rx) const {
    WindowGemm g = common;
    g.oh = py.out;
    g.ow = px.out;
    g.kh = py.taps;
    g.kw = px.taps;
    g.top = -py.origin;
    g.left = -px.origin;
    g.dh = py.dilation;
    g.dw = px.dilation;
    if (!g.kh || !g.kw) g.kh = g.kw = 0;
    g.out_base = ry * y_row() + rx * common.out_pixel;
    g.out_image = y.out * y_row();
    g.out_row = y.stride * y_row();
    g.out_pixel = x.stride * common.out_pixel;
    g.plan(isa, threads);
    return g;
  }
  int64_t y_row() const { return x.out * common.out_pixel; }

  template <class F>
  void for_each_phase(F&& f) const {
    int64_t packed = 0;
    for (int64_t ry = 0; ry < std::min(y.stride, y.out); ry++)
      for (int64_t rx = 0; rx < std::min(x.stride, x.out); rx++) {
        const Phase py = phase_of(y, ry), px = phase_of(x, rx);
        const WindowGemm g = product(py, px, ry, rx);
        f(g, py, px, packed);
        packed += g.packed_floats();
      }
  }
};

Accept accepts(const Problem& p) {
  ConvShape s;
  Epilogue e;
  const Accept basics = find_conv(p, true, s, e);
  REFUSE_UNLESS(basics, basics.why());
  for (int i = 0; i < s.window.rank; i++)
    REFUSE_UNLESS(s.window.stride[static_cast<size_t>(i)] <= 64, "a stride exceeds 64");
  for (int i = 0; i < s.window.rank; i++)
    REFUSE_UNLESS(
        s.window.begin[static_cast<size_t>(i)] <= 4096 && s.window.dilation[static_cast<size_t>(i)] <= 4096,
        "padding or dilation exceeds 4096");
  return Accept::yes();
}

Status prepare(const Problem& p, Prepared& prepared) {
  const Operand &x = p.input(0), &w = p.input(1);
  HONE_TRY(const ConvShape s, conv_shape(*p.attrs, x.shape, w.shape, true));
  ConvTranspose& c = prepared.make<ConvTranspose>();
  const Window& win = s.window;
  const size_t last = static_cast<size_t>(win.rank) - 1;
  const auto axis = [&](size_t i) {
    return Axis{win.in[i], win.out[i], win.kernel[i], win.stride[i], win.dilation[i], win.begin[i]};
  };
  c.x = axis(last);
  if (win.rank == 2) c.y = axis(0);
  c.isa = p.isa;
  c.threads = p.threads;
  c.with_bias = static_cast<bool>(p.input(2));
  c.common.batch = x.shape[0];
  c.common.h = c.y.in;
  c.common.w = c.x.in;
  c.common.ic = x.shape.back();
  c.common.oc = s.m;
  c.common.groups = s.groups;
  c.common.in_pitch = x.pitch;
  c.common.out_pixel = p.out[0].pitch;
  (void)find_epilogue(p, c.common.epilogue);
  std::string tiles;
  c.for_each_phase([&](const WindowGemm& g, const Phase&, const Phase&, int64_t offset) {
    prepared.packed_bytes = (offset + g.packed_floats()) * 4;
    prepared.scratch_bytes = std::max(prepared.scratch_bytes, g.scratch_bytes());
    tiles += strf(" nr%dx%d%s", g.panels.nr, g.panels.lanes, g.panels.pairs ? "p" : "");
  });
  const auto axis_key = [](const Axis& a) {
    return strf(" k%lld s%lld d%lld p%lld o%lld", static_cast<long long>(a.kernel),
                static_cast<long long>(a.stride), static_cast<long long>(a.dilation),
                static_cast<long long>(a.pad), static_cast<long long>(std::min(a.stride, a.out)));
  };
  prepared.packed_key =
      strf("conv_transpose i%lld o%lld g%lld b%d", static_cast<long long>(c.common.ic),
           static_cast<long long>(c.common.oc), static_cast<long long>(c.common.groups), c.with_bias) +
      axis_key(c.y) + axis_key(c.x) + tiles;
  return {};
}

void pack(const Problem& p, const Prepared& prepared, void* packed) {
  const ConvTranspose& c = *reinterpret_cast<const ConvTranspose*>(prepared.params.data());
  const float* w = static_cast<const float*>(p.input(1).constant);
  const float* bias = static_cast<const float*>(p.input(2).constant);
  const int64_t icg = c.common.ic / c.common.groups, ocg = c.common.oc / c.common.groups;
  c.for_each_phase([&](const WindowGemm& g, const Phase& py, const Phase& px, int64_t offset) {
    for (int64_t group = 0; group < g.groups; group++) {
      float* to = static_cast<float*>(packed) + offset + group * g.panels.floats();
      // W is [C][O / group][ky][kx]; rows of B are [tap row][tap column][C / group].
      pack_panels(g.panels, to, [&](int64_t k, int64_t n) {
        const int64_t tap = k / icg, ky = py.first - tap / g.kw * py.step,
                      kx = px.first - tap % g.kw * px.step;
        return w[(((group * icg + k % icg) * ocg + n) * c.y.kernel + ky) * c.x.kernel + kx];
      });
      pack_bias(g.panels, to, [&](int64_t n) { return bias ? bias[group * ocg + n] : 0.0f; });
    }
  });
}

void run(const Run& r) {
  const ConvTranspose& c = r.as<ConvTranspose>();
  c.for_each_phase([&](const WindowGemm& g, const Phase&, const Phase&, int64_t offset) {
    r.pool.run(g.grid.parts(), [&](int64_t part, int) {
      g.run(part, static_cast<const float*>(r.in[0]), nullptr, static_cast<const float*>(r.packed) + offset,
            static_cast<float*>(r.out[0]), r.scratch);
    });
  });
}

}  // namespace

extern const Tactic tactic_conv_transpose_f32{.name = "conv_transpose_f32",
                                              .op = "ConvTranspose",
                                              .accepts = accepts,
                                              .prepare = prepare,
                                              .run = run,
                                              .pack = pack,
                                              .pitched_in = 1,
                                              .pitched_out = 1};

}  // namespace hone
