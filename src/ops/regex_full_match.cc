#include "ops/regex.h"
#include "ops/types.h"

namespace hone {
namespace {

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, TypeSet{DType::string}));
  HONE_CHECK(Regex::compile(c.attrs.s("pattern")));
  c.set(0, DType::boolean, c.shape(0));
  return {};
}
Status reference(EvalContext& c) {
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const Regex regex, Regex::compile(c.attrs.s("pattern")));
  for (int64_t i = 0, n = y.elements(); i < n; i++)
    y.data<bool8>()[i] = regex.full_match(c.input(0).data<std::string>()[i]);
  return {};
}
constexpr AttrDef attrs[] = {AttrDef::req("pattern", AttrType::s)};
}  // namespace

extern const OpDef op_RegexFullMatch{
    .name = "RegexFullMatch",
    .doc = "whether the whole string matches the pattern",
    .attrs = attrs,
    .infer = infer,
    .reference = reference,
    .notes = "the common part of RE2, matched in linear time: no back references, no look-around"};

}  // namespace hone
