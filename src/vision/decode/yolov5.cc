// YOLOv5 and v7 (docs.ultralytics.com; ultralytics/yolov5, models/yolo.py, Detect): [1,A,5+K], boxes decoded
// in the graph, holding centre, width and height in pixels of the input, objectness and K class scores after
// their sigmoids (else: activation = "sigmoid"; box_format and normalised for other boxes).
//
//   score = objectness * class
//
// Where no output is such, the maps before the last layer (anchor_maps.h), with the sigmoid s and anchor p:
//
//   centre = (2 s(x, y) - 0.5 + cell) * stride      size = p * (2 s(w, h))^2
#include "vision/decode/anchor_maps.h"

namespace hone::vision {
namespace {
using namespace decoding;

Box box_of(const float raw[4], const Anchored& at, bool activated) {
  float s[4];
  for (int i = 0; i < 4; i++) s[i] = 2 * (activated ? raw[i] : sigmoid(raw[i]));
  return from_centre((s[0] - 0.5f + at.cell_x) * at.stride, (s[1] - 0.5f + at.cell_y) * at.stride,
                     at.anchor_width * s[2] * s[2], at.anchor_height * s[3] * s[3]);
}

bool fits(const TensorView& t, const DecodeContext&) { return rows_and_columns(t).columns >= 6; }

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"predictions"}));
  HONE_CHECK(check_input_size(context));
  bool maps = context.head.outputs.empty() && outputs.size() > 1;
  for (const Output& o : outputs) maps &= !fits(o.tensor, context);
  if (maps) return decode_anchor_maps(context, outputs, box_of, results);

  HONE_TRY(const Output* output, find(context, outputs, "predictions", fits, "[1,boxes,5 + classes]"));
  HONE_TRY(const Activation activation, activation_of(context, Activation::none));
  HONE_TRY(const BoxFormat format, box_format_of(context, BoxFormat::cxcywh));
  HONE_CHECK(refuse_softmax(context, activation));
  const auto [rows, columns] = rows_and_columns(output->tensor);
  if (context.label_count > 0 && columns != 5 + context.label_count)
    return misfit(*output,
                  strf("[1,boxes,%d]: 5 + %d classes", 5 + context.label_count, context.label_count));
  std::vector<float> keep;
  HONE_TRY(const std::span<const float> values, floats(*output, keep));
  const Matrix all = row_major(values.data(), rows, columns);

  std::vector<float> objectness(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; r++) {
    const float x = all.at(r, 4);
    objectness[static_cast<size_t>(r)] = activation == Activation::sigmoid ? sigmoid(x) : x;
  }
  Candidates candidates;
  select(context, all.columns_from(5, columns - 5), activation, objectness, -1, candidates);
  const float scale_x = context.head.normalised ? static_cast<float>(context.input_width) : 1;
  const float scale_y = context.head.normalised ? static_cast<float>(context.input_height) : 1;
  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    const Box box = read_box(all, c.row, format, scale_x, scale_y);
    if (sane(box)) found.push_back({box, c.label, c.score, {}});
  }
  finish(context, std::move(found), results);
  return {};
}
}  // namespace

Decoder decoder_yolov5() {
  return {"yolov5",
          TaskKind::detect,
          "YOLOv5, v7: boxes with objectness decoded in the graph, or the maps before",
          {"iou_threshold", "class_agnostic", "max_detections", "one_class_per_box", "activation", "strides",
           "anchors", "box_format", "normalised"},
          run};
}

}  // namespace hone::vision
