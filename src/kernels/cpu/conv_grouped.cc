// Convolution in groups of few channels over channels-last maps, a vector of channels at a time (isa/grouped.h). The
// rows that a window sees are kept in a ring, a vector for each pixel, with zeros where the image has none.
#include "kernels/cpu/conv.h"
#include "kernels/isa/grouped.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

constexpr int64_t max_height = 16;  // of the window

struct Grouped {
  const GroupedKernels* kernels;
  Epilogue epilogue;
  int64_t batch, channels, group;
  int64_t h, w, oh, ow, kh, stride_y, stride_x, top, left;
  int64_t in_pixel, out_pixel, residual_pixel;
  int64_t blocks;  // vectors of channels
  int64_t padded;  // pixels of a row of the ring
  int parts;

  int64_t lanes() const { return kernels->lanes; }
  int64_t block_floats() const { return kh * group * 3 * lanes(); }
  int64_t part_bytes() const { return round_up(kh * padded * lanes() * 4); }
};

Accept accepts(const Problem& p) {
  ConvShape s;
  Epilogue e;
  const Accept basics = find_conv(p, false, s, e);
  REFUSE_UNLESS(basics, basics.why());
  const int64_t channels = p.input(0).shape.back(), lanes = isa_kernels(p.isa).grouped->lanes;
  REFUSE_UNLESS(s.groups > 1 && s.m == channels,
                "it is not grouped, or has other numbers of outputs than inputs");
  const int64_t group = channels / s.groups;
  REFUSE_UNLESS(group > 1 && lanes % group == 0, "its groups do not fill vectors evenly");
  const Window& win = s.window;
  const size_t last = static_cast<size_t>(win.rank) - 1;
  REFUSE_UNLESS(win.kernel[last] == 3, "its window is not three pixels wide");
  REFUSE_UNLESS(win.stride[last] <= 2, "its stride exceeds two pixels");
  for (size_t i = 0; i <= last; i++) {
    REFUSE_UNLESS(win.dilation[i] == 1, "it is dilated");
    REFUSE_UNLESS(win.kernel[i] <= max_height, "its window is too high");
    REFUSE_UNLESS(win.begin[i] >= 0 && win.begin[i] <= 4096, "padding is not between 0 and 4096");
  }
  return Accept::yes();
}

Status prepare(const Problem& p, Prepared& prepared) {
  const Operand &x = p.input(0), &w = p.input(1);
  HONE_TRY(const ConvShape s, conv_shape(*p.attrs, x.shape, w.shape, false));
  Grouped& g = prepared.make<Grouped>();
  const Window& win = s.window;
  const size_t last = static_cast<size_t>(win.rank) - 1;
  const bool planar = win.rank == 2;
  g.kernels = isa_kernels(p.isa).grouped;
  (void)find_epilogue(p, g.epilogue);
  g.batch = x.shape[0];
  g.channels = x.shape.back();
  g.group = g.channels / s.groups;
  g.h = planar ? win.in[0] : 1;
  g.w = win.in[last];
  g.oh = planar ? win.out[0] : 1;
  g.ow = win.out[last];
  g.kh = planar ? win.kernel[0] : 1;
  g.stride_y = planar ? win.stride[0] : 1;
  g.stride_x = win.stride[last];
  g.top = planar ? win.begin[0] : 0;
  g.left = win.begin[last];
  g.in_pixel = x.pitch;
  g.out_pixel = p.out[0].pitch;
  g.residual_pixel = p.input(3).pitch;
  g.blocks = (g.channels + g.lanes() - 1) / g.lanes();
  g.padded = g.ow ? (g.ow - 1) * g.stride_x + 3 : 0;
  g.parts = static_cast<int>(std::clamp<int64_t>(g.blocks * g.batch * g.oh, 1, p.threads));
  prepared.packed_bytes = g.blocks * (g.block_floats() + g.lanes()) * 4;
  prepared.scratch_bytes = g.part_bytes() * g.parts;
  prepared.packed_key = strf("conv_grouped c%lld g%lld k%lld l%d b%d", static_cast<long long>(g.channels),
                             static_cast<long long>(g.group), static_cast<long long>(g.kh), g.kernels->lanes,
                             p.input(2) ? 1 : 0);
  return {};
}

// Blocks of [row][channel of the group][tap][lane], then their biases.
void pack(const Problem& p, const Prepared& prepared, void* packed) {
  const Grouped& g = *reinterpret_cast<const Grouped*>(prepared.params.data());
  const float* w = static_cast<const float*>(p.input(1).constant);
  const float* bias = static_cast<const float*>(p.input(2).constant);
  const int64_t lanes = g.lanes();
  float* to = static_cast<float*>(packed);
  for (int64_t b = 0; b < g.blocks; b++)
    for (int64_t y = 0; y < g.kh; y++)
      for (int64_t i = 0; i < g.group; i++)
        for (int64_t t = 0; t < 3; t++)
          for (int64_t c = b * lanes; c < (b + 1) * lanes; c++)
            *to++ = c < g.channels ? w[((c * g.group + i) * g.kh + y) * 3 + t] : 0.0f;
  for (int64_t c = 0; c < g.blocks * lanes; c++) *to++ = bias && c < g.channels ? bias[c] : 0.0f;
}

// The rows of one vector of channels of one image.
class Ring {
 public:
  Ring(const Grouped& g, float* memory) : g_(g), memory_(memory) {
    begin_ = std::min(g.left, g.padded);
    end_ = std::clamp(g.left + g.w, begin_, g.padded);
    for (int64_t slot = 0; slot < g.kh; slot++) {
      std::fill_n(row(slot), begin_ * g.lanes(), 0.0f);
      std::fill(row(slot) + end_ * g.lanes(), row(slot + 1), 0.0f);
    }
  }
  void restart() { next_ = 0; }
  // Those of input rows [first, first + kh) that exist, from the image's pixels of `channels` channels at `in`.
  void bring(const float* in, int64_t first, int channels, const float** rows) {
    const int64_t end = std::min(first + g_.kh, g_.h);
    for (next_ = std::max({next_, first, int64_t{0}}); next_ < end; next_++)
      g_.kernels->take(row(next_ % g_.kh) + begin_ * g_.lanes(), in + next_ * g_.w * g_.in_pixel, g_.in_pixel,
                       end_ - begin_, channels);
    for (int64_t i = 0; i < g_.kh; i++) {
      const int64_t y = first + i;
      rows[i] = y >= 0 && y < g_.h ? row(y % g_.kh) : nullptr;
    }
  }

 private:
  float* row(int64_t slot) const { return memory_ + slot * g_.padded * g_.lanes(); }
  const Grouped& g_;
  float* const memory_;
  int64_t begin_, end_;  // where the image's pixels lie in a row
  int64_t next_ = 0;     // rows below have passed through
};

void run(const Run& r) {
  const Grouped& g = r.as<Grouped>();
  const auto* in = static_cast<const float*>(r.in[0]);
  const auto* residual = r.in.size() > 3 ? static_cast<const float*>(r.in[3]) : nullptr;
  const auto* packed = static_cast<const float*>(r.packed);
  auto* out = static_cast<float*>(r.out[0]);
  const int64_t lanes = g.lanes(), rows = g.batch * g.oh;
  r.pool.run(g.parts, [&](int64_t part, int) {
    Ring ring(g, reinterpret_cast<float*>(static_cast<char*>(r.scratch) + part * g.part_bytes()));
    const float* window[max_height];
    GroupedRow job{.rows = window,
                   .kh = g.kh,
                   .group = g.group,
                   .residual_pixel = g.residual_pixel,
                   .out_pixel = g.out_pixel,
                   .pixels = g.ow,
                   .lo = g.epilogue.lo,
                   .hi = g.epilogue.hi,
                   .act = g.epilogue.act,
                   .alpha = g.epilogue.alpha,
                   .beta = g.epilogue.beta};
    const Share share(g.blocks * rows, g.parts, part);
    for (int64_t unit = share.begin; unit < share.end; unit++) {
      const int64_t block = unit / rows, row = unit % rows, image = row / g.oh, y = row % g.oh,
                    c = block * lanes;
      if (y == 0) ring.restart();
      job.channels = static_cast<int>(std::min(lanes, g.channels - c));
      ring.bring(in + image * g.h * g.w * g.in_pixel + c, y * g.stride_y - g.top, job.channels, window);
      job.weights = packed + block * g.block_floats();
      job.bias = packed + g.blocks * g.block_floats() + c;
      job.out = out + row * g.ow * g.out_pixel + c;
      if (residual) job.residual = residual + row * g.ow * g.residual_pixel + c;
      g.kernels->run[g.stride_x](job);
    }
  });
}

}  // namespace

extern const Tactic tactic_conv_grouped_f32{.name = "conv_grouped_f32",
                                            .op = "Conv",
                                            .accepts = accepts,
                                            .prepare = prepare,
                                            .run = run,
                                            .pack = pack,
                                            .pitched_in = 1u << 0 | 1u << 3,
                                            .pitched_out = 1,
                                            .in_place = 3};

}  // namespace hone
