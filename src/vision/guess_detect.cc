#include <algorithm>

#include "vision/guess_families.h"

namespace hone::vision::guessing {
namespace {

constexpr int three_strides[] = {8, 16, 32}, four_strides[] = {8, 16, 32, 64};
using Dims = std::vector<int64_t>;
long long ll(int64_t v) { return v; }

// [1,A,B] as floats: a row for each box.
bool is_rows(const PortInfo& p) {
  return p.ranked && p.dims.size() == 3 && (p.dims[0] == 1 || p.dims[0] == -1) && p.dims[1] > 0 &&
         p.dims[2] > 0 && is_float(p.type);
}

// [N] or [1,N].
bool is_list(const PortInfo& p) {
  return p.dims.size() == 1 ? p.dims[0] != 1 : p.dims.size() == 2 && p.dims[0] == 1;
}

bool says(const PortInfo& p, std::string_view word) {
  std::string name = p.name;
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name.find(word) != std::string::npos;
}

std::string side(const Look& l) { return strf("%lldx%lld", ll(l.width), ll(l.height)); }

std::string cells_reason(const Look& l, const PortInfo& p, const char* strides, int64_t cells) {
  return port_is("output", p) +
         strf(": %lld cells are those of strides %s on %s", ll(cells), strides, side(l).c_str());
}

Verdict doubt(const PortInfo& p, const std::string& why) { return {{}, port_is("output", p) + why}; }

// [1,A,5+K] on every cell: x, y, w, h, objectness, classes.
Guess yolox(const Look& l, const PortInfo& p, const char* strides, std::vector<int> given) {
  const int64_t classes = p.dims[2] - 5;
  Guess g = from_preset("yolox", classes);
  g.task.head.strides = std::move(given);
  g.reasons.push_back(cells_reason(l, p, strides, p.dims[1]) +
                      strf(", each with a box, objectness and %lld classes", ll(classes)));
  if (l.has("Exp")) {
    g.task.head.box_format = "cxcywh";
    g.task.head.strides.clear();
    g.reasons.push_back("Exp is among the operators: the graph decodes the boxes (box_format = \"cxcywh\")");
  } else {
    g.reasons.push_back("neither Exp nor Sub is among the operators: the boxes are left to be decoded");
  }
  return g;
}

Guess nanodet(const Look& l, const PortInfo& p, const char* strides) {
  const int64_t classes = p.dims[2] - 32;
  Guess g = from_preset("nanodet", classes);
  g.reasons.push_back(cells_reason(l, p, strides, p.dims[1]) +
                      strf(", each with %lld classes and four distributions over 8 distances", ll(classes)));
  return g;
}

Verdict yolox_or_nanodet(const Look& l, const PortInfo& p) {
  const int64_t rows = p.dims[1], columns = p.dims[2];
  const bool three = rows == l.cells(three_strides, false), four = rows == l.cells(four_strides, false);
  const bool nano3 = rows == l.cells(three_strides, true), nano4 = rows == l.cells(four_strides, true);
  if (!three && !four && !nano3 && !nano4) return {};
  const char* strides = four || nano4 ? "8, 16, 32 and 64" : "8, 16 and 32";
  if (columns < 6) return {};
  // The usual 80 classes settle it; else NanoDet (LeakyRelu) from YOLOX (SiLU) by its activation.
  const bool could_nanodet = columns > 32 && columns != 85;
  const bool could_yolox = (three || four) && columns != 112;
  if (could_nanodet && could_yolox && (four || l.has("LeakyRelu")))
    return doubt(p, strf(" is NanoDet's with %lld classes or YOLOX's with %lld (presets nanodet, yolox)",
                         ll(columns - 32), ll(columns - 5)));
  if (!could_yolox) return could_nanodet ? Verdict{nanodet(l, p, strides), ""} : Verdict{};
  if (l.has("Sub") && !l.has("Exp"))
    return doubt(p,
                 " is YOLOX's, but Sub is among the operators: does the graph decode the boxes "
                 "(decoder yolox with box_format = \"cxcywh\") or normalise its input (preset yolox)?");
  return {yolox(l, p, strides, four ? std::vector<int>{8, 16, 32, 64} : std::vector<int>{}), ""};
}

// [1,3A,5+K]: three anchors to a cell, decoded in the graph.
Verdict yolov5(const Look& l, const PortInfo& p) {
  const bool three = p.dims[1] == 3 * l.cells(three_strides, false);
  const bool four = p.dims[1] == 3 * l.cells(four_strides, false);
  if (p.dims[2] < 6 || (!three && !four)) return {};
  Guess g = from_preset("yolov5", p.dims[2] - 5);
  g.reasons.push_back(
      cells_reason(l, p, four ? "8, 16, 32 and 64, three boxes each" : "8, 16 and 32, three boxes each",
                   p.dims[1] / 3) +
      strf(", each a box, objectness and %lld classes", ll(p.dims[2] - 5)));
  return {std::move(g), ""};
}

// [1,4+K,A]: no objectness. Raw distributions take 64 columns in place of 4, and the graph that takes their
// mean has a Softmax.
Verdict yolov8(const Look& l, const PortInfo& p, int64_t columns, int64_t rows) {
  const bool three = rows == l.cells(three_strides, false), four = rows == l.cells(four_strides, false);
  if (columns < 5 || (!three && !four)) return {};
  if (columns == 56)
    return doubt(p,
                 " is YOLOv8-pose's with 17 keypoints or YOLOv8's with 52 classes (presets yolov8-pose, "
                 "yolov8)");
  const bool raw = columns == 144 && !l.has("Softmax");
  if (columns > 64 && !raw && !l.has("Softmax"))
    return doubt(p,
                 strf(" is YOLOv8's with %lld classes and boxes, or with %lld and distributions, for which "
                      "the graph has no Softmax (decoder yolov8, with reg_max = 15 for distributions)",
                      ll(columns - 4), ll(columns - 64)));
  Guess g = from_preset("yolov8", columns - (raw ? 64 : 4));
  const char* strides = four ? "8, 16, 32 and 64" : "8, 16 and 32";
  if (raw) {
    g.task.head.reg_max = 15;
    if (four) g.task.head.strides = {8, 16, 32, 64};
    g.reasons.push_back(cells_reason(l, p, strides, rows) +
                        ", each with four distributions over 16 distances and 80 classes; no Softmax takes "
                        "their means in the graph (reg_max = 15)");
    g.open.push_back(
        "activation: class scores are taken as before their sigmoid; else activation = \"none\"");
  } else {
    g.reasons.push_back(cells_reason(l, p, strides, rows) +
                        strf(", each with a box and %lld classes, no objectness", ll(columns - 4)));
  }
  return {std::move(g), ""};
}

// Default boxes: `boxes[i]` to a cell of the map of strides[i], a part of a stride counted as a cell.
int64_t priors(const Look& l, std::span<const int> strides, std::span<const int> boxes) {
  int64_t n = 0;
  for (size_t i = 0; i < strides.size(); i++) {
    const int64_t cells = l.cells(strides.subspan(i, 1), true);
    if (cells < 0) return -1;
    n += cells * boxes[i];
  }
  return n;
}

}  // namespace

Verdict detection_finished(const Look& l) {
  const auto& out = l.engine.outputs;
  const bool suppresses = l.has("NonMaxSuppression");
  if (out.size() == 1) {
    const PortInfo& p = out[0];
    if (!p.ranked || p.dims.empty() || !is_float(p.type)) return {};
    const bool picked = p.dims.back() == 6 && (suppresses || l.has("TopK"));
    const bool numbered = p.dims.back() == 7 && suppresses;
    const bool rows = p.dims.size() == 2 || (p.dims.size() == 3 && p.dims[0] == 1 && picked);
    if (!rows || (!picked && !numbered)) return {};
    Guess g = from_preset("yolov8", -1);
    g.task.head = {.decoder = "boxes"};
    g.reasons.push_back(
        port_is("output", p) +
        strf(", and %s among the operators: boxes that are chosen in the graph, each with score "
             "and class",
             suppresses ? "NonMaxSuppression" : "TopK"));
    g.open.push_back("boxes: two corners in pixels of the input; else box_format, normalised");
    return {std::move(g), ""};
  }
  // Boxes beside lists of scores, labels and perhaps their number, told apart by name or type.
  if (out.size() < 3 || out.size() > 4 || !suppresses) return {};
  const PortInfo *boxes = nullptr, *labels = nullptr;
  for (const PortInfo& p : out) {
    if (!p.ranked || p.dims.size() > 3) return {};
    if (p.dims.size() >= 2 && p.dims.back() == 4) boxes = boxes ? nullptr : &p;
    else if (p.dims.size() == 3) return {};
    else if (is_list(p) && (is_int(p.type) || says(p, "class") || says(p, "label"))) labels = &p;
  }
  if (!boxes || !labels) return {};
  Guess g = from_preset("raw", -1);
  g.task.kind = TaskKind::detect;
  g.task.head = {.decoder = "boxes"};
  g.reasons.push_back(port_is("output", *boxes) +
                      ", and NonMaxSuppression among the operators: boxes that are chosen in the graph");
  g.reasons.push_back(port_is("output", *labels) + ": their classes");
  g.open.push_back("boxes: as decoder boxes takes them; else box_format, normalised");
  return {std::move(g), ""};
}

Verdict detection_one_output(const Look& l) {
  if (l.engine.outputs.size() != 1 || !l.sized()) return {};
  const PortInfo& p = l.engine.outputs[0];
  if (!is_rows(p)) return {};
  for (const auto family : {yolox_or_nanodet, yolov5})
    if (Verdict v = family(l, p); v.guess || !v.doubt.empty()) return v;
  return yolov8(l, p, p.dims[1], p.dims[2]);
}

Verdict detection_two_outputs(const Look& l) {
  if (l.engine.outputs.size() != 2 || !l.sized()) return {};
  const auto& out = l.engine.outputs;
  if (!is_rows(out[0]) || !is_rows(out[1]) || out[0].dims[1] != out[1].dims[1]) return {};
  const int boxes_at = out[0].dims[2] == 4 ? 0 : 1;
  const PortInfo &boxes = out[boxes_at], &scores = out[1 - boxes_at];
  if (boxes.dims[2] != 4 || scores.dims[2] == 4) return {};
  const int64_t rows = boxes.dims[1], columns = scores.dims[2];

  constexpr int face_boxes[] = {3, 2, 2, 3};
  if (columns == 2 && rows == priors(l, four_strides, face_boxes)) {
    if (!l.has("Exp"))
      return doubt(boxes,
                   " has as many rows as UltraFace has priors, but no Exp among the operators: are the "
                   "boxes decoded in the graph?");
    Guess g = from_preset("ultraface", 1);
    g.reasons.push_back(port_is("output", boxes) +
                        strf(": as many rows as UltraFace has priors on %s", side(l).c_str()));
    g.reasons.push_back(port_is("output", scores) +
                        ": background and face; Exp is among the operators: the "
                        "boxes are decoded in the graph");
    return {std::move(g), ""};
  }
  if (rows == 100 && columns >= 2 && scores.made_by != "Softmax" &&
      (boxes.made_by == "Sigmoid" || boxes.name == "pred_boxes")) {
    Guess g = from_preset("detr", columns - 1);
    g.reasons.push_back(port_is("output", boxes) + " through a sigmoid, 100 queries: DETR's boxes");
    g.reasons.push_back(port_is("output", scores) +
                        strf(": logits of %lld classes and of \"no object\"", ll(columns - 1)));
    return {std::move(g), ""};
  }
  // torchvision's SSDs: six boxes to a cell; four or six.
  constexpr int lite_maps[] = {20, 10, 5, 3, 2, 1}, vgg_maps[] = {38, 19, 10, 5, 3, 1};
  constexpr int vgg_boxes[] = {4, 6, 6, 6, 4, 4};
  int64_t lite = 0, vgg = 0;
  for (size_t i = 0; i < 6; i++) {
    lite += 6 * lite_maps[i] * lite_maps[i];
    vgg += vgg_boxes[i] * vgg_maps[i] * vgg_maps[i];
  }
  const bool is_lite = l.width == 320 && l.height == 320 && rows == lite;
  const bool is_vgg = l.width == 300 && l.height == 300 && rows == vgg;
  if ((is_lite || is_vgg) && !l.has("Exp") && columns >= 2) {
    Guess g = from_preset("ssd-torchvision", columns);
    if (is_vgg) {
      g.task.input.mean = {123, 117, 104};
      g.task.input.scale = {1, 1, 1};
    }
    g.reasons.push_back(
        port_is("output", boxes) +
        strf(": as many rows as torchvision's %s has priors; no Exp among the operators: they are "
             "left to be decoded",
             is_lite ? "ssdlite320_mobilenet_v3_large" : "ssd300_vgg16"));
    g.reasons.push_back(port_is("output", scores) + strf(": background and %lld classes", ll(columns - 1)));
    return {std::move(g), ""};
  }
  return doubt(scores,
               " with boxes beside it is of an SSD or a DETR (presets ssd-torchvision, detr, ultraface), "
               "and neither priors nor boxes say of which");
}

Verdict detection_maps(const Look& l) {
  const auto& out = l.engine.outputs;
  if (out.size() < 2 || out.size() > 4 || !l.sized()) return {};
  std::vector<int> strides;
  int64_t channels = 0;
  for (const PortInfo& p : out) {
    if (!p.ranked || p.dims.size() != 4 || !is_float(p.type)) return {};
    bool found = false;
    for (const int s : {8, 16, 32}) {
      const int64_t w = l.width / s, h = l.height / s;
      const bool planes = p.dims[2] == h && p.dims[3] == w, last = p.dims[1] == h && p.dims[2] == w;
      if (planes == last) continue;
      const int64_t c = p.dims[planes ? 1 : 3];
      if (channels && c != channels) return {};
      channels = c;
      strides.push_back(s);
      found = true;
    }
    if (!found) return {};
  }
  std::sort(strides.begin(), strides.end());
  if (std::adjacent_find(strides.begin(), strides.end()) != strides.end()) return {};
  if (channels < 18 || channels % 3) return {};
  if (channels != 255 || strides != std::vector<int>{8, 16, 32})
    return doubt(out[0],
                 strf(" and its like are maps of three boxes of %lld classes to a cell, but the anchors "
                      "are not in the graph (decoder yolov3 or yolov5 with strides and anchors)",
                      ll(channels / 3 - 5)));
  Guess g = from_preset("yolov3", 80);
  g.reasons.push_back(port_is("output", out[0]) +
                      strf(" and its like: maps of strides 8, 16 and 32 on %s, three "
                           "boxes of 80 classes to a cell",
                           side(l).c_str()));
  g.open.push_back("anchors: those of YOLOv3 for COCO; the graph does not hold them");
  g.open.push_back("decoder: maps before the last layer of YOLOv5 look the same (decoder yolov5)");
  return {std::move(g), ""};
}

}  // namespace hone::vision::guessing
