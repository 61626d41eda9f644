#include "kernels/cpu/activation.h"

#include "kernels/isa_kernels.h"

namespace hone {

std::optional<Unary> find_unary(std::string_view name) {
  static constexpr std::string_view names[] = {
#define UNARY(name, expression) #name,
#include "ops/unary.def"
#undef UNARY
  };
  for (size_t i = 0; i < std::size(names); i++)
    if (names[i] == name) return static_cast<Unary>(i);
  return std::nullopt;
}

Result<FusedActivation> fused_activation(const Problem& p) {
  const std::string& name = p.attrs->s("activation");
  if (name.empty()) return FusedActivation{};
  const auto unary = find_unary(name);
  if (!unary) return error(Code::unsupported, "there is no activation '%s'", name.c_str());
  return FusedActivation{isa_kernels(p.isa).unary->apply[static_cast<size_t>(*unary)],
                         p.attrs->f("activation_alpha"), p.attrs->f("activation_beta")};
}

}  // namespace hone
