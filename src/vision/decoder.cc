#include "vision/decoder.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/convert.h"
#include "vision/decode/common.h"

namespace hone::vision {

#define DECODER(name) Decoder decoder_##name();
#include "vision/decoders.def"
#undef DECODER

std::span<const Decoder> decoders() {
  static const std::vector<Decoder> all = {
#define DECODER(name) decoder_##name(),
#include "vision/decoders.def"
#undef DECODER
  };
  return all;
}

Result<const Decoder*> find_decoder(std::string_view name) {
  std::string names;
  for (const Decoder& d : decoders()) {
    if (name == d.name) return &d;
    names += (names.empty() ? "" : ", ") + std::string(d.name);
  }
  return error(Code::not_found, "there is no decoder '%.*s'; there are: %s", static_cast<int>(name.size()),
               name.data(), names.c_str());
}

namespace {
template <class T>
void convert(const TensorView& from, std::vector<float>& to) {
  const T* in = from.data<T>();
  for (size_t i = 0; i < to.size(); i++) {
    if constexpr (std::is_same_v<T, f16_t>) to[i] = to_float(in[i]);
    else to[i] = static_cast<float>(in[i]);
  }
}
}  // namespace

Result<std::span<const float>> floats(const Output& output, std::vector<float>& keep) {
  const TensorView& t = output.tensor;
  HONE_TRY(const int64_t n, checked_elements(t.shape));
  const auto count = static_cast<size_t>(n);
  if (n > 0 && !t.bytes) return error(Code::invalid_argument, "output '%s' has no data", output.name.c_str());
  if (t.dtype == DType::f32) return std::span<const float>(t.data<float>(), count);
  keep.resize(count);
  switch (t.dtype) {
    case DType::f16:
      convert<f16_t>(t, keep);
      break;
    case DType::f64:
      convert<double>(t, keep);
      break;
    case DType::i8:
      convert<int8_t>(t, keep);
      break;
    case DType::u8:
      convert<uint8_t>(t, keep);
      break;
    case DType::i16:
      convert<int16_t>(t, keep);
      break;
    case DType::u16:
      convert<uint16_t>(t, keep);
      break;
    case DType::i32:
      convert<int32_t>(t, keep);
      break;
    case DType::u32:
      convert<uint32_t>(t, keep);
      break;
    case DType::i64:
      convert<int64_t>(t, keep);
      break;
    case DType::u64:
      convert<uint64_t>(t, keep);
      break;
    default:
      return error(Code::unsupported,
                   "output '%s' is of type %s: decoders take f16, f32, f64 and integers of 8 to 64 bits",
                   output.name.c_str(), dtype_name(t.dtype));
  }
  return std::span<const float>(keep);
}

float intersection_over_union(const Box& a, const Box& b) {
  const float w = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
  const float h = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  if (!(w > 0 && h > 0)) return 0;
  const float shared = w * h, all = a.width() * a.height() + b.width() * b.height() - shared;
  return all > 0 ? shared / all : 0;
}

namespace {
// Kept boxes of a class, coordinate by coordinate, so that a comparison with all of them is a plain loop.
struct Kept {
  std::vector<float> x0, y0, x1, y1, area;
  void add(const Box& b) {
    x0.push_back(b.x0);
    y0.push_back(b.y0);
    x1.push_back(b.x1);
    y1.push_back(b.y1);
    area.push_back(b.width() * b.height());
  }
  bool covers(const Box& b, float threshold) const {
    const float own = b.width() * b.height();
    for (size_t i = 0; i < x0.size(); i++) {
      const float w = std::min(x1[i], b.x1) - std::max(x0[i], b.x0);
      if (!(w > 0)) continue;
      const float h = std::min(y1[i], b.y1) - std::max(y0[i], b.y0);
      if (!(h > 0)) continue;
      const float shared = w * h;
      if (shared > threshold * (area[i] + own - shared)) return true;
    }
    return false;
  }
};
}  // namespace

std::vector<Detection> suppress(std::vector<Detection> boxes, float iou_threshold, bool class_agnostic,
                                int most) {
  std::vector<size_t> order;
  order.reserve(boxes.size());
  for (size_t i = 0; i < boxes.size(); i++) {
    const Box& b = boxes[i].box;
    if (std::isfinite(boxes[i].score) && std::isfinite(b.x0) && std::isfinite(b.y0) && std::isfinite(b.x1) &&
        std::isfinite(b.y1))
      order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return boxes[a].score != boxes[b].score ? boxes[a].score > boxes[b].score : a < b;
  });
  std::vector<Detection> result;
  std::map<int, Kept> kept;
  for (size_t i : order) {
    if (static_cast<int64_t>(result.size()) >= most) break;
    if (iou_threshold < 1) {
      Kept& others = kept[class_agnostic ? 0 : boxes[i].label];
      if (others.covers(boxes[i].box, iou_threshold)) continue;
      others.add(boxes[i].box);
    }
    result.push_back(std::move(boxes[i]));
  }
  return result;
}

}  // namespace hone::vision
