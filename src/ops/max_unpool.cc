// MaxUnpool and Col2Im: what a window took out of a map is put back into it.
#include "ops/element.h"
#include "ops/strided.h"
#include "ops/types.h"
#include "ops/window.h"

namespace hone {
namespace {
constexpr int64_t most = int64_t{1} << 30;

// Attribute `name` with `count` entries of [low, 2^30]; absent: all `otherwise`.
Result<std::vector<int64_t>> entries(const Attrs& attrs, const char* name, size_t count, int64_t low,
                                     int64_t otherwise) {
  std::vector<int64_t> v = attrs.ints(name);
  if (!attrs.has(name)) v.assign(count, otherwise);
  if (v.size() != count)
    return error(Code::invalid_argument, "%s has %zu entries, expected %zu", name, v.size(), count);
  for (const int64_t e : v)
    if (e < low || e > most)
      return error(Code::invalid_argument, "%s has %lld; each entry must be from %lld to 2^30", name,
                   static_cast<long long>(e), static_cast<long long>(low));
  return v;
}

// --- MaxUnpool ---

// The map that a pool of these attributes gave this one, if it was covered without a rest.
Result<Shape> natural_shape(const Attrs& attrs, const Shape& x) {
  if (x.rank() < 3)
    return error(Code::invalid_argument, "the input has shape %s, expected [N,C,d1...]", x.str().c_str());
  const size_t rank = x.size() - 2;
  HONE_TRY(const std::vector<int64_t> kernel, entries(attrs, "kernel_shape", rank, 1, 1));
  HONE_TRY(const std::vector<int64_t> strides, entries(attrs, "strides", rank, 1, 1));
  HONE_TRY(const std::vector<int64_t> pads, entries(attrs, "pads", 2 * rank, 0, 0));
  Shape y = x;
  for (size_t i = 0; i < rank; i++) {
    if (!known(x[i + 2])) continue;
    if (x[i + 2] > int64_t{1} << 32)
      return error(Code::limit, "the input has shape %s: too large to unpool", x.str().c_str());
    y[i + 2] = (x[i + 2] - 1) * strides[i] + kernel[i] - pads[i] - pads[i + rank];
    if (y[i + 2] < 0)
      return error(Code::invalid_argument, "pads %lld and %lld leave nothing of dimension %zu",
                   static_cast<long long>(pads[i]), static_cast<long long>(pads[i + rank]), i + 2);
  }
  return y;
}

Status infer_unpool(Infer& c) {
  HONE_CHECK(check_type(c, 0, float_types));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_CHECK(check_type(c, 2, i64_type));
  const Shape x = c.shape(0), at = c.shape(1);
  c.set(0, c.dtype(0), Shape::unranked());
  if (x.all_known() && at.all_known() && x != at)
    return error(Code::invalid_argument, "the indices have shape %s, the data %s; they must be the same",
                 at.str().c_str(), x.str().c_str());
  if (!x.ranked()) return {};
  HONE_TRY(Shape y, natural_shape(c.attrs, x));
  if (y.all_known()) HONE_CHECK(checked_elements(y));
  if (c.has(2)) {
    const auto given = c.ints(2);
    if (given && given->size() != x.size())
      return error(Code::invalid_argument, "output_shape has %zu numbers for data of %d dimensions",
                   given->size(), x.rank());
    if (given) {
      HONE_TRY(y, make_shape(*given, "output_shape"));
      HONE_CHECK(checked_elements(y));
    } else {
      y = Shape::of_rank(x.rank());
    }
  }
  c.set(0, c.dtype(0), y);
  return {};
}

// An index counts in the natural shape; a given shape lays that map into its first corner.
Status unpool(EvalContext& c) {
  const TensorView x = c.input(0), at = c.input(1);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const Shape natural, natural_shape(c.attrs, x.shape));
  const int64_t total = natural.elements();
  const auto strides = contiguous_strides(natural), to = contiguous_strides(y.shape);
  zero_elements(y);
  for (int64_t i = 0, n = x.elements(); i < n; i++) {
    const int64_t index = at.data<int64_t>()[i];
    if (index < 0 || index >= total)
      return error(Code::invalid_argument, "index %lld is outside of the unpooled map %s",
                   static_cast<long long>(index), natural.str().c_str());
    int64_t offset = 0, rest = index;
    for (size_t k = 0; k < y.shape.size(); k++) {
      const int64_t p = rest / strides[k];
      rest %= strides[k];
      if (p >= y.shape[k])
        return error(Code::invalid_argument, "index %lld falls outside of output_shape %s",
                     static_cast<long long>(index), y.shape.str().c_str());
      offset += p * to[k];
    }
    copy_elements(x.dtype, y.bytes, offset, x.bytes, i, 1);
  }
  return {};
}

// --- Col2Im: columns [N, C * taps, blocks] are added into images [N, C, image...] ---

Result<Window> image_window(const Attrs& attrs, std::span<const int64_t> image,
                            std::span<const int64_t> block) {
  if (image.size() != block.size() || image.empty() || image.size() > static_cast<size_t>(max_rank) - 2)
    return error(Code::invalid_argument,
                 "image_shape has %zu numbers, block_shape %zu; expected as many, from 1 to %d", image.size(),
                 block.size(), max_rank - 2);
  for (size_t i = 0; i < image.size(); i++)
    if (image[i] < 1 || block[i] < 1 || image[i] > most || block[i] > most)
      return error(Code::invalid_argument, "a block of %lld in an image of %lld; each must be from 1 to 2^30",
                   static_cast<long long>(block[i]), static_cast<long long>(image[i]));
  return slide(attrs, image, block, Rounding::floor);
}

Status infer_columns(Infer& c) {
  HONE_CHECK(check_type(c, 0, number_types));
  HONE_CHECK(check_type(c, 1, i64_type));
  HONE_CHECK(check_type(c, 2, i64_type));
  const Shape x = c.shape(0);
  if (x.ranked() && x.rank() != 3)
    return error(Code::invalid_argument, "the columns have shape %s, expected [N,C*taps,blocks]",
                 x.str().c_str());
  const auto image = c.ints(1), block = c.ints(2);
  c.set(0, c.dtype(0), Shape::unranked());
  if (!image || !block) return {};
  HONE_TRY(const Window w, image_window(c.attrs, *image, *block));
  Shape out{1};
  for (int i = 0; i < w.rank; i++) out.push_back(w.out[static_cast<size_t>(i)]);
  HONE_TRY(const int64_t blocks, checked_elements(out));
  HONE_TRY(const int64_t taps, checked_elements(Shape(*block)));
  if (x.ranked() && ((known(x[1]) && x[1] % taps != 0) || (known(x[2]) && x[2] != blocks)))
    return error(Code::invalid_argument,
                 "the columns have shape %s, expected a multiple of %lld rows and %lld columns",
                 x.str().c_str(), static_cast<long long>(taps), static_cast<long long>(blocks));
  Shape y{x.ranked() ? x[0] : unknown_dim, x.ranked() && known(x[1]) ? x[1] / taps : unknown_dim};
  for (const int64_t d : *image) y.push_back(d);
  if (y.all_known()) HONE_CHECK(checked_elements(y));
  c.set(0, c.dtype(0), y);
  return {};
}

Status add_columns(EvalContext& c) {
  const TensorView x = c.input(0);
  HONE_TRY(const TensorView y, infer_output(c));
  HONE_TRY(const std::vector<int64_t> image, c.ints(1));
  HONE_TRY(const std::vector<int64_t> block, c.ints(2));
  HONE_TRY(const Window w, image_window(c.attrs, image, block));
  zero_elements(y);
  if (!x.elements() || !y.elements()) return {};
  const int64_t taps = w.taps(), blocks = w.pixels(), planes = x.shape[0] * (x.shape[1] / taps),
                pixels = y.shape.product(2, y.shape.rank());
  return dispatch_numbers(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<Compute<T>> sum(static_cast<size_t>(pixels));
    for (int64_t p = 0; p < planes; p++) {
      std::fill(sum.begin(), sum.end(), Compute<T>{});
      Odometer tap(w.rank, w.kernel);
      for (int64_t t = 0; t < taps; t++, tap.next()) {
        Odometer at(w.rank, w.out);
        for (int64_t b = 0; b < blocks; b++, at.next()) {
          int64_t offset = 0;
          for (size_t r = 0; r < static_cast<size_t>(w.rank); r++) {
            const int64_t i = at[r] * w.stride[r] - w.begin[r] + tap[r] * w.dilation[r];
            offset = offset < 0 || i < 0 || i >= image[r] ? -1 : offset * image[r] + i;
          }
          if (offset < 0) continue;
          Compute<T>& s = sum[static_cast<size_t>(offset)];
          s = static_cast<Compute<T>>(s + load(x.data<T>()[(p * taps + t) * blocks + b]));
        }
      }
      for (int64_t i = 0; i < pixels; i++) store(y.data<T>()[p * pixels + i], sum[static_cast<size_t>(i)]);
    }
  });
}

constexpr AttrDef unpool_attrs[] = {AttrDef::req("kernel_shape", AttrType::ints),
                                    AttrDef::opt("pads", AttrType::ints),
                                    AttrDef::opt("strides", AttrType::ints)};
constexpr AttrDef column_attrs[] = {AttrDef::opt("dilations", AttrType::ints),
                                    AttrDef::opt("pads", AttrType::ints),
                                    AttrDef::opt("strides", AttrType::ints)};
}  // namespace

extern const OpDef op_Col2Im{.name = "Col2Im",
                             .doc = "sums of the columns that each pixel of an image is in",
                             .min_inputs = 3,
                             .max_inputs = 3,
                             .attrs = column_attrs,
                             .since = 18,
                             .infer = infer_columns,
                             .reference = add_columns};
extern const OpDef op_MaxUnpool{.name = "MaxUnpool",
                                .doc = "the maxima of a pool at their places, zero elsewhere",
                                .min_inputs = 2,
                                .max_inputs = 3,
                                .attrs = unpool_attrs,
                                .since = 9,
                                .infer = infer_unpool,
                                .reference = unpool};

}  // namespace hone
