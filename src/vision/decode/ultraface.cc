// Ultra-Light-Fast-Generic-Face-Detector-1MB (github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB,
// vision/ssd, exported in test mode): scores [1,A,2] after softmax, background and face; boxes [1,A,4]
// decoded in the graph, x0, y0, x1, y1 in 0..1 of the input.
#include "vision/decode/common.h"

namespace hone::vision {
namespace {
using namespace decoding;

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"boxes", "scores"}));
  HONE_CHECK(check_input_size(context));
  HONE_TRY(const BoxesAndScores both, find_boxes_and_scores(context, outputs));
  if (both.classes != 2) return misfit(*both.scores, "[1,boxes,2]: background and face");
  HONE_TRY(const Activation activation, activation_of(context, Activation::none));
  std::vector<float> keep_boxes, keep_scores;
  HONE_TRY(const std::span<const float> boxes, floats(*both.boxes, keep_boxes));
  HONE_TRY(const std::span<const float> scores, floats(*both.scores, keep_scores));
  const Matrix box_rows = row_major(boxes.data(), both.rows, 4);
  Candidates candidates;
  select(context, row_major(scores.data(), both.rows, 2), activation, {}, 0, candidates);
  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    const Box box = read_box(box_rows, c.row, BoxFormat::xyxy, static_cast<float>(context.input_width),
                             static_cast<float>(context.input_height));
    if (sane(box)) found.push_back({box, 0, c.score, {}});
  }
  finish(context, std::move(found), results);
  return {};
}
}  // namespace

Decoder decoder_ultraface() {
  return {"ultraface",
          TaskKind::detect,
          "Ultra-Light-Fast-Generic-Face-Detector: one class, boxes decoded in the graph",
          {"iou_threshold", "max_detections", "activation"},
          run};
}

}  // namespace hone::vision
