// SiLU (swish): x * sigmoid(x). ONNX calls it Swish since opset 24.
#include "opt/rules.h"

namespace hone::opt {
namespace {
const ir::Rule rules[] = {
    {.name = "silu", .text = R"(
  %s = Sigmoid(%x)
  %y = Mul(%x, %s)
=>
  %y = Swish(%x)
)"},
};
}  // namespace

extern const std::span<const ir::Rule> rules_silu = rules;

}  // namespace hone::opt
