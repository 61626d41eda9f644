// Functions of two floats with broadcasting, powers by small constants, and Where.
#include "kernels/isa/binary.h"

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

struct Params {
  BinaryKernels::Apply apply;
  FusedActivation activation;
  Grid grid;
};

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
  return {};
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  r.pool.run(q.grid.tasks, [&](int64_t task, int) {
    const GridBlock g = grid_block(q.grid, task);
    const BinaryBlock b = block_of(q.grid, g, r.out[0], r.in[0], r.in[1]);
    q.apply(b);
    if (!q.activation) return;
    if (b.out_row == b.columns) return q.activation(b.out, b.rows * b.columns);
    for (int64_t i = 0; i < b.rows; i++) q.activation(b.out + i * b.out_row, b.columns);
  });
}

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
                                               .in_place = 0};
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
