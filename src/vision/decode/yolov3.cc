// YOLOv3 and YOLOv4 (Redmon and Farhadi 2018, arxiv.org/abs/1804.02767, section 2.1): raw maps, see
// anchor_maps.h. With the sigmoid s and the anchor's size p,
//
//   centre = (s(x, y) + cell) * stride      size = p * exp((w, h))      score = s(objectness) * s(class)
//
// Anchors and strides: COCO's for 8, 16 and 32. YOLOv3-tiny: strides = [16, 32], anchors = [23, 27, 37, 58,
// 81, 82, 81, 82, 135, 169, 344, 319] (Darknet's yolov3-tiny.cfg).
#include "vision/decode/anchor_maps.h"

namespace hone::vision {
namespace {
using namespace decoding;

Box box_of(const float raw[4], const Anchored& at, bool activated) {
  const float x = activated ? raw[0] : sigmoid(raw[0]), y = activated ? raw[1] : sigmoid(raw[1]);
  return from_centre((x + at.cell_x) * at.stride, (y + at.cell_y) * at.stride,
                     at.anchor_width * std::exp(raw[2]), at.anchor_height * std::exp(raw[3]));
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {}));
  return decode_anchor_maps(context, outputs, box_of, results);
}
}  // namespace

Decoder decoder_yolov3() {
  return {"yolov3",
          TaskKind::detect,
          "YOLOv3, YOLOv4: raw maps with anchors, channels first or last",
          {"iou_threshold", "class_agnostic", "max_detections", "one_class_per_box", "activation", "strides",
           "anchors"},
          run};
}

}  // namespace hone::vision
