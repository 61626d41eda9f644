#include <algorithm>
#include <map>

#include "vision/answers.h"

namespace cli {
namespace {
using hone::Json;
using hone::vision::Results;
using hone::vision::Task;

// Classes by the share of the picture that they take, the largest first.
std::vector<std::pair<double, int>> shares(const Results& results) {
  std::map<int, int64_t> counts;
  for (uint16_t label : results.segmentation.labels) counts[label]++;
  std::vector<std::pair<double, int>> list;
  for (const auto& [label, n] : counts)
    list.emplace_back(static_cast<double>(n) / static_cast<double>(results.segmentation.labels.size()),
                      label);
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  return list;
}

std::string summary(const Task& task, const Results& results) {
  std::string s;
  for (const auto& [share, label] : shares(results))
    s += (s.empty() ? "" : " |") + score_text(share) + " " + label_name(task, label);
  return s;
}
void json(const Task& task, const Results& results, Json& j) {
  Json list = Json::array();
  for (const auto& [share, label] : shares(results))
    list.push(Json::object().set("label", label).set("name", label_name(task, label)).set("share", share));
  j.set("classes", list);
}

hone::Result<int> run(const Args& args) {
  return answer({hone::vision::TaskKind::segment, summary,
                 [](const Task&, const Results&) { return std::string(); }, json},
                args);
}
}  // namespace

extern const Command command_segment;
const Command command_segment{
    "segment",
    "ENGINE|MODEL [IMAGE...] [options]",
    "Gives each pixel of the pictures a class, and prints the share that each class takes. IMAGE: files,\n"
    "folders, patterns in quotes; none: the pictures that the engine carries.",
    {"ENGINE", "[IMAGE...]"},
    with_picture_options({{.name = "--masks",
                           .kind = Option::text,
                           .value = "DIR",
                           .help = "write the classes as 8-bit PNG, as large as the pictures"}}),
    "hone segment espnet.onnx road.png --preset camvid --out road-classes.png\n"
    "hone segment street.hone photos --masks masks --json",
    run};

}  // namespace cli
