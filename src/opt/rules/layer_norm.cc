// LayerNormalization (Ba et al., 2016) over the last dimension, and RMSNormalization (Zhang and Sennrich,
// 2019), which leaves the mean where it is.
#include "opt/rules.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

// The mean is taken over the last dimension, scale (and shift) have one number for each of its elements,
// epsilon is one number.
bool over_last_axis(const ir::Match& m) {
  const Shape& x = m.value("x")->type.shape;
  if (!x.ranked() || x.rank() < 1 || !known(x.back()) || !uniform(m.value("eps")) ||
      m.value("eps")->constant.elements() != 1)
    return false;
  for (const char* name : {"axes", "axes2"}) {
    if (!m.value(name)) continue;
    const auto axes = ints(m.value(name));
    if (!axes || axes->size() != 1 || (axes->front() != -1 && axes->front() != x.rank() - 1)) return false;
  }
  for (const char* name : {"scale", "shift"}) {
    if (!m.value(name)) continue;
    const ValueType& t = m.value(name)->type;
    if (t.shape != Shape{x.back()} || t.dtype != m.value("x")->type.dtype) return false;
  }
  return true;
}
Status read_epsilon(ir::Patch&, ir::Match& m) {
  m.attrs.set("epsilon", static_cast<float>(*uniform(m.value("eps"))));
  return {};
}
// A scale of ones, for a normalisation that nothing scales.
Status read_epsilon_without_scale(ir::Patch& p, ir::Match& m) {
  HONE_CHECK(read_epsilon(p, m));
  const ValueType& x = m.value("x")->type;
  HONE_TRY(Tensor ones, float_tensor(x.dtype, Shape{x.shape.back()},
                                     std::vector<double>(static_cast<size_t>(x.shape.back()), 1)));
  m.values["scale"] = p.constant(std::move(ones));
  return {};
}
const ir::Rule rules[] = {
    {.name = "layer_norm_pow",
     .text = R"(
  %two = const f32[] {2}
  %m = ReduceMean(%x, %axes)
  %d = Sub(%x, %m)
  %p = Pow(%d, %two)
  %v = ReduceMean(%p, %axes2)
  %e = Add(%v, %eps)
  %s = Sqrt(%e)
  %n = Div(%d, %s)
  %g = Mul(%n, %scale)
  %y = Add(%g, %shift)
=>
  %y = LayerNormalization(%x, %scale, %shift) {epsilon=$epsilon}
)",
     .where = over_last_axis,
     .build = read_epsilon,
     .test_inputs = "%x: f32[2,3,8], %scale: f32[8], %shift: f32[8]",
     .test_constants = "%axes = const i64[1] {-1} %axes2 = const i64[1] {2} %eps = const f32[] {0.001}"},
    {.name = "layer_norm_mul",
     .text = R"(
  %m = ReduceMean(%x, %axes)
  %d = Sub(%x, %m)
  %p = Mul(%d, %d)
  %v = ReduceMean(%p, %axes2)
  %e = Add(%v, %eps)
  %s = Sqrt(%e)
  %n = Div(%d, %s)
  %g = Mul(%n, %scale)
  %y = Add(%g, %shift)
=>
  %y = LayerNormalization(%x, %scale, %shift) {epsilon=$epsilon}
)",
     .where = over_last_axis,
     .build = read_epsilon,
     .test_inputs = "%x: f32[2,3,8], %scale: f32[8], %shift: f32[8]",
     .test_constants = "%axes = const i64[1] {-1} %axes2 = const i64[1] {2} %eps = const f32[] {0.001}"},
    {.name = "layer_norm_plain_pow",
     .text = R"(
  %two = const f32[] {2}
  %m = ReduceMean(%x, %axes)
  %d = Sub(%x, %m)
  %p = Pow(%d, %two)
  %v = ReduceMean(%p, %axes2)
  %e = Add(%v, %eps)
  %s = Sqrt(%e)
  %y = Div(%d, %s)
=>
  %y = LayerNormalization(%x, %scale) {epsilon=$epsilon}
)",
     .where = over_last_axis,
     .build = read_epsilon_without_scale,
     .test_inputs = "%x: f32[2,3,8]",
     .test_constants = "%axes = const i64[1] {-1} %axes2 = const i64[1] {2} %eps = const f32[] {0.001}"},
    {.name = "layer_norm_plain_mul",
     .text = R"(
  %m = ReduceMean(%x, %axes)
  %d = Sub(%x, %m)
  %p = Mul(%d, %d)
  %v = ReduceMean(%p, %axes2)
  %e = Add(%v, %eps)
  %s = Sqrt(%e)
  %y = Div(%d, %s)
=>
  %y = LayerNormalization(%x, %scale) {epsilon=$epsilon}
)",
     .where = over_last_axis,
     .build = read_epsilon_without_scale,
     .test_inputs = "%x: f32[2,3,8]",
     .test_constants = "%axes = const i64[1] {-1} %axes2 = const i64[1] {2} %eps = const f32[] {0.001}"},
    {.name = "rms_norm_div",
     .text = R"(
  %two = const f32[] {2}
  %p = Pow(%x, %two)
  %v = ReduceMean(%p, %axes)
  %e = Add(%v, %eps)
  %s = Sqrt(%e)
  %n = Div(%x, %s)
  %y = Mul(%n, %scale)
=>
  %y = RMSNormalization(%x, %scale) {epsilon=$epsilon}
)",
     .where = over_last_axis,
     .build = read_epsilon,
     .test_inputs = "%x: f32[2,3,8], %scale: f32[8]",
     .test_constants = "%axes = const i64[1] {-1} %eps = const f32[] {0.001}"},
    {.name = "rms_norm_reciprocal",
     .text = R"(
  %two = const f32[] {2}
  %p = Pow(%x, %two)
  %v = ReduceMean(%p, %axes)
  %e = Add(%v, %eps)
  %s = Sqrt(%e)
  %r = Reciprocal(%s)
  %n = Mul(%x, %r)
  %y = Mul(%n, %scale)
=>
  %y = RMSNormalization(%x, %scale) {epsilon=$epsilon}
)",
     .where = over_last_axis,
     .build = read_epsilon,
     .test_inputs = "%x: f32[2,3,8], %scale: f32[8]",
     .test_constants = "%axes = const i64[1] {-1} %eps = const f32[] {0.001}"},
};
}  // namespace

extern const std::span<const ir::Rule> rules_layer_norm = rules;

}  // namespace hone::opt
