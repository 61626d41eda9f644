// How good a network is on labelled pictures.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vision/results.h"

namespace hone::vision {

// Share of pictures whose right class is among the first k answers.
class TopK {
 public:
  void add(std::span<const Classification> answers, int truth);
  int64_t pictures() const { return pictures_; }
  double top1() const, top5() const;  // 0..1; 0 without pictures

 private:
  int64_t pictures_ = 0, first_ = 0, five_ = 0;
};

struct Truth {
  Box box;
  int label = 0;
  bool crowd = false;  // COCO's iscrowd: matches any number of detections, which then count neither way
  double area = 0;     // COCO's area, for nothing but reports; 0: that of the box
};

// Average precision as COCO defines it (cocoeval): per class, detections of all pictures by falling score,
// matched greedily within a picture to the free truth of greatest IoU at or above the threshold; precision
// made monotone, sampled at 101 recalls, averaged; then over the classes that have truths. The best 100
// detections of each picture and class count.
class MeanAveragePrecision {
 public:
  void add(std::span<const Detection>, std::span<const Truth>);
  struct Score {
    double at50 = 0, at75 = 0, at50_95 = 0;
    struct Class {
      int label;
      int64_t truths;
      double at50, at50_95;
    };
    std::vector<Class> classes;  // those with truths, by label
  };
  Score score() const;

 private:
  struct Picture {
    std::vector<Detection> found;
    std::vector<Truth> truth;
  };
  std::vector<Picture> pictures_;
};

// Mean over classes of intersection over union, over the pixels of all pictures.
class MeanIou {
 public:
  explicit MeanIou(int classes);
  // Both of `n` pixels. A truth of `classes` or more is void: its pixels do not count. A prediction of
  // `classes` or more counts as a miss of the true class.
  void add(const uint16_t* predicted, const uint16_t* truth, int64_t n);
  struct Score {
    double mean = 0, pixel_accuracy = 0;  // mean: over the classes that occur in truth or prediction
    std::vector<double> classes;          // NaN: does not occur
  };
  Score score() const;

 private:
  int classes_;
  std::vector<int64_t> confusion_;  // [truth][predicted], the last column: none of the classes
};

}  // namespace hone::vision
