#include <algorithm>
#include <cmath>

#include "ops/element.h"
#include "ops/types.h"

namespace hone {
namespace {

// Boxes [B,N,4], scores [B,C,N] -> selected [?,3]: (batch, class, box), best first within a class.
Status infer(Infer& c) {
  HONE_CHECK(check_type(c, 0, TypeSet{DType::f32}));
  HONE_CHECK(check_type(c, 1, TypeSet{DType::f32}));
  HONE_CHECK(check_type(c, 2, i64_type));
  HONE_CHECK(check_type(c, 3, TypeSet{DType::f32}));
  HONE_CHECK(check_type(c, 4, TypeSet{DType::f32}));
  const Shape boxes = c.shape(0), scores = c.shape(1);
  const auto wrong = [](Dim a, Dim b) { return known(a) && known(b) && a != b; };
  if ((boxes.ranked() && (boxes.rank() != 3 || wrong(boxes[2], 4))) ||
      (scores.ranked() && scores.rank() != 3) ||
      (boxes.ranked() && scores.ranked() && (wrong(boxes[0], scores[0]) || wrong(boxes[1], scores[2]))))
    return error(Code::invalid_argument,
                 "boxes %s and scores %s; expected [batches,boxes,4] and [batches,classes,boxes]",
                 boxes.str().c_str(), scores.str().c_str());
  for (size_t i = 2; i < 5; i++)
    if (const Shape s = c.shape(i); s.all_known() && s.elements() != 1)
      return error(Code::invalid_argument, "input %zu has shape %s, expected one number", i, s.str().c_str());
  if (const int64_t format = c.attrs.i("center_point_box"); format != 0 && format != 1)
    return error(Code::invalid_argument, "center_point_box is %lld; it must be 0 or 1",
                 static_cast<long long>(format));
  c.set(0, DType::i64, Shape{unknown_dim, 3});
  return {};
}

struct Box {
  float y1, x1, y2, x2;
  float area() const { return (y2 - y1) * (x2 - x1); }
};
Box read_box(const float* b, bool centre) {
  if (centre) return {b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
  return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}
float intersection_over_union(const Box& a, const Box& b) {
  const float h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1),
              w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (!(h > 0 && w > 0)) return 0;
  const float both = h * w, all = a.area() + b.area() - both;
  return all > 0 ? both / all : 0;
}

Status reference(EvalContext& c) {
  HONE_CHECK(infer_outputs(c));
  const TensorView boxes = c.input(0), scores = c.input(1);
  const int64_t batches = boxes.shape[0], classes = scores.shape[1], n = boxes.shape[1];
  const int64_t most = c.has(2) ? static_cast<int64_t>(element_as_double(c.input(2), 0)) : 0;
  const float overlap = c.has(3) ? c.input(3).data<float>()[0] : 0;
  const bool centre = c.attrs.flag("center_point_box");
  if (!(overlap >= 0 && overlap <= 1))
    return error(Code::invalid_argument, "iou_threshold is %g; it must be in [0, 1]",
                 static_cast<double>(overlap));
  std::vector<int64_t> selected;
  std::vector<int64_t> order;
  std::vector<Box> kept;
  for (int64_t b = 0; b < batches && most > 0; b++)
    for (int64_t k = 0; k < classes; k++) {
      if (c.cancelled()) return error(Code::cancelled, "cancelled");
      const float* score = scores.data<float>() + (b * classes + k) * n;
      order.clear();
      for (int64_t i = 0; i < n; i++)
        if (score[i] == score[i] && (!c.has(4) || score[i] > c.input(4).data<float>()[0])) order.push_back(i);
      std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return score[i] > score[j]; });
      kept.clear();
      for (const int64_t i : order) {
        if (static_cast<int64_t>(kept.size()) >= most) break;
        const Box box = read_box(boxes.data<float>() + (b * n + i) * 4, centre);
        const bool free = std::all_of(kept.begin(), kept.end(), [&](const Box& other) {
          return !(intersection_over_union(box, other) > overlap);
        });
        if (!free) continue;
        kept.push_back(box);
        selected.insert(selected.end(), {b, k, i});
      }
    }
  HONE_TRY(const TensorView y, c.output(0, DType::i64, Shape{static_cast<Dim>(selected.size() / 3), 3}));
  std::copy(selected.begin(), selected.end(), y.data<int64_t>());
  return {};
}
constexpr AttrDef attrs[] = {AttrDef::def_i("center_point_box", 0)};
}  // namespace

extern const OpDef op_NonMaxSuppression{
    .name = "NonMaxSuppression",
    .doc = "the best boxes of each class that do not overlap a better one by more than a threshold",
    .min_inputs = 2,
    .max_inputs = 5,
    .attrs = attrs,
    .since = 10,
    .infer = infer,
    .reference = reference,
    .notes = "the length of its output depends on the data"};

}  // namespace hone
