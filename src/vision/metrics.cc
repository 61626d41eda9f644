#include "vision/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace hone::vision {

void TopK::add(std::span<const Classification> answers, int truth) {
  pictures_++;
  for (size_t i = 0; i < answers.size() && i < 5; i++) {
    if (answers[i].label != truth) continue;
    if (i == 0) first_++;
    five_++;
    return;
  }
}
static double share(int64_t part, int64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}
double TopK::top1() const { return share(first_, pictures_); }
double TopK::top5() const { return share(five_, pictures_); }

namespace {
constexpr size_t max_detections = 100;
constexpr int thresholds = 10;  // IoU 0.50, 0.55, ... 0.95
double threshold(int i) { return 0.5 + 0.05 * i; }

// Of a crowd: how much of the found box lies in it.
double overlap(const Box& found, const Truth& truth) {
  const double w = std::min<double>(found.x1, truth.box.x1) - std::max<double>(found.x0, truth.box.x0);
  const double h = std::min<double>(found.y1, truth.box.y1) - std::max<double>(found.y0, truth.box.y0);
  if (w <= 0 || h <= 0) return 0;
  auto area = [](const Box& b) {
    return (static_cast<double>(b.x1) - b.x0) * (static_cast<double>(b.y1) - b.y0);
  };
  const double both = w * h, own = area(found);
  return both / (truth.crowd ? own : own + area(truth.box) - both);
}

struct Match {
  float score;
  enum : uint8_t { right, wrong, neither } of[thresholds];
};

// What one picture adds to a class: both lists are of the class alone, `found` by falling score.
void match(const std::vector<const Detection*>& found, const std::vector<const Truth*>& truths,
           std::vector<Match>& out) {
  std::vector<double> overlaps(found.size() * truths.size());
  for (size_t d = 0; d < found.size(); d++)
    for (size_t t = 0; t < truths.size(); t++)
      overlaps[d * truths.size() + t] = overlap(found[d]->box, *truths[t]);
  const size_t first = out.size();
  for (const Detection* d : found) out.push_back({d->score, {}});
  for (int i = 0; i < thresholds; i++) {
    std::vector<bool> taken(truths.size());
    for (size_t d = 0; d < found.size(); d++) {
      // cocoeval: among equals the later truth wins, and a crowd is taken only if no other truth can be.
      double best = std::min(threshold(i), 1 - 1e-10);
      int chosen = -1;
      for (const bool crowds : {false, true}) {
        for (size_t t = 0; t < truths.size(); t++) {
          const double o = overlaps[d * truths.size() + t];
          if (truths[t]->crowd != crowds || (taken[t] && !crowds) || o < best) continue;
          best = o;
          chosen = static_cast<int>(t);
        }
        if (chosen >= 0) break;
      }
      auto& result = out[first + d].of[i];
      result = chosen < 0                                   ? Match::wrong
               : truths[static_cast<size_t>(chosen)]->crowd ? Match::neither
                                                            : Match::right;
      if (chosen >= 0) taken[static_cast<size_t>(chosen)] = true;
    }
  }
}

// `matches` by falling score.
double average_precision(const std::vector<Match>& matches, int64_t truths, int i) {
  std::vector<double> precision, recall;
  int64_t right = 0, wrong = 0;
  for (const Match& m : matches) {
    if (m.of[i] == Match::neither) continue;
    (m.of[i] == Match::right ? right : wrong)++;
    precision.push_back(share(right, right + wrong));
    recall.push_back(share(right, truths));
  }
  for (size_t k = precision.size(); k-- > 1;) precision[k - 1] = std::max(precision[k - 1], precision[k]);
  double sum = 0;
  for (int r = 0; r <= 100; r++) {
    // r * 0.01, not r / 100.0: what numpy.linspace makes of it, as recalls like 7/20 are hit exactly.
    const auto at = std::lower_bound(recall.begin(), recall.end(), r * 0.01);
    if (at != recall.end()) sum += precision[static_cast<size_t>(at - recall.begin())];
  }
  return sum / 101;
}
}  // namespace

void MeanAveragePrecision::add(std::span<const Detection> found, std::span<const Truth> truth) {
  Picture p;
  p.truth.assign(truth.begin(), truth.end());
  for (const Detection& d : found) p.found.push_back({d.box, d.label, d.score, {}});
  std::stable_sort(p.found.begin(), p.found.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  pictures_.push_back(std::move(p));
}

MeanAveragePrecision::Score MeanAveragePrecision::score() const {
  struct Class {
    int64_t truths = 0;
    std::vector<Match> matches;
  };
  std::map<int, Class> classes;
  for (const Picture& p : pictures_) {
    std::map<int, std::pair<std::vector<const Detection*>, std::vector<const Truth*>>> by_label;
    for (const Detection& d : p.found)
      if (auto& list = by_label[d.label].first; list.size() < max_detections) list.push_back(&d);
    for (const Truth& t : p.truth) by_label[t.label].second.push_back(&t);
    for (const auto& [label, lists] : by_label) {
      Class& c = classes[label];
      for (const Truth* t : lists.second) c.truths += !t->crowd;
      match(lists.first, lists.second, c.matches);
    }
  }
  Score score;
  for (auto& [label, c] : classes) {
    if (!c.truths) continue;
    std::stable_sort(c.matches.begin(), c.matches.end(),
                     [](const Match& a, const Match& b) { return a.score > b.score; });
    std::array<double, thresholds> ap;
    for (int i = 0; i < thresholds; i++)
      ap[static_cast<size_t>(i)] = average_precision(c.matches, c.truths, i);
    const double mean = std::accumulate(ap.begin(), ap.end(), 0.0) / thresholds;
    score.classes.push_back({label, c.truths, ap[0], mean});
    score.at50 += ap[0];
    score.at75 += ap[5];
    score.at50_95 += mean;
  }
  if (const auto n = static_cast<double>(score.classes.size()); n > 0) {
    score.at50 /= n;
    score.at75 /= n;
    score.at50_95 /= n;
  }
  return score;
}

MeanIou::MeanIou(int classes)
    : classes_(classes), confusion_(static_cast<size_t>(classes) * (static_cast<size_t>(classes) + 1)) {}

void MeanIou::add(const uint16_t* predicted, const uint16_t* truth, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    if (truth[i] >= classes_) continue;
    const int column = std::min<int>(predicted[i], classes_);
    confusion_[static_cast<size_t>(truth[i]) * (static_cast<size_t>(classes_) + 1) +
               static_cast<size_t>(column)]++;
  }
}

MeanIou::Score MeanIou::score() const {
  const auto n = static_cast<size_t>(classes_);
  std::vector<int64_t> truths(n), predictions(n);
  int64_t all = 0, right = 0;
  for (size_t t = 0; t < n; t++)
    for (size_t p = 0; p <= n; p++) {
      const int64_t count = confusion_[t * (n + 1) + p];
      truths[t] += count;
      if (p < n) predictions[p] += count;
      if (p == t) right += count;
      all += count;
    }
  Score score;
  score.pixel_accuracy = share(right, all);
  int64_t occurring = 0;
  for (size_t c = 0; c < n; c++) {
    const int64_t both = confusion_[c * (n + 1) + c], either = truths[c] + predictions[c] - both;
    score.classes.push_back(either ? share(both, either) : std::numeric_limits<double>::quiet_NaN());
    if (!either) continue;
    score.mean += score.classes.back();
    occurring++;
  }
  if (occurring) score.mean /= static_cast<double>(occurring);
  return score;
}

}  // namespace hone::vision
