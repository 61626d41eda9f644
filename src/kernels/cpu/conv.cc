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

}  // namespace hone
