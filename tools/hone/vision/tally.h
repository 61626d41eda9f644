// What `hone eval` counts, and how it is told.
#pragma once
#include <map>
#include <string>

#include "base/json.h"
#include "vision/data.h"
#include "vision/metrics.h"

namespace cli {

class Tally {
 public:
  // void_label: class of label images that does not count; -1: none.
  Tally(const hone::vision::Task&, int void_label);
  // Errors: the label image cannot be read, or is of another size than the picture.
  hone::Status add(const Sample&, const hone::vision::Results&);
  int64_t pictures() const { return pictures_; }

  std::string text() const;      // several lines
  void json(hone::Json&) const;  // adds its keys

 private:
  struct Figure {
    const char* key;    // of JSON
    const char* title;  // for people
    double value;       // 0..1
  };
  struct Class {
    int label;
    int64_t count;                // pictures or boxes; -1: not counted
    std::vector<Figure> figures;  // the first orders them
  };
  struct Score {
    std::vector<Figure> figures;
    std::vector<Class> classes;
  };
  Score score() const;

  const hone::vision::Task& task_;
  int void_label_;
  int64_t pictures_ = 0;
  double preprocess_ms_ = 0, network_ms_ = 0, decode_ms_ = 0;
  hone::vision::TopK top_;
  std::map<int, hone::vision::TopK> top_of_class_;
  hone::vision::MeanAveragePrecision precision_;
  hone::vision::MeanIou iou_;
};

}  // namespace cli
