// HardSwish: x * HardSigmoid(x), alpha = 1/6 and beta = 1/2. The forms that divide first are made HardSigmoid
// before.
#include "opt/rules.h"

namespace hone::opt {
namespace {
const ir::Rule rules[] = {
    {.name = "hard_swish", .text = R"(
  %h = HardSigmoid(%x) {alpha=0.16666667, beta=0.5}
  %y = Mul(%x, %h)
=>
  %y = HardSwish(%x)
)"},
    {.name = "hard_swish_div", .text = R"(
  %three = const f32[] {3}
  %zero = const f32[] {0}
  %six = const f32[] {6}
  %a = Add(%x, %three)
  %c = Clip(%a, %zero, %six)
  %t = Mul(%x, %c)
  %y = Div(%t, %six)
=>
  %y = HardSwish(%x)
)"},
    {.name = "hard_swish_mul", .text = R"(
  %three = const f32[] {3}
  %zero = const f32[] {0}
  %six = const f32[] {6}
  %a = Add(%x, %three)
  %c = Clip(%a, %zero, %six)
  %t = Mul(%x, %c)
  %sixth = const f32[] {0.16666667}
  %y = Mul(%t, %sixth)
=>
  %y = HardSwish(%x)
)"},
};
}  // namespace

extern const std::span<const ir::Rule> rules_hard_swish = rules;

}  // namespace hone::opt
