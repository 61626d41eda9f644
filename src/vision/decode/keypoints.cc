// Keypoints of one person or object as numbers: [1,2n] or [1,n,2] x and y, [1,3n] or [1,n,3] x, y and score,
// in pixels of the input, or in 0..1 of it (normalised). box_format = "yxyx": y comes first, as MoveNet has
// it
// ([1,1,17,3], tensorflow.org/hub/tutorials/movenet). Without scores a keypoint's is 1.
//
// [1,6n] may be either: `keypoints` says. The answer's score is the mean of the keypoints', its box what
// holds those of at least the score threshold, or all where there are none.
#include <algorithm>

#include "vision/decode/common.h"

namespace hone::vision {
namespace {
using namespace decoding;

constexpr const char* expected = "[1,2 * keypoints], [1,3 * keypoints], [1,keypoints,2] or [1,keypoints,3]";

bool fits(const TensorView& t, const DecodeContext&) {
  const auto d = squeeze_front(t, 1);
  return t.shape.elements() >= 2 && t.shape.elements() <= 3 * 65536 &&
         (d.size() == 1 || (d.size() == 2 && (d[1] == 2 || d[1] == 3)));
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"keypoints"}));
  HONE_CHECK(check_input_size(context));
  HONE_TRY(const Output* output, find(context, outputs, "keypoints", fits, expected));
  HONE_TRY(const Activation activation, activation_of(context, Activation::none));
  HONE_TRY(const BoxFormat format, box_format_of(context, BoxFormat::xyxy));
  HONE_CHECK(refuse_softmax(context, activation));
  const auto d = squeeze_front(output->tensor, 1);
  const int64_t all = output->tensor.elements(), wanted = context.head.keypoints;
  int64_t each = d.size() == 2 ? d[1] : 0;
  if (each == 0 && wanted > 0) each = all == 3 * wanted ? 3 : 2;
  if (each == 0) {
    if (all % 6 == 0)
      return error(Code::invalid_argument,
                   "output '%s' %s may be keypoints of 2 or of 3 numbers: say how many `keypoints` there are",
                   output->name.c_str(), shape_of(*output).c_str());
    each = all % 3 == 0 ? 3 : 2;
  }
  const int64_t n = all / each;
  if (n * each != all || (wanted > 0 && n != wanted))
    return misfit(*output, wanted > 0
                               ? strf("%s, of %lld keypoints", expected, static_cast<long long>(wanted))
                               : std::string(expected));
  std::vector<float> keep;
  HONE_TRY(const std::span<const float> values, floats(*output, keep));
  const float scale_x = context.head.normalised ? static_cast<float>(context.input_width) : 1;
  const float scale_y = context.head.normalised ? static_cast<float>(context.input_height) : 1;
  const int x = format == BoxFormat::yxyx ? 1 : 0, y = 1 - x;
  Detection found;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    const float* v = values.data() + i * each;
    float score = each == 3 ? v[2] : 1;
    if (each == 3 && activation == Activation::sigmoid) score = sigmoid(score);
    found.keypoints.push_back(sane_keypoint({v[x] * scale_x, v[y] * scale_y, score}));
    sum += static_cast<double>(found.keypoints.back().score);
  }
  found.score = static_cast<float>(sum / static_cast<double>(n));
  found.box = box_around(found.keypoints, context.head.score_threshold);
  if (std::isfinite(found.score) && found.score >= context.head.score_threshold)
    results.detections.push_back(std::move(found));
  return {};
}
}  // namespace

Decoder decoder_keypoints() {
  return {"keypoints",
          TaskKind::pose,
          "keypoints as numbers: x and y, or x, y and score of each",
          {"activation", "box_format", "normalised", "keypoints", "skeleton"},
          run};
}

}  // namespace hone::vision
