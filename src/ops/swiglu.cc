#include "ops/types.h"

namespace hone {
namespace {

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_same_types(c));
  if (const Shape a = c.shape(0), b = c.shape(1); a.all_known() && b.all_known() && a != b)
    return error(Code::invalid_argument, "the inputs have shapes %s and %s; they must be the same",
                 a.str().c_str(), b.str().c_str());
  return same_as_first(c);
}

constexpr AttrDef attrs[] = {AttrDef::def_f("alpha", 1)};
constexpr const char* body = R"(graph @SwiGLU(%a, %b) -> (%y) {
  %gate = Swish(%a) {alpha=$alpha}
  %y = Mul(%gate, %b)
})";
}  // namespace

extern const OpDef op_SwiGLU{.name = "SwiGLU",
                             .doc = "a * sigmoid(alpha * a) * b",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .attrs = attrs,
                             .since = 27,
                             .infer = infer,
                             .body = body};

}  // namespace hone
