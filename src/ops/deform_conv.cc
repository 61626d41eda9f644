// DeformConv: a convolution of images each of whose taps is moved by an offset of its own, and sampled
// bilinearly there. Outside of the image is zero.
#include <cmath>

#include "ops/conv.h"
#include "ops/dispatch.h"
#include "ops/types.h"
#include "ops/widen.h"

namespace hone {
namespace {

struct Geometry {
  ConvShape conv;
  int64_t offset_groups = 1;
};

Result<Geometry> geometry(const Infer& c) {
  const Shape x = c.shape(0), w = c.shape(1);
  Geometry g;
  g.offset_groups = c.attrs.i("offset_group");
  if (g.offset_groups < 1 || (x.rank() == 4 && known(x[1]) && x[1] % g.offset_groups != 0))
    return error(Code::invalid_argument, "offset_group is %lld; it must divide the channels of %s",
                 static_cast<long long>(g.offset_groups), x.str().c_str());
  HONE_TRY(g.conv, conv_shape(c.attrs, x, w, false));
  return g;
}

Status infer(Infer& c) {
  for (size_t i = 0; i < 5; i++) HONE_CHECK(check_type(c, i, float_types));
  HONE_CHECK(check_same_types(c));
  const Shape w = c.shape(1);
  for (const size_t i : {size_t{0}, size_t{1}, size_t{2}, size_t{4}})
    if (const Shape s = c.shape(i); s.ranked() && s.rank() != 4)
      return error(Code::unsupported, "input %zu has shape %s; only images (4 dimensions) are supported", i,
                   s.str().c_str());
  HONE_TRY(const Geometry g, geometry(c));
  if (c.has(3)) HONE_CHECK(check_channels("the bias", c.shape(3), g.conv.m));
  const Shape y = g.conv.out;
  c.set(0, c.dtype(0), y);
  if (!y.all_known() || !w.all_known()) return {};
  const int64_t taps = g.conv.window.taps();
  if (g.offset_groups > (int64_t{1} << 20) || taps > (int64_t{1} << 30))
    return error(Code::limit, "offset_group %lld with %lld taps is more than is supported",
                 static_cast<long long>(g.offset_groups), static_cast<long long>(taps));
  for (const size_t i : {size_t{2}, size_t{4}}) {
    if (!c.has(i) || !c.shape(i).all_known()) continue;
    const Shape want{y[0], g.offset_groups * taps * (i == 2 ? 2 : 1), y[2], y[3]};
    if (c.shape(i) != want)
      return error(Code::invalid_argument, "%s has shape %s, expected %s", i == 2 ? "the offset" : "the mask",
                   c.shape(i).str().c_str(), want.str().c_str());
  }
  return {};
}

template <class T>
double sample(const T* map, int64_t height, int64_t width, double y, double x) {
  if (!(y > -1 && x > -1 && y < static_cast<double>(height) && x < static_cast<double>(width))) return 0;
  const double fy = std::floor(y), fx = std::floor(x), dy = y - fy, dx = x - fx;
  const auto top = static_cast<int64_t>(fy), left = static_cast<int64_t>(fx);
  const auto at = [&](int64_t i, int64_t k) -> double {
    return i < 0 || k < 0 || i >= height || k >= width ? 0.0 : static_cast<double>(map[i * width + k]);
  };
  return (1 - dy) * ((1 - dx) * at(top, left) + dx * at(top, left + 1)) +
         dy * ((1 - dx) * at(top + 1, left) + dx * at(top + 1, left + 1));
}

Status convolve_deformed(EvalContext& c) {
  const TensorView x = c.input(0), w = c.input(1), offset = c.input(2);
  HONE_TRY(const ConvShape s, conv_shape(c.attrs, x.shape, w.shape, false));
  HONE_TRY(const TensorView y, c.output(0, x.dtype, s.out));
  const Window& win = s.window;
  const int64_t images = x.shape[0], channels = x.shape[1], height = x.shape[2], width = x.shape[3],
                taps = win.taps(), pixels = win.pixels(), offset_groups = c.attrs.i("offset_group"),
                cg = channels / s.groups, mg = s.m / s.groups;
  if (!y.elements()) return {};
  return dispatch<float, double>(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<double> patch(static_cast<size_t>(channels * taps));
    for (int64_t n = 0; n < images; n++)
      for (int64_t p = 0; p < pixels; p++) {
        const int64_t row = p / win.out[1], column = p % win.out[1];
        for (int64_t ch = 0; ch < channels; ch++) {
          const int64_t group = n * offset_groups + ch / (channels / offset_groups);
          for (int64_t t = 0; t < taps; t++) {
            const int64_t tap = group * taps + t;
            const double dy = offset.data<T>()[2 * tap * pixels + p],
                         dx = offset.data<T>()[(2 * tap + 1) * pixels + p];
            const auto base_y = static_cast<double>(row * win.stride[0] - win.begin[0] +
                                                    t / win.kernel[1] * win.dilation[0]),
                       base_x = static_cast<double>(column * win.stride[1] - win.begin[1] +
                                                    t % win.kernel[1] * win.dilation[1]);
            double v = sample(x.data<T>() + (n * channels + ch) * height * width, height, width, base_y + dy,
                              base_x + dx);
            if (c.has(4)) v *= c.input(4).data<T>()[tap * pixels + p];
            patch[static_cast<size_t>(ch * taps + t)] = v;
          }
        }
        for (int64_t m = 0; m < s.m; m++) {
          double sum = c.has(3) ? static_cast<double>(c.input(3).data<T>()[m]) : 0;
          const double* from = patch.data() + m / mg * cg * taps;
          const T* weights = w.data<T>() + m * cg * taps;
          for (int64_t k = 0; k < cg * taps; k++) sum += from[k] * weights[k];
          y.data<T>()[(n * s.m + m) * pixels + p] = static_cast<T>(sum);
        }
      }
  });
}
Status reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  return widened(c, convolve_deformed);
}

constexpr AttrDef attrs[] = {
    AttrDef::opt("dilations", AttrType::ints),    AttrDef::def_i("group", 1),
    AttrDef::opt("kernel_shape", AttrType::ints), AttrDef::def_i("offset_group", 1),
    AttrDef::opt("pads", AttrType::ints),         AttrDef::opt("strides", AttrType::ints)};
}  // namespace

extern const OpDef op_DeformConv{.name = "DeformConv",
                                 .doc = "a convolution whose taps are moved by offsets",
                                 .min_inputs = 3,
                                 .max_inputs = 5,
                                 .attrs = attrs,
                                 .since = 19,
                                 .infer = infer,
                                 .reference = reference,
                                 .notes = "images (4 dimensions) only"};

}  // namespace hone
