#include "kernels/cpu/window_gemm.h"

#include <algorithm>

#include "kernels/isa_kernels.h"

namespace hone {
namespace {

// Where a part keeps its ring, rows and segments.
struct ScratchLayout {
  int64_t rows, segs, size;
  explicit ScratchLayout(const WindowGemm& g) {
    rows = round_up(g.slots * g.padded * g.ic * 4);
    segs = rows + round_up(g.block_rows * g.runs * static_cast<int64_t>(sizeof(GemmRow)));
    size =
        segs + round_up(g.block_rows * g.runs * row_segments(g) * static_cast<int64_t>(sizeof(GemmSegment)));
  }
  // And one behind them, which ends the list.
  static int64_t row_segments(const WindowGemm& g) { return g.segments() + 1; }
};

// The taps of a row of the kernel that lie on the map for output column x: [begin, end).
struct Taps {
  int64_t begin = 0, end = 0;
  bool operator==(const Taps&) const = default;
};
Taps taps_at(const WindowGemm& g, int64_t x) {
  const int64_t origin = x * g.sw - g.left;
  const int64_t begin = std::min(g.kw, origin < 0 ? (-origin + g.dw - 1) / g.dw : 0);
  const int64_t end = origin < g.w ? std::min(g.kw, (g.w - origin + g.dw - 1) / g.dw) : 0;
  return begin < end ? Taps{begin, end} : Taps{};
}
// Where the run of equal taps that holds x ends.
int64_t run_end(const WindowGemm& g, int64_t x) {
  const Taps taps = taps_at(g, x);
  for (x++; x < g.ow && taps_at(g, x) == taps;) x++;
  return x;
}

class Worker {
 public:
  Worker(const WindowGemm& g, Share panels, const float* in, const float* residual, const float* packed,
         float* out, void* scratch, Ahead ahead)
      : g_(g), in_(in), residual_(residual), packed_(packed), out_(out), ahead_(ahead) {
    const ScratchLayout layout(g);
    auto* mine = static_cast<char*>(scratch);
    ring_ = reinterpret_cast<float*>(mine);
    rows_ = reinterpret_cast<GemmRow*>(mine + layout.rows);
    segs_ = reinterpret_cast<GemmSegment*>(mine + layout.segs);
    first_x_ = std::max<int64_t>(0, -g.left);
    margin_ = std::min(first_x_ + g.left, g.padded);
    copied_pixels_ = std::clamp<int64_t>(g.w - first_x_, 0, g.padded - margin_);
    job_ = {.rows = rows_,
            .lda = g.sw * g.pixel,
            .ldc = g.out_pixel,
            .ldr = g.residual_pixel,
            .k = g.segment,
            .b_panel = g.panels.panel_floats(),
            .nr = g.panels.nr,
            .n = g.oc / g.groups,
            .pairs = g.panels.pairs,
            .panel_begin = panels.begin,
            .panel_end = panels.end,
            .lo = g.epilogue.lo,
            .hi = g.epilogue.hi,
            .act = g.epilogue.act,
            .alpha = g.epilogue.alpha,
            .beta = g.epilogue.beta,
            .panels_outer = g.panels.weight_floats() * 4 > pixels_outer_limit};
  }

  void pixels(Share share) {
    if (share.begin == share.end) return;
    if (g_.copied) clear_margins();
    for (int64_t m = share.begin; m < share.end;) {
      const int64_t image = m / (g_.oh * g_.ow), y = m / g_.ow % g_.oh;
      job_.row_count = 0;
      // Whole rows of one image, but for the ends of the share; long rows are cut.
      for (int64_t row = y; row < g_.oh && m < share.end && row - y < g_.block_rows; row++) {
        const int64_t x = m % g_.ow, count = std::min({g_.ow - x, share.end - m, g_.block_pixels});
        if (!g_.cut) add_row(image, row, x, count, {0, g_.kw});
        else
          for (int64_t from = x; from < x + count;) {
            const int64_t to = std::min(run_end(g_, from), x + count);
            add_row(image, row, from, to - from, taps_at(g_, from));
            from = to;
          }
        m += count;
        if (x + count < g_.ow) break;
      }
      if (m == share.end) job_.next = ahead_.from, job_.next_bytes = ahead_.bytes;
      multiply();
    }
  }

 private:
  const float* input_row(int64_t image, int64_t iy) const {
    if (g_.in_plane) return in_ + image * g_.ic * g_.in_plane + iy * g_.in_pitch;
    return in_ + (image * g_.h + iy) * g_.w * g_.in_pitch;
  }

  // Copies leave the margins alone.
  void clear_margins() {
    for (int64_t s = 0; s < g_.slots; s++) {
      float* row = ring_ + s * g_.padded * g_.ic;
      std::fill(row, row + margin_ * g_.ic, 0.0f);
      std::fill(row + (margin_ + copied_pixels_) * g_.ic, row + g_.padded * g_.ic, 0.0f);
    }
  }

  void add_row(int64_t image, int64_t y, int64_t x, int64_t count, Taps kx) {
    const int64_t origin = y * g_.sh - g_.top;
    const int64_t ky0 = std::min(g_.kh, origin < 0 ? (-origin + g_.dh - 1) / g_.dh : 0);
    const int64_t ky1 = origin < g_.h ? std::min(g_.kh, (g_.h - origin + g_.dh - 1) / g_.dh) : 0;
    GemmSegment* seg = segs_ + job_.row_count * ScratchLayout::row_segments(g_);
    GemmRow& row = rows_[job_.row_count++];
    row = {.seg = seg, .segs = 0, .pixels = count};
    row.c = out_ + g_.out_base + image * g_.out_image + y * g_.out_row + x * g_.out_pixel;
    if (residual_) row.residual = residual_ + (image * g_.oh + y) * g_.residual_row + x * g_.residual_pixel;
    row.a = g_.copied ? ring_ + x * g_.sw * g_.pixel : input_row(image, 0) + (x * g_.sw - g_.left) * g_.pixel;
    if (image != image_) {
      image_ = image;
      next_ = 0;
    }
    for (int64_t ky = ky0; ky < ky1; ky++) {
      const int64_t iy = origin + ky * g_.dh;
      if (g_.copied) copy_upto(image, std::max<int64_t>(origin, 0), iy);
      const int64_t offset = g_.copied ? iy % g_.slots * g_.padded * g_.ic : iy * g_.w * g_.in_pitch;
      const auto add = [&](int64_t from, int64_t tap) {
        for (int64_t i = 0; i < g_.parts; i++) seg[row.segs++] = {from + i * g_.segment, tap * g_.parts + i};
      };
      if (g_.contiguous) add(offset, ky);
      else
        for (int64_t x = kx.begin; x < kx.end; x++) add(offset + x * g_.dw * g_.pixel, ky * g_.kw + x);
    }
    seg[row.segs] = {0, g_.segments()};
  }

  // Brings the input rows [first, iy] of the image into the ring, but for those already there. `first` is the
  // row below which no later output row reaches: with a wide dilation that may be above the first tap of this
  // one.
  void copy_upto(int64_t image, int64_t first, int64_t iy) {
    for (next_ = std::max(next_, first); next_ <= iy; next_++) {
      const float* from = input_row(image, next_) + first_x_ * (g_.in_plane ? 1 : g_.in_pitch);
      float* to = ring_ + (next_ % g_.slots * g_.padded + margin_) * g_.ic;
      if (g_.in_plane) {
        g_.copy->transpose[2](to, g_.ic, from, g_.in_plane, g_.ic, copied_pixels_);
        continue;
      }
      if (g_.in_pitch == g_.ic) {
        memcpy(to, from, static_cast<size_t>(copied_pixels_ * g_.ic) * 4);
        continue;
      }
      for (int64_t x = 0; x < copied_pixels_; x++)
        memcpy(to + x * g_.ic, from + x * g_.in_pitch, static_cast<size_t>(g_.ic) * 4);
    }
  }

  void multiply() {
    const int64_t icg = g_.ic / g_.groups, ocg = g_.oc / g_.groups;
    for (int64_t group = 0; group < g_.groups; group++) {
      job_.b = packed_ + group * g_.panels.floats();
      job_.bias = job_.b + g_.panels.weight_floats();
      if (g_.block_segments < g_.segments()) multiply_blocks();
      else g_.kernels->run(job_);
      for (int64_t r = 0; r < job_.row_count; r++) {
        rows_[r].a += icg;
        rows_[r].c += ocg;
        if (rows_[r].residual) rows_[r].residual += ocg;
      }
    }
  }

  // The sums of one block of B's rows are what the next one adds to.
  void multiply_blocks() {
    const int64_t total = g_.segments();
    for (int64_t begin = 0; begin < total; begin += g_.block_segments) {
      const int64_t end = std::min(begin + g_.block_segments, total);
      for (int64_t r = 0; r < job_.row_count; r++) {
        GemmRow& row = rows_[r];
        row.seg = begin ? row.seg + row.segs : segs_ + r * ScratchLayout::row_segments(g_);
        for (row.segs = 0; row.seg[row.segs].b < end;) row.segs++;
        if (begin) row.residual = row.c;
      }
      g_.kernels->run(block_of(job_, begin, end, total, g_.panels.lanes));
    }
  }

  const WindowGemm& g_;
  const float *in_, *residual_, *packed_;
  float* out_;
  Ahead ahead_;
  float* ring_;
  GemmRow* rows_;
  GemmSegment* segs_;
  GemmJob job_;
  int64_t first_x_, margin_,
      copied_pixels_;              // of a row of the ring: its first input pixel, and where that lies
  int64_t image_ = -1, next_ = 0;  // rows of image_ below next_ have passed through the ring
};

}  // namespace

void WindowGemm::plan(Isa isa, int threads) {
  kernels = isa_kernels(isa).gemm;
  copy = isa_kernels(isa).copy;
  if (!in_plane && kh == 1 && kw == 1 && sh == 1 && sw == 1 && top == 0 && left == 0 && oh == h && ow == w &&
      out_row == ow * out_pixel && out_image == oh * out_row && residual_row == ow * residual_pixel) {
    // A plain product over all pixels of all images.
    ow = w = batch * h * w;
    batch = h = oh = 1;
  }
  const int64_t pixels = batch * oh * ow, icg = ic / groups, taps = kh * kw;
  const int64_t reach = taps ? (ow - 1) * sw + (kw - 1) * dw + 1 : 0;
  const bool edges = taps && pixels && (left > 0 || reach - left > w);
  cut = false;
  runs = 1;
  int64_t longest = ow;
  if (edges && !in_plane) {
    // A run costs about as much as two pixels more.
    int64_t work = 0, count = 0, length = 1;
    for (int64_t x = 0, end; x < ow; x = end, count++) {
      end = run_end(*this, x);
      const Taps t = taps_at(*this, x);
      work += (end - x + 2) * (t.end - t.begin);
      length = std::max(length, end - x);
    }
    cut = work * 10 <= ow * kw * 9;
    if (cut) runs = count, longest = length;
  }
  copied = in_plane || (edges && !cut);
  pixel = copied ? ic : in_pitch;
  contiguous = groups == 1 && pixel == ic && !cut && (dw == 1 || kw == 1);
  // A segment is what lies side by side in the input, or an equal part of it.
  const int64_t together = (contiguous ? kw : 1) * icg;
  segment = k_block(together);
  parts = segment ? together / segment : 1;
  panels = choose_panels(*kernels, taps * icg, oc / groups,
                         std::max<int64_t>(std::min(longest, (pixels + threads - 1) / threads), 1),
                         segment % 2 == 0);
  grid = groups == 1 ? choose_grid(panels, pixels, threads)
                     : ThreadGrid{static_cast<int>(std::clamp<int64_t>(pixels, 1, threads)), 1};
  block_segments = std::max<int64_t>(k_block_limit / std::max<int64_t>(segment, 1), 1);
  // Blocks: as many rows as the cache holds, where a block meets each panel of weights once; single rows
  // where the weights stay.
  const bool panels_outer = panels.weight_floats() * 4 > pixels_outer_limit;
  if (!panels_outer || groups > 1) block_segments = segments();
  const int64_t row_bytes = std::max<int64_t>((copied ? reach : w) * ic * 4 * sh, 1);
  block_rows = panels_outer ? std::clamp<int64_t>(block_bytes() / row_bytes, 1, 32) : 1;
  block_rows = std::clamp<int64_t>(block_rows, 1, std::max<int64_t>(oh, 1));
  const int64_t column_bytes = std::max<int64_t>(ic * 4 * std::min(sw, std::max<int64_t>(kw, 1)) * kh, 1);
  block_pixels =
      panels_outer ? std::max<int64_t>(block_bytes() / column_bytes, 24) : std::max<int64_t>(ow, 1);
  padded = copied ? reach : 0;
  slots = copied ? std::min(h, (block_rows - 1) * sh + (kh - 1) * dh + 1) : 0;
}

int64_t WindowGemm::first_bytes() const {
  return std::min(panels.weight_floats(), block_segments * segment * panels.nr * panels.lanes) * 4;
}

int64_t WindowGemm::part_scratch_bytes() const { return ScratchLayout(*this).size; }

void WindowGemm::run(int64_t part, const float* in, const float* residual, const float* packed, float* out,
                     void* scratch, Ahead ahead) const {
  Worker(*this, Share(panels.panels(), grid.by_panels, part % grid.by_panels), in, residual, packed, out,
         static_cast<char*>(scratch) + part * part_scratch_bytes(), ahead)
      .pixels(Share(batch * oh * ow, grid.by_pixels, part / grid.by_panels));
}

void WindowGemm::run_pixels(Share pixels, const float* in, const float* residual, const float* packed,
                            float* out, void* scratch) const {
  Worker(*this, Share(panels.panels(), 1, 0), in, residual, packed, out, scratch, {}).pixels(pixels);
}

}  // namespace hone
