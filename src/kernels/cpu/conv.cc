#include "kernels/cpu/conv.h"

namespace hone {

Accept find_conv(const Problem& p, bool transposed, ConvShape& shape, Epilogue& epilogue) {
  const Operand &x = p.input(0), &w = p.input(1), &b = p.input(2);
  REFUSE_UNLESS(x.dtype == DType::f32, "the data are not f32");
  REFUSE_UNLESS(p.attrs->flag("channels_last"), "the layout is channels first");
  REFUSE_UNLESS(x.shape.rank() == 3 || x.shape.rank() == 4, "there are more than two spatial dimensions");
  REFUSE_UNLESS(w.constant, "the weights are not constant");
  REFUSE_UNLESS(!b || b.constant, "the bias is not constant");
  auto s = conv_shape(*p.attrs, x.shape, w.shape, transposed);
  REFUSE_UNLESS(s, "its attributes are invalid");
  shape = *std::move(s);
  return find_epilogue(p, epilogue);
}

// In multiply-adds of the microkernel. Measured with bench_kernels on an AMD EPYC of family 26 (AVX-512, 1 MiB
// of L2 a core): transforming a float takes as long as 15 of them; fetching a float of weights from beyond the L2
// cache 14, and we take 25, for in a whole network weights come from memory. Winograd's tactics must save a tenth,
// for what they cost in memory and exactness.
double conv_cost(const Problem& p, int m) {
  const Shape &x = p.input(0).shape, &w = p.input(1).shape, &y = p.out[0].shape;
  double taps = 1, pixels = static_cast<double>(y[0]);
  for (size_t i = 2; i < w.size(); i++) taps *= static_cast<double>(w[i]);
  for (size_t i = 1; i + 1 < y.size(); i++) pixels *= static_cast<double>((y[i] + m - 1) / m);
  const double ic = static_cast<double>(w[1]), oc = static_cast<double>(y.back());
  constexpr double weight = 25, transform = 15;
  if (m == 1) return taps * ic * oc * (pixels + weight);
  const double points = (m + 2) * (m + 2);
  return points * (pixels * (ic * oc + transform * (static_cast<double>(x.back()) + oc)) + weight * ic * oc) /
         0.9;
}

}  // namespace hone
