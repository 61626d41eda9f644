// Softplus ln(1 + e^x), and Mish (Misra, 2019): x tanh(softplus(x)).
#include "opt/rules.h"

namespace hone::opt {
namespace {
const ir::Rule rules[] = {
    {.name = "softplus", .text = R"(
  %one = const f32[] {1}
  %e = Exp(%x)
  %a = Add(%e, %one)
  %y = Log(%a)
=>
  %y = Softplus(%x)
)"},
    {.name = "mish", .text = R"(
  %s = Softplus(%x)
  %t = Tanh(%s)
  %y = Mul(%x, %t)
=>
  %y = Mish(%x)
)"},
};
}  // namespace

extern const std::span<const ir::Rule> rules_mish = rules;

}  // namespace hone::opt
