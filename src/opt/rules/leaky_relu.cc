// max(x, a x) with 0 < a < 1 is LeakyRelu.
#include "opt/rules.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

bool small_slope(const ir::Match& m) {
  const auto a = uniform(m.value("slope"));
  return a && *a > 0 && *a < 1;
}
Status read_slope(ir::Patch&, ir::Match& m) {
  m.attrs.set("alpha", static_cast<float>(*uniform(m.value("slope"))));
  return {};
}
const ir::Rule rules[] = {
    {.name = "leaky_relu_max",
     .text = R"(
  %m = Mul(%x, %slope)
  %y = Max(%x, %m)
=>
  %y = LeakyRelu(%x) {alpha=$alpha}
)",
     .where = small_slope,
     .build = read_slope,
     .test_inputs = "%x: f32[2,3,4]",
     .test_constants = "%slope = const f32[] {0.25}"},
    {.name = "leaky_relu_max_first",
     .text = R"(
  %m = Mul(%x, %slope)
  %y = Max(%m, %x)
=>
  %y = LeakyRelu(%x) {alpha=$alpha}
)",
     .where = small_slope,
     .build = read_slope,
     .test_inputs = "%x: f32[2,3,4]",
     .test_constants = "%slope = const f32[] {0.25}"},
};
}  // namespace

extern const std::span<const ir::Rule> rules_leaky_relu = rules;

}  // namespace hone::opt
