#include "ops/types.h"

namespace hone {
namespace {

Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  if (c.shape(0).ranked()) HONE_CHECK(normalize_axes(c.attrs.ints("axes"), c.shape(0).rank()));
  return same_as_first(c);
}

// All but the channels of an image, whatever the opset.
Status default_axes(OpsetNode& n) {
  if (!n.attrs().has("axes")) n.attrs().set("axes", std::vector<int64_t>{0, 2, 3});
  return {};
}
constexpr Upgrade upgrades[] = {{1 << 30, default_axes}};
constexpr AttrDef attrs[] = {AttrDef::opt("axes", AttrType::ints)};

constexpr const char* body = R"(graph @MeanVarianceNormalization(%x) -> (%y) {
  %axes = Constant() {value_ints=$axes}
  %mean = ReduceMean(%x, %axes)
  %centred = Sub(%x, %mean)
  %squares = Mul(%centred, %centred)
  %variance = ReduceMean(%squares, %axes)
  %deviation = Sqrt(%variance)
  %epsilon = const f32[] {1e-9}
  %epsilon_x = CastLike(%epsilon, %x)
  %divisor = Add(%deviation, %epsilon_x)
  %y = Div(%centred, %divisor)
})";
}  // namespace

extern const OpDef op_MeanVarianceNormalization{.name = "MeanVarianceNormalization",
                                                .doc = "(X - mean) / (sqrt(variance) + 1e-9) over axes",
                                                .attrs = attrs,
                                                .upgrades = upgrades,
                                                .infer = infer,
                                                .body = body};

}  // namespace hone
