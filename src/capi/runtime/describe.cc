#include "capi/runtime/describe.h"

#include "engine/format.h"

namespace hone::capi {
namespace {
// Dimensions: a number, the name of a symbol, or null.
Json shape_json(const Shape& s, const std::vector<std::string>& symbols) {
  if (!s.ranked()) return {};
  Json list = Json::array();
  for (Dim d : s) {
    if (known(d)) list.push(d);
    else if (symbolic(d)) list.push(symbols[static_cast<size_t>(symbol_of(d))]);
    else list.push(Json());
  }
  return list;
}

Json value_json(const Program& p, int v, const std::vector<std::string>& symbols) {
  if (v < 0) return {};
  const ProgramValue& value = p.values[static_cast<size_t>(v)];
  Json j = Json::object();
  j.set("name", value.name);
  const ValueType* t = &value.type;
  if (t->kind == Value::Kind::sequence || t->kind == Value::Kind::optional)
    j.set("kind", t->kind == Value::Kind::sequence ? "sequence" : "optional");
  while (t->kind != Value::Kind::tensor && t->element) t = t->element.get();
  j.set("dtype", t->kind == Value::Kind::tensor ? Json(dtype_name(t->dtype)) : Json());
  j.set("shape", shape_json(t->shape, symbols));
  if (value.kind == ProgramValue::Kind::constant) j.set("constant", true);
  return j;
}

void count_operators(const Program& p, std::map<std::string, int64_t>& counts) {
  for (const ProgramStep& s : p.steps) {
    counts[s.domain.empty() ? s.op : s.domain + "." + s.op]++;
    for (const auto& [name, value] : s.attrs)
      if (auto* g = std::get_if<SubgraphPtr>(&value))
        if (auto* nested = dynamic_cast<const Program*>(g->get())) count_operators(*nested, counts);
  }
}
}  // namespace

Json describe(const Engine& e, const std::map<std::string, std::string>& given_meta) {
  const EngineData& data = e.data();
  const Program& p = *e.program().program;
  auto values = [&](const std::vector<int>& list) {
    Json j = Json::array();
    for (int v : list) j.push(value_json(p, v, data.symbols));
    return j;
  };
  Json meta = Json::object(), plans = Json::array(), plan_bytes = Json::object(), operators = Json::object(),
       steps = Json::array();
  for (const auto& [key, value] : given_meta) {
    if (key.rfind(format::picture_prefix, 0) == 0) meta.set(key, strf("%zu bytes", value.size()));
    else meta.set(key, value);
  }
  for (const Plan& plan : data.plans) {
    plans.push(plan.target);
    int64_t bytes = 0;
    for (const PackedConstants& packed : plan.packed) bytes += packed.bytes.byte_size();
    plan_bytes.set(plan.target, bytes);
  }
  std::map<std::string, int64_t> counts;
  count_operators(p, counts);
  for (const auto& [op, n] : counts) operators.set(op, n);
  for (const ProgramStep& s : p.steps) {
    Json j = Json::object();
    j.set("name", s.name).set("op", s.domain.empty() ? s.op : s.domain + "." + s.op).set("tactic", s.tactic);
    steps.push(j.set("inputs", values(s.in)).set("outputs", values(s.out)));
  }
  Json j = Json::object();
  j.set("name", given_meta.count("name") ? given_meta.at("name") : p.name);
  j.set("inputs", values(p.inputs)).set("outputs", values(p.outputs));
  j.set("meta", std::move(meta))
      .set("plans", std::move(plans))
      .set("plan_packed_bytes", std::move(plan_bytes))
      .set("plan", e.plan().target)
      .set("isa", isa_name(e.isa()));
  j.set("operators", std::move(operators))
      .set("weights_bytes", e.constant_bytes())
      .set("tests", data.tests.size());
  return j.set("steps", std::move(steps));
}

}  // namespace hone::capi
