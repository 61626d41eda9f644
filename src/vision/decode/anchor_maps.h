// Feature maps of boxes relative to anchors: YOLOv3 and YOLOv5 before their last layer. For each of the
// anchors of a stride and each cell: x, y, w, h, objectness and K class scores. A map may be
//   [1,n*(5+K),h,w]   [1,h,w,n*(5+K)]   [1,n,h,w,5+K]   [1,h,w,n,5+K]
// for n anchors; the outputs may come in any order, as each fits one stride alone.
#pragma once
#include "vision/decode/common.h"

namespace hone::vision::decoding {

// The box of the numbers at a cell, in pixels, its x, y, w, h given as the map has them.
struct Anchored {
  float cell_x, cell_y, stride, anchor_width, anchor_height;
};
using BoxOfAnchor = Box (*)(const float raw[4], const Anchored&, bool activated);

// Activation "none": the graph has applied the sigmoids.
Status decode_anchor_maps(const DecodeContext&, std::span<const Output>, BoxOfAnchor, Results&);

}  // namespace hone::vision::decoding
