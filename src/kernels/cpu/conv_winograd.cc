// 3x3 convolution at stride 1 by Winograd's algorithm (see isa/winograd.h): F(4x4, 3x3) needs 36
// multiply-adds for each pair of channels where the plain sum needs 144, F(2x2, 3x3) 16 in place of 36; what
// a map's edge cuts off a tile is lost, and the transforms and the larger weights cost memory traffic.
//
// A part takes its tiles in blocks: the transformed patches of a block stay in the L2 cache while the panels of
// weights pass, and so do the products of a chunk of panels until they are transformed back. Weights are
// transformed in double and rounded once.
#include <cmath>
#include <limits>

#include "kernels/cpu/conv.h"
#include "kernels/isa/winograd.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

struct Winograd {
  const GemmKernels* gemm;
  const WinogradKernels* transforms;
  Epilogue epilogue;
  int m, points;  // tiles of m x m outputs, (m + 2)^2 points
  int64_t h, w, ic, oh, ow, oc, top, left;
  int64_t in_pixel, out_pixel, residual_pixel;
  int64_t tiles_y, tiles_x, tiles;  // of a map; of all
  PanelShape panels;                // of one point
  ThreadGrid grid;
  int64_t block, chunk;                                  // tiles of a block, panels of a chunk, at most
  int64_t v_tile, v_point, product_tile, product_point;  // floats from one to the next
  // Scratch of a part, in bytes from its start.
  int64_t products_at, tiles_at, zeros_at, size;

  int64_t chunk_columns() const { return chunk * panels.nr * panels.lanes; }
};

Accept accepts(const Problem& p) {
  ConvShape s;
  Epilogue e;
  const Accept basics = find_conv(p, false, s, e);
  REFUSE_UNLESS(basics, basics.why());
  const Window& win = s.window;
  REFUSE_UNLESS(win.rank == 2, "it is not a map of two dimensions");
  for (size_t i = 0; i < 2; i++) {
    REFUSE_UNLESS(win.kernel[i] == 3, "the kernel is not 3x3");
    REFUSE_UNLESS(win.stride[i] == 1, "the stride is not 1");
    REFUSE_UNLESS(win.dilation[i] == 1, "the kernel is dilated");
    REFUSE_UNLESS(win.begin[i] <= 4096 && win.end[i] <= 4096, "padding exceeds 4096");
  }
  REFUSE_UNLESS(s.groups == 1, "there are groups");
  REFUSE_UNLESS(p.out[0].shape.elements() > 0 && p.input(0).shape.elements() > 0, "there is nothing to do");
  return Accept::yes();
}

template <int m>
Status prepare(const Problem& p, Prepared& prepared) {
  const Operand &x = p.input(0), &w = p.input(1);
  HONE_TRY(const ConvShape s, conv_shape(*p.attrs, x.shape, w.shape, false));
  Winograd& g = prepared.make<Winograd>();
  g.gemm = isa_kernels(p.isa).gemm;
  g.transforms = isa_kernels(p.isa).winograd;
  (void)find_epilogue(p, g.epilogue);
  const Window& win = s.window;
  const int64_t batch = x.shape[0];
  g.ic = x.shape.back();
  g.oc = s.m;
  g.m = m;
  g.points = (g.m + 2) * (g.m + 2);
  g.h = win.in[0];
  g.w = win.in[1];
  g.oh = win.out[0];
  g.ow = win.out[1];
  g.top = win.begin[0];
  g.left = win.begin[1];
  g.in_pixel = x.pitch;
  g.out_pixel = p.out[0].pitch;
  g.residual_pixel = p.input(3).pitch;
  g.tiles_y = (g.oh + g.m - 1) / g.m;
  g.tiles_x = (g.ow + g.m - 1) / g.m;
  g.tiles = batch * g.tiles_y * g.tiles_x;

  g.grid = choose_grid({g.ic * g.points, g.oc, g.gemm->lanes, 2}, g.tiles, p.threads);
  const int64_t mine = (g.tiles + g.grid.by_pixels - 1) / g.grid.by_pixels;
  // Half the cache, but enough tiles to be worth fetching the weights for.
  const int64_t most = std::clamp<int64_t>(l2_cache_bytes() / 2 / (4 * g.points * g.ic), 56, 112);
  const int64_t blocks = (mine + most - 1) / most;
  g.block = (mine + blocks - 1) / blocks;
  g.panels = choose_panels(*g.gemm, g.ic, g.oc, g.block);
  const int64_t columns = g.panels.nr * g.panels.lanes;
  g.chunk =
      std::clamp<int64_t>(l2_cache_bytes() / 4 / (4 * g.points * g.block * columns), 1, g.panels.panels());
  // Distances between points are odd multiples of a line, so that those of one tile fall into different sets
  // of the caches.
  const auto odd_lines = [](int64_t floats) { return round_up(floats, 32) + 16; };
  g.v_tile = round_up(g.ic, g.gemm->lanes) + 16;
  g.v_point = odd_lines(g.block * g.v_tile);
  g.product_tile = g.chunk_columns();
  g.product_point = odd_lines(g.block * g.product_tile);
  g.products_at = round_up(g.points * g.v_point * 4);
  g.tiles_at = g.products_at + round_up(g.points * g.product_point * 4);
  g.zeros_at = g.tiles_at + round_up(g.block * static_cast<int64_t>(sizeof(WinogradTile)));
  g.size = g.zeros_at + round_up(g.ic * 4);
  prepared.scratch_bytes = g.size * g.grid.parts();
  prepared.packed_bytes = (g.points * g.panels.weight_floats() + g.panels.vectors() * g.panels.lanes) * 4;
  prepared.packed_key = strf("conv_winograd m%d nr%dx%d o%lld i%lld b%d", g.m, g.panels.nr, g.panels.lanes,
                             static_cast<long long>(g.oc), static_cast<long long>(g.ic), p.input(2) ? 1 : 0);
  return {};
}

// G, whose row i is (1, x, x^2) over the product of x - y over all other finite points y, for the i-th point x.
void weight_transform(int m, double (*g)[3]) {
  const double x[] = {0, winograd_p[m], -winograd_p[m], winograd_q[m], -winograd_q[m]};
  const int finite = m + 1;
  for (int i = 0; i < finite; i++) {
    double product = 1;
    for (int j = 0; j < finite; j++)
      if (j != i) product *= x[i] - x[j];
    for (int k = 0; k < 3; k++) g[i][k] = std::pow(x[i], k) / product;
  }
  g[finite][0] = g[finite][1] = 0;
  g[finite][2] = 1;
}

// U = G w G^T of all pairs of channels, columns of a panel side by side so that the compiler makes vectors of them.
template <int m>
void transform_weights(const Winograd& g, const float* w, float* to) {
  constexpr int n = m + 2, width = 8;
  const PanelShape& s = g.panels;
  double transform[6][3];
  weight_transform(m, transform);
  for (int64_t panel = 0; panel < s.panels(); panel++) {
    const int64_t first = panel * s.nr * s.lanes;
    const int64_t columns = std::min<int64_t>(s.nr, s.vectors() - panel * s.nr) * s.lanes;
    for (int64_t k = 0; k < g.ic; k++)
      for (int64_t at = 0; at < columns; at += width) {
        const int64_t used = std::min<int64_t>(width, columns - at);
        double tap[3][3][width] = {}, half[n][3][width];
        for (int64_t j = 0; j < used && first + at + j < g.oc; j++)
          for (int i = 0; i < 9; i++)
            tap[i / 3][i % 3][j] = static_cast<double>(w[((first + at + j) * g.ic + k) * 9 + i]);
        for (int y = 0; y < n; y++)
          for (int x = 0; x < 3; x++)
            for (int j = 0; j < width; j++)
              half[y][x][j] = transform[y][0] * tap[0][x][j] + transform[y][1] * tap[1][x][j] +
                              transform[y][2] * tap[2][x][j];
        float* out = to + panel * s.panel_floats() + k * columns + at;
        for (int y = 0; y < n; y++)
          for (int x = 0; x < n; x++, out += s.weight_floats()) {
            float u[width];
            for (int j = 0; j < width; j++)
              u[j] = static_cast<float>(transform[x][0] * half[y][0][j] + transform[x][1] * half[y][1][j] +
                                        transform[x][2] * half[y][2][j]);
            std::copy(u, u + used, out);
          }
      }
  }
}

template <int m>
void pack(const Problem& p, const Prepared& prepared, void* packed) {
  const Winograd& g = *reinterpret_cast<const Winograd*>(prepared.params.data());
  const float* bias = static_cast<const float*>(p.input(2).constant);
  float* to = static_cast<float*>(packed);
  transform_weights<m>(g, static_cast<const float*>(p.input(1).constant), to);
  to += g.points * g.panels.weight_floats();
  for (int64_t o = 0; o < g.panels.vectors() * g.panels.lanes; o++) to[o] = bias && o < g.oc ? bias[o] : 0.0f;
}

class Worker {
 public:
  Worker(const Winograd& g, const Run& r, int64_t part) : g_(g), r_(r), part_(part) {
    char* mine = static_cast<char*>(r.scratch) + part * g.size;
    v_ = reinterpret_cast<float*>(mine);
    products_ = reinterpret_cast<float*>(mine + g.products_at);
    tiles_ = reinterpret_cast<WinogradTile*>(mine + g.tiles_at);
    zeros_ = reinterpret_cast<float*>(mine + g.zeros_at);
  }

  void run() {
    std::fill(zeros_, zeros_ + g_.ic, 0.0f);
    const Share tiles(g_.tiles, g_.grid.by_pixels, part_ / g_.grid.by_panels);
    const Share panels(g_.panels.panels(), g_.grid.by_panels, part_ % g_.grid.by_panels);
    const int64_t count = tiles.end - tiles.begin, blocks = (count + g_.block - 1) / g_.block;
    for (int64_t i = 0; i < blocks; i++) {
      const Share block(count, blocks, i);
      place(tiles.begin + block.begin, block.end - block.begin);
      for (int64_t panel = panels.begin; panel < panels.end; panel += g_.chunk)
        multiply(panel, std::min(g_.chunk, panels.end - panel));
    }
  }

 private:
  // Takes tiles [first, first + count) and transforms their patches.
  void place(int64_t first, int64_t count) {
    const int64_t n = g_.m + 2;
    const float* residual = r_.in.size() > 3 ? static_cast<const float*>(r_.in[3]) : nullptr;
    count_ = count;
    for (int64_t i = 0; i < count; i++) {
      const int64_t x = (first + i) % g_.tiles_x * g_.m, y = (first + i) / g_.tiles_x % g_.tiles_y * g_.m;
      const int64_t image = (first + i) / g_.tiles_x / g_.tiles_y, iy = y - g_.top, ix = x - g_.left;
      const int64_t pixel = (image * g_.oh + y) * g_.ow + x;
      const auto clip = [n](int64_t at) { return static_cast<int32_t>(std::clamp<int64_t>(at, 0, n)); };
      tiles_[i] = {
          .in = static_cast<const float*>(r_.in[0]) + ((image * g_.h + iy) * g_.w + ix) * g_.in_pixel,
          .out = static_cast<float*>(r_.out[0]) + pixel * g_.out_pixel,
          .residual = residual ? residual + pixel * g_.residual_pixel : nullptr,
          .top = clip(-iy),
          .bottom = clip(g_.h - iy),
          .left = clip(-ix),
          .right = clip(g_.w - ix),
          .rows = static_cast<int32_t>(std::min<int64_t>(g_.m, g_.oh - y)),
          .columns = static_cast<int32_t>(std::min<int64_t>(g_.m, g_.ow - x))};
    }
    g_.transforms->input({.m = g_.m,
                          .tiles = tiles_,
                          .count = count,
                          .channels = g_.ic,
                          .in_row = g_.w * g_.in_pixel,
                          .in_pixel = g_.in_pixel,
                          .zeros = zeros_,
                          .v = v_,
                          .v_point = g_.v_point,
                          .v_tile = g_.v_tile});
  }

  // Panels [first, first + count) of the outputs of the placed tiles.
  void multiply(int64_t first, int64_t count) {
    const PanelShape& s = g_.panels;
    const int64_t column = first * s.nr * s.lanes;
    const int64_t columns = std::min(count * s.nr, s.vectors() - first * s.nr) * s.lanes;
    const float* weights = static_cast<const float*>(r_.packed);
    const GemmSegment whole;
    GemmRow row = {.seg = &whole, .pixels = count_};
    GemmJob job = {.rows = &row,
                   .row_count = 1,
                   .lda = g_.v_tile,
                   .ldc = g_.product_tile,
                   .k = g_.ic,
                   .b_panel = s.panel_floats(),
                   .nr = s.nr,
                   .n = columns,
                   .panel_end = count,
                   .lo = -std::numeric_limits<float>::infinity(),
                   .hi = std::numeric_limits<float>::infinity(),
                   .panels_outer = columns * g_.ic * 4 > pixels_outer_limit};
    for (int i = 0; i < g_.points; i++) {
      const bool last = i + 1 == g_.points;
      job.next = last ? nullptr : weights + (i + 1) * s.weight_floats() + first * s.panel_floats();
      job.next_bytes = std::min<int64_t>(count, 2) * s.panel_floats() * 4;
      row.a = v_ + i * g_.v_point;
      row.c = products_ + i * g_.product_point;
      job.b = weights + i * s.weight_floats() + first * s.panel_floats();
      g_.gemm->run(job);
    }
    const Epilogue& e = g_.epilogue;
    g_.transforms->output({.m = g_.m,
                           .tiles = tiles_,
                           .count = count_,
                           .first = column,
                           .channels = std::min(columns, g_.oc - column),
                           .products = products_,
                           .point = g_.product_point,
                           .tile = g_.product_tile,
                           .bias = weights + g_.points * s.weight_floats() + column,
                           .out_row = g_.ow * g_.out_pixel,
                           .out_pixel = g_.out_pixel,
                           .residual_row = g_.ow * g_.residual_pixel,
                           .residual_pixel = g_.residual_pixel,
                           .lo = e.lo,
                           .hi = e.hi,
                           .act = e.act,
                           .alpha = e.alpha,
                           .beta = e.beta});
  }

  const Winograd& g_;
  const Run& r_;
  const int64_t part_;
  float *v_, *products_, *zeros_;
  WinogradTile* tiles_;
  int64_t count_ = 0;
};

void run(const Run& r) {
  const Winograd& g = r.as<Winograd>();
  r.pool.run(g.grid.parts(), [&](int64_t part, int) { Worker(g, r, part).run(); });
}

template <int m>
constexpr Tactic tactic(const char* name) {
  return {.name = name,
          .op = "Conv",
          .accepts = accepts,
          .prepare = prepare<m>,
          .run = run,
          .pack = pack<m>,
          .cost = [](const Problem& p) { return conv_cost(p, m); },
          .pitched_in = 1u << 0 | 1u << 3,
          .pitched_out = 1,
          .in_place = 3,
          .error_bound = winograd_error[m]};
}

}  // namespace

extern const Tactic tactic_conv_winograd4_f32 = tactic<4>("conv_winograd4_f32");
extern const Tactic tactic_conv_winograd2_f32 = tactic<2>("conv_winograd2_f32");

}  // namespace hone
