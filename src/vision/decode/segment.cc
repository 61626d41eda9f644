// Segmentation: a class per pixel, at any resolution.
//
//   [1,C,h,w] or [1,h,w,C]          scores: the class with the greatest (the first of equals); no activation
//                                   changes which that is
//   one channel, or [1,h,w] floats  class 1 where sigmoid(x) is at least score_threshold, else class 0; values
//                                   that are all within 0..1 are taken as they are (or as `activation` says)
//   integers, one channel           labels: the graph ends in ArgMax
//
// Which dimension is channels: the one that is as many as the labels; else the smaller; else the first.
#include <algorithm>

#include "vision/decode/common.h"

namespace hone::vision {
namespace {
using namespace decoding;

constexpr int64_t max_side = 65536;

struct Layout {
  int64_t channels = 1, height = 0, width = 0;
  bool last = false;  // [h,w,C]
};

Result<Layout> layout_of(const DecodeContext& context, const Output& output) {
  const auto d = squeeze_front(output.tensor, 2);
  Layout l;
  if (d.size() == 2) {
    l = {1, d[0], d[1], false};
  } else if (d.size() == 3) {
    const auto as_labels = [&](int64_t n) {
      return n == context.label_count || n == 1 || (n == 2 && context.label_count <= 2);
    };
    l.last = as_labels(d[0]) == as_labels(d[2]) ? d[2] < d[0] : as_labels(d[2]);
    l = l.last ? Layout{d[2], d[0], d[1], true} : Layout{d[0], d[1], d[2], false};
  } else {
    return misfit(output, "[1,classes,height,width], [1,height,width,classes] or [1,height,width]");
  }
  if (l.height < 1 || l.width < 1 || l.channels < 1 || l.height > max_side || l.width > max_side ||
      l.channels > max_side)
    return misfit(output, "[1,classes,height,width] with 1 to 65536 of each");
  return l;
}

// Pixels by fours, the class of the greatest value so far in a lane of integers beside it.
using Lanes [[gnu::vector_size(16), gnu::aligned(4), gnu::may_alias]] = float;
using Labels [[gnu::vector_size(16)]] = int32_t;

void greatest_by_planes(const float* x, const Layout& l, std::vector<uint16_t>& out) {
  const int64_t n = l.height * l.width;
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  constexpr int parts = 4;  // 16 pixels: a cache line of each plane
  int64_t i = 0;
  for (; i + 4 * parts <= n; i += 4 * parts) {
    Lanes most[parts];
    Labels label[parts] = {};
    for (Lanes& m : most) m = Lanes{lowest, lowest, lowest, lowest};
    for (int c = 0; c < l.channels; c++) {
      const Labels here = {c, c, c, c};
      for (int part = 0; part < parts; part++) {
        const Lanes v = *reinterpret_cast<const Lanes*>(x + c * n + i + 4 * part);
        const Labels above = v > most[part];
        most[part] = above ? v : most[part];
        label[part] = above ? here : label[part];
      }
    }
    for (int k = 0; k < 4 * parts; k++)
      out[static_cast<size_t>(i + k)] = static_cast<uint16_t>(label[k / 4][k % 4]);
  }
  for (; i < n; i++) {
    float most = lowest;
    for (int64_t c = 0; c < l.channels; c++)
      if (x[c * n + i] > most) {
        most = x[c * n + i];
        out[static_cast<size_t>(i)] = static_cast<uint16_t>(c);
      }
  }
}

void greatest_by_pixels(const float* x, const Layout& l, std::vector<uint16_t>& out) {
  for (size_t i = 0; i < out.size(); i++, x += l.channels) {
    int64_t best = 0;
    float most = -std::numeric_limits<float>::infinity();
    for (int64_t c = 0; c < l.channels; c++)
      if (x[c] > most) {
        most = x[c];
        best = c;
      }
    out[i] = static_cast<uint16_t>(best);
  }
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"classes"}));
  HONE_TRY(const Output* output,
           find(
               context, outputs, "classes",
               [](const TensorView& t, const DecodeContext&) {
                 const size_t rank = squeeze_front(t, 2).size();
                 return rank == 2 || rank == 3;
               },
               "[1,classes,height,width], [1,height,width,classes] or [1,height,width]"));
  HONE_TRY(const Layout l, layout_of(context, *output));
  std::vector<float> keep;
  HONE_TRY(const std::span<const float> x, floats(*output, keep));
  Segmentation s;
  s.width = static_cast<int>(l.width);
  s.height = static_cast<int>(l.height);
  s.labels.assign(static_cast<size_t>(l.width * l.height), 0);
  if (l.channels > 1) {
    if (l.last) greatest_by_pixels(x.data(), l, s.labels);
    else greatest_by_planes(x.data(), l, s.labels);
  } else if (is_int(output->tensor.dtype)) {
    for (size_t i = 0; i < x.size(); i++) {
      if (!(x[i] >= 0 && x[i] <= 65535))
        return error(Code::corrupt, "output '%s' holds the label %g: labels are 0 to 65535",
                     output->name.c_str(), static_cast<double>(x[i]));
      s.labels[i] = static_cast<uint16_t>(x[i]);
    }
  } else {
    const bool probabilities = within_unit(row_major(x.data(), 1, static_cast<int64_t>(x.size())));
    HONE_TRY(const Activation activation,
             activation_of(context, probabilities ? Activation::none : Activation::sigmoid));
    if (activation == Activation::softmax)
      return error(Code::invalid_argument,
                   "activation is 'softmax', but output '%s' has one channel: use sigmoid or none",
                   output->name.c_str());
    const float least = activation == Activation::sigmoid ? logit(context.head.score_threshold)
                                                          : context.head.score_threshold;
    for (size_t i = 0; i < x.size(); i++) s.labels[i] = x[i] >= least;
  }
  results.segmentation = std::move(s);
  return {};
}
}  // namespace

Decoder decoder_segment() {
  return {"segment",
          TaskKind::segment,
          "a class per pixel: scores at any stride, labels, or one channel against score_threshold",
          {"activation", "background"},
          run};
}

}  // namespace hone::vision
