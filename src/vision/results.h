// What the heads of networks say about a picture. Boxes and points are in pixels of the picture, with the
// origin at the top left corner of the top left pixel; scores are in 0..1 unless the task says otherwise.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/tensor.h"

namespace hone::vision {

struct Box {
  float x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  float width() const { return x1 - x0; }
  float height() const { return y1 - y0; }
};

struct Classification {
  int label = 0;  // index in the task's labels
  float score = 0;
};

struct Keypoint {
  float x = 0, y = 0, score = 0;
};

struct Detection {
  Box box;
  int label = 0;
  float score = 0;
  std::vector<Keypoint> keypoints;  // of a pose or a face with landmarks; else empty
};

// A class per pixel, at the resolution at which the network decides; the picture's pixel (x, y) lies at
// ((x + 0.5) * width / picture width, ...) of it.
struct Segmentation {
  int width = 0, height = 0;
  std::vector<uint16_t> labels;  // height x width
};

struct Results {
  int picture_width = 0, picture_height = 0;
  std::vector<Classification> classes;  // best first
  std::vector<Detection> detections;    // best first
  Segmentation segmentation;
  // Time of each part, in milliseconds.
  double preprocess_ms = 0, network_ms = 0, decode_ms = 0;
};

}  // namespace hone::vision
