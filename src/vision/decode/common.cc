#include "vision/decode/common.h"

#include <algorithm>

namespace hone::vision::decoding {

// ---- scores

Status refuse_softmax(const DecodeContext& context, Activation activation) {
  if (activation != Activation::softmax) return {};
  return error(Code::invalid_argument, "activation is 'softmax': decoder '%s' takes sigmoid or none",
               context.head.decoder.c_str());
}

Result<Activation> activation_of(const DecodeContext& context, Activation otherwise) {
  const std::string& word = context.head.activation;
  if (word.empty()) return otherwise;
  if (word == "none") return Activation::none;
  if (word == "sigmoid") return Activation::sigmoid;
  if (word == "softmax") return Activation::softmax;
  return error(Code::invalid_argument, "activation is '%s': it may be softmax, sigmoid or none",
               word.c_str());
}

float logit(float p) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (!(p > 0)) return -infinity;
  if (p >= 1) return infinity;
  return std::log(p / (1 - p));
}

int label_of(const DecodeContext& context, int index, int classes, int background) {
  const bool unlabelled = background >= 0 && context.label_count == classes - 1;
  return index - (unlabelled && index > background);
}

namespace {
// Four lanes in registers whatever the optimisation level; comparisons with NaN are false.
using Lanes [[gnu::vector_size(16), gnu::aligned(4), gnu::may_alias]] = float;
constexpr float lowest = -std::numeric_limits<float>::infinity();

float maximum(const float* v, int64_t n) {
  Lanes most = {lowest, lowest, lowest, lowest};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const Lanes x = *reinterpret_cast<const Lanes*>(v + i);
    most = x > most ? x : most;
  }
  float result = lowest;
  for (int lane = 0; lane < 4; lane++) result = most[lane] > result ? most[lane] : result;
  for (; i < n; i++) result = v[i] > result ? v[i] : result;
  return result;
}
}  // namespace

void row_maxima(const Matrix& m, std::vector<float>& maxima) {
  maxima.assign(static_cast<size_t>(m.rows), lowest);
  if (m.column_step == 1) {
    for (int64_t r = 0; r < m.rows; r++)
      maxima[static_cast<size_t>(r)] = maximum(m.data + r * m.row_step, m.columns);
  } else if (m.row_step == 1) {
    for (int64_t c = 0; c < m.columns; c++) {
      const float* in = m.data + c * m.column_step;
      float* out = maxima.data();
      int64_t r = 0;
      for (; r + 4 <= m.rows; r += 4) {
        const Lanes x = *reinterpret_cast<const Lanes*>(in + r);
        Lanes& y = *reinterpret_cast<Lanes*>(out + r);
        y = x > y ? x : y;
      }
      for (; r < m.rows; r++) out[r] = in[r] > out[r] ? in[r] : out[r];
    }
  } else {
    for (int64_t r = 0; r < m.rows; r++)
      for (int64_t c = 0; c < m.columns; c++) {
        float& out = maxima[static_cast<size_t>(r)];
        out = m.at(r, c) > out ? m.at(r, c) : out;
      }
  }
}

bool within_unit(const Matrix& m) {
  for (int64_t r = 0; r < m.rows; r++)
    for (int64_t c = 0; c < m.columns; c++)
      if (const float v = m.at(r, c); v < 0 || v > 1) return false;
  return true;
}

bool rows_are_distributions(const Matrix& m) {
  for (int64_t r = 0; r < std::min<int64_t>(m.rows, 16); r++) {
    double sum = 0;
    for (int64_t c = 0; c < m.columns; c++) {
      if (!(m.at(r, c) >= 0)) return false;
      sum += static_cast<double>(m.at(r, c));
    }
    if (std::fabs(sum - 1) > 1e-2) return false;
  }
  return true;
}

namespace {
bool better(const Candidate& a, const Candidate& b) {
  if (a.score != b.score) return a.score > b.score;
  if (a.row != b.row) return a.row < b.row;
  return a.label < b.label;
}
}  // namespace

void Candidates::add(int64_t row, int label, float score) {
  if (!std::isfinite(score) || score < floor_) return;
  all_.push_back({row, label, score});
  if (all_.size() >= 2 * size_t{max_candidates}) shrink();
}

void Candidates::shrink() {
  if (all_.size() <= size_t{max_candidates}) return;
  std::nth_element(all_.begin(), all_.begin() + max_candidates - 1, all_.end(), better);
  all_.resize(max_candidates);
  floor_ = all_.back().score;
}

std::vector<Candidate> Candidates::take() {
  shrink();
  std::sort(all_.begin(), all_.end(), better);
  return std::move(all_);
}

void select(const DecodeContext& context, const Matrix& scores, Activation activation,
            std::span<const float> weights, int background, Candidates& out, int64_t first_row) {
  const float threshold = context.head.score_threshold;
  // The comparison is made before the activation: both sigmoid and softmax grow with their argument, and
  // softmax of x is at most exp(x - greatest).
  const float least = activation == Activation::sigmoid   ? logit(threshold)
                      : activation == Activation::softmax ? (threshold > 0 ? std::log(threshold) : lowest)
                                                          : threshold;
  std::vector<float> maxima;
  row_maxima(scores, maxima);
  for (int64_t r = 0; r < scores.rows; r++) {
    const float most = maxima[static_cast<size_t>(r)];
    const float weight = weights.empty() ? 1.0f : weights[static_cast<size_t>(r)];
    if (!(weight >= 0) || (activation != Activation::softmax && !(most >= least))) continue;
    if (!weights.empty() && weight < threshold) continue;  // scores are at most 1
    const float raw_least = activation == Activation::softmax ? least + most : least;
    double sum = 0;  // softmax: made when first needed
    Candidate best;
    bool found = false;
    for (int c = 0; c < scores.columns; c++) {
      const float x = scores.at(r, c);
      if (c == background || !std::isfinite(x) || x < raw_least) continue;
      float score = x;
      if (activation == Activation::sigmoid) score = sigmoid(x);
      if (activation == Activation::softmax) {
        if (sum == 0)
          for (int64_t k = 0; k < scores.columns; k++) {
            const double e = std::exp(static_cast<double>(scores.at(r, k)) - static_cast<double>(most));
            sum += e >= 0 ? e : 0;
          }
        score = static_cast<float>(std::exp(static_cast<double>(x) - static_cast<double>(most)) / sum);
      }
      score *= weight;
      if (!(score >= threshold)) continue;
      if (!context.head.one_class_per_box) {
        out.add(first_row + r, c, score);
      } else if (!found || score > best.score) {
        best = {first_row + r, c, score};
        found = true;
      }
    }
    if (found) out.add(best.row, best.label, best.score);
  }
}

// ---- boxes

namespace {
bool near(float v) { return std::fabs(v) <= max_coordinate; }  // false for NaN
}  // namespace

bool sane(const Box& b) {
  return near(b.x0) && near(b.y0) && near(b.x1) && near(b.y1) && b.x1 > b.x0 && b.y1 > b.y0;
}

Keypoint sane_keypoint(Keypoint k) {
  return near(k.x) && near(k.y) && std::isfinite(k.score) ? k : Keypoint{};
}

Box box_around(std::span<const Keypoint> points, float score) {
  const bool any =
      std::any_of(points.begin(), points.end(), [&](const Keypoint& k) { return k.score >= score; });
  Box box;
  bool first = true;
  for (const Keypoint& k : points) {
    if (any && !(k.score >= score)) continue;
    box = first ? Box{k.x, k.y, k.x, k.y}
                : Box{std::min(box.x0, k.x), std::min(box.y0, k.y), std::max(box.x1, k.x),
                      std::max(box.y1, k.y)};
    first = false;
  }
  return box;
}

Result<BoxFormat> box_format_of(const DecodeContext& context, BoxFormat otherwise) {
  const std::string& word = context.head.box_format;
  if (word.empty()) return otherwise;
  if (word == "xyxy") return BoxFormat::xyxy;
  if (word == "cxcywh") return BoxFormat::cxcywh;
  if (word == "yxyx") return BoxFormat::yxyx;
  return error(Code::invalid_argument, "box_format is '%s': it may be xyxy, cxcywh or yxyx", word.c_str());
}

Box box_from(const float v[4], BoxFormat format) {
  if (format == BoxFormat::cxcywh) return from_centre(v[0], v[1], v[2], v[3]);
  if (format == BoxFormat::yxyx) return {v[1], v[0], v[3], v[2]};
  return {v[0], v[1], v[2], v[3]};
}

Box read_box(const Matrix& m, int64_t row, BoxFormat format, float scale_x, float scale_y) {
  const float v[4] = {m.at(row, 0), m.at(row, 1), m.at(row, 2), m.at(row, 3)};
  const Box b = box_from(v, format);
  return {b.x0 * scale_x, b.y0 * scale_y, b.x1 * scale_x, b.y1 * scale_y};
}

void finish(const DecodeContext& context, std::vector<Detection> found, Results& results) {
  results.detections = suppress(std::move(found), context.head.iou_threshold, context.head.class_agnostic,
                                context.head.max_detections);
}

void finish_without_suppression(const DecodeContext& context, std::vector<Detection> found,
                                Results& results) {
  results.detections = suppress(std::move(found), 1, false, context.head.max_detections);
}

// ---- grids

Result<std::vector<Grid>> grids_of(const DecodeContext& context, std::initializer_list<int> otherwise,
                                   bool round_up) {
  HONE_CHECK(check_input_size(context));
  const std::vector<int> strides =
      context.head.strides.empty() ? std::vector<int>(otherwise) : context.head.strides;
  std::vector<Grid> grids;
  for (int s : strides) {
    if (s < 1 || s > 65536) return error(Code::invalid_argument, "a stride of %d: strides are 1 to 65536", s);
    const auto cells = [&](int side) { return side / s + (round_up && side % s != 0); };
    grids.push_back({s, cells(context.input_width), cells(context.input_height)});
  }
  return grids;
}

int64_t cells_of(const std::vector<Grid>& grids) {
  int64_t sum = 0;
  for (const Grid& g : grids) sum += g.cells();
  return sum;
}

std::string sum_of(const std::vector<Grid>& grids) {
  std::string sizes, strides;
  for (const Grid& g : grids) {
    sizes += (sizes.empty() ? "" : " + ") + strf("%dx%d", g.width, g.height);
    strides += (strides.empty() ? "" : ", ") + std::to_string(g.stride);
  }
  return sizes + " = " + std::to_string(cells_of(grids)) + " (strides " + strides + ")";
}

}  // namespace hone::vision::decoding
