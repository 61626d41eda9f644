// What guessing looks at, and the families of networks it knows, one function each.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vision/guess.h"
#include "vision/ports.h"

namespace hone::vision::guessing {

// The engine's shapes, ready for arithmetic.
struct Look {
  const EngineInfo& engine;
  const PortInfo& input;
  PictureShape picture;
  int64_t width = -1, height = -1;  // of the input; -1: free

  bool has(const char* op) const;
  bool sized() const { return width > 0 && height > 0; }
  // Cells of maps with these strides, a part of a stride counted as a cell if round_up; -1 without a size.
  int64_t cells(std::span<const int> strides, bool round_up) const;
};

// What a family makes of it: nothing, a certain guess, or a reason why it cannot be told from another family.
struct Verdict {
  std::optional<Guess> guess;
  std::string doubt;
};
using Family = Verdict (*)(const Look&);
// In the order of asking: the more particular first.
std::span<const Family> families();

// A guess with the preset's input and head; its labels stay only if there are as many classes (-1:
// nobody knows how many).
Guess from_preset(const char* name, int64_t classes);

Verdict detection_one_output(const Look&);   // YOLOX, YOLOv5, YOLOv8, NanoDet
Verdict detection_two_outputs(const Look&);  // UltraFace, SSD, DETR
Verdict detection_maps(const Look&);         // YOLOv3
Verdict detection_finished(const Look&);     // suppression in the graph
Verdict classification(const Look&);
Verdict segmentation(const Look&);

}  // namespace hone::vision::guessing
