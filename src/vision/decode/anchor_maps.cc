#include "vision/decode/anchor_maps.h"

#include <algorithm>

namespace hone::vision::decoding {

namespace {
// Of COCO, found by clustering: Redmon and Farhadi 2018 (arxiv.org/abs/1804.02767), section 2.3, for strides
// 8, 16 and 32; YOLOv5 has kept them.
constexpr float coco_anchors[] = {10, 13, 16,  30,  33, 23,  30,  61,  62,
                                  45, 59, 119, 116, 90, 156, 198, 373, 326};

struct Map {
  const Output* output = nullptr;
  Grid grid;
  bool channels_last = false;  // of the numbers of a box
  bool anchors_first = false;  // [n,h,w,5+K]
  std::vector<float> keep;
  const float* values = nullptr;
};

// Whether the output can be a map of that grid with n anchors; columns is 5 + K of it.
bool match(const Output& o, const Grid& g, int64_t n, Map& map, int64_t& columns) {
  const Shape& s = o.tensor.shape;
  const auto is = [&](size_t y, size_t x) { return s[y] == g.height && s[x] == g.width; };
  map.output = &o;
  map.grid = g;
  map.anchors_first = false;
  map.channels_last = true;
  if (s.rank() == 5 && s[0] == 1) {
    columns = s[4];
    map.anchors_first = s[1] == n && is(2, 3);
    return map.anchors_first || (s[3] == n && is(1, 2));
  }
  if (s.rank() != 4 || s[0] != 1) return false;
  const auto takes = [&](Dim channels) { return channels % n == 0 && channels / n >= 6; };
  if (is(2, 3) && takes(s[1])) {
    columns = s[1] / n;
    map.channels_last = false;
    return true;
  }
  columns = s[3] / n;
  return is(1, 2) && takes(s[3]);
}

Matrix rows_of(const Map& map, int64_t anchor, int64_t anchors, int64_t columns) {
  const int64_t cells = map.grid.cells();
  const float* v = map.values;
  if (!map.channels_last) return {v + anchor * columns * cells, cells, columns, 1, cells};
  if (map.anchors_first) return {v + anchor * columns * cells, cells, columns, columns, 1};
  return {v + anchor * columns, cells, columns, anchors * columns, 1};
}
}  // namespace

Status decode_anchor_maps(const DecodeContext& context, std::span<const Output> outputs, BoxOfAnchor box_of,
                          Results& results) {
  HONE_TRY(const std::vector<Grid> grids, grids_of(context, {8, 16, 32}, true));
  HONE_TRY(const Activation activation, activation_of(context, Activation::sigmoid));
  HONE_CHECK(refuse_softmax(context, activation));
  std::vector<float> anchors = context.head.anchors;
  if (anchors.empty() && grids.size() == 3) anchors.assign(std::begin(coco_anchors), std::end(coco_anchors));
  if (anchors.empty() || anchors.size() % (2 * grids.size()) != 0)
    return error(Code::invalid_argument,
                 "%zu numbers in anchors: width and height of as many anchors for each of %zu strides are "
                 "expected",
                 anchors.size(), grids.size());
  const auto n = static_cast<int64_t>(anchors.size() / grids.size() / 2);

  std::vector<Map> maps;
  int64_t columns = 0;
  for (const Grid& g : grids) {
    Map found;
    for (const Output& o : outputs) {
      Map map;
      int64_t of_this = 0;
      if (!match(o, g, n, map, of_this) || of_this < 6 || (columns && of_this != columns)) continue;
      if (found.output)
        return error(Code::invalid_argument, "outputs '%s' and '%s' could both be the map of stride %d",
                     found.output->name.c_str(), o.name.c_str(), g.stride);
      found = map;
      columns = of_this;
    }
    const std::string expected =
        strf("[1,%lld * (5 + classes),%d,%d], %lld anchors at stride %d", static_cast<long long>(n), g.height,
             g.width, static_cast<long long>(n), g.stride);
    if (!found.output && outputs.size() == 1) return misfit(outputs[0], expected);
    if (!found.output)
      return error(Code::invalid_argument,
                   "no output can be the map of stride %d, which is expected to be %s: %s", g.stride,
                   expected.c_str(), list(outputs).c_str());
    maps.push_back(std::move(found));
  }
  if (context.label_count > 0 && columns != 5 + context.label_count)
    return misfit(*maps[0].output,
                  strf("a map of 5 + %d numbers for each of %lld anchors (there are %d labels)",
                       context.label_count, static_cast<long long>(n), context.label_count));

  Candidates candidates;
  std::vector<float> objectness;
  int64_t first = 0;
  for (Map& map : maps) {
    HONE_TRY(const std::span<const float> values, floats(*map.output, map.keep));
    map.values = values.data();
    const auto cells = static_cast<size_t>(map.grid.cells());
    for (int64_t a = 0; a < n; a++, first += map.grid.cells()) {
      const Matrix rows = rows_of(map, a, n, columns);
      objectness.resize(cells);
      for (size_t i = 0; i < cells; i++) {
        const float x = rows.at(static_cast<int64_t>(i), 4);
        objectness[i] = activation == Activation::sigmoid ? sigmoid(x) : x;
      }
      select(context, rows.columns_from(5, columns - 5), activation, objectness, -1, candidates, first);
    }
  }

  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    int64_t row = c.row;
    size_t level = 0;
    while (row >= n * maps[level].grid.cells()) row -= n * maps[level++].grid.cells();
    const Map& map = maps[level];
    const int64_t anchor = row / map.grid.cells(), cell = row % map.grid.cells();
    const Matrix rows = rows_of(map, anchor, n, columns);
    const float raw[4] = {rows.at(cell, 0), rows.at(cell, 1), rows.at(cell, 2), rows.at(cell, 3)};
    const size_t at = 2 * (level * static_cast<size_t>(n) + static_cast<size_t>(anchor));
    const Box box =
        box_of(raw,
               {static_cast<float>(cell % map.grid.width), static_cast<float>(cell / map.grid.width),
                static_cast<float>(map.grid.stride), anchors[at], anchors[at + 1]},
               activation == Activation::none);
    if (sane(box)) found.push_back({box, c.label, c.score, {}});
  }
  finish(context, std::move(found), results);
  return {};
}

}  // namespace hone::vision::decoding
