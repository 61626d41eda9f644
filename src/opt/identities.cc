#include <algorithm>
#include <cmath>
#include <limits>

#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

using ir::Node;

bool keeps_type(const Node& n) {
  return n.inputs[0]->type.dtype != DType::none && n.inputs[0]->type.dtype == n.outputs[0]->type.dtype;
}
bool keeps_shape(const Node& n) { return same_shape(n.inputs[0]->type, n.outputs[0]->type); }

bool always(const Node&) { return true; }
bool one_input(const Node& n) { return n.inputs.size() == 1; }
bool same_type(const Node& n) { return keeps_type(n); }
// A known shape in, the same out: the elements cannot have moved. With symbols too: equal symbols are equal
// numbers.
bool same_view(const Node& n) { return keeps_shape(n); }

bool inference_dropout(const Node& n) {
  const ir::Value* training = input(&n, 2);
  if (n.outputs.size() > 1 && n.outputs[1] && !n.outputs[1]->dead()) return false;
  // Without a ratio, it is a half.
  return !training || uniform(training) == 0.0 || (input(&n, 1) && uniform(input(&n, 1)) == 0.0);
}

bool in_order(const Node& n) {
  const auto& perm = n.attrs.ints("perm");
  const auto rank = static_cast<size_t>(n.inputs[0]->type.shape.rank());
  if (perm.empty()) return n.inputs[0]->type.shape.ranked() && rank <= 1;
  for (size_t i = 0; i < perm.size(); i++)
    if (perm[i] != static_cast<int64_t>(i)) return false;
  return true;
}

bool zero_pads(const Node& n) {
  const auto pads = ints(input(&n, 1));
  return pads && std::ranges::all_of(*pads, [](int64_t i) { return i == 0; });
}

// Steps are positive and nothing is lost: everything is taken.
bool whole_slice(const Node& n) {
  if (!keeps_shape(n)) return false;
  const ir::Value* steps = input(&n, 4);
  if (!steps) return true;
  const auto s = ints(steps);
  return s && std::ranges::all_of(*s, [](int64_t i) { return i > 0; });
}

bool no_bounds(const Node& n) {
  const auto low = uniform(input(&n, 1)), high = uniform(input(&n, 2));
  const bool none_below = !input(&n, 1) || (low && *low == -std::numeric_limits<double>::infinity());
  const bool none_above = !input(&n, 2) || (high && *high == std::numeric_limits<double>::infinity());
  return none_below && none_above;
}

// Input 1 is the neutral element of the operator and does not widen the shape.
template <int neutral>
bool neutral_right(const Node& n) {
  return uniform(input(&n, 1)) == static_cast<double>(neutral) && keeps_shape(n) && keeps_type(n);
}

bool no_activation(const Node& n) { return n.attrs.s("activation").empty(); }
bool adds_nothing(const Node& n) { return no_activation(n) && neutral_right<0>(n); }

bool same_size_resize(const Node& n) {
  return keeps_shape(n) && n.inputs[0]->type.shape.all_known() &&
         n.attrs.s("coordinate_transformation_mode") != "tf_crop_and_resize" && [&] {
           const auto scales = numbers(input(&n, 2));
           return !scales || std::ranges::all_of(*scales, [](double s) { return s == 1; });
         }();
}

// Windows of one element without padding.
bool single_element_pool(const Node& n) {
  const auto& kernel = n.attrs.ints("kernel_shape");
  return keeps_shape(n) && std::ranges::all_of(kernel, [](int64_t k) { return k == 1; }) && [&] {
    for (const char* name : {"strides", "pads"})
      for (int64_t v : n.attrs.ints(name))
        if (v != (*name == 's' ? 1 : 0)) return false;
    return n.outputs.size() < 2 || !n.outputs[1] || n.outputs[1]->dead();
  }();
}

struct Case {
  const char* op;
  bool (*gives_back_its_input)(const Node&);
  const char* why;
};
const Case table[] = {
    {"Identity", always, "an Identity"},
    {"Dropout", inference_dropout, "it drops nothing"},
    {"Cast", same_type, "its input has that type"},
    {"CastLike", same_type, "its input has that type"},
    {"Reshape", same_view, "its input has that shape"},
    {"Flatten", same_view, "its input has that shape"},
    {"Squeeze", same_view, "its input has that shape"},
    {"Unsqueeze", same_view, "its input has that shape"},
    {"Expand", same_view, "its input has that shape"},
    {"Transpose", in_order, "the axes stay in order"},
    {"Pad", zero_pads, "it pads by nothing"},
    {"Slice", whole_slice, "it takes everything"},
    {"Concat", one_input, "it has one input"},
    {"Sum", one_input, "it has one input"},
    {"Max", one_input, "it has one input"},
    {"Min", one_input, "it has one input"},
    {"Mean", one_input, "it has one input"},
    {"Clip", no_bounds, "it has no bounds"},
    {"Add", adds_nothing, "it adds 0"},
    {"Sub", neutral_right<0>, "it takes away 0"},
    {"Mul", neutral_right<1>, "it multiplies by 1"},
    {"Div", neutral_right<1>, "it divides by 1"},
    {"Pow", neutral_right<1>, "its exponent is 1"},
    {"Resize", same_size_resize, "its input has that size"},
    {"MaxPool", single_element_pool, "its window is one element"},
    {"AveragePool", single_element_pool, "its window is one element"},
};

// Where the output of the graph must keep its name, the Identity stays.
bool needed_as_identity(const ir::Value* from, const ir::Value* to) {
  return from->outputs > 0 && (to->is_input || to->outputs > 0 || to->graph != from->graph);
}

}  // namespace

Result<int> remove_identities(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  HONE_TRY(const std::vector<Node*> order, g.sorted());
  for (Node* n : order) {
    if (n->erased || *n->op->domain || n->inputs.empty() || !n->inputs[0] || !n->outputs[0]) continue;
    for (const Case& c : table) {
      if (!is_op(n, c.op) || !c.gives_back_its_input(*n)) continue;
      if (is_op(n, "Identity") && needed_as_identity(n->outputs[0], n->inputs[0])) break;
      ir::Patch p(g, "remove_identities", c.why);
      p.replace(n->outputs[0], n->inputs[0]);
      HONE_CHECK(p.apply(&log));
      changes++;
      break;
    }
  }
  return changes;
}

}  // namespace hone::opt
