// NanoDet and NanoDet-Plus (github.com/RangiLyu/nanodet, nanodet/model/head/gfl_head.py and
// nanodet_plus_head.py): for each cell, K class scores and the distances to the four sides as distributions
// over reg_max + 1 bins (grid_distances.h). One output [1,A,K+4*(reg_max+1)], cells of each stride after
// another; or for each stride scores [1,cells,K] and distances [1,cells,4*(reg_max+1)].
//
// The maps have a cell for a part of a stride too. Distances are from (cell + 0.5) * stride in NanoDet,
// strides 8, 16, 32; from cell * stride in NanoDet-Plus, strides 8, 16, 32, 64: the number of strides tells
// which, and the number of cells tells the strides where the task does not. Scores that are all within 0..1
// have gone through their sigmoid, others go now (or as `activation` says).
#include <algorithm>

#include "vision/decode/grid_distances.h"

namespace hone::vision {
namespace {
using namespace decoding;

// All cells in one block of rows, as NanoDet-Plus has them; outputs of single strides are put together.
struct Rows {
  std::vector<float> keep;
  Matrix all;
  const Output* named_in_errors = nullptr;
};

Status join_levels(std::span<const Output> outputs, const std::vector<Grid>& grids, int64_t bins, Rows& out) {
  int64_t classes = 0;
  for (const Grid& g : grids) {
    const Output *scores = nullptr, *distances = nullptr;
    for (const Output& o : outputs) {
      const auto [rows, columns] = rows_and_columns(o.tensor);
      if (rows != g.cells()) continue;
      const Output*& which = columns == bins ? distances : scores;
      if (which)
        return error(Code::invalid_argument, "outputs '%s' and '%s' could both be the %s of stride %d",
                     which->name.c_str(), o.name.c_str(), columns == bins ? "distances" : "scores", g.stride);
      which = &o;
    }
    if (!scores || !distances)
      return error(Code::invalid_argument,
                   "no outputs of stride %d: [1,%lld,classes] and [1,%lld,%lld] are expected: %s", g.stride,
                   static_cast<long long>(g.cells()), static_cast<long long>(g.cells()),
                   static_cast<long long>(bins), list(outputs).c_str());
    const int64_t columns = rows_and_columns(scores->tensor).columns;
    if (classes && columns != classes)
      return misfit(*scores, strf("[1,cells,%lld] as at the other strides", static_cast<long long>(classes)));
    classes = columns;
    std::vector<float> keep_scores, keep_distances;
    HONE_TRY(const std::span<const float> s, floats(*scores, keep_scores));
    HONE_TRY(const std::span<const float> d, floats(*distances, keep_distances));
    for (int64_t r = 0; r < g.cells(); r++) {
      out.keep.insert(out.keep.end(), s.begin() + r * classes, s.begin() + (r + 1) * classes);
      out.keep.insert(out.keep.end(), d.begin() + r * bins, d.begin() + (r + 1) * bins);
    }
    out.named_in_errors = scores;
  }
  out.all = row_major(out.keep.data(), cells_of(grids), classes + bins);
  return {};
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"predictions"}));
  const int reg_max = context.head.reg_max > 0 ? context.head.reg_max : 7;
  if (reg_max > 1024) return error(Code::limit, "reg_max is %d: at most 1024 is taken", reg_max);
  const int64_t bins = 4 * (int64_t{reg_max} + 1);
  HONE_TRY(std::vector<Grid> grids, grids_of(context, {8, 16, 32, 64}, true));
  int64_t rows = 0;
  for (const Output& o : outputs) rows = std::max(rows, rows_and_columns(o.tensor).rows);
  const bool by_level = outputs.size() > 1 && context.head.outputs.empty();
  if (context.head.strides.empty() &&
      (by_level ? outputs.size() == 6 : rows == cells_of({grids.begin(), grids.begin() + 3})))
    grids.pop_back();

  Rows block;
  if (by_level) {
    HONE_CHECK(join_levels(outputs, grids, bins, block));
  } else {
    HONE_TRY(const Output* output,
             find(
                 context, outputs, "predictions",
                 [](const TensorView& t, const DecodeContext&) { return rows_and_columns(t).columns > 4; },
                 "[1,cells,classes + 4 * (reg_max + 1)]"));
    const RowsAndColumns size = rows_and_columns(output->tensor);
    if (size.rows != cells_of(grids) || size.columns <= bins)
      return misfit(*output,
                    strf("[1,cells,classes + 4 * %d] with ", reg_max + 1) + sum_of(grids) + " cells");
    HONE_TRY(const std::span<const float> values, floats(*output, block.keep));
    block.all = row_major(values.data(), size.rows, size.columns);
    block.named_in_errors = output;
  }
  const int64_t classes = block.all.columns - bins;
  if (context.label_count > 0 && classes != context.label_count)
    return misfit(*block.named_in_errors, strf("of %d classes, for as many labels", context.label_count));

  const Matrix scores = block.all.columns_from(0, classes);
  HONE_TRY(const Activation activation,
           activation_of(context, within_unit(scores) ? Activation::none : Activation::sigmoid));
  HONE_CHECK(refuse_softmax(context, activation));
  Candidates candidates;
  select(context, scores, activation, {}, -1, candidates);
  const float offset = grids.size() >= 4 ? 0 : 0.5f;
  const Matrix distances = block.all.columns_from(classes, bins);
  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    const Cell cell = cell_of(grids, c.row);
    const auto stride = static_cast<float>(cell.stride);
    const Box box =
        box_from_distances(distances, c.row, reg_max, (static_cast<float>(cell.x) + offset) * stride,
                           (static_cast<float>(cell.y) + offset) * stride, stride);
    if (sane(box)) found.push_back({box, c.label, c.score, {}});
  }
  finish(context, std::move(found), results);
  return {};
}
}  // namespace

Decoder decoder_nanodet() {
  return {"nanodet",
          TaskKind::detect,
          "NanoDet, NanoDet-Plus: scores and distributions over distances",
          {"iou_threshold", "class_agnostic", "max_detections", "one_class_per_box", "activation", "strides",
           "reg_max"},
          run};
}

}  // namespace hone::vision
