#include <cstring>
#include <mutex>

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

// Operators of plugins. Never freed: plans and sessions point to them until the process ends.
struct Added {
  std::mutex mutex;
  std::vector<const OpDef*> ops;
};
Added& added() {
  static auto* const list = new Added;
  return *list;
}

const OpDef* find_in(std::span<const OpDef* const> list, std::string_view name, std::string_view domain) {
  for (const OpDef* op : list)
    if (name == op->name && domain == op->domain) return op;
  return nullptr;
}
}  // namespace

std::span<const OpDef* const> all_ops() { return table; }

const OpDef* find_op(std::string_view name, std::string_view domain) {
  if (domain == "ai.onnx") domain = "";
  if (const OpDef* op = find_in(table, name, domain)) return op;
  if (is_own_domain(domain)) return nullptr;
  std::lock_guard lock(added().mutex);
  return find_in(added().ops, name, domain);
}

bool is_own_domain(std::string_view domain) {
  return domain.empty() || domain == "hone" || domain == "ai.onnx" || domain.starts_with("ai.onnx.");
}

Status add_ops(std::span<const OpDef* const> ops) {
  std::lock_guard lock(added().mutex);
  for (size_t i = 0; i < ops.size(); i++) {
    const OpDef& op = *ops[i];
    if (is_own_domain(op.domain))
      return error(Code::invalid_argument,
                   "operator %s: domain '%s' is %s own; use a domain of yours, such as com.example", op.name,
                   op.domain, std::string_view(op.domain) == "hone" ? "Hone's" : "ONNX's");
    if (find_in(table, op.name, op.domain))
      return error(Code::invalid_argument, "operator %s of domain '%s' is one that Hone has itself", op.name,
                   op.domain);
    if (find_in(added().ops, op.name, op.domain))
      return error(Code::invalid_argument, "operator %s of domain '%s' is there already, from another plugin",
                   op.name, op.domain);
    if (find_in(ops.first(i), op.name, op.domain))
      return error(Code::invalid_argument, "operator %s of domain '%s' is listed twice", op.name, op.domain);
  }
  added().ops.insert(added().ops.end(), ops.begin(), ops.end());
  return {};
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
