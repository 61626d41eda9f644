// GELU (Hendrycks and Gimpel, 2016): x/2 (1 + erf(x / sqrt 2)), and its tanh approximation, in the orders in
// which exporters multiply.
#include "opt/rules.h"

namespace hone::opt {
namespace {
const ir::Rule rules[] = {
    {.name = "gelu_div_last", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %k = const f32[] {1.41421356}
  %d = Div(%x, %k)
  %e = Erf(%d)
  %a = Add(%e, %one)
  %m = Mul(%x, %a)
  %y = Mul(%m, %half)
=>
  %y = Gelu(%x)
)"},
    {.name = "gelu_div_first", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %k = const f32[] {1.41421356}
  %d = Div(%x, %k)
  %e = Erf(%d)
  %a = Add(%e, %one)
  %m = Mul(%x, %half)
  %y = Mul(%m, %a)
=>
  %y = Gelu(%x)
)"},
    {.name = "gelu_div_inner", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %k = const f32[] {1.41421356}
  %d = Div(%x, %k)
  %e = Erf(%d)
  %a = Add(%e, %one)
  %m = Mul(%a, %half)
  %y = Mul(%x, %m)
=>
  %y = Gelu(%x)
)"},
    {.name = "gelu_mul_last", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %k = const f32[] {0.70710678}
  %d = Mul(%x, %k)
  %e = Erf(%d)
  %a = Add(%e, %one)
  %m = Mul(%x, %a)
  %y = Mul(%m, %half)
=>
  %y = Gelu(%x)
)"},
    {.name = "gelu_mul_first", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %k = const f32[] {0.70710678}
  %d = Mul(%x, %k)
  %e = Erf(%d)
  %a = Add(%e, %one)
  %m = Mul(%x, %half)
  %y = Mul(%m, %a)
=>
  %y = Gelu(%x)
)"},
    {.name = "gelu_mul_inner", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %k = const f32[] {0.70710678}
  %d = Mul(%x, %k)
  %e = Erf(%d)
  %a = Add(%e, %one)
  %m = Mul(%a, %half)
  %y = Mul(%x, %m)
=>
  %y = Gelu(%x)
)"},
    {.name = "gelu_tanh_last", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %three = const f32[] {3}
  %k = const f32[] {0.044715}
  %l = const f32[] {0.79788456}
  %p = Pow(%x, %three)
  %q = Mul(%p, %k)
  %r = Add(%x, %q)
  %s = Mul(%r, %l)
  %t = Tanh(%s)
  %a = Add(%t, %one)
  %m = Mul(%x, %a)
  %y = Mul(%m, %half)
=>
  %y = Gelu(%x) {approximate="tanh"}
)"},
    {.name = "gelu_tanh_first", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %three = const f32[] {3}
  %k = const f32[] {0.044715}
  %l = const f32[] {0.79788456}
  %p = Pow(%x, %three)
  %q = Mul(%p, %k)
  %r = Add(%x, %q)
  %s = Mul(%r, %l)
  %t = Tanh(%s)
  %a = Add(%t, %one)
  %m = Mul(%x, %half)
  %y = Mul(%m, %a)
=>
  %y = Gelu(%x) {approximate="tanh"}
)"},
    {.name = "gelu_tanh_inner", .text = R"(
  %half = const f32[] {0.5}
  %one = const f32[] {1}
  %three = const f32[] {3}
  %k = const f32[] {0.044715}
  %l = const f32[] {0.79788456}
  %p = Pow(%x, %three)
  %q = Mul(%p, %k)
  %r = Add(%x, %q)
  %s = Mul(%r, %l)
  %t = Tanh(%s)
  %a = Add(%t, %one)
  %m = Mul(%a, %half)
  %y = Mul(%x, %m)
=>
  %y = Gelu(%x) {approximate="tanh"}
)"},
};
}  // namespace

extern const std::span<const ir::Rule> rules_gelu = rules;

}  // namespace hone::opt
