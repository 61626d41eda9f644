// Decoders: pure functions from a network's outputs to results in pixels of its input. One file each in
// decode/, one line each in decoders.def. Undoing the letterbox is not theirs (Pipeline does it).
//
// Boxes are not clipped to the input, but finite and not empty; equal scores come out in a fixed order. A
// label is the network's index of the class; where there is a background and no label for it (one label fewer
// than classes), the classes above it move down by one. Detections have at least score_threshold; classify
// answers with its top_k whatever their scores; segment holds a single channel against score_threshold.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "vision/results.h"
#include "vision/task.h"

namespace hone::vision {

// An output of the network: contiguous, row-major. f32, f16, f64 and all integers of 8 to 64 bits are taken.
struct Output {
  std::string name;
  TensorView tensor;
};

// What a decoder gets besides the outputs.
struct DecodeContext {
  const Head& head;
  int input_width = 0, input_height = 0;
  int label_count = 0;  // 0: unknown
};

struct Decoder {
  const char* name;
  TaskKind kind;
  const char* about;                // one line for people: which networks
  std::vector<const char*> fields;  // of Head that it reads, besides score_threshold, outputs
  // Errors: outputs that cannot be of such a network; they say which, its shape, and what was expected.
  Status (*decode)(const DecodeContext&, std::span<const Output>, Results&);
};
std::span<const Decoder> decoders();
// Errors list the names.
Result<const Decoder*> find_decoder(std::string_view name);

// ---- what decoders share

// Elements as float, converted only if they are not float32 already (then `keep` holds them). Errors: another
// type.
Result<std::span<const float>> floats(const Output&, std::vector<float>& keep);
// Greedy non-maximum suppression, best score first (equal scores: the earlier first). Boxes whose
// intersection over union with a kept one is above the threshold go; of other classes only if class_agnostic.
// At most `most` are kept. Returns them in order.
std::vector<Detection> suppress(std::vector<Detection>, float iou_threshold, bool class_agnostic, int most);
float intersection_over_union(const Box&, const Box&);

}  // namespace hone::vision
