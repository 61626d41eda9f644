// Classification: one score per class, [1,K], [1,K,1,1], [1,1,1,K] or [K].
//
//   softmax   p_k = exp(x_k - max x) / sum_j exp(x_j - max x)
//   sigmoid   p_k = 1 / (1 + exp(-x_k)): each class by itself
//
// Without `activation`, values that are a distribution already (none negative, the sum 1) are taken as they
// are, others go through softmax. `background` leaves a class out of the answers, as the first of the 1001
// classes of TensorFlow's ImageNet networks (github.com/tensorflow/models, research/slim, "the 0th class is
// background").  The score threshold does not apply: the best top_k are the answer.
#include <algorithm>

#include "vision/decode/common.h"

namespace hone::vision {
namespace {
using namespace decoding;

bool fits(const TensorView& t, const DecodeContext&) {
  const Shape& s = t.shape;
  if (s.rank() < 1 || s.rank() > 4 || s.elements() < 1) return false;
  int long_dims = 0;
  for (Dim d : s) long_dims += d > 1;
  return long_dims <= 1 && (s.rank() == 1 || s[0] == 1);
}

Status run(const DecodeContext& context, std::span<const Output> outputs, Results& results) {
  HONE_CHECK(check_roles(context, {"scores"}));
  HONE_TRY(const Output* output, find(context, outputs, "scores", fits, "[1,classes] or [1,classes,1,1]"));
  std::vector<float> keep;
  HONE_TRY(const std::span<const float> x, floats(*output, keep));
  const Activation by_itself = rows_are_distributions(row_major(x.data(), 1, static_cast<int64_t>(x.size())))
                                   ? Activation::none
                                   : Activation::softmax;
  HONE_TRY(const Activation activation, activation_of(context, by_itself));
  if (x.size() > size_t{1} << 24)
    return error(Code::limit, "output '%s' has %zu classes: at most 2^24 are taken", output->name.c_str(),
                 x.size());

  double most = -HUGE_VAL, sum = 0;
  for (float v : x)
    if (std::isfinite(v)) most = std::max(most, static_cast<double>(v));
  if (activation == Activation::softmax)
    for (float v : x)
      if (std::isfinite(v)) sum += std::exp(static_cast<double>(v) - most);

  const int classes = static_cast<int>(x.size()), background = context.head.background;
  std::vector<Classification> all;
  all.reserve(x.size());
  for (int i = 0; i < classes; i++) {
    const float v = x[static_cast<size_t>(i)];
    if (!std::isfinite(v) || i == background) continue;
    all.push_back({label_of(context, i, classes, background), v});
  }
  const auto n = std::min(all.size(), static_cast<size_t>(std::max(context.head.top_k, 0)));
  std::partial_sort(all.begin(), all.begin() + static_cast<int64_t>(n), all.end(),
                    [](const Classification& a, const Classification& b) {
                      return a.score != b.score ? a.score > b.score : a.label < b.label;
                    });
  all.resize(n);
  // Only now: many different values may all round to a score of 0 or 1.
  for (Classification& c : all) {
    if (activation == Activation::sigmoid) c.score = sigmoid(c.score);
    if (activation == Activation::softmax)
      c.score = static_cast<float>(std::exp(static_cast<double>(c.score) - most) / sum);
  }
  results.classes = std::move(all);
  return {};
}
}  // namespace

Decoder decoder_classify() {
  return {"classify",
          TaskKind::classify,
          "one score per class: ImageNet classifiers and the like",
          {"top_k", "activation", "background"},
          run};
}

}  // namespace hone::vision
