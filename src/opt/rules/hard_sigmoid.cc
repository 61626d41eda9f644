// HardSigmoid: clip(x + 3, 0, 6) / 6.
#include "opt/rules.h"

namespace hone::opt {
namespace {
const ir::Rule rules[] = {
    {.name = "hard_sigmoid_div", .text = R"(
  %three = const f32[] {3}
  %zero = const f32[] {0}
  %six = const f32[] {6}
  %a = Add(%x, %three)
  %c = Clip(%a, %zero, %six)
  %y = Div(%c, %six)
=>
  %y = HardSigmoid(%x) {alpha=0.16666667, beta=0.5}
)"},
    {.name = "hard_sigmoid_mul", .text = R"(
  %three = const f32[] {3}
  %zero = const f32[] {0}
  %six = const f32[] {6}
  %sixth = const f32[] {0.16666667}
  %a = Add(%x, %three)
  %c = Clip(%a, %zero, %six)
  %y = Mul(%c, %sixth)
=>
  %y = HardSigmoid(%x) {alpha=0.16666667, beta=0.5}
)"},
};
}  // namespace

extern const std::span<const ir::Rule> rules_hard_sigmoid = rules;

}  // namespace hone::opt
