// Optional values.
#include "ops/op.h"

namespace hone {
namespace {

using Kind = Value::Kind;

Status infer_optional(Infer& c) {
  if (c.has(0)) {
    c.out[0] = ValueType::of(Kind::optional, c.in[0]);
    return {};
  }
  const AttrValue* type = c.attrs.find("type");
  if (c.in.empty() && !type)
    return error(Code::corrupt, "an Optional without an input needs the attribute 'type'");
  c.out[0] = ValueType::of(Kind::optional, type ? *std::get_if<ValueType>(type) : ValueType());
  return {};
}
Status make_optional(EvalContext& c) {
  Value v;
  v.kind = Kind::optional;
  if (c.has(0)) v.items = std::make_shared<std::vector<Value>>(1, c.in(0));
  return c.set_output(0, std::move(v));
}

Status infer_has(Infer& c) {
  c.set(0, DType::boolean, Shape{});
  return {};
}
Status has_element(EvalContext& c) {
  const Value& v = c.in(0);
  HONE_TRY(const TensorView y, c.output(0, DType::boolean, Shape{}));
  *y.data<bool8>() = v.kind == Kind::optional ? v.items && !v.items->empty() : static_cast<bool>(v);
  return {};
}

Status infer_get(Infer& c) {
  if (c.has(0))
    c.out[0] = c.in[0].kind == Kind::optional ? (c.in[0].element ? *c.in[0].element : ValueType()) : c.in[0];
  return {};
}
Status get_element(EvalContext& c) {
  const Value& v = c.in(0);
  if (v.kind != Kind::optional && v) return c.set_output(0, v);
  if (!v.items || v.items->empty())
    return error(Code::invalid_argument, "the optional is empty; ask OptionalHasElement first");
  return c.set_output(0, v.items->front());
}

constexpr AttrDef attrs[] = {AttrDef::opt("type", AttrType::type)};
}  // namespace

extern const OpDef op_Optional{.name = "Optional",
                               .doc = "its input as an optional value, or an empty one",
                               .min_inputs = 0,
                               .attrs = attrs,
                               .infer = infer_optional,
                               .reference = make_optional};
extern const OpDef op_OptionalHasElement{.name = "OptionalHasElement",
                                         .doc = "whether there is a value",
                                         .min_inputs = 0,
                                         .infer = infer_has,
                                         .reference = has_element};
extern const OpDef op_OptionalGetElement{.name = "OptionalGetElement",
                                         .doc = "the value of an optional",
                                         .infer = infer_get,
                                         .reference = get_element};

}  // namespace hone
