// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: scores [N, C, d...], labels [N, d...], weights [C].
#include <algorithm>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/types.h"

namespace hone {
namespace {
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_type(c, 1, index_types));
  HONE_CHECK(check_type(c, 2, float_types));
  HONE_TRY(const Dim weights, length_of(c, 2));
  if (c.dtype(2) != DType::none && c.dtype(0) != DType::none && c.dtype(2) != c.dtype(0))
    return error(Code::corrupt, "%s of %s scores with %s weights", c.op.name, dtype_name(c.dtype(0)),
                 dtype_name(c.dtype(2)));
  const std::string& reduction = c.attrs.s("reduction");
  if (reduction != "none" && reduction != "mean" && reduction != "sum")
    return error(Code::corrupt, "attribute 'reduction' of %s is '%s', expected none, mean or sum", c.op.name,
                 reduction.c_str());
  const Shape scores = c.shape(0), labels = c.shape(1);
  Shape expected;
  if (scores.ranked()) {
    if (scores.rank() < 2)
      return error(Code::invalid_argument, "%s of scores %s, expected [N, C, ...]", c.op.name,
                   scores.str().c_str());
    for (size_t i = 0; i < scores.size(); i++)
      if (i != 1) expected.push_back(scores[i]);
    bool match = !labels.ranked() || labels.size() == expected.size();
    for (size_t i = 0; match && i < labels.size(); i++)
      match = !known(labels[i]) || !known(expected[i]) || labels[i] == expected[i];
    if (!match)
      return error(Code::invalid_argument, "%s of scores %s with labels %s, expected %s", c.op.name,
                   scores.str().c_str(), labels.str().c_str(), expected.str().c_str());
    if (c.has(2) && known(weights) && known(scores[1]) && weights != scores[1])
      return error(Code::invalid_argument, "%s has %lld weights for %lld classes", c.op.name,
                   static_cast<long long>(weights), static_cast<long long>(scores[1]));
  } else {
    expected = labels;
  }
  c.set(0, c.dtype(0), reduction == "none" ? expected : Shape{});
  c.set(1, c.dtype(0), scores);  // SoftmaxCrossEntropyLoss: log probabilities
  return {};
}

// logits: the scores are brought to log probabilities first, which are then the second output.
template <class T, bool logits>
Status run(EvalContext& c, const std::vector<ValueType>& types) {
  const TensorView x = c.input(0), labels = c.input(1);
  const int64_t batch = x.shape[0], classes = x.shape[1], inner = x.shape.product(2, x.shape.rank()),
                n = batch * inner;
  const std::string& reduction = c.attrs.s("reduction");
  HONE_TRY(const TensorView y, c.output(0, x.dtype, types[0].shape));
  TensorView log_probabilities;
  if (logits && c.wanted(1)) { HONE_TRY(log_probabilities, c.output(1, x.dtype, x.shape)); }
  const bool each = reduction == "none", has_ignored = c.attrs.has("ignore_index");
  const int64_t ignored = c.attrs.i("ignore_index");
  double total = 0, total_weight = 0;
  for (int64_t i = 0; i < n; i++) {
    const int64_t first = i / inner * classes * inner + i % inner;
    const auto score = [&](int64_t k) { return static_cast<double>(load(x.data<T>()[first + k * inner])); };
    double log_sum = 0;
    if (logits && classes > 0) {
      double most = score(0), sum = 0;
      for (int64_t k = 1; k < classes; k++) most = std::max(most, score(k));
      for (int64_t k = 0; k < classes; k++) sum += std::exp(score(k) - most);
      log_sum = most + std::log(sum);
      if (log_probabilities.bytes)
        for (int64_t k = 0; k < classes; k++)
          store(log_probabilities.data<T>()[first + k * inner], static_cast<Compute<T>>(score(k) - log_sum));
    }
    const int64_t label = labels.dtype == DType::i64 ? labels.data<int64_t>()[i] : labels.data<int32_t>()[i];
    double weight = 0, loss = 0;
    if (!has_ignored || label != ignored) {
      if (label < 0 || label >= classes)
        return error(Code::invalid_argument, "%s has label %lld, outside [0, %lld)", c.op.name,
                     static_cast<long long>(label), static_cast<long long>(classes));
      weight = c.has(2) ? static_cast<double>(load(c.input(2).data<T>()[label])) : 1;
      loss = (log_sum - score(label)) * weight;
    }
    if (each) store(y.data<T>()[i], static_cast<Compute<T>>(loss));
    total += loss;
    total_weight += weight;
  }
  if (!each) store(*y.data<T>(), static_cast<Compute<T>>(reduction == "mean" ? total / total_weight : total));
  return {};
}

template <bool logits>
Status reference(EvalContext& c) {
  HONE_TRY(const std::vector<ValueType> types, infer_outputs(c));
  return dispatch_floats(c.input(0).dtype, [&](auto zero) { return run<decltype(zero), logits>(c, types); });
}

constexpr AttrDef attrs[] = {AttrDef::opt("ignore_index", AttrType::i), AttrDef::def_s("reduction", "mean")};
}  // namespace

extern const OpDef op_NegativeLogLikelihoodLoss{.name = "NegativeLogLikelihoodLoss",
                                                .doc = "minus the score of each label, weighted",
                                                .min_inputs = 2,
                                                .max_inputs = 3,
                                                .attrs = attrs,
                                                .since = 12,
                                                .infer = infer,
                                                .reference = reference<false>};
extern const OpDef op_SoftmaxCrossEntropyLoss{.name = "SoftmaxCrossEntropyLoss",
                                              .doc = "minus the log of softmax at each label, weighted",
                                              .min_inputs = 2,
                                              .max_inputs = 3,
                                              .max_outputs = 2,
                                              .attrs = attrs,
                                              .since = 12,
                                              .infer = infer,
                                              .reference = reference<true>};

}  // namespace hone
