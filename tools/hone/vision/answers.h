// What `hone classify`, `detect`, `segment` and `pose` share: an engine, pictures, and answers as a table, as
// JSON and drawn. A verb says what its answers look like.
#pragma once
#include <string>
#include <vector>

#include "base/json.h"
#include "tool.h"
#include "vision/image.h"
#include "vision/results.h"
#include "vision/task.h"

namespace cli {

struct Verb {
  hone::vision::TaskKind kind;
  // Of one picture, for people: what stands beside the picture's name, and lines below it.
  std::string (*summary)(const hone::vision::Task&, const hone::vision::Results&);
  std::string (*details)(const hone::vision::Task&, const hone::vision::Results&);
  // Of one picture: adds its keys.
  void (*json)(const hone::vision::Task&, const hone::vision::Results&, hone::Json&);
};

// Options that all of them have, behind the verb's own.
std::vector<Option> with_picture_options(std::vector<Option>);
extern const Option score_option, iou_option, top_option;

hone::Result<int> answer(const Verb&, const Args&);

// --score, --iou and --top in place of the task's. Errors: the decoder does not read it.
hone::Status apply_limits(hone::vision::Task&, const Args&);

// Boxes and keypoints, for `detect` and `pose`.
std::string detections_summary(const hone::vision::Task&, const hone::vision::Results&);
std::string detections_details(const hone::vision::Task&, const hone::vision::Results&);
void detections_json(const hone::vision::Task&, const hone::vision::Results&, hone::Json&);

std::string score_text(double score);  // "91.2 %"; as it is if it is no share
// Label, name and score.
hone::Json label_json(const hone::vision::Task&, int label, double score);

}  // namespace cli
