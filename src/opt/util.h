// What several passes need.
#pragma once
#include <optional>
#include <vector>

#include "ir/numbers.h"
#include "ir/patch.h"

namespace hone::opt {

using ir::float_tensor;
using ir::ints;
using ir::numbers;
using ir::uniform;

inline bool is_op(const ir::Node* n, const char* name) {
  return n && std::string_view(n->op->name) == name && !*n->op->domain;
}
inline ir::Value* input(const ir::Node* n, size_t i) { return i < n->inputs.size() ? n->inputs[i] : nullptr; }
// The node that makes v, if it is of that operator and v is its output 0.
inline ir::Node* made_by(const ir::Value* v, const char* name) {
  return v && v->producer && v->output_index == 0 && is_op(v->producer, name) ? v->producer : nullptr;
}
// v has exactly one use, by a node of its own graph, and is no output.
inline bool single_use(const ir::Value* v) {
  return v->outputs == 0 && v->uses.size() == 1 && v->uses[0].node->graph == v->graph;
}
inline Tensor int_tensor(const std::vector<int64_t>& v) { return Tensor::of_ints(v); }
// Equal for certain: ranks equal and each dimension the same number or the same symbol.
bool same_shape(const ValueType& a, const ValueType& b);

}  // namespace hone::opt
