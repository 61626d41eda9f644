#include "vision/decode/grid_distances.h"

#include <algorithm>

namespace hone::vision::decoding {

Box box_from_distances(const Matrix& bins, int64_t row, int reg_max, float centre_x, float centre_y,
                       float stride) {
  float distance[4];
  for (int side = 0; side < 4; side++) {
    const int64_t first = side * (int64_t{reg_max} + 1);
    float most = bins.at(row, first);
    for (int i = 1; i <= reg_max; i++) most = std::max(most, bins.at(row, first + i));
    float sum = 0, weighted = 0;
    for (int i = 0; i <= reg_max; i++) {
      const float e = std::exp(bins.at(row, first + i) - most);
      sum += e;
      weighted += e * static_cast<float>(i);
    }
    distance[side] = weighted / sum * stride;
  }
  return {centre_x - distance[0], centre_y - distance[1], centre_x + distance[2], centre_y + distance[3]};
}

Cell cell_of(const std::vector<Grid>& grids, int64_t row) {
  size_t level = 0;
  while (row >= grids[level].cells()) row -= grids[level++].cells();
  const Grid& g = grids[level];
  return {static_cast<int>(row % g.width), static_cast<int>(row / g.width), g.stride};
}

}  // namespace hone::vision::decoding
