#include "ops/activation.h"

#include "ops/scalar_math.h"

namespace hone {
namespace {
constexpr struct {
  std::string_view name;
  float (*function)(float, float, float);
} table[] = {
#define UNARY(name, expression) {#name, scalar_math::unary::name::f<float>},
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
