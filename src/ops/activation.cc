#include "ops/activation.h"

#include "ops/scalar_math.h"

namespace hone {
namespace {
using namespace scalar_math;
#define K(number) static_cast<float>(number)
#define UNARY(name, expression)                                                                           \
  float activation_##name([[maybe_unused]] float x, [[maybe_unused]] float a, [[maybe_unused]] float b) { \
    return expression;                                                                                    \
  }
#include "ops/unary.def"
#undef UNARY
#undef K

constexpr struct {
  std::string_view name;
  float (*function)(float, float, float);
} table[] = {
#define UNARY(name, expression) {#name, activation_##name},
#include "ops/unary.def"
#undef UNARY
};
}  // namespace

Result<Activation> find_activation(std::string_view name, float alpha, float beta) {
  if (name.empty()) return Activation{};
  for (const auto& entry : table)
    if (entry.name == name) return Activation{entry.function, alpha, beta};
  return error(Code::unsupported, "there is no activation '%.*s'", static_cast<int>(name.size()),
               name.data());
}

Result<Activation> parse_activation(const Attrs& attrs) {
  return find_activation(attrs.s("activation"), attrs.f("activation_alpha"), attrs.f("activation_beta"));
}

}  // namespace hone
