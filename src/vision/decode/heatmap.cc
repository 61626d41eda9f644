// Keypoints of one person as heat maps, [1,n,h,w] or [1,h,w,n] (Xiao et al. 2018, arxiv.org/abs/1804.06208;
// the refinement is Newell et al. 2016, arxiv.org/abs/1603.06937, section 3.2): a keypoint is where its map
// is greatest, a quarter of a cell towards the greater of the two neighbours in each direction. The cell (x,
// y) is centred at ((x + 0.5) * width / w, ...) of the input.
//
// A keypoint's score is the map's value there (activation = "sigmoid" for logits). The person's score is
// their mean, the person's box what holds the keypoints of at least the score threshold, or all where there
// are none. Which dimension is keypoints: the one that is `keypoints`; else the smaller.
#include <algorithm>

#include "vision/decode/common.h"

namespace hone::vision {
namespace {
using namespace decoding;

bool fits(const TensorView& t, const DecodeContext&) {
  const auto d = squeeze_front(t, 3);
  return d.size() == 3 && *std::min_element(d.begin(), d.end()) >= 1 &&
         *std::max_element(d.begin(), d.end()) <= 65536;
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"heatmaps"}));
  HONE_CHECK(check_input_size(context));
  HONE_TRY(const Output* output, find(context, outputs, "heatmaps", fits, "[1,keypoints,height,width]"));
  HONE_TRY(const Activation activation, activation_of(context, Activation::none));
  HONE_CHECK(refuse_softmax(context, activation));
  const auto d = squeeze_front(output->tensor, 3);
  const int wanted = context.head.keypoints;
  if (wanted > 0 && d[0] != wanted && d[2] != wanted)
    return misfit(*output, strf("[1,%d,height,width] for %d keypoints", wanted, wanted));
  const bool last = wanted > 0 ? d[0] != wanted : d[2] < d[0];
  const int64_t n = last ? d[2] : d[0], h = last ? d[0] : d[1], w = last ? d[1] : d[2];
  std::vector<float> keep;
  HONE_TRY(const std::span<const float> values, floats(*output, keep));
  const Matrix maps = last ? row_major(values.data(), h * w, n) : column_major(values.data(), h * w, n);

  Detection person;
  double sum = 0;
  for (int64_t k = 0; k < n; k++) {
    int64_t best = -1;
    for (int64_t i = 0; i < h * w; i++)
      if (std::isfinite(maps.at(i, k)) && (best < 0 || maps.at(i, k) > maps.at(best, k))) best = i;
    Keypoint point;
    if (best >= 0) {
      const int64_t x = best % w, y = best / w;
      const auto refine = [&](int64_t at, int64_t size, int64_t step) {
        if (at < 1 || at + 1 >= size) return 0.0f;
        const float before = maps.at(best - step, k), after = maps.at(best + step, k);
        return after > before ? 0.25f : after < before ? -0.25f : 0.0f;
      };
      point.x = (static_cast<float>(x) + 0.5f + refine(x, w, 1)) * static_cast<float>(context.input_width) /
                static_cast<float>(w);
      point.y = (static_cast<float>(y) + 0.5f + refine(y, h, w)) * static_cast<float>(context.input_height) /
                static_cast<float>(h);
      point.score = activation == Activation::sigmoid ? sigmoid(maps.at(best, k)) : maps.at(best, k);
    }
    sum += static_cast<double>(point.score);
    person.keypoints.push_back(point);
  }
  person.score = static_cast<float>(sum / static_cast<double>(n));
  person.box = box_around(person.keypoints, context.head.score_threshold);
  if (std::isfinite(person.score) && person.score >= context.head.score_threshold)
    results.detections.push_back(std::move(person));
  return {};
}
}  // namespace

Decoder decoder_heatmap() {
  return {"heatmap",
          TaskKind::pose,
          "keypoints of one person as heat maps",
          {"activation", "keypoints", "skeleton"},
          run};
}

}  // namespace hone::vision
