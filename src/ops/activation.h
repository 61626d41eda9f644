// Activations fused into an operator by the optimiser: y = activation(operator(...)), element by element.
// The operator lists ACTIVATION_ATTRS among its attributes, reads them once with parse_activation() and
// applies the result to each element in float before rounding to the element type.
#pragma once
#include "ops/op.h"

namespace hone {

// activation: a name of unary.def, or empty for none.
#define ACTIVATION_ATTRS                                                                     \
  AttrDef::def_s("activation", "").hidden(), AttrDef::def_f("activation_alpha", 0).hidden(), \
      AttrDef::def_f("activation_beta", 0).hidden()

struct Activation {
  float (*function)(float x, float alpha, float beta) = nullptr;  // null: none
  float alpha = 0, beta = 0;
  float operator()(float x) const { return function ? function(x, alpha, beta) : x; }
  explicit operator bool() const { return function != nullptr; }
};

// Error: no activation of that name.
Result<Activation> find_activation(std::string_view name, float alpha, float beta);
Result<Activation> parse_activation(const Attrs&);

inline float apply_activation(const Activation& activation, float x) { return activation(x); }

}  // namespace hone
