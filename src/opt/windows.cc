#include <algorithm>

#include "ir/equal.h"
#include "ops/window.h"
#include "opt/passes.h"
#include "opt/util.h"

namespace hone::opt {
namespace {

bool slides(const ir::Node* n) {
  for (const char* op :
       {"Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool", "ConvInteger", "QLinearConv"})
    if (is_op(n, op)) return true;
  return false;
}

// Weights (the operand with the kernel's shape), if the operator has them.
const ir::Value* weights(const ir::Node* n) {
  if (is_op(n, "QLinearConv")) return input(n, 3);
  return std::string_view(n->op->name).starts_with("Conv") ? input(n, 1) : nullptr;
}

}  // namespace

// Everything that slides a window says what it does: kernel_shape, strides, dilations and pads are written
// out, auto_pad is gone. SAME_* needs the spatial size; ConvTranspose with output_shape, too.
Result<int> explicit_windows(ir::Graph& g, ir::Log& log) {
  int changes = 0;
  for (ir::Node* n : g.nodes()) {
    if (!slides(n) || n->attrs.flag("channels_last")) continue;
    const Shape& x = n->inputs[0]->type.shape;
    const ir::Value* w = weights(n);
    if (!x.ranked() || x.rank() < 3 || (w && !w->type.shape.ranked())) continue;
    const auto rank = static_cast<size_t>(x.rank()) - 2;
    Attrs attrs = n->attrs;
    std::vector<int64_t> kernel = attrs.ints("kernel_shape");
    if (kernel.empty() && w) kernel.assign(w->type.shape.begin() + 2, w->type.shape.end());
    if (kernel.size() != rank || std::ranges::any_of(kernel, [](Dim d) { return !known(d); })) continue;
    attrs.set("kernel_shape", kernel);
    if (attrs.ints("strides").empty()) attrs.set("strides", std::vector<int64_t>(rank, 1));
    if (attrs.ints("dilations").empty()) attrs.set("dilations", std::vector<int64_t>(rank, 1));
    const std::string mode = attrs.s("auto_pad");
    const bool transposed = is_op(n, "ConvTranspose");
    const bool same =
        mode == "SAME_UPPER" || mode == "SAME_LOWER" || (transposed && !attrs.ints("output_shape").empty());
    if (same) {
      const std::vector<Dim> in(x.begin() + 2, x.end());
      if (std::ranges::any_of(in, [](Dim d) { return !known(d); })) continue;
      auto window =
          transposed ? slide_transposed(attrs, in, kernel)
                     : slide(attrs, in, kernel, attrs.flag("ceil_mode") ? Rounding::ceil : Rounding::floor);
      if (!window) continue;
      std::vector<int64_t> pads(window->begin.begin(), window->begin.begin() + static_cast<ptrdiff_t>(rank));
      pads.insert(pads.end(), window->end.begin(), window->end.begin() + static_cast<ptrdiff_t>(rank));
      // A negative pad (a ConvTranspose asked for more than its natural size) cannot be said by pads.
      if (std::ranges::any_of(pads, [](int64_t i) { return i < 0; })) continue;
      attrs.set("pads", pads);
      attrs.erase("output_shape");
    }
    if (attrs.ints("pads").empty() || mode == "VALID") attrs.set("pads", std::vector<int64_t>(2 * rank, 0));
    attrs.set("auto_pad", std::string("NOTSET"));
    if (ir::equal(attrs, n->attrs)) continue;
    ir::Patch p(g, "explicit_windows", "its window is known");
    ir::Node* made = p.replace_node(n, *n->op, n->inputs, attrs);
    bool same_types = static_cast<bool>(p.check());
    for (size_t i = 0; i < made->outputs.size(); i++)
      same_types = same_types &&
                   (!n->outputs[i] || !made->outputs[i] || made->outputs[i]->type == n->outputs[i]->type);
    if (!same_types) continue;  // rounding up to the stride (ceil_mode) and SAME do not always say the same
    HONE_CHECK(p.apply(&log));
    changes++;
  }
  return changes;
}

}  // namespace hone::opt
