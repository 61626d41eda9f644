#include <algorithm>
#include <filesystem>

#include "base/npy.h"
#include "vision/answers.h"
#include "vision/data.h"
#include "vision/pipeline.h"
#include "vision/tally.h"
#include "vision/tasks.h"

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;
using hone::Json;
using hone::vision::Image;
using hone::vision::Pipeline;
using hone::vision::Results;
using hone::vision::Task;
using hone::vision::TaskKind;

// Average precision wants the whole curve: boxes that nobody would want to see too. These are the limits that
// YOLO's authors publish figures with.
constexpr float detect_score = 0.001f, detect_iou = 0.65f;
constexpr int detect_boxes = 300;

void set_measuring_limits(Task& task) {
  hone::vision::Head& head = task.head;
  if (task.kind == TaskKind::detect) {
    head.score_threshold = detect_score;
    head.iou_threshold = detect_iou;
    head.max_detections = detect_boxes;
  }
  head.top_k = std::max(head.top_k, 5);
}

std::string tensor_path(const std::string& folder, const Sample& sample) {
  return (fs::path(folder) / sample.name).replace_extension(".npy").string();
}

hone::Result<Results> run_tensor(Pipeline& pipeline, const Image& picture, const std::string& path) {
  HONE_TRY(const auto tensor, hone::read_npy(path));
  HONE_TRY(const auto placement, place(pipeline.task().input, picture.width(), picture.height()));
  auto results = pipeline.run(tensor.view(), placement);
  if (!results) return hone::in(path, results.take_error());
  return results;
}

hone::Status one(Pipeline& pipeline, const Sample& sample, const Args& args, Tally& tally) {
  HONE_TRY(const Image picture, sample.picture());
  auto results = args.has("--tensors")
                     ? run_tensor(pipeline, picture, tensor_path(args.text("--tensors"), sample))
                     : pipeline.run(picture);
  if (!results) return hone::in(sample.name, results.take_error());
  if (args.has("--save-tensors")) {
    const std::string path = tensor_path(args.text("--save-tensors"), sample);
    std::error_code ignored;
    fs::create_directories(fs::path(path).parent_path(), ignored);
    HONE_CHECK(hone::write_npy(path, pipeline.input()));
  }
  return tally.add(sample, *results);
}

hone::Result<int> run(const Args& args) {
  const std::string& path = args.positional(0);
  HONE_TRY(const Loaded loaded, load(path, args));
  HONE_TRY(Task task, find_task(loaded.engine, path, args));
  set_measuring_limits(task);
  HONE_CHECK(apply_limits(task, args));
  HONE_TRY(const DataSet data, read_data({args.text("--data"), args.text("--labels")}, task));
  auto made = Pipeline::make(loaded.engine, std::move(task),
                             {.threads = static_cast<int>(args.whole("--threads", 0))});
  if (!made) return hone::in(path, made.take_error());
  Pipeline pipeline = *std::move(made);
  Tally tally(pipeline.task(), static_cast<int>(args.whole("--void", -1)));

  Progress progress;
  const size_t n = data.samples.size();
  size_t failed = 0;
  for (size_t i = 0; i < n; i++) {
    if (interrupted()) return error(Code::cancelled, "stopped after %zu of %zu pictures", i, n);
    progress.update(static_cast<double>(i) / static_cast<double>(n), data.samples[i].name.c_str());
    auto done = one(pipeline, data.samples[i], args, tally);
    if (done) continue;
    failed++;
    progress.clear();
    std::fprintf(stderr, "hone eval: %s\n", done.error().message.c_str());
  }
  progress.clear();
  if (args.has("--json")) {
    Json j = Json::object();
    j.set("engine", path).set("data", args.text("--data")).set("form", data.form);
    j.set("task", task_kind_name(pipeline.task().kind))
        .set("pictures", tally.pictures())
        .set("failed", failed);
    tally.json(j);
    std::printf("%s\n", j.str().c_str());
  } else {
    std::printf("%s on %s (%s), %lld pictures\n%s", path.c_str(), args.text("--data").c_str(),
                data.form.c_str(), static_cast<long long>(tally.pictures()), tally.text().c_str());
  }
  if (failed) return error(Code::io, "%zu of %zu pictures failed", failed, n);
  return 0;
}
}  // namespace

extern const Command command_eval;
const Command command_eval{
    "eval",
    "ENGINE|MODEL --data DIR [options]",
    "Measures on labelled pictures: top-1 and top-5 of a classifier, mean average precision (as COCO defines "
    "it)\n"
    "of a detector, mean IoU of a segmentation. docs/cli.md lists the forms of data. For detectors the "
    "score\n"
    "threshold is 0.001, boxes overlapping more than 0.65 go, and 300 per picture stay, unless options say "
    "else.",
    {"ENGINE"},
    with_build_options(with_task_options(
        {{.name = "--data",
          .letter = 'd',
          .kind = Option::text,
          .value = "DIR",
          .help = "the labelled pictures",
          .required = true},
         {.name = "--labels",
          .kind = Option::text,
          .value = "FILE|DIR",
          .help =
              "the labels, where they are not found in DIR: a CSV or COCO file, a folder of .txt or .png"},
         {.name = "--void",
          .kind = Option::whole,
          .value = "N",
          .help = "class of label images that does not count",
          .least = 0,
          .most = 65535},
         {.name = "--tensors",
          .kind = Option::text,
          .value = "DIR",
          .help = "run on input tensors stored as DIR/<picture's name>.npy in place of the pictures"},
         {.name = "--save-tensors",
          .kind = Option::text,
          .value = "DIR",
          .help = "store the input tensors like this, for another runtime"},
         score_option,
         iou_option,
         top_option,
         threads_option,
         json_option})),
    "hone eval squeezenet.hone --data imagenet_300\n"
    "hone eval yolox.onnx --preset yolox --data coco --labels coco/instances_val2017.json\n"
    "hone eval espnet.hone --data camvid --void 11 --json",
    run};

}  // namespace cli
