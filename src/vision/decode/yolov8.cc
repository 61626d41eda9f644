// YOLOv8, v9, v11 and their kin without objectness (docs.ultralytics.com; ultralytics/nn/modules/head.py,
// Detect): [1,4+K,A] or [1,A,4+K], holding centre, width and height in pixels of the input and K class scores
// after their sigmoid (else: activation = "sigmoid"; box_format for other boxes).
//
// With reg_max = 15 the head is raw, [1,4*16+K,A] over the cells of each stride after another: distances from
// the cells' centres as distributions (grid_distances.h), and class scores before their sigmoid.
//
// YOLOv8-pose: after the classes stand n keypoints, x and y in pixels of the input and a visibility after its
// sigmoid: [1,4+K+3n,A]. Without `keypoints`, K is 1 and n follows.
#include "vision/decode/grid_distances.h"

namespace hone::vision {
namespace {
using namespace decoding;

bool fits(const TensorView& t, const DecodeContext&) {
  const auto d = squeeze_front(t, 2);
  return d.size() == 2 && d[0] >= 1 && d[1] >= 1 && (d[0] >= 5 || d[1] >= 5);
}

// Columns: 4 (or distributions) + classes + keypoints. Which of the two dimensions is columns: the one that
// the labels demand; else the smaller, as there are more boxes than values of a box.
Result<Matrix> as_rows(const DecodeContext& context, const Output& output, const float* values,
                       int64_t box_columns, int64_t after, const char* expected) {
  const auto d = squeeze_front(output.tensor, 2);
  const Matrix tall = row_major(values, d[0], d[1]), wide = column_major(values, d[1], d[0]);
  if (context.label_count > 0) {
    const int64_t columns = box_columns + context.label_count + after;
    if (d[0] == columns) return wide;
    if (d[1] == columns) return tall;
    return misfit(output, strf("%s, %lld values of a box for %d classes", expected,
                               static_cast<long long>(columns), context.label_count));
  }
  const Matrix& m = d[0] <= d[1] ? wide : tall;
  if (m.columns < box_columns + 1 + after)
    return misfit(output, strf("%s, at least %lld values of a box", expected,
                               static_cast<long long>(box_columns + 1 + after)));
  return m;
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results, bool pose) {
  const Head& head = context.head;
  const char* expected = pose ? "[1,4 + classes + 3 * keypoints,boxes] or transposed"
                              : "[1,4 + classes,boxes] or [1,boxes,4 + classes]";
  HONE_CHECK(check_roles(context, {"predictions"}));
  HONE_CHECK(check_input_size(context));
  HONE_TRY(const Output* output, find(context, outputs, "predictions", fits, expected));
  const bool raw = !pose && head.reg_max > 0;
  HONE_TRY(const Activation activation, activation_of(context, raw ? Activation::sigmoid : Activation::none));
  HONE_TRY(const BoxFormat format, box_format_of(context, BoxFormat::cxcywh));
  HONE_CHECK(refuse_softmax(context, activation));
  if (head.reg_max > 1024 || head.keypoints > 4096)
    return error(Code::limit, "reg_max is %d and keypoints %d: at most 1024 and 4096 are taken", head.reg_max,
                 head.keypoints);
  const int64_t box_columns = raw ? 4 * (int64_t{head.reg_max} + 1) : 4;
  std::vector<float> keep;
  HONE_TRY(const std::span<const float> values, floats(*output, keep));

  int64_t points = 0;
  Matrix all;
  if (pose && head.keypoints <= 0) {
    const int64_t classes = context.label_count > 0 ? context.label_count : 1;
    const auto d = squeeze_front(output->tensor, 2);
    all = d[0] <= d[1] ? column_major(values.data(), d[1], d[0]) : row_major(values.data(), d[0], d[1]);
    points = (all.columns - 4 - classes) / 3;
    if (points < 1 || all.columns != 4 + classes + 3 * points) return misfit(*output, expected);
  } else {
    points = pose ? head.keypoints : 0;
    HONE_TRY(all, as_rows(context, *output, values.data(), box_columns, 3 * points, expected));
  }
  std::vector<Grid> grids;
  if (raw) {
    HONE_TRY(grids, grids_of(context, {8, 16, 32}, false));
    if (all.rows != cells_of(grids))
      return misfit(*output,
                    strf("[1,4 * %d + classes,cells] with ", head.reg_max + 1) + sum_of(grids) + " cells");
  }

  const Matrix scores = all.columns_from(box_columns, all.columns - box_columns - 3 * points);
  Candidates candidates;
  select(context, scores, activation, {}, -1, candidates);
  const float scale_x = head.normalised ? static_cast<float>(context.input_width) : 1;
  const float scale_y = head.normalised ? static_cast<float>(context.input_height) : 1;
  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    Detection d{{}, c.label, c.score, {}};
    if (raw) {
      const Cell cell = cell_of(grids, c.row);
      const auto stride = static_cast<float>(cell.stride);
      d.box = box_from_distances(all, c.row, head.reg_max, (static_cast<float>(cell.x) + 0.5f) * stride,
                                 (static_cast<float>(cell.y) + 0.5f) * stride, stride);
    } else {
      d.box = read_box(all, c.row, format, scale_x, scale_y);
    }
    if (!sane(d.box)) continue;
    for (int64_t p = 0; p < points; p++) {
      const int64_t at = all.columns - 3 * (points - p);
      d.keypoints.push_back(sane_keypoint(
          {all.at(c.row, at) * scale_x, all.at(c.row, at + 1) * scale_y, all.at(c.row, at + 2)}));
    }
    found.push_back(std::move(d));
  }
  finish(context, std::move(found), results);
  return {};
}
}  // namespace

Decoder decoder_yolov8() {
  return {"yolov8",
          TaskKind::detect,
          "YOLOv8, v9, v11: no objectness; boxes decoded in the graph, or raw distributions (reg_max = 15)",
          {"iou_threshold", "class_agnostic", "max_detections", "one_class_per_box", "activation", "strides",
           "box_format", "normalised", "reg_max"},
          [](const DecodeContext& context, std::span<const Output> outputs, Results& results) {
            return run(context, outputs, results, false);
          }};
}

Decoder decoder_yolov8_pose() {
  return {"yolov8-pose",
          TaskKind::pose,
          "YOLOv8-pose, v11-pose: boxes with keypoints",
          {"iou_threshold", "class_agnostic", "max_detections", "one_class_per_box", "activation",
           "box_format", "normalised", "keypoints", "skeleton"},
          [](const DecodeContext& context, std::span<const Output> outputs, Results& results) {
            return run(context, outputs, results, true);
          }};
}

}  // namespace hone::vision
