#include "vision/tally.h"

#include <algorithm>
#include <cmath>

#include "imageio/imageio.h"
#include "vision/pipeline.h"

namespace cli {

using hone::Code;
using hone::error;
using hone::Json;
using hone::vision::Results;
using hone::vision::Task;
using hone::vision::TaskKind;

namespace {
constexpr size_t shown = 5;  // of the best and of the worst classes

// 255 is void in label images by wide custom, and no class where the labels are not known.
int class_count(const Task& task) {
  return task.labels.empty() ? 255 : static_cast<int>(std::min<size_t>(task.labels.size(), 65535));
}
}  // namespace

Tally::Tally(const Task& task, int void_label)
    : task_(task), void_label_(void_label), iou_(task.kind == TaskKind::segment ? class_count(task) : 1) {}

hone::Status Tally::add(const Sample& sample, const Results& results) {
  const int width = results.picture_width, height = results.picture_height;
  if (task_.kind == TaskKind::classify) {
    top_.add(results.classes, sample.label);
    top_of_class_[sample.label].add(results.classes, sample.label);
  } else if (task_.kind == TaskKind::detect) {
    auto truth = sample.truth;
    if (sample.normalised)
      for (auto& t : truth)
        t.box = {t.box.x0 * static_cast<float>(width), t.box.y0 * static_cast<float>(height),
                 t.box.x1 * static_cast<float>(width), t.box.y1 * static_cast<float>(height)};
    precision_.add(results.detections, truth);
  } else {
    HONE_TRY(const auto mask, hone::imageio::read_indices(sample.mask));
    if (mask.width() != width || mask.height() != height)
      return error(Code::invalid_argument, "%s: is %d x %d pixels, its picture %d x %d", sample.mask.c_str(),
                   mask.width(), mask.height(), width, height);
    // Void is a class that never occurs: a prediction of it is a miss.
    auto counted = [&](int label) { return static_cast<uint16_t>(label == void_label_ ? 65535 : label); };
    std::vector<uint16_t> predicted = at_picture_size(results.segmentation, width, height);
    std::vector<uint16_t> truth(predicted.size());
    for (size_t i = 0; i < predicted.size(); i++) {
      predicted[i] = counted(predicted[i]);
      truth[i] = counted(mask.row(0)[i]);
    }
    iou_.add(predicted.data(), truth.data(), static_cast<int64_t>(predicted.size()));
  }
  pictures_++;
  preprocess_ms_ += results.preprocess_ms;
  network_ms_ += results.network_ms;
  decode_ms_ += results.decode_ms;
  return {};
}

Tally::Score Tally::score() const {
  Score s;
  if (task_.kind == TaskKind::classify) {
    s.figures = {{"top1", "top-1", top_.top1()}, {"top5", "top-5", top_.top5()}};
    for (const auto& [label, top] : top_of_class_)
      s.classes.push_back(
          {label, top.pictures(), {{"top1", "top-1", top.top1()}, {"top5", "top-5", top.top5()}}});
  } else if (task_.kind == TaskKind::detect) {
    const auto p = precision_.score();
    s.figures = {
        {"map50_95", "mAP@[.5:.95]", p.at50_95}, {"map50", "mAP@.5", p.at50}, {"map75", "mAP@.75", p.at75}};
    for (const auto& c : p.classes)
      s.classes.push_back(
          {c.label, c.truths, {{"ap50_95", "AP@[.5:.95]", c.at50_95}, {"ap50", "AP@.5", c.at50}}});
  } else {
    const auto i = iou_.score();
    s.figures = {{"miou", "mean IoU", i.mean}, {"pixel_accuracy", "pixel accuracy", i.pixel_accuracy}};
    for (size_t c = 0; c < i.classes.size(); c++)
      if (!std::isnan(i.classes[c]))
        s.classes.push_back({static_cast<int>(c), -1, {{"iou", "IoU", i.classes[c]}}});
  }
  return s;
}

std::string Tally::text() const {
  Score s = score();
  std::string out;
  for (const Figure& f : s.figures) out += hone::strf("%-16s %6.2f %%\n", f.title, 100 * f.value);
  const double n = std::max<double>(1, static_cast<double>(pictures_));
  out += hone::strf("ms per picture   preprocessing %.2f, network %.2f, decoding %.2f\n", preprocess_ms_ / n,
                    network_ms_ / n, decode_ms_ / n);
  std::stable_sort(s.classes.begin(), s.classes.end(),
                   [](const Class& a, const Class& b) { return a.figures[0].value > b.figures[0].value; });
  auto row = [&](const Class& c) {
    for (const Figure& f : c.figures) out += hone::strf("  %12.2f", 100 * f.value);
    out += c.count < 0 ? hone::strf("  %8s", "") : hone::strf("  %8lld", static_cast<long long>(c.count));
    out += "  " + label_name(task_, c.label) + "\n";
  };
  if (s.classes.empty()) return out;
  for (const Figure& f : s.classes[0].figures) out += hone::strf("  %12s", f.title);
  out += hone::strf("  %8s  class\n", s.classes[0].count < 0 ? "" : "count");
  const bool all = s.classes.size() <= 2 * shown + 1;
  for (size_t i = 0; i < s.classes.size(); i++) {
    if (all || i < shown || i + shown >= s.classes.size()) row(s.classes[i]);
    else if (i == shown) out += hone::strf("  ... (%zu classes between)\n", s.classes.size() - 2 * shown);
  }
  return out;
}

void Tally::json(Json& j) const {
  const Score s = score();
  for (const Figure& f : s.figures) j.set(f.key, f.value);
  Json classes = Json::array();
  for (const Class& c : s.classes) {
    Json one = Json::object().set("label", c.label).set("name", label_name(task_, c.label));
    if (c.count >= 0) one.set("count", c.count);
    for (const Figure& f : c.figures) one.set(f.key, f.value);
    classes.push(one);
  }
  const double n = std::max<double>(1, static_cast<double>(pictures_));
  j.set("classes", classes)
      .set("ms", Json::object()
                     .set("preprocess", preprocess_ms_ / n)
                     .set("network", network_ms_ / n)
                     .set("decode", decode_ms_ / n));
}

}  // namespace cli
