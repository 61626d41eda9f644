// EvalContext over owned values: outputs are allocated as they are asked for. Used to fold shape arithmetic
// while planning.
#pragma once
#include <vector>

#include "ops/op.h"

namespace hone {

class OwningContext : public EvalContext {
 public:
  OwningContext(const OpDef& op, const Attrs& attrs, std::vector<Value> in, size_t outputs)
      : EvalContext(op, attrs, in, outputs), in_(std::move(in)), out_(outputs) {}

  bool wanted(size_t i) const override { return i < out_.size(); }
  Result<TensorView> output(size_t i, DType d, const Shape& s) override {
    if (!wanted(i)) return spare(d, s);
    HONE_TRY(Tensor t, Tensor::allocate(d, s));
    const TensorView view = t.view();
    out_[i] = std::move(t);
    return view;
  }
  Status set_output(size_t i, Value v) override {
    if (i < out_.size()) out_[i] = std::move(v);
    return {};
  }
  Result<std::vector<Value>> run_graph(std::string_view attr, std::span<const Value>) override {
    return error(Code::internal, "%s has no graph '%s' here", op.name, std::string(attr).c_str());
  }

  std::vector<Value>& results() { return out_; }

 private:
  std::vector<Value>
      in_;  // moved here after the base has seen them: a vector that is moved keeps its elements in place
  std::vector<Value> out_;
};

}  // namespace hone
