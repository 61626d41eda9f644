#include "vision/answers.h"

namespace cli {
namespace {
hone::Result<int> run(const Args& args) {
  return answer({hone::vision::TaskKind::pose, detections_summary, detections_details, detections_json},
                args);
}
}  // namespace

extern const Command command_pose;
const Command command_pose{
    "pose",
    "ENGINE|MODEL [IMAGE...] [options]",
    "Finds keypoints (of people, hands, parts): for each figure its points, in pixels of the picture, with\n"
    "scores. IMAGE: files, folders, patterns in quotes; none: the pictures that the engine carries.",
    {"ENGINE", "[IMAGE...]"},
    with_picture_options({score_option, iou_option, top_option}),
    "hone pose yolov8n-pose.onnx people.jpg --preset yolov8-pose --out figures.png\n"
    "hone pose pose.hone photos --json",
    run};

}  // namespace cli
