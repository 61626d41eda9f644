// The boxes that SSD's boxes are relative to ("default boxes", "priors": Liu et al. 2016,
// arxiv.org/abs/1512.02325, section 2.2), in the order of torchvision's DefaultBoxGenerator and Caffe's
// PriorBox: maps one after another, cells row by row, and in each cell
//
//   (s, s)   (s', s')   and for each aspect ratio a:  (s sqrt(a), s / sqrt(a))   (s / sqrt(a), s sqrt(a))
//
// where s is the map's min_sizes and s' = sqrt(s * max_sizes), left out where there are no max_sizes. Or, of
// any sizes, `anchors`: as many for each map.
//
// Fields of Head:
//   strides        the map of stride t has ceil(width / t) cells across; the cell x is centred at (x + 0.5) * t,
//                  or with even_cells at (x + 0.5) * width / cells. Left out beside min_sizes: 16, 32, 64, ...
//                  and even_cells, as MobileNets have it.
//   min_sizes, max_sizes   one for each map; with `normalised` fractions of width and height, and boxes are no
//                  larger than the input, as in torchvision; else pixels
//   aspect_ratios  in each map ascending: where one is not greater than that before, the next map's begin. One
//                  map's are taken for all.
// With none of them given: torchvision's ssdlite320_mobilenet_v3_large or ssd300_vgg16, whichever has as many
// priors as the network has boxes.
#pragma once
#include "vision/decode/common.h"

namespace hone::vision::decoding {

struct Prior {
  float cx = 0, cy = 0, width = 0, height = 0;  // in pixels of the input
};
// Errors: fields that contradict each other; another number than `count` (the message says what made it).
Result<std::vector<Prior>> ssd_priors(const DecodeContext&, int64_t count);

}  // namespace hone::vision::decoding
