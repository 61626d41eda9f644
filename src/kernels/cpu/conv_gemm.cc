// Convolution over channels-last maps as an implicit matrix product: the windows of a row of output pixels
// are segments of input rows, which the microkernel reads in place. Where windows reach over the left or
// right edge, the input rows of a block are first copied, with a margin of zeros, into a ring of rows in
// cache; taps above and below the map are skipped.
#include <algorithm>
#include <cstdio>

#include "kernels/cpu/gemm_plan.h"
#include "kernels/isa_kernels.h"
#include "ops/conv.h"

namespace hone {
namespace {

struct ConvGemm {
  const GemmKernels* kernels;
  int64_t batch, h, w, ic;  // input
  int64_t oh, ow, oc, groups;
  int64_t kh, kw, sh, sw, dh, dw, top, left;
  int64_t in_pitch, out_pitch, residual_pitch;
  PanelShape panels;  // of one group
  Epilogue epilogue;
  ThreadGrid grid;
  bool copied;                       // rows go through the ring
  bool contiguous;                   // the taps of a kernel row are one segment
  int64_t pixel;                     // floats from an input pixel to the next, as the microkernel sees it
  int64_t slots, slot_floats;        // of the ring
  int64_t block_rows, block_pixels;  // of a block: at most so many rows and pixels of a row
  int64_t segs() const { return contiguous ? kh : kh * kw; }
  int64_t seg_floats() const { return (contiguous ? kw : 1) * (ic / groups); }
  int64_t ring_bytes() const { return round_up(slots * slot_floats * 4); }
  int64_t rows_bytes() const { return round_up(block_rows * static_cast<int64_t>(sizeof(GemmRow))); }
  int64_t scratch() const { return ring_bytes() + rows_bytes() + round_up(block_rows * segs() * 8); }
  static int64_t round_up(int64_t bytes) { return (bytes + 63) / 64 * 64; }
};

Accept accepts(const Problem& p) {
  const Operand &x = p.input(0), &w = p.input(1), &b = p.input(2);
  REFUSE_UNLESS(x.dtype == DType::f32, "the data are not f32");
  REFUSE_UNLESS(p.attrs->flag("channels_last"), "the layout is channels first");
  REFUSE_UNLESS(x.shape.rank() == 3 || x.shape.rank() == 4, "there are more than two spatial dimensions");
  REFUSE_UNLESS(w.constant, "the weights are not constant");
  REFUSE_UNLESS(!b || b.constant, "the bias is not constant");
  const auto s = conv_shape(*p.attrs, x.shape, w.shape, false);
  REFUSE_UNLESS(s, "its attributes are invalid");
  for (int i = 0; i < s->window.rank; i++)
    REFUSE_UNLESS(
        s->window.begin[static_cast<size_t>(i)] <= 4096 && s->window.end[static_cast<size_t>(i)] <= 4096,
        "padding exceeds 4096");
  Epilogue e;
  return find_epilogue(p, e);
}

Status prepare(const Problem& p, Prepared& prepared) {
  const Operand &x = p.input(0), &w = p.input(1);
  HONE_TRY(const ConvShape s, conv_shape(*p.attrs, x.shape, w.shape, false));
  ConvGemm& c = prepared.make<ConvGemm>();
  const Window& win = s.window;
  const size_t last = static_cast<size_t>(win.rank) - 1;
  const bool planar = win.rank == 2;
  c.kernels = isa_kernels(p.isa).gemm;
  c.batch = x.shape[0];
  c.h = planar ? x.shape[1] : 1;
  c.w = win.in[last];
  c.ic = x.shape.back();
  c.oh = planar ? win.out[0] : 1;
  c.ow = win.out[last];
  c.oc = s.m;
  c.groups = s.groups;
  c.kh = planar ? win.kernel[0] : 1;
  c.kw = win.kernel[last];
  c.sh = planar ? win.stride[0] : 1;
  c.sw = win.stride[last];
  c.dh = planar ? win.dilation[0] : 1;
  c.dw = win.dilation[last];
  c.top = planar ? win.begin[0] : 0;
  c.left = win.begin[last];
  c.in_pitch = x.pitch;
  c.out_pitch = p.out[0].pitch;
  c.residual_pitch = p.input(3).pitch;
  (void)find_epilogue(p, c.epilogue);
  if (c.kh == 1 && c.kw == 1 && c.sh == 1 && c.sw == 1 && c.ow == c.w && c.oh == c.h) {
    // A plain product over all pixels of all images.
    c.ow = c.w = c.batch * c.h * c.w;
    c.batch = c.h = c.oh = 1;
  }
  const int64_t pixels = c.batch * c.oh * c.ow;
  c.panels = choose_panels(*c.kernels, c.kh * c.kw * (c.ic / c.groups), c.oc / c.groups,
                           std::max<int64_t>(std::min(c.ow, (pixels + p.threads - 1) / p.threads), 1));
  c.grid = c.groups == 1 ? choose_grid(c.panels, pixels, p.threads)
                         : ThreadGrid{static_cast<int>(std::clamp<int64_t>(pixels, 1, p.threads)), 1};
  c.copied = c.left > 0 || (c.ow - 1) * c.sw + (c.kw - 1) * c.dw - c.left >= c.w;
  c.pixel = c.copied ? c.ic : c.in_pitch;
  c.contiguous = c.groups == 1 && c.pixel == c.ic && (c.dw == 1 || c.kw == 1);
  // Blocks: as many rows as the cache holds, where a block meets each panel of weights once; few where the
  // weights stay.
  const bool panels_outer = c.panels.weight_floats() * 4 > pixels_outer_limit;
  const int64_t padded = c.copied ? (c.ow - 1) * c.sw + (c.kw - 1) * c.dw + 1 : c.w;
  const int64_t row_bytes = std::max<int64_t>(padded * c.ic * 4 * c.sh, 1);
  c.block_rows = panels_outer ? std::clamp<int64_t>(block_bytes() / row_bytes, 1, 32) : 1;
  c.block_rows = std::clamp<int64_t>(c.block_rows, 1, std::max<int64_t>(c.oh, 1));
  const int64_t column_bytes = std::max<int64_t>(c.ic * 4 * std::min(c.sw * c.kh, padded), 1);
  c.block_pixels = panels_outer ? std::max<int64_t>(block_bytes() / column_bytes, 24) : c.ow;
  if (c.copied) {
    c.slots = std::min(c.h, (c.block_rows - 1) * c.sh + (c.kh - 1) * c.dh + 1);
    c.slot_floats = padded * c.ic;
  }
  prepared.packed_bytes = c.groups * c.panels.floats() * 4;
  char key[160];
  snprintf(key, sizeof key, "conv_gemm g%lld %lldx%lld nr%d o%lld i%lld b%d",
           static_cast<long long>(c.groups), static_cast<long long>(c.kh), static_cast<long long>(c.kw),
           c.panels.nr, static_cast<long long>(c.oc), static_cast<long long>(c.ic), p.input(2) ? 1 : 0);
  prepared.packed_key = key;
  prepared.scratch_bytes = c.scratch() * c.grid.parts();
  return {};
}

void pack(const Problem& p, const Prepared& prepared, void* packed) {
  const ConvGemm& c = *reinterpret_cast<const ConvGemm*>(prepared.params.data());
  const float* w = static_cast<const float*>(p.input(1).constant);
  const float* bias = static_cast<const float*>(p.input(2).constant);
  const int64_t icg = c.ic / c.groups, ocg = c.oc / c.groups, taps = c.kh * c.kw;
  for (int64_t g = 0; g < c.groups; g++) {
    const float* wg = w + g * ocg * icg * taps;
    // [O][I][taps] -> [tap][I][O]
    const auto at = [&](int64_t k, int64_t n) { return wg[(n * icg + k % icg) * taps + k / icg]; };
    const auto bias_at = [&](int64_t n) { return bias[g * ocg + n]; };
    pack_panels(c.panels, 0, c.panels.panels(), static_cast<float*>(packed) + g * c.panels.floats(), at,
                bias ? std::function<float(int64_t)>(bias_at) : nullptr);
  }
}

// One thread's share.
class Worker {
 public:
  Worker(const ConvGemm& c, const Run& run, int64_t part) : c_(c), run_(run) {
    auto* scratch = static_cast<char*>(run.scratch) + part * c.scratch();
    ring_ = reinterpret_cast<float*>(scratch);
    rows_ = reinterpret_cast<GemmRow*>(scratch + c.ring_bytes());
    segs_ = reinterpret_cast<int64_t*>(scratch + c.ring_bytes() + c.rows_bytes());
    const Share panels(c.panels.panels(), c.grid.by_panels, part % c.grid.by_panels);
    job_ = {.rows = rows_,
            .lda = c.sw * c.pixel,
            .ldc = c.out_pitch,
            .ldr = c.residual_pitch,
            .k = c.seg_floats(),
            .b_panel = c.panels.panel_floats(),
            .nr = c.panels.nr,
            .n = c.oc / c.groups,
            .panel_begin = panels.begin,
            .panel_end = panels.end,
            .lo = c.epilogue.lo,
            .hi = c.epilogue.hi,
            .act = c.epilogue.act,
            .alpha = c.epilogue.alpha,
            .beta = c.epilogue.beta,
            .panels_outer = c.panels.weight_floats() * 4 > pixels_outer_limit};
  }

  void pixels(Share share) {
    if (share.begin == share.end) return;
    if (c_.copied) clear_margins();
    for (int64_t m = share.begin; m < share.end;) {
      const int64_t image = m / (c_.oh * c_.ow), y = m / c_.ow % c_.oh;
      job_.row_count = 0;
      // Whole rows of one image, but for the ends of the share; long rows are cut.
      for (int64_t row = y; row < c_.oh && m < share.end && job_.row_count < c_.block_rows; row++) {
        const int64_t x = m % c_.ow, count = std::min({c_.ow - x, share.end - m, c_.block_pixels});
        add_row(image, row, x, count);
        m += count;
        if (x + count < c_.ow) break;
      }
      multiply();
    }
  }

 private:
  // Copies leave the margins alone.
  void clear_margins() {
    const int64_t left = c_.left * c_.ic, right = std::min(left + c_.w * c_.ic, c_.slot_floats);
    for (int64_t s = 0; s < c_.slots; s++) {
      float* row = ring_ + s * c_.slot_floats;
      std::fill(row, row + std::min(left, c_.slot_floats), 0.0f);
      std::fill(row + right, row + c_.slot_floats, 0.0f);
    }
  }

  const float* input_row(int64_t image, int64_t iy) const {
    return static_cast<const float*>(run_.in[0]) + (image * c_.h + iy) * c_.w * c_.in_pitch;
  }

  void add_row(int64_t image, int64_t y, int64_t x, int64_t count) {
    const int64_t origin = y * c_.sh - c_.top;
    const int64_t ky0 = origin < 0 ? (-origin + c_.dh - 1) / c_.dh : 0;
    const int64_t ky1 = origin < c_.h ? std::min(c_.kh, (c_.h - origin + c_.dh - 1) / c_.dh) : 0;
    int64_t* seg = segs_ + job_.row_count * c_.segs();
    GemmRow& row = rows_[job_.row_count++];
    row = {
        .seg = seg, .segs = 0, .skip = std::min(ky0, c_.kh) * (c_.contiguous ? 1 : c_.kw), .pixels = count};
    const int64_t pixel = (image * c_.oh + y) * c_.ow + x;
    row.c = static_cast<float*>(run_.out[0]) + pixel * c_.out_pitch;
    if (run_.in.size() > 3 && run_.in[3])
      row.residual = static_cast<const float*>(run_.in[3]) + pixel * c_.residual_pitch;
    row.a = c_.copied ? ring_ + x * c_.sw * c_.pixel : input_row(image, 0) + (x * c_.sw - c_.left) * c_.pixel;
    if (c_.copied && image != image_) {
      image_ = image;
      next_ = 0;
    }
    for (int64_t ky = ky0; ky < ky1; ky++) {
      const int64_t iy = origin + ky * c_.dh;
      if (c_.copied) copy_upto(image, origin + ky0 * c_.dh, iy);
      const int64_t offset = c_.copied ? iy % c_.slots * c_.slot_floats : iy * c_.w * c_.in_pitch;
      if (c_.contiguous) seg[row.segs++] = offset;
      else
        for (int64_t kx = 0; kx < c_.kw; kx++) seg[row.segs++] = offset + kx * c_.dw * c_.pixel;
    }
  }

  // Brings the input rows [first, iy] of the image into the ring, but for those already there.
  void copy_upto(int64_t image, int64_t first, int64_t iy) {
    for (next_ = std::max(next_, first); next_ <= iy; next_++) {
      const float* from = input_row(image, next_);
      float* to = ring_ + next_ % c_.slots * c_.slot_floats + c_.left * c_.ic;
      const int64_t count = std::min(c_.w, c_.slot_floats / c_.ic - c_.left);
      if (count <= 0) continue;
      if (c_.in_pitch == c_.ic) {
        memcpy(to, from, static_cast<size_t>(count * c_.ic) * 4);
        continue;
      }
      for (int64_t x = 0; x < count; x++)
        memcpy(to + x * c_.ic, from + x * c_.in_pitch, static_cast<size_t>(c_.ic) * 4);
    }
  }

  void multiply() {
    const int64_t icg = c_.ic / c_.groups, ocg = c_.oc / c_.groups;
    for (int64_t g = 0; g < c_.groups; g++) {
      job_.b = static_cast<const float*>(run_.packed) + g * c_.panels.floats();
      job_.bias = job_.b + c_.panels.weight_floats();
      c_.kernels->run(job_);
      for (int64_t r = 0; r < job_.row_count; r++) {
        rows_[r].a += icg;
        rows_[r].c += ocg;
        if (rows_[r].residual) rows_[r].residual += ocg;
      }
    }
  }

  const ConvGemm& c_;
  const Run& run_;
  float* ring_;
  GemmRow* rows_;
  int64_t* segs_;
  GemmJob job_;
  int64_t image_ = -1, next_ = 0;  // rows of image_ below next_ have passed through the ring
};

void run(const Run& r) {
  const ConvGemm& c = r.as<ConvGemm>();
  r.pool.run(c.grid.parts(), [&](int64_t part, int) {
    Worker(c, r, part).pixels(Share(c.batch * c.oh * c.ow, c.grid.by_pixels, part / c.grid.by_panels));
  });
}

}  // namespace

extern const Tactic tactic_conv_gemm_f32{.name = "conv_gemm_f32",
                                         .op = "Conv",
                                         .accepts = accepts,
                                         .prepare = prepare,
                                         .run = run,
                                         .pack = pack,
                                         .pitched_in = 1u << 0 | 1u << 3,
                                         .pitched_out = 1,
                                         .in_place = 3};

}  // namespace hone
