#include "vision/decode/ssd_priors.h"

#include <algorithm>

namespace hone::vision::decoding {

namespace {
struct Layout {
  std::vector<int> strides;
  bool even = false;
  std::vector<std::vector<Prior>> sizes;  // for each map, those of a cell
};

// torchvision.models.detection.ssdlite and .ssd, version 0.14.
struct Known {
  const char* name;
  std::vector<int> strides;
  bool even;
  std::vector<float> min_sizes, max_sizes, aspect_ratios;
};
const std::vector<Known>& known_networks() {
  static const std::vector<Known> all = {{"ssdlite320_mobilenet_v3_large",
                                          {16, 32, 64, 128, 256, 512},
                                          true,
                                          {0.2f, 0.35f, 0.5f, 0.65f, 0.8f, 0.95f},
                                          {0.35f, 0.5f, 0.65f, 0.8f, 0.95f, 1},
                                          {2, 3}},
                                         {"ssd300_vgg16",
                                          {8, 16, 32, 64, 100, 300},
                                          false,
                                          {0.07f, 0.15f, 0.33f, 0.51f, 0.69f, 0.87f},
                                          {0.15f, 0.33f, 0.51f, 0.69f, 0.87f, 1.05f},
                                          {2, 2, 3, 2, 3, 2, 3, 2, 2}}};
  return all;
}

Result<std::vector<std::vector<float>>> split_ratios(const std::vector<float>& ratios, size_t maps) {
  std::vector<std::vector<float>> split(1);
  for (float a : ratios) {
    if (!(a > 0 && std::isfinite(a)))
      return error(Code::invalid_argument, "an aspect ratio of %g: they are above 0", static_cast<double>(a));
    if (!split.back().empty() && a <= split.back().back()) split.emplace_back();
    split.back().push_back(a);
  }
  if (split.size() == 1) split.resize(maps, split[0]);
  if (split.size() != maps)
    return error(
        Code::invalid_argument,
        "aspect_ratios are of %zu maps (each begins where a ratio is not greater than the one before), "
        "but there are %zu",
        split.size(), maps);
  return split;
}

// Sizes are fractions if scale_x and scale_y are the input's, pixels if they are 1.
Result<std::vector<std::vector<Prior>>> sizes_of(const std::vector<float>& least,
                                                 const std::vector<float>& most,
                                                 const std::vector<float>& ratios, bool fractions,
                                                 const DecodeContext& context) {
  if (!most.empty() && most.size() != least.size())
    return error(Code::invalid_argument,
                 "%zu min_sizes but %zu max_sizes: one of each for each map, or no max_sizes", least.size(),
                 most.size());
  HONE_TRY(const auto split, split_ratios(ratios, least.size()));
  const float scale_x = fractions ? static_cast<float>(context.input_width) : 1;
  const float scale_y = fractions ? static_cast<float>(context.input_height) : 1;
  std::vector<std::vector<Prior>> sizes(least.size());
  for (size_t k = 0; k < least.size(); k++) {
    const auto add = [&](float w, float h) {
      if (fractions) w = std::min(w, 1.0f), h = std::min(h, 1.0f);
      sizes[k].push_back({0, 0, w * scale_x, h * scale_y});
    };
    add(least[k], least[k]);
    if (!most.empty()) add(std::sqrt(least[k] * most[k]), std::sqrt(least[k] * most[k]));
    for (float a : split[k]) {
      if (a == 1) continue;
      add(least[k] * std::sqrt(a), least[k] / std::sqrt(a));
      add(least[k] / std::sqrt(a), least[k] * std::sqrt(a));
    }
  }
  return sizes;
}

int cells(int side, int stride) { return side / stride + (side % stride != 0); }

int64_t count_of(const Layout& l, const DecodeContext& context) {
  int64_t n = 0;
  for (size_t k = 0; k < l.strides.size(); k++)
    n += int64_t{cells(context.input_width, l.strides[k])} * cells(context.input_height, l.strides[k]) *
         static_cast<int64_t>(l.sizes[k].size());
  return n;
}

std::string how(const Layout& l, const DecodeContext& context) {
  std::string text;
  for (size_t k = 0; k < l.strides.size(); k++)
    text += (k ? " + " : "") + strf("%dx%dx%zu", cells(context.input_width, l.strides[k]),
                                    cells(context.input_height, l.strides[k]), l.sizes[k].size());
  return text + " = " + std::to_string(count_of(l, context));
}

Result<Layout> layout_of(const DecodeContext& context) {
  const Head& head = context.head;
  Layout l{head.strides, head.even_cells, {}};
  if (!head.anchors.empty()) {
    if (l.strides.empty() || head.anchors.size() % (2 * l.strides.size()) != 0)
      return error(
          Code::invalid_argument,
          "%zu numbers in anchors for %zu strides: width and height of as many for each stride are expected",
          head.anchors.size(), l.strides.size());
    const size_t each = head.anchors.size() / l.strides.size();
    for (size_t k = 0; k < l.strides.size(); k++) {
      l.sizes.emplace_back();
      for (size_t i = k * each; i < (k + 1) * each; i += 2)
        l.sizes[k].push_back({0, 0, head.anchors[i], head.anchors[i + 1]});
    }
    return l;
  }
  if (l.strides.empty()) {
    l.even = true;
    for (size_t k = 0; k < head.min_sizes.size() && k < 16; k++) l.strides.push_back(16 << k);
  }
  if (l.strides.size() != head.min_sizes.size())
    return error(Code::invalid_argument, "%zu strides but %zu min_sizes: one of each for each map",
                 l.strides.size(), head.min_sizes.size());
  HONE_TRY(l.sizes, sizes_of(head.min_sizes, head.max_sizes, head.aspect_ratios, head.normalised, context));
  return l;
}
}  // namespace

Result<std::vector<Prior>> ssd_priors(const DecodeContext& context, int64_t count) {
  const Head& head = context.head;
  HONE_CHECK(check_input_size(context));
  for (int s : head.strides)
    if (s < 1 || s > 65536) return error(Code::invalid_argument, "a stride of %d: strides are 1 to 65536", s);
  Layout layout;
  if (head.anchors.empty() && head.min_sizes.empty()) {
    std::string tried;
    for (const Known& k : known_networks()) {
      Layout l{k.strides, k.even, {}};
      HONE_TRY(l.sizes, sizes_of(k.min_sizes, k.max_sizes, k.aspect_ratios, true, context));
      tried += (tried.empty() ? "" : ", ") + std::string(k.name) + " has " + how(l, context);
      if (count_of(l, context) == count) layout = std::move(l);
    }
    if (layout.strides.empty())
      return error(Code::invalid_argument,
                   "%lld boxes, and no priors are known for them (at %d x %d, %s): give strides, min_sizes, "
                   "max_sizes and aspect_ratios",
                   static_cast<long long>(count), context.input_width, context.input_height, tried.c_str());
  } else {
    HONE_TRY(layout, layout_of(context));
    if (count_of(layout, context) != count)
      return error(Code::invalid_argument, "%lld boxes, but the task's priors are %s",
                   static_cast<long long>(count), how(layout, context).c_str());
  }

  std::vector<Prior> priors;
  priors.reserve(static_cast<size_t>(count));
  for (size_t k = 0; k < layout.strides.size(); k++) {
    const auto stride = static_cast<float>(layout.strides[k]);
    const int across = cells(context.input_width, layout.strides[k]),
              down = cells(context.input_height, layout.strides[k]);
    const float step_x =
        layout.even ? static_cast<float>(context.input_width) / static_cast<float>(across) : stride;
    const float step_y =
        layout.even ? static_cast<float>(context.input_height) / static_cast<float>(down) : stride;
    for (int y = 0; y < down; y++)
      for (int x = 0; x < across; x++)
        for (const Prior& size : layout.sizes[k])
          priors.push_back({(static_cast<float>(x) + 0.5f) * step_x, (static_cast<float>(y) + 0.5f) * step_y,
                            size.width, size.height});
  }
  return priors;
}

}  // namespace hone::vision::decoding
