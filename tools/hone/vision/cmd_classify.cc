#include "vision/answers.h"

namespace cli {
namespace {
using hone::Json;
using hone::vision::Results;
using hone::vision::Task;

std::string summary(const Task& task, const Results& results) {
  std::string s;
  for (const auto& c : results.classes)
    s += (s.empty() ? "" : " |") + score_text(c.score) + " " + label_name(task, c.label);
  return s.empty() ? "nothing" : s;
}
void json(const Task& task, const Results& results, Json& j) {
  Json list = Json::array();
  for (const auto& c : results.classes) list.push(label_json(task, c.label, c.score));
  j.set("classes", list);
}

hone::Result<int> run(const Args& args) {
  return answer({hone::vision::TaskKind::classify, summary,
                 [](const Task&, const Results&) { return std::string(); }, json},
                args);
}
}  // namespace

extern const Command command_classify;
const Command command_classify{
    "classify",
    "ENGINE|MODEL [IMAGE...] [options]",
    "Says what each picture shows: the best classes, by score. IMAGE: files, folders, patterns\n"
    "in quotes; none: the pictures that the engine carries.",
    {"ENGINE", "[IMAGE...]"},
    with_picture_options({top_option, score_option}),
    "hone classify mobilenet.hone cat.jpg\n"
    "hone classify squeezenet.onnx photos --preset imagenet --top 1 --json\n"
    "hone classify parts.hone 'line/*.png' --out checked",
    run};

}  // namespace cli
