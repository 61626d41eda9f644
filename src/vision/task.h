// A task: everything about a network that its graph does not say. How pictures become its input, what its
// outputs mean, what the classes are called. It is written as TOML (docs/tasks.md), travels in the engine's
// meta under the key "task", and is checked against the engine when the two meet.
//
//   task = "detect"                   # classify, detect, segment, pose or raw
//   licence = "Apache-2.0"            # of the model
//   labels = ["person", "car"]        # or labels_file = "coco.txt", beside the TOML file, a name a line
//   pictures = ["street.jpg"]         # to try it on, beside the TOML file
//   [input]
//   size = [416, 416]                 # width, height; may be left out where the engine fixes it
//   fit = "letterbox"                 # stretch, letterbox, crop;  anchor = "center" | "top_left"; short_side
//   interpolation = "bilinear"        # nearest, bilinear, area, smooth
//   channels = "bgr"                  # rgb, bgr, gray
//   mean = [0, 0, 0]                  # input = (pixel - mean) * scale, pixel in 0..255; or one number
//   scale = [1, 1, 1]                 # or std = [...]: scale = 1 / std; or one number
//   pad = 114
//   layout = "nchw"                   # left out: found in the engine's shape and type
//   [head]
//   decoder = "yolox"                 # decoders.def; the other keys are the fields of Head
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vision/preprocess.h"

namespace hone::vision {

enum class TaskKind : uint8_t { classify, detect, segment, pose, raw };
const char* task_kind_name(TaskKind);

// What a decoder needs to know. A field that its decoder does not read is refused in TOML, not ignored
// (decoders.def lists each decoder's).
struct Head {
  std::string decoder;
  std::map<std::string, std::string>
      outputs;  // role -> name of the engine's output; left out: found by shape
  float score_threshold = 0.3f;
  float iou_threshold = 0.5f;   // non-maximum suppression; 1: none
  bool class_agnostic = false;  // boxes of different classes suppress each other too
  int max_detections = 100;
  int top_k = 5;                  // classify: answers
  std::string activation;         // on scores: "softmax", "sigmoid", "none"; "": as the decoder has it
  int background = -1;            // class that means nothing is there; -1: none
  bool one_class_per_box = true;  // a box gives its best class alone
  std::vector<int> strides;       // of the feature maps; empty: as the decoder has it
  std::vector<float> anchors;     // width, height, ... in pixels, those of each stride after another
  std::vector<float> variances;   // SSD
  std::vector<float> min_sizes, max_sizes, aspect_ratios;  // SSD priors, UltraFace
  bool even_cells = false;    // SSD: a map's cells divide the input evenly, whatever its stride
  int reg_max = 0;            // bins of a distribution over distances, less one (NanoDet, 7)
  std::string box_format;     // "xyxy", "cxcywh", "yxyx"; "": as the decoder has it
  bool normalised = false;    // boxes in 0..1 of the input
  int keypoints = 0;          // number of keypoints
  std::vector<int> skeleton;  // pairs of keypoints to be joined
};

struct Task {
  TaskKind kind = TaskKind::raw;
  Preprocess input;
  bool layout_given = false, type_given = false;
  Head head;
  std::vector<std::string> labels;
  std::vector<Rgb> colours;  // of the classes; empty: chosen
  // Names of picture files beside the TOML file; an engine carries them in its meta under "picture/NAME".
  std::vector<std::string> pictures;
  std::string licence;
  std::string note;  // where it comes from: "preset yolox", "guessed: ..."
};

// The label's name, or "class 7" where there is none.
std::string label_name(const Task&, int label);

// Errors name line, key, value and what would be right. `folder`: where labels_file and pictures are looked
// for (open_confined of base/confined_file.h); they must not lead out of it. Empty: labels_file is refused,
// and of pictures only the names are looked at (text from an engine).
Result<Task> parse_task(std::string_view toml, const std::string& folder = "");
Result<Task> read_task(const std::string& path);
// Canonical: parse_task(print_task(t)) prints the same, labels included.
std::string print_task(const Task&);

// A built-in task by name (presets/*.toml); errors list the names.
Result<Task> preset(std::string_view name);
std::vector<std::string> preset_names();
// Every key with its values, default and meaning, decoders and presets, as the tables of docs/tasks.md.
std::string task_reference();

}  // namespace hone::vision
