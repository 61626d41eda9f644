#include "vision/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <vector>

#include "base/convert.h"
#include "vision/axis.h"
#include "vision/isa_kernels.h"

namespace hone::vision {

struct Preprocessor::Impl {
  Preprocess settings;
  std::shared_ptr<ThreadPool> pool;
  const PreprocessKernels* kernels = nullptr;
  int channels = 3;  // of the input
  int64_t element = 4;
  std::vector<uint8_t> pad;  // one row of the input: planes one after another, or interleaved

  // Of the latest picture.
  int width = 0, height = 0;
  PixelFormat format = PixelFormat::rgb8;
  Placement at;
  AxisTaps across, down;
  std::vector<int32_t> start, pairs;        // of `source`
  PixelSource source{};                     // less what differs from row to row
  float scale[3], bias[3];                  // in the order of the picture's channels (nhwc: of the input's)
  int plane[3];                             // of the input, for each channel of the picture
  int tasks = 1;                            // a picture is shared by
  int64_t row_floats = 0, line_floats = 0;  // per task: a blended row, and a row before its conversion
  std::vector<float> scratch;

  void fill_pad();
  void prepare(const Placement&, PixelFormat);
  void row(const ImageView&, int y, float* scratch, uint8_t* out) const;
  void pad_row(int y, uint8_t* out) const;
  void sample(const PixelSource&, float* const* lines) const;
  void convert(const float* from, int64_t n, uint8_t* to) const;
  // The input's row y of plane c (nhwc: all of row y), from column x.
  uint8_t* place_of(uint8_t* out, int c, int y, int x) const {
    const int64_t w = settings.width, h = settings.height;
    return out + element * (settings.layout == Layout::nchw ? (c * h + y) * w + x : (y * w + x) * channels);
  }
  int lines() const { return settings.layout == Layout::nchw ? channels : 1; }
  int64_t line_elements(int pixels) const {
    return settings.layout == Layout::nchw ? pixels : int64_t{pixels} * channels;
  }
};

void Preprocessor::Impl::convert(const float* from, int64_t n, uint8_t* to) const {
  switch (settings.type) {
    case DType::f16:
      return kernels->to_f16(from, n, reinterpret_cast<uint16_t*>(to));
    case DType::u8:
      return kernels->to_u8(from, n, to);
    case DType::i8:
      return kernels->to_i8(from, n, reinterpret_cast<int8_t*>(to));
    default:
      std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
  }
}

void Preprocessor::Impl::fill_pad() {
  const size_t w = static_cast<size_t>(settings.width), n = w * static_cast<size_t>(channels);
  std::vector<float> values(n);
  for (size_t i = 0; i < n; i++) {
    const size_t c = settings.layout == Layout::nchw ? i / w : i % static_cast<size_t>(channels);
    values[i] = (settings.pad[c] - settings.mean[c]) * settings.scale[c];
  }
  pad.resize(n * static_cast<size_t>(element));
  convert(values.data(), static_cast<int64_t>(n), pad.data());
}

void Preprocessor::Impl::prepare(const Placement& placement, PixelFormat picture_format) {
  width = 0;  // not ready, should memory run out
  at = placement;
  format = picture_format;
  const int step = channels_of(format);
  make_axis(settings.interpolation, at.width, step_of(at.width, at.scale_x), at.offset_x, at.x0, at.x1,
            kernels->taps_unit[step], across);
  make_axis(settings.interpolation, at.height, step_of(at.height, at.scale_y), at.offset_y, at.y0, at.y1, 1,
            down);
  const int most = std::max(across.most, down.most);
  source = {};
  source.kind = step == 1 || most > 2 ? PixelSource::weighted
                : most == 2           ? PixelSource::bilinear
                                      : PixelSource::copy;
  source.channels = step;
  source.bytes = int64_t{at.width} * step;
  const int origin = source.kind == PixelSource::weighted ? across.first : 0;
  const size_t n = across.start.size();
  start.resize(n);
  pairs.assign(4 * n + 16, 0);
  for (size_t i = 0; i < n; i++) {
    start[i] = (across.start[i] - origin) * step;
    const float right = across.count[i] > 1 ? across.weight[i * static_cast<size_t>(across.taps) + 1] : 0;
    const int32_t weight = static_cast<int32_t>(std::nearbyint(right * bilinear_one));
    std::fill_n(pairs.begin() + static_cast<ptrdiff_t>(4 * i), 4, (bilinear_one - weight) | weight << 16);
  }
  source.start = start.data();
  source.pairs = pairs.data();
  source.weight = across.weight.data();
  source.taps = across.taps;

  const ChannelOrder order = channel_order(format);
  const bool rgb = settings.channels == Channels::rgb;
  const int red = rgb ? order.r : order.b, blue = rgb ? order.b : order.r;  // first and last of the input
  for (int c = 0; c < 3; c++) plane[c == 0 ? red : c == 1 ? order.g : blue] = c;
  for (size_t j = 0; j < 3; j++) {
    if (channels == 1) {
      scale[j] = settings.scale[0];
      bias[j] = -settings.mean[0] * settings.scale[0];
      continue;
    }
    const size_t c = settings.layout == Layout::nhwc || step == 1 ? j : static_cast<size_t>(plane[j]);
    scale[j] = settings.scale[c];
    bias[j] = -settings.mean[c] * settings.scale[c];
  }
  if (channels == 1 && step > 1) {
    scale[order.r] *= static_cast<float>(grey_weights[0]) / 65536;
    scale[order.g] *= static_cast<float>(grey_weights[1]) / 65536;
    scale[order.b] *= static_cast<float>(grey_weights[2]) / 65536;
  }
  // Behind a blended row: taps of weight 0 are read too, by the vector, and must be finite.
  row_floats = source.kind == PixelSource::weighted
                   ? int64_t{across.last - across.first + across.taps} * step + 16
                   : 0;
  line_floats = settings.type == DType::f32 ? 0 : int64_t{at.x1 - at.x0} * channels;
  // Sharing costs a few tens of microseconds where the other threads sleep. Work in 1/8 ns of a fast core.
  const int64_t work =
      int64_t{at.y1 - at.y0} * ((at.x1 - at.x0) * (4 + across.most) + row_floats * down.most / 6);
  constexpr int64_t worth_sharing = 400'000;
  tasks = pool && work >= worth_sharing ? pool->threads() : 1;
  scratch.assign(static_cast<size_t>((row_floats + line_floats) * tasks), 0);
  width = at.width;
  height = at.height;
}

// Writes output pixels of one row: lines[c] is a plane's row, or lines[0] all channels.
void Preprocessor::Impl::sample(const PixelSource& pixels, float* const* lines) const {
  const int64_t n = at.x1 - at.x0;
  const bool planes = settings.layout == Layout::nchw;
  if (pixels.channels == 1) {
    for (int c = 0; c < channels; c++)
      kernels->grey(pixels, n, scale[c], bias[c], planes ? lines[c] : lines[0] + c, planes ? 1 : channels);
  } else if (channels == 1) {
    kernels->colour_sum(pixels, n, scale, bias, lines[0]);
  } else if (planes) {
    float* const ordered[] = {lines[plane[0]], lines[plane[1]], lines[plane[2]]};
    kernels->colour_planes(pixels, n, scale, bias, ordered);
  } else {
    kernels->colour_pixels(pixels, n, scale, bias, plane[0] != 0, lines[0]);
  }
}

void Preprocessor::Impl::row(const ImageView& image, int y, float* blended, uint8_t* out) const {
  const size_t i = static_cast<size_t>(y - at.y0);
  const float* weight = down.weight.data() + i * static_cast<size_t>(down.taps);
  const uint8_t* in = image.row(down.start[i]);
  PixelSource pixels = source;
  if (source.kind == PixelSource::weighted) {
    const int64_t from = int64_t{across.first} * source.channels, to = int64_t{across.last} * source.channels;
    kernels->blend_rows(in + from, image.stride, weight, down.count[i], to - from, blended);
    pixels.row = blended;
  } else {
    pixels.upper = in;
    pixels.lower = in + (down.count[i] - 1) * image.stride;
    pixels.upper_weight = weight[0] / bilinear_one;
    pixels.lower_weight = (1 - weight[0]) / bilinear_one;
  }
  float* line[3] = {};
  const int64_t elements = line_elements(at.x1 - at.x0);
  for (int c = 0; c < lines(); c++)
    line[c] = settings.type == DType::f32 ? reinterpret_cast<float*>(place_of(out, c, y, at.x0))
                                          : blended + row_floats + c * elements;
  sample(pixels, line);
  for (int c = 0; c < lines(); c++) {
    if (settings.type != DType::f32) convert(line[c], elements, place_of(out, c, y, at.x0));
    const uint8_t* padding = pad.data() + c * element * settings.width;
    const auto bytes = [&](int pixels) { return static_cast<size_t>(element * line_elements(pixels)); };
    std::memcpy(place_of(out, c, y, 0), padding, bytes(at.x0));
    std::memcpy(place_of(out, c, y, at.x1), padding, bytes(settings.width - at.x1));
  }
}

void Preprocessor::Impl::pad_row(int y, uint8_t* out) const {
  const size_t bytes = static_cast<size_t>(element * line_elements(settings.width));
  for (int c = 0; c < lines(); c++)
    std::memcpy(place_of(out, c, y, 0), pad.data() + static_cast<size_t>(c) * bytes, bytes);
}

Preprocessor::Preprocessor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Preprocessor::Preprocessor(Preprocessor&&) noexcept = default;
Preprocessor& Preprocessor::operator=(Preprocessor&&) noexcept = default;
Preprocessor::~Preprocessor() = default;

Result<Preprocessor> Preprocessor::make(const Preprocess& settings, std::shared_ptr<ThreadPool> pool) {
  HONE_CHECK(check_settings(settings));
  HONE_TRY(const Isa isa, active_isa());
  try {
    auto impl = std::make_unique<Impl>();
    impl->settings = settings;
    impl->pool = std::move(pool);
    impl->kernels = &preprocess_kernels(isa);
    impl->channels = settings.channels == Channels::gray ? 1 : 3;
    impl->element = dtype_bits(settings.type) / 8;
    impl->fill_pad();
    return Preprocessor(std::move(impl));
  } catch (const std::bad_alloc&) {
    return error(Code::limit, "out of memory: preprocessing for an input of %d x %d", settings.width,
                 settings.height);
  }
}

const Preprocess& Preprocessor::settings() const { return impl_->settings; }
int64_t Preprocessor::output_bytes() const {
  return impl_->element * impl_->channels * settings().width * settings().height;
}
Shape Preprocessor::output_shape() const {
  const Dim c = impl_->channels, h = settings().height, w = settings().width;
  return settings().layout == Layout::nchw ? Shape{1, c, h, w} : Shape{1, h, w, c};
}

Result<Placement> Preprocessor::run(const ImageView& image, void* out) {
  HONE_CHECK(check_image(image, "the picture"));
  Impl& m = *impl_;
  if (image.width != m.width || image.height != m.height || image.format != m.format) {
    HONE_TRY(const Placement at, place(m.settings, image.width, image.height));
    try {
      m.prepare(at, image.format);
    } catch (const std::bad_alloc&) {
      return error(Code::limit, "out of memory: preprocessing a picture of %d x %d pixels", image.width,
                   image.height);
    }
  }
  uint8_t* const bytes = static_cast<uint8_t*>(out);
  // Rows of the picture cost more than rows of padding: each thread gets its share of both.
  const int64_t tasks = m.tasks, rows = m.at.y1 - m.at.y0, padding = m.settings.height - rows;
  const auto task = [&](int64_t t, int) {
    float* const scratch = m.scratch.data() + t * (m.row_floats + m.line_floats);
    for (int64_t i = rows * t / tasks; i < rows * (t + 1) / tasks; i++)
      m.row(image, m.at.y0 + static_cast<int>(i), scratch, bytes);
    for (int64_t i = padding * t / tasks; i < padding * (t + 1) / tasks; i++)
      m.pad_row(static_cast<int>(i < m.at.y0 ? i : i + rows), bytes);
  };
  if (tasks > 1) m.pool->run(tasks, task);
  else task(0, 0);
  return m.at;
}

}  // namespace hone::vision
