// DETR (Carion et al. 2020, arxiv.org/abs/2005.12872; facebookresearch/detr, PostProcess): logits [1,N,K+1]
// and boxes [1,N,4], centre, width and height in 0..1 of the input. Softmax over the classes, the last of
// which is "no object". Each query is an answer of its own: nothing is suppressed.
//
// Deformable DETR, RT-DETR and their kin have no such class and a sigmoid per class: activation = "sigmoid".
#include "vision/decode/common.h"

namespace hone::vision {
namespace {
using namespace decoding;

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"boxes", "scores"}));
  HONE_CHECK(check_input_size(context));
  HONE_TRY(const BoxesAndScores both, find_boxes_and_scores(context, outputs));
  HONE_TRY(const BoxFormat format, box_format_of(context, BoxFormat::cxcywh));
  std::vector<float> keep_boxes, keep_scores;
  HONE_TRY(const std::span<const float> boxes, floats(*both.boxes, keep_boxes));
  HONE_TRY(const std::span<const float> scores, floats(*both.scores, keep_scores));
  const Matrix box_rows = row_major(boxes.data(), both.rows, 4);
  const Matrix score_rows = row_major(scores.data(), both.rows, both.classes);
  HONE_TRY(
      const Activation activation,
      activation_of(context, rows_are_distributions(score_rows) ? Activation::none : Activation::softmax));
  const auto classes = static_cast<int>(both.classes);
  int background = context.head.background;
  if (background < 0 && context.head.activation != "sigmoid") background = classes - 1;
  const int named_classes = classes - (background >= 0);
  if (context.label_count > 0 && context.label_count != named_classes && context.label_count != classes)
    return misfit(*both.scores, strf("[1,queries,classes] of %d classes%s", context.label_count,
                                     background >= 0 ? " and one for nothing" : ""));
  Candidates candidates;
  select(context, score_rows, activation, {}, background, candidates);
  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    const Box box = read_box(box_rows, c.row, format, static_cast<float>(context.input_width),
                             static_cast<float>(context.input_height));
    if (sane(box)) found.push_back({box, label_of(context, c.label, classes, background), c.score, {}});
  }
  finish_without_suppression(context, std::move(found), results);
  return {};
}
}  // namespace

Decoder decoder_detr() {
  return {"detr",
          TaskKind::detect,
          "DETR and its kin: class logits and a box per query, no suppression",
          {"max_detections", "one_class_per_box", "activation", "background", "box_format"},
          run};
}

}  // namespace hone::vision
