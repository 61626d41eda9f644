#include "kernels/cpu/conv.h"

#include "kernels/isa_kernels.h"

namespace hone {

Accept find_conv(const Problem& p, bool transposed, ConvShape& shape, Epilogue& epilogue, bool planar) {
  const Operand &x = p.input(0), &w = p.input(1), &b = p.input(2);
  REFUSE_UNLESS(x.dtype == DType::f32, "the data are not f32");
  REFUSE_UNLESS(p.attrs->flag("channels_last"), "the layout is channels first");
  REFUSE_UNLESS(planar || !p.attrs->flag("planar_input"), "the input is channels first");
  REFUSE_UNLESS(x.shape.rank() == 3 || x.shape.rank() == 4, "there are more than two spatial dimensions");
  REFUSE_UNLESS(w.constant, "the weights are not constant");
  REFUSE_UNLESS(!b || b.constant, "the bias is not constant");
  auto s = conv_shape(*p.attrs, x.shape, w.shape, transposed);
  REFUSE_UNLESS(s, "its attributes are invalid");
  shape = *std::move(s);
  return find_epilogue(p, epilogue);
}

// In multiply-adds of the microkernel. Fitted to the times of the 41 3x3 layers at stride 1 of resnet50, vgg16,
// yolov8n and U-Net on an AMD EPYC of family 26: transforming a float takes as long as 9 of them with every
// instruction set; fetching a float of weights from memory 0.9 for each lane of a vector, as wider vectors calculate
// faster and memory stays the same. The choices are within 1 % of the best on average, within 11 % at worst; but for
// maps of 7x7 with AVX-512, for Winograd's tactics must save a quarter of a lane for each float that they add to the
// weights, which take memory for good, and a tenth in all, for what they err. NEON by reasoning: a Cortex-A72 does
// some 8 while it fetches a float.
double conv_cost(const Problem& p, int m) {
  const Shape &w = p.input(1).shape, &y = p.out[0].shape;
  double taps = 1, pixels = static_cast<double>(y[0]);
  for (size_t i = 2; i < w.size(); i++) taps *= static_cast<double>(w[i]);
  for (size_t i = 1; i + 1 < y.size(); i++) pixels *= static_cast<double>((y[i] + m - 1) / m);
  const double ic = static_cast<double>(w[1]), oc = static_cast<double>(y.back());
  const double lanes = isa_kernels(p.isa).gemm->lanes, transform = 9;
#if defined(__aarch64__)
  const double weight = 8;
#else
  const double weight = 0.9 * lanes;
#endif
  if (m == 1) return taps * ic * oc * (pixels + weight);
  const double points = (m + 2) * (m + 2);
  const double work = pixels * (ic * oc + transform * (ic + oc)) + weight * ic * oc;
  return points * work / 0.9 + lanes / 4 * (points - 9) * ic * oc;
}

}  // namespace hone
