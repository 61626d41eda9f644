#include "vision/answers.h"

namespace cli {
namespace {
hone::Result<int> run(const Args& args) {
  return answer({hone::vision::TaskKind::detect, detections_summary, detections_details, detections_json},
                args);
}
}  // namespace

extern const Command command_detect;
const Command command_detect{"detect",
                             "ENGINE|MODEL [IMAGE...] [options]",
                             "Finds things in pictures: a box, a class and a score for each. Boxes are "
                             "(left, top) to (right, bottom) in\n"
                             "pixels of the picture. IMAGE: files, folders, patterns in quotes; none: the\n"
                             "pictures that the engine carries.",
                             {"ENGINE", "[IMAGE...]"},
                             with_picture_options({score_option, iou_option, top_option}),
                             "hone detect yolo.hone street.jpg --out found.jpg\n"
                             "hone detect yolox.onnx photos --preset yolox --score 0.5 --json > found.jsonl\n"
                             "hone detect faces.hone '/data/*.png' --out checked",
                             run};

}  // namespace cli
