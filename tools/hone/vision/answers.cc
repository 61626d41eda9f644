#include "vision/answers.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "imageio/imageio.h"
#include "vision/decoder.h"
#include "vision/draw.h"
#include "vision/pictures.h"
#include "vision/pipeline.h"
#include "vision/tasks.h"

namespace cli {

using hone::Code;
using hone::error;
using hone::Json;
using hone::vision::Image;
using hone::vision::Pipeline;
using hone::vision::Results;
using hone::vision::Task;
using hone::vision::TaskKind;

constinit const Option score_option{.name = "--score",
                                    .kind = Option::real,
                                    .value = "X",
                                    .help = "least score of an answer, in place of the task's",
                                    .least = -1e9,
                                    .most = 1e9};
constinit const Option iou_option{
    .name = "--iou",
    .kind = Option::real,
    .value = "X",
    .help = "overlap above which the weaker of two boxes goes, in place of the task's",
    .least = 0,
    .most = 1};
constinit const Option top_option{.name = "--top",
                                  .kind = Option::whole,
                                  .value = "K",
                                  .help = "answers per picture, in place of the task's",
                                  .least = 1,
                                  .most = 100000};

std::vector<Option> with_picture_options(std::vector<Option> options) {
  options.push_back(
      {.name = "--out",
       .letter = 'o',
       .kind = Option::text,
       .value = "FILE|DIR",
       .help = "draw the answers into a copy of the picture: FILE.jpg or .png, for several a folder"});
  options.push_back(
      {.name = "--recursive", .letter = 'r', .help = "look into the folders below a folder too"});
  options.push_back(
      {.name = "--json", .help = "one JSON object per picture, each on a line, instead of a table"});
  options.push_back(threads_option);
  return with_build_options(with_task_options(std::move(options)));
}

hone::Status apply_limits(Task& task, const Args& args) {
  hone::vision::Head& head = task.head;
  auto read = [&](const char* field) -> bool {
    const auto decoder = hone::vision::find_decoder(head.decoder);
    return decoder && std::any_of((*decoder)->fields.begin(), (*decoder)->fields.end(),
                                  [&](const char* f) { return std::string_view(f) == field; });
  };
  head.score_threshold = static_cast<float>(args.real("--score", head.score_threshold));
  if (args.has("--iou")) {
    if (!read("iou_threshold"))
      return error(Code::invalid_argument, "--iou: decoder '%s' leaves all boxes that the network gives",
                   head.decoder.c_str());
    head.iou_threshold = static_cast<float>(args.real("--iou", 0));
  }
  if (args.has("--top")) {
    const int k = static_cast<int>(args.whole("--top", 0));
    (task.kind == TaskKind::classify ? head.top_k : head.max_detections) = k;
  }
  return {};
}

namespace {
// Short, and as exact as anyone can use: thousandths of a pixel or millisecond, millionths of a score.
Json rounded(double v, double steps) { return std::nearbyint(v * steps) / steps; }

const char* command_for(TaskKind kind) {
  return kind == TaskKind::raw ? "run" : hone::vision::task_kind_name(kind);
}

// An engine, ready for pictures, and where the results go.
struct Work {
  const Verb& verb;
  const Args& args;
  Pipeline pipeline;
  std::vector<PictureFile> pictures;
  std::vector<std::string> drawn, masks;  // by picture; empty: not wanted
  size_t width = 0;                       // of the column of names
};

hone::Status write_mask(const Results& results, const std::string& path) {
  const auto labels = at_picture_size(results.segmentation, results.picture_width, results.picture_height);
  HONE_TRY(Image mask,
           Image::allocate(results.picture_width, results.picture_height, hone::vision::PixelFormat::gray8));
  for (size_t i = 0; i < labels.size(); i++) {
    if (labels[i] > 255)
      return error(Code::unsupported, "%s: class %d does not fit the 8 bits of a mask", path.c_str(),
                   labels[i]);
    mask.row(0)[i] = static_cast<uint8_t>(labels[i]);
  }
  return hone::imageio::write(mask, path);
}

void print(const Work& w, const PictureFile& file, const Results& results, double ms) {
  const Task& task = w.pipeline.task();
  std::printf("%-*s  %9.1f ms  %s\n%s", static_cast<int>(w.width), file.path.c_str(), ms,
              w.verb.summary(task, results).c_str(), w.verb.details(task, results).c_str());
}

hone::Result<Image> read(const PictureFile& file) {
  if (file.bytes.empty()) return hone::imageio::read(file.path);
  auto image = hone::imageio::decode(std::as_bytes(std::span(file.bytes)));
  if (!image) return hone::in(file.path, image.take_error());
  return image;
}

// The pictures that the engine carries. Their names are not trusted: only what follows the last '/' says where
// something is written.
hone::Result<std::vector<PictureFile>> own_pictures(const hone::api::Engine& engine, const Task& task,
                                                    const std::string& path) {
  std::vector<PictureFile> found;
  for (const std::string& name : task.pictures) {
    const std::string_view bytes = engine.meta_bytes("picture/" + name);
    if (!bytes.empty())
      found.push_back(
          {path + ":" + name, std::filesystem::path(name).filename().string(), std::string(bytes)});
  }
  if (found.empty())
    return error(Code::invalid_argument, "%s carries no pictures of its own: name a file or a folder",
                 path.c_str());
  return found;
}

hone::Status one(Work& w, size_t i) {
  const PictureFile& file = w.pictures[i];
  const auto start = Clock::now();
  HONE_TRY(Image picture, read(file));
  const double read_ms = ms_since(start);
  auto results = w.pipeline.run(picture);
  if (!results) return hone::in(file.path, results.take_error());
  const Task& task = w.pipeline.task();
  // The threshold of a decoder that does not look at scores.
  if (w.args.has("--score"))
    std::erase_if(results->classes, [&](const auto& c) { return c.score < task.head.score_threshold; });
  Json files = Json::object();
  if (!w.drawn.empty()) {
    HONE_TRY(Image canvas, hone::vision::converted(picture, hone::vision::PixelFormat::rgb8));
    HONE_CHECK(draw(canvas, task, *results));
    HONE_CHECK(hone::imageio::write(canvas, w.drawn[i]));
  }
  if (!w.masks.empty()) HONE_CHECK(write_mask(*results, w.masks[i]));
  if (!w.args.has("--json")) {
    print(w, file, *results, read_ms + results->preprocess_ms + results->network_ms + results->decode_ms);
    return {};
  }
  Json j = Json::object();
  j.set("image", file.path).set("width", results->picture_width).set("height", results->picture_height);
  w.verb.json(task, *results, j);
  if (!w.drawn.empty()) j.set("out", w.drawn[i]);
  if (!w.masks.empty()) j.set("mask", w.masks[i]);
  j.set("ms", Json::object()
                  .set("read", rounded(read_ms, 1e3))
                  .set("preprocess", rounded(results->preprocess_ms, 1e3))
                  .set("network", rounded(results->network_ms, 1e3))
                  .set("decode", rounded(results->decode_ms, 1e3)));
  std::printf("%s\n", j.str().c_str());
  return {};
}

hone::Result<int> all(Work& w) {
  Progress progress;
  // A terminal that gets the results shows how far it is.
  const bool bar = !::isatty(STDOUT_FILENO);
  size_t failed = 0;
  for (size_t i = 0; i < w.pictures.size(); i++) {
    if (interrupted())
      return error(Code::cancelled, "stopped after %zu of %zu pictures", i, w.pictures.size());
    if (bar)
      progress.update(static_cast<double>(i) / static_cast<double>(w.pictures.size()),
                      w.pictures[i].name.c_str());
    auto done = one(w, i);
    if (done) continue;
    if (w.pictures.size() == 1) return done.take_error();
    failed++;
    progress.clear();
    std::fflush(stdout);
    std::fprintf(stderr, "hone %s: %s\n", command_for(w.verb.kind), done.error().message.c_str());
  }
  progress.clear();
  if (failed) return error(Code::io, "%zu of %zu pictures failed", failed, w.pictures.size());
  return 0;
}
}  // namespace

hone::Result<int> answer(const Verb& verb, const Args& args) {
  std::vector<PictureFile> pictures;
  const auto words = args.positionals_from(1);
  if (!words.empty()) { HONE_TRY(pictures, find_pictures(words, args.has("--recursive"))); }
  const std::string& path = args.positional(0);
  HONE_TRY(const Loaded loaded, load(path, args));
  HONE_TRY(Task task, find_task(loaded.engine, path, args));
  if (task.kind != verb.kind)
    return error(Code::invalid_argument, "%s: its task is %s: hone %s %s ...", path.c_str(),
                 task_kind_name(task.kind), command_for(task.kind), path.c_str());
  HONE_CHECK(apply_limits(task, args));
  if (words.empty()) { HONE_TRY(pictures, own_pictures(loaded.engine, task, path)); }
  std::vector<std::string> drawn, masks;
  if (args.has("--out")) {
    HONE_TRY(drawn, place_outputs(pictures, args.text("--out"), {".png", ".jpg", ".jpeg"}));
  }
  if (args.has("--masks")) { HONE_TRY(masks, place_outputs(pictures, args.text("--masks") + "/", {".png"})); }
  auto pipeline = Pipeline::make(loaded.engine, std::move(task),
                                 {.threads = static_cast<int>(args.whole("--threads", 0))});
  if (!pipeline) return hone::in(path, pipeline.take_error());
  Work work{verb, args, *std::move(pipeline), std::move(pictures), std::move(drawn), std::move(masks)};
  for (const PictureFile& p : work.pictures)
    work.width = std::max(work.width, std::min<size_t>(p.path.size(), 48));
  return all(work);
}

std::string score_text(double score) {
  return score >= 0 && score <= 1 ? hone::strf("%5.1f %%", 100 * score) : hone::strf("%7.3g", score);
}

Json label_json(const Task& task, int label, double score) {
  return Json::object()
      .set("label", label)
      .set("name", label_name(task, label))
      .set("score", rounded(score, 1e6));
}

// "3 person, 1 car", as often as they are, best first.
std::string detections_summary(const Task& task, const Results& results) {
  std::vector<std::pair<int, int>> counts;  // label, how many
  for (const auto& d : results.detections) {
    const auto it =
        std::find_if(counts.begin(), counts.end(), [&](const auto& c) { return c.first == d.label; });
    if (it == counts.end()) counts.emplace_back(d.label, 1);
    else it->second++;
  }
  std::string s;
  for (const auto& [label, n] : counts)
    s += (s.empty() ? "" : ", ") + std::to_string(n) + " " + label_name(task, label);
  return s.empty() ? "nothing" : s;
}

std::string detections_details(const Task& task, const Results& results) {
  std::string s;
  for (const auto& d : results.detections) {
    s += hone::strf("    %s  %-16s  (%.0f, %.0f) to (%.0f, %.0f)", score_text(d.score).c_str(),
                    label_name(task, d.label).c_str(), d.box.x0, d.box.y0, d.box.x1, d.box.y1);
    if (!d.keypoints.empty()) s += hone::strf("  %zu keypoints", d.keypoints.size());
    s += '\n';
  }
  return s;
}

void detections_json(const Task& task, const Results& results, Json& j) {
  Json list = Json::array();
  for (const auto& d : results.detections) {
    Json one = label_json(task, d.label, d.score);
    Json box = Json::array();
    for (float edge : {d.box.x0, d.box.y0, d.box.x1, d.box.y1}) box.push(rounded(edge, 1e3));
    one.set("box", box);
    if (!d.keypoints.empty()) {
      Json points = Json::array();
      for (const auto& k : d.keypoints)
        points.push(
            Json::array().push(rounded(k.x, 1e3)).push(rounded(k.y, 1e3)).push(rounded(k.score, 1e6)));
      one.set("keypoints", points);
    }
    list.push(one);
  }
  j.set("detections", list);
}

}  // namespace cli
