// min(max(x, 0), 6), however it is written, is a Clip.
#include "opt/rules.h"

namespace hone::opt {
namespace {
const ir::Rule rules[] = {
    {.name = "relu6_min", .text = R"(
  %six = const f32[] {6}
  %r = Relu(%x)
  %y = Min(%r, %six)
=>
  %lo = const f32[] {0}
  %hi = const f32[] {6}
  %y = Clip(%x, %lo, %hi)
)"},
    {.name = "relu6_clip",
     .text = R"(
  %lo = const f32[] {0}
  %r = Relu(%x)
  %y = Clip(%r, %lo, %hi)
=>
  %y = Clip(%x, %lo, %hi)
)",
     .test_inputs = "%x: f32[2,3,4]",
     .test_constants = "%hi = const f32[] {1.5}"},
};
}  // namespace

extern const std::span<const ir::Rule> rules_relu6 = rules;

}  // namespace hone::opt
