#include "engine/validate.h"

#include <set>

#include "engine/format.h"

namespace hone {
namespace {
using Kind = ProgramValue::Kind;

class Validator {
 public:
  explicit Validator(const EngineData& e) : engine_(e) {}

  Status type(const ValueType& t, int depth = 1) const {
    if (depth > format::max_type_depth)
      return error(Code::corrupt, "a type is nested more than %d deep", format::max_type_depth);
    if (t.kind == Value::Kind::tensor) {
      for (Dim d : t.shape)
        if (symbolic(d) && static_cast<size_t>(-2 - d) >= engine_.symbols.size())
          return error(Code::corrupt, "a shape uses symbol %lld of %zu", static_cast<long long>(-2 - d),
                       engine_.symbols.size());
    } else if (t.element) {
      return type(*t.element, depth + 1);
    }
    return {};
  }

  // `outer_defined`: which values of the enclosing program exist when this one runs; null for an outermost
  // program.
  Status program(const Program& p, const std::vector<bool>* outer_defined, int depth) const {
    if (depth > format::max_program_depth)
      return error(Code::corrupt, "programs are nested more than %d deep", format::max_program_depth);
    std::vector<bool> defined(p.values.size());
    for (size_t i = 0; i < p.values.size(); i++) {
      if (auto s = value(p.values[i], outer_defined); !s) return in(strf("value %zu", i), s.take_error());
      defined[i] = p.values[i].kind == Kind::constant || p.values[i].kind == Kind::capture;
    }
    for (int i : p.inputs) {
      const auto v = static_cast<size_t>(i);
      if (v >= p.values.size()) return error(Code::corrupt, "input is value %d of %zu", i, p.values.size());
      if (p.values[v].kind != Kind::input || defined[v])
        return error(Code::corrupt, "input is value %d, which is %s", i,
                     defined[v] ? "listed twice" : "no input");
      defined[v] = true;
    }
    for (size_t i = 0; i < p.steps.size(); i++)
      if (auto s = step(p, p.steps[i], defined, depth); !s)
        return in(strf("step %zu (%s '%s')", i, p.steps[i].op.c_str(), p.steps[i].name.c_str()),
                  s.take_error());
    for (int i : p.outputs)
      if (static_cast<size_t>(i) >= p.values.size() || !defined[static_cast<size_t>(i)])
        return error(Code::corrupt, "output is value %d of %zu, which nothing defines", i, p.values.size());
    return {};
  }

  Status packed(const PackedConstants& p) const {
    if (p.bytes.dtype() != DType::u8 || p.bytes.shape().rank() != 1)
      return error(Code::corrupt, "they are no u8[n]");
    for (int i : p.constants)
      if (i != -1 && static_cast<size_t>(i) >= engine_.constants.size())
        return error(Code::corrupt, "of constant %d of %zu", i, engine_.constants.size());
    return {};
  }

 private:
  Status value(const ProgramValue& v, const std::vector<bool>* outer_defined) const {
    HONE_CHECK(type(v.type));
    const auto ref = static_cast<size_t>(v.ref);
    switch (v.kind) {
      case Kind::intermediate:
      case Kind::input:
        if (v.ref != -1)
          return error(Code::corrupt, "'%s' refers to %d but is no constant", v.name.c_str(), v.ref);
        return {};
      case Kind::constant:
        if (ref >= engine_.constants.size())
          return error(Code::corrupt, "'%s' is constant %d of %zu", v.name.c_str(), v.ref,
                       engine_.constants.size());
        return {};
      case Kind::capture:
        if (!outer_defined || ref >= outer_defined->size() || !(*outer_defined)[ref])
          return error(Code::corrupt,
                       "'%s' captures value %d, which the enclosing program does not define before",
                       v.name.c_str(), v.ref);
        return {};
    }
    return error(Code::corrupt, "'%s' is of unknown kind %d", v.name.c_str(), static_cast<int>(v.kind));
  }

  Status step(const Program& p, const ProgramStep& s, std::vector<bool>& defined, int depth) const {
    if (s.op.empty()) return error(Code::corrupt, "it names no operator");
    for (int i : s.in)
      if (i != -1 && (static_cast<size_t>(i) >= p.values.size() || !defined[static_cast<size_t>(i)]))
        return error(Code::corrupt, "it reads value %d of %zu, which nothing defines before", i,
                     p.values.size());
    for (const auto& [name, attr] : s.attrs) {
      if (auto* t = std::get_if<ValueType>(&attr)) HONE_CHECK(type(*t));
      if (auto* t = std::get_if<Tensor>(&attr); t && !*t)
        return error(Code::corrupt, "attribute '%s' holds no tensor", name.c_str());
      if (auto* g = std::get_if<SubgraphPtr>(&attr)) {
        const auto* nested = dynamic_cast<const Program*>(g->get());
        if (!nested) return error(Code::internal, "attribute '%s' holds no program", name.c_str());
        if (auto ok = program(*nested, &defined, depth + 1); !ok)
          return in(strf("attribute '%s'", name.c_str()), ok.take_error());
      }
    }
    for (int i : s.out) {
      if (i == -1) continue;
      const auto v = static_cast<size_t>(i);
      if (v >= p.values.size()) return error(Code::corrupt, "it writes value %d of %zu", i, p.values.size());
      if (p.values[v].kind != Kind::intermediate || defined[v])
        return error(Code::corrupt, "it writes value %d, which is defined already", i);
      defined[v] = true;
    }
    return {};
  }

  const EngineData& engine_;
};
}  // namespace

Status validate(const EngineData& e) {
  const Validator v(e);
  for (size_t i = 0; i < e.constants.size(); i++)
    if (!e.constants[i]) return error(Code::corrupt, "constant %zu holds no tensor", i);
  const Program* first = nullptr;
  auto outermost = [&](const Program* p, const std::string& what) -> Status {
    if (!p) return error(Code::corrupt, "%s is missing", what.c_str());
    if (auto s = v.program(*p, nullptr, 1); !s) return in(what, s.take_error());
    if (!first) first = p;
    if (p->inputs.size() != first->inputs.size() || p->outputs.size() != first->outputs.size())
      return error(Code::corrupt, "%s has %zu inputs and %zu outputs, the first program %zu and %zu",
                   what.c_str(), p->inputs.size(), p->outputs.size(), first->inputs.size(),
                   first->outputs.size());
    return {};
  };
  if (e.portable) HONE_CHECK(outermost(e.portable.get(), "portable program"));
  std::set<std::string> targets;
  for (const Plan& plan : e.plans) {
    if (!targets.insert(plan.target).second)
      return error(Code::corrupt, "two plans are for target '%s'", plan.target.c_str());
    HONE_CHECK(outermost(plan.program.get(), "plan '" + plan.target + "'"));
  }
  for (const Plan& plan : e.plans)
    for (size_t i = 0; i < plan.packed.size(); i++)
      if (auto s = v.packed(plan.packed[i]); !s)
        return in(strf("plan '%s': packed constants %zu", plan.target.c_str(), i), s.take_error());
  if (!first) return error(Code::corrupt, "there is no program");
  for (size_t i = 0; i < e.tests.size(); i++)
    if (e.tests[i].inputs.size() != first->inputs.size() ||
        e.tests[i].outputs.size() != first->outputs.size())
      return error(Code::corrupt, "test %zu has %zu inputs and %zu outputs, the program %zu and %zu", i,
                   e.tests[i].inputs.size(), e.tests[i].outputs.size(), first->inputs.size(),
                   first->outputs.size());
  return {};
}

}  // namespace hone
