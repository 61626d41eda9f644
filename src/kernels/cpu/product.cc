// MatMul and Gemm on the GEMM microkernels. A constant B is packed once; any other is packed into scratch at
// each run, by the thread that multiplies with it where there are batches enough, else by all threads
// together.
#include <array>
#include <limits>

#include "kernels/cpu/gemm_plan.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

// A matrix of each batch: element (i, j) at i * row + j * column from the batch's offset.
struct Matrix {
  int64_t row = 0, column = 0;
  int64_t batch[max_rank] = {};  // stride of each batch dimension of the output; 0 where broadcast
};

struct Product {
  const GemmKernels* kernels;
  int64_t m, k, n, batches;
  int rank;  // of the batch dimensions
  int64_t dims[max_rank];
  Matrix a, b, y;
  float alpha, beta;
  PanelShape panels;
  Epilogue epilogue;
  int threads;
  ThreadGrid grid;          // of one product, where batches are not divided
  bool packed_b, by_batch;  // B is constant; each part takes whole batches
  int64_t b_count;          // distinct matrices B
  // C of Gemm: a row for all (bias), or a matrix of which C(i, j) is at i * c_row + j * c_column.
  enum class C : uint8_t { none, bias, residual, expanded } c;
  bool constant_c;
  int64_t c_row, c_column;
  Matrix z;  // the residual of MatMul, if it has one
  bool has_z;
  // Scratch: packed B of each part or of all, A transposed, C expanded.
  int64_t a_offset, c_offset;

  int64_t offset(const Matrix& matrix, int64_t i) const {
    int64_t sum = 0;
    for (int d = rank; d-- > 0; i /= dims[d]) sum += i % dims[d] * matrix.batch[d];
    return sum;
  }
  // Index of the packed copy of B for batch i: batches count through B's own dimensions. Without rows (k = 0) all
  // copies are the same.
  int64_t b_index(int64_t i) const { return b_count == 1 || b_size == 0 ? 0 : offset(b, i) / b_size; }
  int64_t b_size;  // elements from a matrix B to the next
};

// How many bytes of A stay in cache while all panels pass.
int64_t row_block_bytes() { return block_bytes() * 5 / 3; }

Accept accepts(const Problem& p) {
  REFUSE_UNLESS(p.input(0).dtype == DType::f32, "the data are not f32");
  for (size_t i = 2; i < p.in.size(); i++)
    REFUSE_UNLESS(!p.in[i] || p.in[i].dtype == DType::f32, "C or the residual is not f32");
  Epilogue e;
  return find_epilogue(p, e);
}

// Batch strides of an operand: its leading dimensions aligned to the output's, `size` elements apart.
void batch_strides(const Shape& s, int64_t size, const Product& g, Matrix& matrix) {
  const int own = std::max(s.rank() - 2, 0);
  int64_t step = size;
  for (int d = own; d-- > 0;) {
    const int64_t extent = s[static_cast<size_t>(d)];
    matrix.batch[g.rank - own + d] = extent == 1 ? 0 : step;
    step *= extent;
  }
}

// Everything after the operands are known as matrices.
void plan(const Problem& p, Product& g, Prepared& prepared) {
  g.kernels = isa_kernels(p.isa).gemm;
  g.threads = std::max(p.threads, 1);
  (void)find_epilogue(p, g.epilogue);
  g.packed_b = p.input(1).constant != nullptr && (g.c != Product::C::bias || g.constant_c);
  const int64_t rows = std::max<int64_t>((g.m + g.threads - 1) / g.threads, 1);
  g.panels = choose_panels(*g.kernels, g.k, g.n, rows);
  g.by_batch = g.batches >= g.threads;
  g.grid = g.by_batch ? ThreadGrid{static_cast<int>(std::min<int64_t>(g.batches, g.threads)), 1}
                      : choose_grid(g.panels, g.m, g.threads);
  int64_t scratch = 0;
  if (g.packed_b) {
    prepared.packed_bytes = g.b_count * g.panels.floats() * 4;
    prepared.packed_key =
        strf("product k%lld n%lld x%lld nr%dx%d row%lld column%lld alpha%a beta%a c%d,%lld,%lld",
             static_cast<long long>(g.k), static_cast<long long>(g.n), static_cast<long long>(g.b_count),
             g.panels.nr, g.panels.lanes, static_cast<long long>(g.b.row), static_cast<long long>(g.b.column),
             static_cast<double>(g.alpha), static_cast<double>(g.beta), static_cast<int>(g.c),
             static_cast<long long>(g.c_row), static_cast<long long>(g.c_column));
  } else {
    scratch = round_up(g.panels.floats() * 4) * (g.by_batch ? g.grid.parts() : 1);
  }
  g.a_offset = scratch;
  if (g.a.column != 1 && g.k > 1) scratch += round_up(g.m * g.k * 4);
  g.c_offset = scratch;
  if (g.c == Product::C::expanded) scratch += round_up(g.m * g.n * 4);
  prepared.scratch_bytes = scratch;
}

Status prepare_matmul(const Problem& p, Prepared& prepared) {
  Product& g = prepared.make<Product>();
  const Operand &a = p.input(0), &b = p.input(1), &c = p.input(2), &z = p.input(3), &y = p.out[0];
  const bool a_vector = a.shape.rank() == 1, b_vector = b.shape.rank() == 1;
  g.alpha = g.beta = 1;
  g.c = c ? Product::C::bias : Product::C::none;
  g.constant_c = c.constant != nullptr;
  g.c_column = 1;
  g.k = a.shape.back();
  g.m = a_vector ? 1 : a.shape[a.shape.size() - 2];
  g.n = b_vector ? 1 : b.shape.back();
  g.rank = y.shape.rank() - !a_vector - !b_vector;
  g.batches = 1;
  for (int d = 0; d < g.rank; d++) g.batches *= g.dims[d] = y.shape[static_cast<size_t>(d)];
  g.a.row = a_vector ? 0 : a.pitch;
  g.a.column = 1;
  g.b.row = b_vector ? 1 : b.pitch;
  g.b.column = 1;
  g.b_size = b_vector ? 0 : g.k * b.pitch;
  batch_strides(a.shape, g.m * a.pitch, g, g.a);
  batch_strides(b.shape, g.b_size, g, g.b);
  // Of an operand laid out as the product.
  const auto as_product = [&](const Operand& o, Matrix& m) {
    m.row = b_vector ? 1 : o.pitch;
    m.column = 1;
    int64_t step = b_vector ? o.pitch : g.m * o.pitch;  // [batch..., m] or [batch..., m, n]
    for (int d = g.rank; d-- > 0; step *= g.dims[d]) m.batch[d] = step;
  };
  as_product(y, g.y);
  g.has_z = static_cast<bool>(z);
  if (z) as_product(z, g.z);
  g.b_count = b.shape.rank() > 2 ? b.shape.product(0, b.shape.rank() - 2) : 1;
  if (g.b_count == 1 && !a_vector && !b_vector && a.shape.rank() - 2 == g.rank) {
    // One B for all batches of A, whose rows follow each other: a single tall product.
    g.m *= g.batches;
    g.batches = 1;
    g.rank = 0;
  }
  plan(p, g, prepared);
  return {};
}

Status prepare_gemm(const Problem& p, Prepared& prepared) {
  Product& g = prepared.make<Product>();
  const Operand &a = p.input(0), &b = p.input(1), &c = p.input(2), &y = p.out[0];
  const bool ta = p.attrs->flag("transA"), tb = p.attrs->flag("transB");
  g.alpha = p.attrs->f("alpha", 1);
  g.beta = p.attrs->f("beta", 1);
  g.m = a.shape[ta];
  g.k = a.shape[!ta];
  g.n = b.shape[!tb];
  g.batches = g.b_count = 1;
  g.rank = 0;
  g.a.row = ta ? 1 : a.pitch;
  g.a.column = ta ? a.pitch : 1;
  g.b.row = tb ? 1 : b.pitch;
  g.b.column = tb ? b.pitch : 1;
  g.y.row = y.pitch;
  g.y.column = 1;
  g.c = Product::C::none;
  g.constant_c = c.constant != nullptr;
  if (c) {
    const Shape& s = c.shape;
    g.c_column = s.rank() > 0 && s.back() != 1 ? 1 : 0;
    g.c_row = s.rank() > 1 && s[0] != 1 ? c.pitch : 0;
    if (g.c_row == 0) g.c = Product::C::bias;
    else g.c = g.c_column == 1 && g.beta == 1 ? Product::C::residual : Product::C::expanded;
    if (g.n == 1 && g.c_row) g.c = g.beta == 1 ? Product::C::residual : Product::C::expanded;
  }
  plan(p, g, prepared);
  return {};
}

void pack_b(const Product& g, const float* b, float* to, int64_t begin, int64_t end) {
  if (g.b.column == 1)
    pack_panels(
        g.panels, to, [&](int64_t k, int64_t n) { return g.alpha * b[k * g.b.row + n]; }, begin, end);
  else
    pack_panels(
        g.panels, to, [&](int64_t k, int64_t n) { return g.alpha * b[k * g.b.row + n * g.b.column]; }, begin,
        end);
}
void pack_c(const Product& g, const float* c, float* to) {
  const bool bias = c && g.c == Product::C::bias;
  pack_bias(g.panels, to, [&](int64_t n) { return bias ? g.beta * c[n * g.c_column] : 0.0f; });
}

void pack(const Problem& p, const Prepared& prepared, void* packed) {
  const Product& g = *reinterpret_cast<const Product*>(prepared.params.data());
  const float* b = static_cast<const float*>(p.input(1).constant);
  const float* c = static_cast<const float*>(p.input(2).constant);
  for (int64_t i = 0; i < g.b_count; i++) {
    float* to = static_cast<float*>(packed) + i * g.panels.floats();
    pack_b(g, b + i * g.b_size, to, 0, g.panels.panels());
    pack_c(g, c, to);
  }
}

// Part of a product: rows `m` of A times panels `n`, in blocks of rows that stay in cache while all panels
// pass. The sums of one block of k are what the next one adds to.
struct Operands {
  const float *a, *b, *residual;
  float* y;
  int64_t lda, ldr;
};
void multiply(const Product& g, const Operands& o, Share m, Share n) {
  GemmSegment block;
  GemmRow row{.seg = &block};
  GemmJob job{.rows = &row,
              .row_count = 1,
              .lda = o.lda,
              .ldc = g.y.row,
              .ldr = o.ldr,
              .b = o.b,
              .b_panel = g.panels.panel_floats(),
              .nr = g.panels.nr,
              .n = g.n,
              .panel_begin = n.begin,
              .panel_end = n.end,
              .bias = o.b + g.panels.weight_floats(),
              .lo = g.epilogue.lo,
              .hi = g.epilogue.hi,
              .act = g.epilogue.act,
              .alpha = g.epilogue.alpha,
              .beta = g.epilogue.beta,
              .panels_outer = g.panels.weight_floats() * 4 > pixels_outer_limit};
  job.k = k_block(g.k);
  const int64_t rows = m.end - m.begin, k_blocks = g.k ? g.k / job.k : 1;
  const int64_t fitting = std::max<int64_t>(row_block_bytes() / std::max<int64_t>(job.k * 4, 1), 24),
                row_blocks = job.panels_outer ? (rows + fitting - 1) / fitting : 1;
  for (int64_t i = 0; i < row_blocks; i++)
    for (int64_t k = 0; k < k_blocks; k++) {
      const Share share(rows, row_blocks, i);
      const int64_t first = m.begin + share.begin;
      row.pixels = share.end - share.begin;
      row.a = o.a + first * o.lda + k * job.k;
      row.c = o.y + first * g.y.row;
      block.b = k;
      if (k) row.residual = row.c;
      else row.residual = o.residual ? o.residual + first * o.ldr : nullptr;
      g.kernels->run(block_of(job, k, k + 1, k_blocks, g.panels.lanes));
    }
}

void run(const Run& r) {
  const Product& g = r.as<Product>();
  char* scratch = static_cast<char*>(r.scratch);
  const float *a = static_cast<const float*>(r.in[0]), *b = static_cast<const float*>(r.in[1]);
  const float* c = r.in.size() > 2 ? static_cast<const float*>(r.in[2]) : nullptr;
  Operands o{a, nullptr, nullptr, static_cast<float*>(r.out[0]), g.a.row, 0};
  if (g.m * g.n * g.batches == 0) return;
  if (g.a.column != 1 && g.k > 1) {
    float* rows = reinterpret_cast<float*>(scratch + g.a_offset);
    r.pool.run(g.threads, [&](int64_t part, int) {
      const Share share(g.m, g.threads, part);
      for (int64_t k = 0; k < g.k; k++)
        for (int64_t i = share.begin; i < share.end; i++) rows[i * g.k + k] = a[i * g.a.row + k * g.a.column];
    });
    o.a = rows;
    o.lda = g.k;
  }
  if (g.c == Product::C::residual) {
    o.residual = c;
    o.ldr = g.c_row;
  } else if (g.c == Product::C::expanded) {
    float* full = reinterpret_cast<float*>(scratch + g.c_offset);
    r.pool.run(g.threads, [&](int64_t part, int) {
      const Share share(g.m, g.threads, part);
      for (int64_t i = share.begin; i < share.end; i++)
        for (int64_t j = 0; j < g.n; j++) full[i * g.n + j] = g.beta * c[i * g.c_row + j * g.c_column];
    });
    o.residual = full;
    o.ldr = g.n;
  }
  if (g.has_z) {
    o.residual = static_cast<const float*>(r.in[3]);
    o.ldr = g.z.row;
  }
  const auto packed = [&](int64_t i) {
    return static_cast<const float*>(r.packed) + g.b_index(i) * g.panels.floats();
  };
  const Share all_panels(g.panels.panels(), 1, 0), all_rows(g.m, 1, 0);
  if (g.by_batch) {
    r.pool.run(g.grid.parts(), [&](int64_t part, int) {
      float* own = reinterpret_cast<float*>(scratch + part * round_up(g.panels.floats() * 4));
      const float* current = nullptr;
      const Share share(g.batches, g.grid.parts(), part);
      for (int64_t i = share.begin; i < share.end; i++) {
        Operands mine = o;
        mine.a += g.offset(g.a, i);
        mine.y += g.offset(g.y, i);
        if (g.has_z) mine.residual += g.offset(g.z, i);
        mine.b = g.packed_b ? packed(i) : own;
        if (!g.packed_b && current != b + g.offset(g.b, i)) {
          current = b + g.offset(g.b, i);
          pack_b(g, current, own, 0, all_panels.end);
          pack_c(g, c, own);
        }
        multiply(g, mine, all_rows, all_panels);
      }
    });
    return;
  }
  for (int64_t i = 0; i < g.batches; i++) {
    Operands mine = o;
    mine.a += g.offset(g.a, i);
    mine.y += g.offset(g.y, i);
    if (g.has_z) mine.residual += g.offset(g.z, i);
    if (g.packed_b) {
      mine.b = packed(i);
    } else {
      float* shared = reinterpret_cast<float*>(scratch);
      mine.b = shared;
      r.pool.run(g.threads, [&](int64_t part, int) {
        const Share share(g.panels.panels(), g.threads, part);
        pack_b(g, b + g.offset(g.b, i), shared, share.begin, share.end);
        if (part == 0) pack_c(g, c, shared);
      });
    }
    r.pool.run(g.grid.parts(), [&](int64_t part, int) {
      multiply(g, mine, Share(g.m, g.grid.by_pixels, part / g.grid.by_panels),
               Share(g.panels.panels(), g.grid.by_panels, part % g.grid.by_panels));
    });
  }
}

}  // namespace

extern const Tactic tactic_matmul_f32{.name = "matmul_f32",
                                      .op = "MatMul",
                                      .accepts = accepts,
                                      .prepare = prepare_matmul,
                                      .run = run,
                                      .pack = pack,
                                      .pitched_in = 1u << 0 | 1u << 1 | 1u << 3,
                                      .pitched_out = 1,
                                      .in_place = 3};
extern const Tactic tactic_gemm_f32{.name = "gemm_f32",
                                    .op = "Gemm",
                                    .accepts = accepts,
                                    .prepare = prepare_gemm,
                                    .run = run,
                                    .pack = pack,
                                    .pitched_in = 7,
                                    .pitched_out = 1};

}  // namespace hone
