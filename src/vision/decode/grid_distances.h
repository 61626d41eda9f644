// Boxes as distances from a point to the four sides, each the mean of a distribution over reg_max + 1 bins
// ("distribution focal loss", Li et al. 2020, arxiv.org/abs/2006.04388):
//
//   distance_side = sum_i i * softmax(bins_side)_i * stride     for left, top, right, bottom
#pragma once
#include "vision/decode/common.h"

namespace hone::vision::decoding {

// `bins`: 4 * (reg_max + 1) columns. NaN where the bins have no finite maximum.
Box box_from_distances(const Matrix& bins, int64_t row, int reg_max, float centre_x, float centre_y,
                       float stride);
// Which grid a row belongs to, and its cell there. `row` is below cells_of(grids).
struct Cell {
  int x = 0, y = 0, stride = 0;
};
Cell cell_of(const std::vector<Grid>& grids, int64_t row);

}  // namespace hone::vision::decoding
