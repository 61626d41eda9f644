// Hone's C++20 interface to pictures: vision.h with objects, header-only. Names without `try_` throw
// hone::Error where something fails; those with it return Result<T>.
//
//   auto detector = hone::Detector::load("parts.hone");
//   for (const auto& d : detector(hone::Image::read("belt.jpg")))
//     std::cout << d.name << ' ' << d.score << ' ' << d.x0 << ',' << d.y0 << '\n';
#pragma once
#include "hone/hone.hpp"
#include "hone/vision.h"

namespace hone {
namespace api {

// Pixels with their owner.
class Image {
 public:
  static Result<Image> try_read(const std::string& path) {
    hone_image* i = nullptr;
    if (auto* s = hone_image_read(path.c_str(), &i)) return Error(s);
    return Image(i);
  }
  static Result<Image> try_decode(std::span<const std::byte> file) {
    hone_image* i = nullptr;
    if (auto* s = hone_image_decode(file.data(), file.size(), &i)) return Error(s);
    return Image(i);
  }
  static Result<Image> try_copy(const hone_picture& picture) {
    hone_image* i = nullptr;
    if (auto* s = hone_image_copy(&picture, &i)) return Error(s);
    return Image(i);
  }
  static Image read(const std::string& path) { return try_read(path).value(); }
  static Image decode(std::span<const std::byte> file) { return try_decode(file).value(); }
  static Image copy(const hone_picture& picture) { return try_copy(picture).value(); }
  // By the path's end: .jpg or .png.
  Result<void> try_write(const std::string& path) const {
    return hone_picture_write(&picture(), path.c_str());
  }
  void write(const std::string& path) const { try_write(path).value(); }

  int width() const { return picture().width; }
  int height() const { return picture().height; }
  const hone_picture& picture() const { return *hone_image_picture(image_.get()); }
  operator const hone_picture&() const { return picture(); }
  hone_image* get() const { return image_.get(); }

 private:
  explicit Image(hone_image* taken) : image_(taken) {}
  struct Free {
    void operator()(hone_image* i) const { hone_image_free(i); }
  };
  std::unique_ptr<hone_image, Free> image_;
};

struct VisionOptions {
  std::string task, preset;  // as in vision.h; "": what the engine carries
  int threads = 0;
  float min_score = 0;
};

// What the four below share: an engine with its task.
class Vision {
 public:
  static Result<Vision> try_load(const std::string& path, const VisionOptions& options = {}) {
    return make(options, [&](const hone_vision_options* o, hone_vision** v) {
      return hone_vision_load(path.c_str(), o, v);
    });
  }
  static Result<Vision> try_create(const Engine& engine, const VisionOptions& options = {}) {
    return make(options, [&](const hone_vision_options* o, hone_vision** v) {
      return hone_vision_create(engine.get(), o, v);
    });
  }
  hone_task task() const { return hone_vision_task(get()); }
  std::string label(int index) const {
    const char* name = hone_vision_label(get(), index);
    return name ? name : "class " + std::to_string(index);
  }
  Result<void> try_run(const hone_picture& picture) { return hone_vision_run(get(), &picture); }
  // The answers of the last run, into a picture of the same size.
  void draw(Image& image) { Result<void>(hone_vision_draw(get(), image.get())).value(); }
  hone_vision* get() const { return vision_.get(); }

 private:
  template <class F>
  static Result<Vision> make(const VisionOptions& options, F create) {
    hone_vision_options o{};
    o.size = sizeof o;
    o.task = options.task.empty() ? nullptr : options.task.c_str();
    o.preset = options.preset.empty() ? nullptr : options.preset.c_str();
    o.threads = options.threads;
    o.min_score = options.min_score;
    Vision v;
    hone_vision* raw = nullptr;
    if (auto* s = create(&o, &raw)) return Error(s);
    v.vision_.reset(raw);
    return v;
  }
  struct Free {
    void operator()(hone_vision* v) const { hone_vision_free(v); }
  };
  std::unique_ptr<hone_vision, Free> vision_;
};

struct Class {
  int label = 0;
  std::string name;
  float score = 0;
};
struct Detection {
  float x0 = 0, y0 = 0, x1 = 0, y1 = 0;  // pixels of the picture
  int label = 0;
  std::string name;
  float score = 0;
  std::vector<hone_keypoint> keypoints;
};
struct LabelMap {
  int width = 0, height = 0;
  std::vector<uint16_t> labels;  // height x width
  uint16_t at(int x, int y) const {
    return labels[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
  }
};

namespace detail {
// A Vision of one kind of task, with the answers that it gives.
template <class Derived>
class VisionOf : public Vision {
 public:
  static Result<Derived> try_load(const std::string& path, const VisionOptions& options = {}) {
    return checked(Vision::try_load(path, options), path);
  }
  static Result<Derived> try_create(const Engine& engine, const VisionOptions& options = {}) {
    return checked(Vision::try_create(engine, options), "the engine");
  }
  static Derived load(const std::string& path, const VisionOptions& options = {}) {
    return try_load(path, options).value();
  }
  static Derived create(const Engine& engine, const VisionOptions& options = {}) {
    return try_create(engine, options).value();
  }
  auto operator()(const hone_picture& picture) {
    try_run(picture).value();
    return static_cast<Derived*>(this)->answers();
  }

 private:
  static Result<Derived> checked(Result<Vision> v, const std::string& what) {
    if (!v) return v.error();
    if (v->task() != Derived::kind)
      return Error(HONE_INVALID_ARGUMENT, what + " is not a network that can " + Derived::verb);
    Derived d;
    static_cast<Vision&>(d) = *std::move(v);
    return d;
  }
};
}  // namespace detail

// Calling one runs it on a picture. One thread at a time each.
class Classifier : public detail::VisionOf<Classifier> {
 public:
  static constexpr hone_task kind = HONE_CLASSIFY;
  static constexpr const char* verb = "classify";
  std::vector<Class> answers() const {  // best first
    std::vector<Class> list(hone_vision_class_count(get()));
    for (size_t i = 0; i < list.size(); i++) {
      hone_class c{sizeof c, 0, 0};
      Result<void>(hone_vision_class(get(), i, &c)).value();
      list[i] = {c.label, label(c.label), c.score};
    }
    return list;
  }
};

class Detector : public detail::VisionOf<Detector> {
 public:
  static constexpr hone_task kind = HONE_DETECT;
  static constexpr const char* verb = "detect";
  std::vector<Detection> answers() const { return detections(*this); }  // best first

 private:
  friend class PoseEstimator;
  static std::vector<Detection> detections(const Vision& v) {
    std::vector<Detection> list(hone_vision_detection_count(v.get()));
    for (size_t i = 0; i < list.size(); i++) {
      hone_detection d{};
      d.size = sizeof d;
      Result<void>(hone_vision_detection(v.get(), i, &d)).value();
      list[i] = {d.x0,    d.y0,
                 d.x1,    d.y1,
                 d.label, v.label(d.label),
                 d.score, {d.keypoints, d.keypoints + d.keypoint_count}};
    }
    return list;
  }
};

class PoseEstimator : public detail::VisionOf<PoseEstimator> {
 public:
  static constexpr hone_task kind = HONE_POSE;
  static constexpr const char* verb = "estimate poses";
  std::vector<Detection> answers() const { return Detector::detections(*this); }
};

class Segmenter : public detail::VisionOf<Segmenter> {
 public:
  static constexpr hone_task kind = HONE_SEGMENT;
  static constexpr const char* verb = "segment";
  LabelMap answers() const {
    hone_label_map m{};
    m.size = sizeof m;
    Result<void>(hone_vision_label_map(get(), &m)).value();
    return {m.width,
            m.height,
            {m.labels, m.labels + static_cast<size_t>(m.width) * static_cast<size_t>(m.height)}};
  }
};

// From now on engines that decode pictures themselves (operator ImageDecoder) do so by this library.
inline void serve_models() { hone_vision_serve_models(); }

}  // namespace api
}  // namespace hone
