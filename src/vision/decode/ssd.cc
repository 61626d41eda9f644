// SSD (Liu et al. 2016, arxiv.org/abs/1512.02325, equation 2) before its postprocessing: boxes [1,A,4]
// relative to priors (ssd_priors.h) and class scores [1,A,K]. With the prior's centre c and size p, and the
// variances v (0.1, 0.1, 0.2, 0.2; torchvision's weights 10, 10, 5, 5 are their inverses):
//
//   centre = c + (dx, dy) * v * p      size = p * exp((dw, dh) * v)
//
// The scores go through softmax, unless they are distributions already, and class 0 is the background. With
// activation = "sigmoid" or "none", a class is background only if the task says so. box_format = "yxyx": the
// deltas are dy, dx, dh, dw, as in TensorFlow's object detection API (box_coders/faster_rcnn_box_coder.py).
// Exponents end at log(1000 / 16), as in torchvision's BoxCoder.
#include <algorithm>

#include "vision/decode/ssd_priors.h"

namespace hone::vision {
namespace {
using namespace decoding;

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  const Head& head = context.head;
  HONE_CHECK(check_roles(context, {"boxes", "scores"}));
  HONE_TRY(const BoxesAndScores both, find_boxes_and_scores(context, outputs));
  auto priors_or = ssd_priors(context, both.rows);
  if (!priors_or)
    return in("output '" + both.boxes->name + "' " + shape_of(*both.boxes), priors_or.take_error());
  const std::vector<Prior>& priors = *priors_or;
  if (!head.variances.empty() && head.variances.size() != 4 && head.variances.size() != 2)
    return error(Code::invalid_argument,
                 "%zu variances: 4 are expected (x, y, width, height), or 2 (centre, size)",
                 head.variances.size());
  float v[4] = {0.1f, 0.1f, 0.2f, 0.2f};
  for (size_t i = 0; i < 4 && !head.variances.empty(); i++)
    v[i] = head.variances[head.variances.size() == 4 ? i : i / 2];
  HONE_TRY(const BoxFormat format, box_format_of(context, BoxFormat::cxcywh));
  if (format == BoxFormat::xyxy)
    return error(
        Code::invalid_argument,
        "box_format is 'xyxy': decoder 'ssd' takes cxcywh (dx, dy, dw, dh) or yxyx (dy, dx, dh, dw)");

  std::vector<float> keep_boxes, keep_scores;
  HONE_TRY(const std::span<const float> deltas, floats(*both.boxes, keep_boxes));
  HONE_TRY(const std::span<const float> score_values, floats(*both.scores, keep_scores));
  const Matrix scores = row_major(score_values.data(), both.rows, both.classes);
  HONE_TRY(const Activation activation,
           activation_of(context, rows_are_distributions(scores) ? Activation::none : Activation::softmax));
  const auto classes = static_cast<int>(both.classes);
  int background = head.background;
  if (background < 0 && (head.activation.empty() || activation == Activation::softmax)) background = 0;
  if (context.label_count > 0 && context.label_count != classes &&
      !(background >= 0 && context.label_count == classes - 1))
    return misfit(*both.scores, strf("[1,%lld,classes] of %d classes%s", static_cast<long long>(both.rows),
                                     context.label_count, background >= 0 ? ", background aside" : ""));
  Candidates candidates;
  select(context, scores, activation, {}, background, candidates);

  const float limit = std::log(1000.0f / 16);
  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    const float* d = deltas.data() + 4 * c.row;
    const int x = format == BoxFormat::yxyx ? 1 : 0, y = 1 - x;
    const Prior& p = priors[static_cast<size_t>(c.row)];
    const Box box = from_centre(p.cx + d[x] * v[0] * p.width, p.cy + d[y] * v[1] * p.height,
                                p.width * std::exp(std::min(d[2 + x] * v[2], limit)),
                                p.height * std::exp(std::min(d[2 + y] * v[3], limit)));
    if (sane(box)) found.push_back({box, label_of(context, c.label, classes, background), c.score, {}});
  }
  finish(context, std::move(found), results);
  return {};
}
}  // namespace

Decoder decoder_ssd() {
  return {"ssd",
          TaskKind::detect,
          "SSD before its postprocessing: boxes relative to priors, torchvision's, Caffe's and TensorFlow's",
          {"iou_threshold", "class_agnostic", "max_detections", "one_class_per_box", "activation",
           "background", "strides", "anchors", "variances", "min_sizes", "max_sizes", "aspect_ratios",
           "even_cells", "box_format", "normalised"},
          run};
}

}  // namespace hone::vision
