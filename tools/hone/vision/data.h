// Labelled pictures: what `hone eval` measures on. One reader per way of storing them (docs/cli.md).
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "vision/image.h"
#include "vision/metrics.h"
#include "vision/task.h"

namespace cli {

struct Sample {
  std::string name;  // of the picture, below the data's folder
  std::function<hone::Result<hone::vision::Image>()> picture;
  int label = -1;                          // classify
  std::vector<hone::vision::Truth> truth;  // detect
  bool normalised = false;                 // its boxes are in 0..1 of the picture
  std::string mask;                        // segment: a picture of class indices
};

struct DataSet {
  std::string form;  // "labels.csv", for people
  std::vector<Sample> samples;
};

struct DataPlace {
  std::string folder;
  std::string labels;  // where the labels are; "": looked for in the folder
};

// Errors: no data of a known form (the message lists them), labels that cannot be read; they name file and
// line.
hone::Result<DataSet> read_data(const DataPlace&, const hone::vision::Task&);

// By kind of task.
hone::Result<DataSet> read_classified(const DataPlace&, const hone::vision::Task&);
hone::Result<DataSet> read_boxes(const DataPlace&, const hone::vision::Task&);
hone::Result<DataSet> read_masks(const DataPlace&, const hone::vision::Task&);

// ---- for the readers

Sample sample_of_file(std::string name, const std::string& path);
// The label that a text means: its name (or the first word of it, such as a synset's number), or an index.
// -1: none.
int label_of(const hone::vision::Task&, const std::string& text);
// A regular file's bytes; at most `most`.
hone::Result<std::string> read_text(const std::string& path, size_t most);
// Folders in `folder` whose names begin with one of `prefixes`, sorted; an exact name first.
std::vector<std::string> folders_called(const std::string& folder, const std::vector<std::string>& prefixes);
// folder/images if there is one, else the folder.
std::string folder_of_images(const std::string& folder);

}  // namespace cli
