// YOLOX (Ge et al. 2021, arxiv.org/abs/2107.08430; Megvii-BaseDetection/YOLOX, yolo_head.py and
// demo_postprocess): [1,A,5+K], a row for each cell of the feature maps of each stride after another, row by
// row, holding x, y, w, h, objectness and K class scores.
//
//   centre = ((x, y) + cell) * stride      size = exp((w, h)) * stride      score = objectness * class
//
// Objectness and classes have gone through their sigmoid in the graph (else: activation = "sigmoid"). Where
// the graph decodes the boxes itself (decode_in_inference), box_format says what they are; then A is any
// number.
#include "vision/decode/grid_distances.h"

namespace hone::vision {
namespace {
using namespace decoding;

bool fits(const TensorView& t, const DecodeContext&) {
  const auto d = squeeze_front(t, 2);
  return d.size() == 2 && d[0] >= 1 && d[1] >= 6;
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"predictions"}));
  constexpr const char* expected = "[1,cells,5 + classes]";
  HONE_TRY(const Output* output, find(context, outputs, "predictions", fits, expected));
  HONE_TRY(const std::vector<Grid> grids, grids_of(context, {8, 16, 32}, false));
  HONE_TRY(const Activation activation, activation_of(context, Activation::none));
  HONE_TRY(const BoxFormat format, box_format_of(context, BoxFormat::cxcywh));
  HONE_CHECK(refuse_softmax(context, activation));
  const bool decoded = !context.head.box_format.empty();
  const auto dims = squeeze_front(output->tensor, 2);
  if (context.label_count > 0 && dims[1] != 5 + context.label_count)
    return misfit(*output,
                  strf("[1,cells,%d]: 5 + %d classes", 5 + context.label_count, context.label_count));
  if (!decoded && dims[0] != cells_of(grids))
    return misfit(*output, "[1,cells,5 + classes] with " + sum_of(grids) + " cells");
  std::vector<float> keep;
  HONE_TRY(const std::span<const float> values, floats(*output, keep));
  const Matrix all = row_major(values.data(), dims[0], dims[1]);

  std::vector<float> objectness(static_cast<size_t>(all.rows));
  for (int64_t r = 0; r < all.rows; r++) {
    const float x = all.at(r, 4);
    objectness[static_cast<size_t>(r)] = activation == Activation::sigmoid ? sigmoid(x) : x;
  }
  Candidates candidates;
  select(context, all.columns_from(5, all.columns - 5), activation, objectness, -1, candidates);

  const float scale_x = context.head.normalised ? static_cast<float>(context.input_width) : 1;
  const float scale_y = context.head.normalised ? static_cast<float>(context.input_height) : 1;
  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    Box box;
    if (decoded) {
      box = read_box(all, c.row, format, scale_x, scale_y);
    } else {
      const Cell cell = cell_of(grids, c.row);
      const auto stride = static_cast<float>(cell.stride);
      box = from_centre((all.at(c.row, 0) + static_cast<float>(cell.x)) * stride,
                        (all.at(c.row, 1) + static_cast<float>(cell.y)) * stride,
                        std::exp(all.at(c.row, 2)) * stride, std::exp(all.at(c.row, 3)) * stride);
    }
    if (sane(box)) found.push_back({box, c.label, c.score, {}});
  }
  finish(context, std::move(found), results);
  return {};
}
}  // namespace

Decoder decoder_yolox() {
  return {"yolox",
          TaskKind::detect,
          "YOLOX, as exported (raw grid outputs) or with boxes decoded in the graph (box_format)",
          {"iou_threshold", "class_agnostic", "max_detections", "one_class_per_box", "activation", "strides",
           "box_format", "normalised"},
          run};
}

}  // namespace hone::vision
