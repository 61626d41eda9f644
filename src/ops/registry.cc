#include <cstring>

#include "ops/op.h"

namespace hone {

#define OP(name) extern const OpDef op_##name;
#include "ops/ops.def"
#undef OP

namespace {
const OpDef* const table[] = {
#define OP(name) &op_##name,
#include "ops/ops.def"
#undef OP
};
}  // namespace

std::span<const OpDef* const> all_ops() { return table; }

const OpDef* find_op(std::string_view name, std::string_view domain) {
  if (domain == "ai.onnx") domain = "";
  for (const OpDef* op : table)
    if (name == op->name && domain == op->domain) return op;
  return nullptr;
}

Status bind_attrs(const OpDef& op, Attrs& attrs, bool allow_internal) {
  static const char* const type_names[] = {"int",     "float",  "string", "ints", "floats",
                                           "strings", "tensor", "graph",  "type"};
  for (const auto& [name, value] : attrs) {
    const AttrDef* def = nullptr;
    for (const AttrDef& d : op.attrs)
      if (name == d.name) def = &d;
    if (!def || (def->internal && !allow_internal))
      return error(Code::unsupported, "%s has no attribute '%s'", op.name, name.c_str());
    if (attr_type(value) != def->type)
      return error(Code::corrupt, "attribute '%s' of %s is of type %s, expected %s", name.c_str(), op.name,
                   type_names[value.index()], type_names[static_cast<size_t>(def->type)]);
  }
  for (const AttrDef& d : op.attrs) {
    if (attrs.has(d.name)) continue;
    if (d.presence == AttrDef::required)
      return error(Code::corrupt, "%s lacks its required attribute '%s'", op.name, d.name);
    if (d.presence != AttrDef::defaulted) continue;
    switch (d.type) {
      case AttrType::i:
        attrs.set(d.name, d.i);
        break;
      case AttrType::f:
        attrs.set(d.name, d.f);
        break;
      case AttrType::s:
        attrs.set(d.name, std::string(d.s));
        break;
      default:
        break;
    }
  }
  return {};
}

Status infer_types(Infer& c) {
  const int n = static_cast<int>(c.in.size());
  if (n < c.op.min_inputs || (c.op.max_inputs >= 0 && n > c.op.max_inputs))
    return error(Code::corrupt, "%s has %d inputs, expected %d to %d", c.op.name, n, c.op.min_inputs,
                 c.op.max_inputs);
  const int m = static_cast<int>(c.out.size());
  if (m < c.op.min_outputs || (c.op.max_outputs >= 0 && m > c.op.max_outputs))
    return error(Code::corrupt, "%s has %d outputs, expected %d to %d", c.op.name, m, c.op.min_outputs,
                 c.op.max_outputs);
  if (!c.op.infer) return {};
  HONE_CHECK(c.op.infer(c));
  for (const ValueType& t : c.out)
    if (t.kind == Value::Kind::tensor && t.shape.all_known()) HONE_CHECK(checked_elements(t.shape));
  return {};
}

std::optional<std::vector<int64_t>> Infer::ints(size_t i) const {
  const Tensor* t = value(i);
  if (!t) return std::nullopt;
  auto v = t->as_ints();
  return v ? std::optional(*std::move(v)) : std::nullopt;
}

}  // namespace hone
