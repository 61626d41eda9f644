#include <algorithm>
#include <cmath>

#include "vision/guess_families.h"

namespace hone::vision::guessing {
namespace {

long long ll(int64_t v) { return v; }
bool one(int64_t d) { return d == 1 || d == -1; }

// The stride of a map of that size, 0 if it is of none that segmentations have.
int stride_of(const Look& l, int64_t width, int64_t height) {
  for (const int s : {1, 2, 4, 8, 16})
    if (width == (l.width + s - 1) / s && height == (l.height + s - 1) / s) return s;
  return 0;
}

}  // namespace

Verdict classification(const Look& l) {
  if (l.engine.outputs.size() != 1) return {};
  const PortInfo& p = l.engine.outputs[0];
  if (!p.ranked || !(is_float(p.type) || is_int(p.type))) return {};
  const auto& d = p.dims;
  const bool flat = d.size() == 2 && one(d[0]), pooled = d.size() == 4 && one(d[0]) && d[2] == 1 && d[3] == 1;
  if ((!flat && !pooled) || d[1] < 0) return {};
  if (d[1] < 2) return {{}, port_is("output", p) + ": a single number is no choice between classes"};
  if (!is_float(p.type)) return {{}, port_is("output", p) + ": scores of classes are floats"};
  Guess g = from_preset("imagenet", d[1]);
  const bool softmax = p.made_by == "Softmax";
  g.reasons.push_back(port_is("output", p) + strf(": a number for each of %lld classes", ll(d[1])));
  if (softmax) {
    g.task.head.activation = "none";
    g.reasons.push_back("Softmax makes it: the numbers are probabilities (activation = \"none\")");
  } else {
    g.task.head.activation = "softmax";
    g.reasons.push_back("no Softmax makes it: one is applied (activation = \"softmax\")");
    g.open.push_back(
        strf("that its %lld numbers are scores of classes, not measures or an embedding", ll(d[1])));
  }
  if (d[1] == 1001) g.open.push_back("background: none; networks of 1001 classes may have one, of index 0");
  Preprocess& in = g.task.input;
  if (l.picture.channels == 1 || (l.sized() && std::min(l.width, l.height) < 128)) {
    // Small pictures are taken whole.
    in.fit = Fit::stretch;
    in.short_side = 0;
    in.interpolation = Interpolation::area;
    if (l.picture.channels == 1) {
      in.mean = {0, 0, 0};
      in.scale = {1, 1, 1};
    }
  } else if (l.sized() && std::min(l.width, l.height) > 256) {
    // The share of the picture that is seen stays that of 224 in 256.
    in.short_side = std::round(static_cast<double>(std::min(l.width, l.height)) * 256 / 224);
  }
  return {std::move(g), ""};
}

Verdict segmentation(const Look& l) {
  if (l.engine.outputs.size() != 1 || !l.sized()) return {};
  const PortInfo& p = l.engine.outputs[0];
  if (!p.ranked || p.dims.empty() || !one(p.dims[0])) return {};
  const auto& d = p.dims;
  if (is_int(p.type)) {
    const bool bare = d.size() == 3, planes = d.size() == 4 && d[1] == 1, last = d.size() == 4 && d[3] == 1;
    if (!bare && !planes && !last) return {};
    const size_t at = bare || last ? 1 : 2;
    const int s = stride_of(l, d[at + 1], d[at]);
    if (!s) return {};
    Guess g = from_preset("voc-segment", -1);
    g.reasons.push_back(port_is("output", p) + strf(": whole numbers at stride %d: a class per pixel", s));
    return {std::move(g), ""};
  }
  if (d.size() != 4 || !is_float(p.type)) return {};
  const int planes = stride_of(l, d[3], d[2]), last = stride_of(l, d[2], d[1]);
  if ((planes != 0) == (last != 0)) return {};
  const int s = planes ? planes : last;
  const int64_t classes = d[planes ? 1 : 3];
  if (classes < 1) return {};
  if (classes == 1 || (classes == 3 && s == 1))
    return {{}, port_is("output", p) + " may be a picture or a mask (decoders raw, segment)"};
  if (s == 4 && (classes == 16 || classes == 17))
    return {{},
            port_is("output", p) + strf(" may be heat maps of %lld keypoints or scores of as many classes "
                                        "(presets heatmap, voc-segment)",
                                        ll(classes))};
  if (classes > 160)
    return {{}, port_is("output", p) + " has more channels than segmentations have classes: features?"};
  Guess g = from_preset("voc-segment", classes);
  g.reasons.push_back(port_is("output", p) +
                      strf(": %lld scores at stride %d: a class per pixel", ll(classes), s));
  return {std::move(g), ""};
}

}  // namespace hone::vision::guessing
