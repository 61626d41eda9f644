// Functions of two floats with broadcasting, powers by small constants, and Where.
#include "kernels/isa/binary.h"

#include <algorithm>

#include "kernels/cpu/activation.h"
#include "kernels/cpu/grid.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

Accept all_f32(const Problem& p, size_t first, size_t count) {
  REFUSE_UNLESS(p.in.size() == count, "the number of inputs is another");
  for (size_t i = first; i < count; i++)
    REFUSE_UNLESS(p.in[i].dtype == DType::f32, "the element type is not f32");
  return Accept::yes();
}

// How pixels of a channels-last map find an operand: floats to the next image and pixel; one float for all
// channels.
struct PixelOperand {
  int64_t image = 0, pixel = 0;
  bool single = false;
};
struct Pixels {
  int64_t per_image = 0, channels = 0;
  PixelOperand out, x, y;
};

struct Params {
  BinaryKernels::Apply apply;
  FusedActivation activation;
  Grid grid;
  Pixels pixels;  // for strips; unset where they are refused
};

// Refuses operands that are broadcast along a part of the spatial dimensions.
Accept find_pixels(const Problem& p, Pixels& pixels) {
  const Shape& shape = p.out[0].shape;
  REFUSE_UNLESS(shape.rank() >= 3 && shape.elements() > 0, "the output is no map of pixels");
  const int rank = shape.rank();
  pixels.per_image = shape.product(1, rank - 1);
  pixels.channels = shape.back();
  const auto find = [&](const Operand& o, PixelOperand& to) {
    const int missing = rank - o.shape.rank();
    const auto dim = [&](int i) { return i < missing ? 1 : o.shape[static_cast<size_t>(i - missing)]; };
    bool whole = true, one = true;
    for (int i = 1; i < rank - 1; i++) {
      whole = whole && dim(i) == shape[static_cast<size_t>(i)];
      one = one && dim(i) == 1;
    }
    to.pixel = whole ? o.pitch : 0;
    to.image = dim(0) == 1 ? 0 : whole ? pixels.per_image * o.pitch : o.pitch;
    to.single = dim(rank - 1) == 1 && pixels.channels > 1;
    return whole || one;
  };
  REFUSE_UNLESS(find(p.out[0], pixels.out) && find(p.in[0], pixels.x) && find(p.in[1], pixels.y),
                "an operand is broadcast along a part of the spatial dimensions");
  return Accept::yes();
}

BinaryBlock block_of(const Grid& grid, const GridBlock& g, void* out, const void* x, const void* y) {
  return {.rows = g.rows,
          .columns = g.columns,
          .out = static_cast<float*>(out) + g.offset[0],
          .x = static_cast<const float*>(x) + g.offset[1],
          .y = static_cast<const float*>(y) + g.offset[2],
          .out_row = grid.row_stride(0),
          .x_row = grid.row_stride(1),
          .y_row = grid.row_stride(2),
          .x_single = grid.column_stride(1) == 0,
          .y_single = grid.column_stride(2) == 0};
}

Accept accepts(const Problem& p) { return all_f32(p, 0, 2); }

template <Binary Function>
Status prepare(const Problem& p, Prepared& out) {
  auto& q = out.make<Params>();
  q.apply = isa_kernels(p.isa).binary->apply[static_cast<size_t>(Function)];
  HONE_TRY(q.activation, fused_activation(p));
  q.grid = make_grid({&p.out[0], &p.in[0], &p.in[1]});
  (void)find_pixels(p, q.pixels);
  return {};
}

void apply(const Params& q, const BinaryBlock& b) {
  q.apply(b);
  if (!q.activation) return;
  if (b.out_row == b.columns) return q.activation(b.out, b.rows * b.columns);
  for (int64_t i = 0; i < b.rows; i++) q.activation(b.out + i * b.out_row, b.columns);
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  r.pool.run(q.grid.tasks, [&](int64_t task, int) {
    apply(q, block_of(q.grid, grid_block(q.grid, task), r.out[0], r.in[0], r.in[1]));
  });
}

Accept reach(const Problem& p, int operand, Reach& r) {
  Pixels unused;
  r.pixel = true;
  if (operand >= 0)
    REFUSE_UNLESS(p.in[static_cast<size_t>(operand)].shape == p.out[0].shape, "the operand is broadcast");
  return find_pixels(p, unused);
}

void run_strip(const StripRun& r) {
  const auto& q = r.as<Params>();
  const Pixels& p = q.pixels;
  for (int64_t m = r.begin; m < r.end;) {
    const int64_t image = m / p.per_image, first = m % p.per_image,
                  count = std::min(r.end - m, p.per_image - first);
    const auto place = [&](const PixelOperand& o) { return image * o.image + first * o.pixel; };
    apply(q, {.rows = count,
              .columns = p.channels,
              .out = static_cast<float*>(r.out) + place(p.out),
              .x = static_cast<const float*>(r.in[0]) + place(p.x),
              .y = static_cast<const float*>(r.in[1]) + place(p.y),
              .out_row = p.out.pixel,
              .x_row = p.x.pixel,
              .y_row = p.y.pixel,
              .x_single = p.x.single,
              .y_single = p.y.single});
    m += count;
  }
}

constexpr StripKernel strips{.reach = reach, .run = run_strip};

// x^2 and x^3 for a constant exponent.
float exponent_of(const Problem& p) {
  const Operand& y = p.input(1);
  if (y.dtype != DType::f32 || !y.constant || y.shape.elements() != 1 ||
      y.shape.rank() > p.in[0].shape.rank())
    return 0;
  return *static_cast<const float*>(y.constant);
}

Accept accepts_pow(const Problem& p) {
  REFUSE_UNLESS(p.input(0).dtype == DType::f32, "the element type is not f32");
  REFUSE_UNLESS(exponent_of(p) == 2 || exponent_of(p) == 3, "the exponent is not the constant 2 or 3");
  return Accept::yes();
}

struct PowParams {
  BinaryKernels::Apply multiply;
  bool cube;
  Grid grid;
};

Status prepare_pow(const Problem& p, Prepared& out) {
  auto& q = out.make<PowParams>();
  q.multiply = isa_kernels(p.isa).binary->apply[static_cast<size_t>(Binary::Mul)];
  q.cube = exponent_of(p) == 3;
  q.grid = make_grid({&p.out[0], &p.in[0], &p.in[0]});
  return {};
}

void run_pow(const Run& r) {
  const auto& q = r.as<PowParams>();
  r.pool.run(q.grid.tasks, [&](int64_t task, int) {
    BinaryBlock b = block_of(q.grid, grid_block(q.grid, task), r.out[0], r.in[0], r.in[0]);
    q.multiply(b);
    if (!q.cube) return;
    b.y = b.out;
    b.y_row = b.out_row;
    q.multiply(b);
  });
}

struct WhereParams {
  void (*where)(const WhereBlock&);
  Grid grid;
};

Accept accepts_where(const Problem& p) { return all_f32(p, 1, 3); }

Status prepare_where(const Problem& p, Prepared& out) {
  auto& q = out.make<WhereParams>();
  q.where = isa_kernels(p.isa).binary->where;
  q.grid = make_grid({&p.out[0], &p.in[1], &p.in[2], &p.in[0]});
  return {};
}

void run_where(const Run& r) {
  const auto& q = r.as<WhereParams>();
  r.pool.run(q.grid.tasks, [&](int64_t task, int) {
    const GridBlock g = grid_block(q.grid, task);
    q.where({.of = block_of(q.grid, g, r.out[0], r.in[1], r.in[2]),
             .condition = static_cast<const uint8_t*>(r.in[0]) + g.offset[3],
             .condition_row = q.grid.row_stride(3),
             .condition_single = q.grid.column_stride(3) == 0});
  });
}

}  // namespace

#define BINARY_TACTIC(function)                                                      \
  extern const Tactic tactic_binary_##function{.name = "binary_f32",                 \
                                               .op = #function,                      \
                                               .accepts = accepts,                   \
                                               .prepare = prepare<Binary::function>, \
                                               .run = run,                           \
                                               .pitched_in = 3,                      \
                                               .pitched_out = 1,                     \
                                               .in_place = 0,                        \
                                               .strips = &strips};
BINARY_TACTIC(Add)
BINARY_TACTIC(Div)
BINARY_TACTIC(Max)
BINARY_TACTIC(Min)
BINARY_TACTIC(Mul)
BINARY_TACTIC(PRelu)
BINARY_TACTIC(Sub)
#undef BINARY_TACTIC

extern const Tactic tactic_pow_constant_f32{.name = "pow_constant_f32",
                                            .op = "Pow",
                                            .accepts = accepts_pow,
                                            .prepare = prepare_pow,
                                            .run = run_pow,
                                            .pitched_in = 1,
                                            .pitched_out = 1};

extern const Tactic tactic_where_f32{.name = "where_f32",
                                     .op = "Where",
                                     .accepts = accepts_where,
                                     .prepare = prepare_where,
                                     .run = run_where,
                                     .pitched_in = 7,
                                     .pitched_out = 1};

}  // namespace hone
