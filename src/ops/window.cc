#include "ops/window.h"

#include <algorithm>

namespace hone {
namespace {

// Keeps every product and sum below inside 63 bits.
constexpr int64_t limit = int64_t{1} << 30;
constexpr int64_t size_limit = int64_t{1} << 31;

int64_t product(const std::array<int64_t, max_rank>& a, int rank) {
  int64_t n = 1;
  for (int i = 0; i < rank; i++) n *= a[static_cast<size_t>(i)];
  return n;
}

// The list attribute `name` of `count` values within [low, 2^30], or `fallback` throughout.
Status read_list(const Attrs& attrs, const char* name, size_t count, int64_t low, int64_t fallback,
                 std::array<int64_t, 2 * max_rank>& out) {
  const std::vector<int64_t>& v = attrs.ints(name);
  if (v.empty()) {
    std::fill_n(out.begin(), count, fallback);
    return {};
  }
  if (v.size() != count)
    return error(Code::invalid_argument, "attribute '%s' has %zu values, expected %zu", name, v.size(),
                 count);
  for (size_t i = 0; i < count; i++) {
    if (v[i] < low || v[i] > limit)
      return error(Code::invalid_argument,
                   "attribute '%s' holds %lld; values from %lld to 2^30 are supported", name,
                   static_cast<long long>(v[i]), static_cast<long long>(low));
    out[i] = v[i];
  }
  return {};
}

enum class AutoPad : uint8_t { notset, valid, same_upper, same_lower };

Result<AutoPad> read_auto_pad(const Attrs& attrs) {
  const std::string& s = attrs.s("auto_pad");
  if (s.empty() || s == "NOTSET") return AutoPad::notset;
  if (s == "VALID") return AutoPad::valid;
  if (s == "SAME_UPPER") return AutoPad::same_upper;
  if (s == "SAME_LOWER") return AutoPad::same_lower;
  return error(Code::invalid_argument, "auto_pad is '%s'; it must be NOTSET, VALID, SAME_UPPER or SAME_LOWER",
               s.c_str());
}

// What slide() and slide_transposed() have in common: everything but padding and output sizes.
Result<Window> read_window(const Attrs& attrs, std::span<const Dim> in, std::span<const Dim> kernel) {
  Window w;
  w.rank = static_cast<int>(in.size());
  if (kernel.size() != in.size())
    return error(Code::invalid_argument, "the kernel has %zu dimensions, the input %zu spatial ones",
                 kernel.size(), in.size());
  std::array<int64_t, 2 * max_rank> list{};
  HONE_CHECK(read_list(attrs, "strides", in.size(), 1, 1, list));
  std::copy_n(list.begin(), in.size(), w.stride.begin());
  HONE_CHECK(read_list(attrs, "dilations", in.size(), 1, 1, list));
  std::copy_n(list.begin(), in.size(), w.dilation.begin());
  for (size_t r = 0; r < in.size(); r++) {
    w.in[r] = in[r];
    w.kernel[r] = kernel[r];
    if (known(kernel[r]) && (kernel[r] < 1 || kernel[r] > limit))
      return error(Code::invalid_argument, "the kernel's dimension %zu is %lld; it must be from 1 to 2^30", r,
                   static_cast<long long>(kernel[r]));
    if (in[r] > size_limit)
      return error(Code::limit, "the input's spatial dimension %zu is %lld, above 2^31", r,
                   static_cast<long long>(in[r]));
  }
  return w;
}

}  // namespace

int64_t Planes::pixels() const { return product(size, rank); }
int64_t Window::taps() const { return product(kernel, rank); }
int64_t Window::pixels() const { return product(out, rank); }

Planes planes_of(const Shape& s, bool channels_last) {
  Planes p;
  const auto strides = contiguous_strides(s);
  const size_t c = channel_axis(s.rank(), channels_last), first = spatial_axis(channels_last);
  p.rank = s.rank() - 2;
  p.n = s[0];
  p.n_stride = strides[0];
  p.c = s[c];
  p.c_stride = strides[c];
  for (size_t r = 0; r < static_cast<size_t>(p.rank); r++) {
    p.size[r] = s[first + r];
    p.stride[r] = strides[first + r];
  }
  return p;
}

Shape data_shape(Dim n, Dim c, std::span<const Dim> spatial, bool channels_last) {
  Shape s{n};
  if (!channels_last) s.push_back(c);
  for (Dim d : spatial) s.push_back(d);
  if (channels_last) s.push_back(c);
  return s;
}

Result<Window> slide(const Attrs& attrs, std::span<const Dim> in, std::span<const Dim> kernel,
                     Rounding rounding) {
  HONE_TRY(Window w, read_window(attrs, in, kernel));
  HONE_TRY(const AutoPad auto_pad, read_auto_pad(attrs));
  std::array<int64_t, 2 * max_rank> pads{};
  if (auto_pad == AutoPad::notset) HONE_CHECK(read_list(attrs, "pads", 2 * in.size(), 0, 0, pads));
  for (size_t r = 0; r < in.size(); r++) {
    const int64_t s = w.stride[r];
    const bool sized = known(w.in[r]) && known(w.kernel[r]);
    const int64_t extent = known(w.kernel[r]) ? (w.kernel[r] - 1) * w.dilation[r] + 1 : 0;
    w.begin[r] = pads[r];
    w.end[r] = pads[in.size() + r];
    if (auto_pad == AutoPad::same_upper || auto_pad == AutoPad::same_lower) {
      w.out[r] = known(w.in[r]) ? (w.in[r] + s - 1) / s : s == 1 ? w.in[r] : unknown_dim;
      if (sized) {
        const int64_t total = std::max<int64_t>(0, (w.out[r] - 1) * s + extent - w.in[r]);
        w.begin[r] = auto_pad == AutoPad::same_upper ? total / 2 : total - total / 2;
        w.end[r] = total - w.begin[r];
      }
      continue;
    }
    if (!sized) {
      const bool keeps_size = known(w.kernel[r]) && s == 1 && w.begin[r] + w.end[r] == extent - 1;
      w.out[r] = keeps_size ? w.in[r] : unknown_dim;
      continue;
    }
    const int64_t room = w.in[r] + w.begin[r] + w.end[r] - extent;
    if (room < 0)
      return error(Code::invalid_argument,
                   "the kernel spans %lld in spatial dimension %zu, more than the padded input's %lld",
                   static_cast<long long>(extent), r, static_cast<long long>(room + extent));
    w.out[r] = room / s + 1;
    // Rounding up adds a last window only if it starts inside the input or the padding before it.
    if (rounding == Rounding::ceil && room % s && w.out[r] * s < w.in[r] + w.begin[r]) w.out[r]++;
  }
  return w;
}

Result<Window> slide_transposed(const Attrs& attrs, std::span<const Dim> in, std::span<const Dim> kernel) {
  HONE_TRY(Window w, read_window(attrs, in, kernel));
  HONE_TRY(const AutoPad auto_pad, read_auto_pad(attrs));
  std::array<int64_t, 2 * max_rank> pads{}, extra{};
  if (auto_pad == AutoPad::notset) HONE_CHECK(read_list(attrs, "pads", 2 * in.size(), 0, 0, pads));
  HONE_CHECK(read_list(attrs, "output_padding", in.size(), 0, 0, extra));
  std::vector<int64_t> wanted = attrs.ints("output_shape");
  // Some exporters write the whole shape, batch and channels included.
  if (wanted.size() == in.size() + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  if (!wanted.empty() && wanted.size() != in.size())
    return error(Code::invalid_argument, "attribute 'output_shape' has %zu values, expected %zu",
                 wanted.size(), in.size());
  for (size_t r = 0; r < in.size(); r++) {
    const int64_t s = w.stride[r];
    const bool sized = known(w.in[r]) && known(w.kernel[r]);
    w.begin[r] = pads[r];
    w.end[r] = pads[in.size() + r];
    w.out[r] = unknown_dim;
    // The size that no padding would give.
    const int64_t full = sized ? s * (w.in[r] - 1) + extra[r] + (w.kernel[r] - 1) * w.dilation[r] + 1 : 0;
    const bool same = auto_pad == AutoPad::same_upper || auto_pad == AutoPad::same_lower;
    if (!wanted.empty() || same) {
      if (!wanted.empty()) {
        if (wanted[r] < 1 || wanted[r] > size_limit)
          return error(Code::invalid_argument,
                       "attribute 'output_shape' holds %lld; values from 1 to 2^31 are supported",
                       static_cast<long long>(wanted[r]));
        w.out[r] = wanted[r];
      } else if (known(w.in[r])) {
        w.out[r] = w.in[r] * s;
      }
      if (sized) {
        const int64_t total = std::max<int64_t>(0, full - w.out[r]);
        w.begin[r] = auto_pad == AutoPad::same_upper ? total / 2 : total - total / 2;
        w.end[r] = total - w.begin[r];
      }
      continue;
    }
    if (!sized) continue;
    w.out[r] = full - w.begin[r] - w.end[r];
    if (w.in[r] > 0 && w.out[r] < 0)
      return error(Code::invalid_argument,
                   "pads %lld and %lld exceed the %lld of the unpadded output in spatial dimension %zu",
                   static_cast<long long>(w.begin[r]), static_cast<long long>(w.end[r]),
                   static_cast<long long>(full), r);
    w.out[r] = std::max<int64_t>(0, w.out[r]);
  }
  return w;
}

}  // namespace hone
