// Boxes that the graph has decoded. Without further suppression, where the graph has done that too:
//
//   [1,N,6], [N,6]           x0, y0, x1, y1, score, class (Ultralytics with nms or end2end)
//   [N,7]                    picture, x0, y0, x1, y1, class, score (YOLOv7 --end2end for ONNX Runtime)
//   [1,1,N,7]                picture, class, score, x0, y0, x1, y1, in 0..1 (Caffe's and OpenVINO's
//   DetectionOutput;
//                            a negative picture ends the list)
//   boxes [1,N,5], labels [1,N]              x0, y0, x1, y1, score (MMDetection)
//   boxes [1,N,4], scores and labels [1,N]   and perhaps how many of them count, one number (TensorFlow's
//                            detection_boxes, _scores, _classes, num_detections; torchvision, without batch)
//   boxes [1,N,4], scores [1,K,N], indices [M,3]   picture, class and box of ONNX's NonMaxSuppression; a negative
//                            index is no box; corners in either order
// With suppression:
//   boxes [1,N,4], scores [1,N,K]
//
// Roles: boxes, scores, labels, count, indices. Not given, they are found by shape, and scores and labels
// told apart by type (labels are integers) or name ("score", "label", "class"). Boxes are x0, y0, x1, y1 in
// pixels of the input, unless box_format and normalised say otherwise; with a count and neither given, they
// are TensorFlow's: y first, in 0..1. Where labels come from the graph, those above `background` move down by
// one.
#include <algorithm>
#include <cctype>

#include "vision/decode/common.h"

namespace hone::vision {
namespace {
using namespace decoding;

constexpr const char* expected =
    "[1,N,6] (x0, y0, x1, y1, score, class), or one of boxes [1,N,4] beside scores and labels [1,N], scores "
    "[1,N,K], "
    "or scores [1,K,N] and indices [M,3]";

struct Parts {
  const Output *boxes = nullptr, *scores = nullptr, *labels = nullptr, *count = nullptr, *indices = nullptr;
};

std::vector<int64_t> dims_of(const Output& o) { return {o.tensor.shape.begin(), o.tensor.shape.end()}; }

bool says(const Output& o, std::initializer_list<const char*> words) {
  std::string name = o.name;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::any_of(words.begin(), words.end(),
                     [&](const char* w) { return name.find(w) != std::string::npos; });
}

// A list of N: [N], [1,N]; -1: it is none.
int64_t length_of(const Output& o) {
  const auto d = squeeze_front(o.tensor, 1);
  return d.size() == 1 ? d[0] : -1;
}

Result<Parts> find_parts(const DecodeContext& context, std::span<const Output> outputs) {
  Parts p;
  HONE_TRY(p.boxes, named(context, outputs, "boxes"));
  HONE_TRY(p.scores, named(context, outputs, "scores"));
  HONE_TRY(p.labels, named(context, outputs, "labels"));
  HONE_TRY(p.count, named(context, outputs, "count"));
  HONE_TRY(p.indices, named(context, outputs, "indices"));
  const auto taken = [&](const Output& o) {
    return &o == p.boxes || &o == p.scores || &o == p.labels || &o == p.count || &o == p.indices;
  };
  const auto is_boxes = [](const Output& o) {
    const auto d = squeeze_front(o.tensor, 2);
    return d.size() == 2 && d[1] >= 4 && d[1] <= 7;
  };
  for (const Output& o : outputs) {
    if (taken(o)) continue;
    const auto d = squeeze_front(o.tensor, 2);
    if (!p.indices && is_int(o.tensor.dtype) && d.size() == 2 && d[1] == 3) p.indices = &o;
  }
  for (const Output& o : outputs) {  // four columns before others: scores may have five to seven classes
    if (!taken(o) && !p.boxes && is_boxes(o) && squeeze_front(o.tensor, 2)[1] == 4) p.boxes = &o;
  }
  for (const Output& o : outputs)
    if (!taken(o) && !p.boxes && is_boxes(o)) p.boxes = &o;
  if (!p.boxes) {
    if (outputs.size() == 1) return misfit(outputs[0], expected);
    return error(Code::invalid_argument, "no output can be the boxes, which are expected to be %s: %s",
                 expected, list(outputs).c_str());
  }
  const int64_t n = squeeze_front(p.boxes->tensor, 2)[0];
  for (const Output& o : outputs) {
    if (taken(o)) continue;
    const int64_t length = length_of(o);
    if (!p.count && length != n && o.tensor.elements() == 1) p.count = &o;
    else if (!p.count && o.tensor.elements() == 1 && says(o, {"num", "count"})) p.count = &o;
    else if (length == n && !p.labels && (is_int(o.tensor.dtype) || says(o, {"label", "class"})))
      p.labels = &o;
    else if (!p.scores && (length == n || dims_of(o).size() >= 2)) p.scores = &o;
    else if (length == n)
      return error(
          Code::invalid_argument,
          "output '%s' %s: which outputs are scores and labels is not certain; say so in [head] outputs",
          o.name.c_str(), shape_of(o).c_str());
  }
  return p;
}

struct Reader {
  const DecodeContext& context;
  BoxFormat format = BoxFormat::xyxy;
  float scale_x = 1, scale_y = 1;
  std::vector<Detection> found;

  // The label as the graph gives it.
  void add(const float coordinates[4], float label, float score) {
    if (!(score >= context.head.score_threshold) || !std::isfinite(score)) return;
    if (!(label >= 0 && label < 1e9f)) return;
    int index = static_cast<int>(label);
    const int background = context.head.background;
    if (index == background) return;
    index -= background >= 0 && index > background;
    Box b = box_from(coordinates, format);
    b = {b.x0 * scale_x, b.y0 * scale_y, b.x1 * scale_x, b.y1 * scale_y};
    if (sane(b)) found.push_back({b, index, score, {}});
  }
};

Result<Reader> make_reader(const DecodeContext& context, BoxFormat otherwise, bool normalised) {
  Reader r{context};
  HONE_TRY(r.format, box_format_of(context, otherwise));
  if (normalised || context.head.normalised) {
    HONE_CHECK(check_input_size(context));
    r.scale_x = static_cast<float>(context.input_width);
    r.scale_y = static_cast<float>(context.input_height);
  }
  return r;
}

// Everything in one output: [..,N,6] or [..,N,7].
Status read_rows(const DecodeContext& context, const Output& output, Results& results) {
  const auto d = squeeze_front(output.tensor, 2);
  const bool detection_output = d[1] == 7 && output.tensor.shape.rank() == 4;
  HONE_TRY(Reader reader, make_reader(context, BoxFormat::xyxy, detection_output));
  std::vector<float> keep;
  HONE_TRY(const std::span<const float> values, floats(output, keep));
  for (int64_t i = 0; i < d[0]; i++) {
    const float* v = values.data() + i * d[1];
    if (d[1] == 6) {
      reader.add(v, v[5], v[4]);
    } else if (detection_output) {
      if (!(v[0] >= 0)) break;
      if (v[0] == 0) reader.add(v + 3, v[1], v[2]);
    } else if (v[0] == 0) {
      reader.add(v + 1, v[5], v[6]);
    }
  }
  finish_without_suppression(context, std::move(reader.found), results);
  return {};
}

Status read_lists(const DecodeContext& context, const Parts& p, Results& results) {
  const auto d = squeeze_front(p.boxes->tensor, 2);
  const bool with_scores = d[1] == 5;
  const bool tensorflow = p.count && context.head.box_format.empty() && !context.head.normalised;
  HONE_TRY(Reader reader, make_reader(context, tensorflow ? BoxFormat::yxyx : BoxFormat::xyxy, tensorflow));
  std::vector<float> keep_boxes, keep_scores, keep_labels, keep_count;
  HONE_TRY(const std::span<const float> boxes, floats(*p.boxes, keep_boxes));
  std::span<const float> scores, labels;
  if (!with_scores) {
    if (!p.scores || length_of(*p.scores) != d[0])
      return p.scores ? misfit(*p.scores, strf("[1,%lld], scores of the boxes in '%s'",
                                               static_cast<long long>(d[0]), p.boxes->name.c_str()))
                      : error(Code::invalid_argument, "no output can be the scores of the boxes in '%s' %s",
                              p.boxes->name.c_str(), shape_of(*p.boxes).c_str());
    HONE_TRY(scores, floats(*p.scores, keep_scores));
  }
  if (p.labels) {
    if (length_of(*p.labels) != d[0])
      return misfit(*p.labels, strf("[1,%lld], labels of the boxes in '%s'", static_cast<long long>(d[0]),
                                    p.boxes->name.c_str()));
    HONE_TRY(labels, floats(*p.labels, keep_labels));
  }
  int64_t count = d[0];
  if (p.count) {
    HONE_TRY(const std::span<const float> number, floats(*p.count, keep_count));
    if (number.size() != 1) return misfit(*p.count, "one number: how many boxes there are");
    count = number[0] >= 0 ? static_cast<int64_t>(std::min(number[0], static_cast<float>(d[0]))) : 0;
    count = std::min(count, d[0]);
  }
  for (int64_t i = 0; i < count; i++) {
    const float* v = boxes.data() + i * d[1];
    reader.add(v, p.labels ? labels[static_cast<size_t>(i)] : 0,
               with_scores ? v[4] : scores[static_cast<size_t>(i)]);
  }
  finish_without_suppression(context, std::move(reader.found), results);
  return {};
}

Status read_selected(const DecodeContext& context, const Parts& p, Results& results) {
  const auto boxes_dims = squeeze_front(p.boxes->tensor, 2), index_dims = squeeze_front(p.indices->tensor, 2);
  if (boxes_dims[1] != 4) return misfit(*p.boxes, "[1,N,4], boxes beside indices");
  if (index_dims.size() != 2 || index_dims[1] != 3)
    return misfit(*p.indices, "[M,3]: picture, class and box of each selected box");
  const int64_t n = boxes_dims[0];
  if (!p.scores)
    return error(Code::invalid_argument, "no output can be the scores, [1,classes,%lld]",
                 static_cast<long long>(n));
  const auto d = squeeze_front(p.scores->tensor, 2);
  if (d.size() != 2 || d[1] != n)
    return misfit(*p.scores, strf("[1,classes,%lld], scores of the boxes in '%s'", static_cast<long long>(n),
                                  p.boxes->name.c_str()));
  HONE_TRY(Reader reader, make_reader(context, BoxFormat::xyxy, false));
  std::vector<float> keep_boxes, keep_scores, keep_indices;
  HONE_TRY(const std::span<const float> boxes, floats(*p.boxes, keep_boxes));
  HONE_TRY(const std::span<const float> scores, floats(*p.scores, keep_scores));
  HONE_TRY(const std::span<const float> indices, floats(*p.indices, keep_indices));
  for (int64_t i = 0; i < index_dims[0]; i++) {
    const float* v = indices.data() + 3 * i;
    if (!(v[0] >= 0 && v[1] >= 0 && v[2] >= 0)) continue;
    if (v[0] != 0) continue;  // another picture's
    if (v[1] >= static_cast<float>(d[0]) || v[2] >= static_cast<float>(n))
      return error(Code::corrupt,
                   "output '%s' selects class %.0f, box %.0f: there are %lld classes and %lld boxes",
                   p.indices->name.c_str(), static_cast<double>(v[1]), static_cast<double>(v[2]),
                   static_cast<long long>(d[0]), static_cast<long long>(n));
    const auto label = static_cast<int64_t>(v[1]), box = static_cast<int64_t>(v[2]);
    float c[4];
    std::copy_n(boxes.data() + 4 * box, 4, c);
    if (reader.format != BoxFormat::cxcywh) {
      if (c[0] > c[2]) std::swap(c[0], c[2]);
      if (c[1] > c[3]) std::swap(c[1], c[3]);
    }
    reader.add(c, v[1], scores[static_cast<size_t>(label * n + box)]);
  }
  finish_without_suppression(context, std::move(reader.found), results);
  return {};
}

Status read_scored(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_TRY(const BoxesAndScores both, find_boxes_and_scores(context, outputs));
  HONE_TRY(const Reader reader, make_reader(context, BoxFormat::xyxy, false));
  HONE_TRY(const Activation activation, activation_of(context, Activation::none));
  std::vector<float> keep_boxes, keep_scores;
  HONE_TRY(const std::span<const float> boxes, floats(*both.boxes, keep_boxes));
  HONE_TRY(const std::span<const float> scores, floats(*both.scores, keep_scores));
  const auto classes = static_cast<int>(both.classes);
  Candidates candidates;
  select(context, row_major(scores.data(), both.rows, both.classes), activation, {}, context.head.background,
         candidates);
  std::vector<Detection> found;
  for (const Candidate& c : candidates.take()) {
    const Box box =
        read_box(row_major(boxes.data(), both.rows, 4), c.row, reader.format, reader.scale_x, reader.scale_y);
    if (sane(box))
      found.push_back({box, label_of(context, c.label, classes, context.head.background), c.score, {}});
  }
  finish(context, std::move(found), results);
  return {};
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"boxes", "scores", "labels", "count", "indices"}));
  HONE_TRY(const Parts p, find_parts(context, outputs));
  const auto d = squeeze_front(p.boxes->tensor, 2);
  if (d.size() != 2 || d[1] < 4 || d[1] > 7) return misfit(*p.boxes, expected);
  if (d[1] >= 6) return read_rows(context, *p.boxes, results);
  if (p.indices) return read_selected(context, p, results);
  if (!p.labels && !p.count && d[1] == 4) return read_scored(context, outputs, results);
  return read_lists(context, p, results);
}
}  // namespace

Decoder decoder_boxes() {
  return {
      "boxes",
      TaskKind::detect,
      "boxes decoded in the graph, with or without suppression: end-to-end exports, TensorFlow, torchvision",
      {"iou_threshold", "class_agnostic", "max_detections", "one_class_per_box", "activation", "background",
       "box_format", "normalised"},
      run};
}

}  // namespace hone::vision
