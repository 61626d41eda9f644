// The activation fused into a step (attributes activation, activation_alpha, activation_beta; see
// ops/activation.h) as the kernel that applies it. Plain data: it may be part of a tactic's params.
#pragma once
#include <optional>
#include <string_view>

#include "kernels/isa/unary.h"
#include "kernels/tactic.h"

namespace hone {

struct FusedActivation {
  UnaryKernels::Apply apply = nullptr;  // null: none
  float a = 0, b = 0;
  explicit operator bool() const { return apply != nullptr; }
  void operator()(float* data, int64_t n) const {
    if (apply) apply(data, 0, data, 0, 1, n, a, b);
  }
};

std::optional<Unary> find_unary(std::string_view name);
// Error: there is no function of that name.
Result<FusedActivation> fused_activation(const Problem&);

}  // namespace hone
