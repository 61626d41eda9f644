// Functions of one float, element by element.
#include "kernels/cpu/activation.h"
#include "kernels/cpu/grid.h"
#include "kernels/isa_kernels.h"

namespace hone {
namespace {

struct Params {
  UnaryKernels::Apply apply;
  float a, b;
  bool limits_in_inputs;  // Clip: a and b are scalars read at run time
  Grid grid;
};

// The function that the operator is: its own name, but for Gelu, which has two.
std::optional<Unary> function_of(const Problem& p) {
  if (std::string_view(p.op->name) == "Gelu" && p.attrs->s("approximate") == "tanh") return Unary::GeluTanh;
  return find_unary(p.op->name);
}

Accept accepts(const Problem& p) {
  REFUSE_UNLESS(p.input(0).dtype == DType::f32, "the element type is not f32");
  for (size_t i = 1; i < p.in.size(); i++)
    REFUSE_UNLESS(!p.in[i] || (p.in[i].dtype == DType::f32 && p.in[i].shape.elements() == 1),
                  "a limit is not one f32");
  REFUSE_UNLESS(function_of(p), "there is no kernel for the function");
  return Accept::yes();
}

Status prepare(const Problem& p, Prepared& out) {
  auto& q = out.make<Params>();
  q.apply = isa_kernels(p.isa).unary->apply[static_cast<size_t>(*function_of(p))];
  q.limits_in_inputs = std::string_view(p.op->name) == "Clip";
  // What unary.def calls a and b are the operator's first attributes.
  if (p.op->attrs.size() > 0) q.a = p.attrs->f(p.op->attrs[0].name);
  if (p.op->attrs.size() > 1) q.b = p.attrs->f(p.op->attrs[1].name);
  q.grid = make_grid({&p.out[0], &p.in[0]});
  return {};
}

void run(const Run& r) {
  const auto& q = r.as<Params>();
  float a = q.a, b = q.b;
  if (q.limits_in_inputs) {
    const auto limit = [&](size_t i, float none) {
      return i < r.in.size() && r.in[i] ? *static_cast<const float*>(r.in[i]) : none;
    };
    a = limit(1, -__builtin_inff());
    b = limit(2, __builtin_inff());
  }
  r.pool.run(q.grid.tasks, [&](int64_t task, int) {
    const GridBlock g = grid_block(q.grid, task);
    float* y = static_cast<float*>(r.out[0]) + g.offset[0];
    const float* x = static_cast<const float*>(r.in[0]) + g.offset[1];
    q.apply(x, q.grid.row_stride(1), y, q.grid.row_stride(0), g.rows, g.columns, a, b);
  });
}

}  // namespace

#define UNARY(function, expression)                                \
  extern const Tactic tactic_unary_##function{.name = "unary_f32", \
                                              .op = #function,     \
                                              .accepts = accepts,  \
                                              .prepare = prepare,  \
                                              .run = run,          \
                                              .pitched_in = 1,     \
                                              .pitched_out = 1,    \
                                              .in_place = 0};
#include "ops/unary.def"
#undef UNARY

}  // namespace hone
