#include "hone/vision.h"

#include <memory>
#include <optional>

#include "base/enum_number.h"
#include "capi/border.h"
#include "hone/hone.hpp"
#include "imageio/imageio.h"
#include "vision/draw.h"
#include "vision/lift.h"
#include "vision/pipeline.h"

namespace api = hone::api;
namespace capi = hone::capi;
namespace imageio = hone::imageio;
namespace vision = hone::vision;
using capi::guarded;
using hone::Code;
using hone::error;
using hone::Result;
using hone::Status;

struct hone_image {
  explicit hone_image(vision::Image taken) : image(std::move(taken)) {
    const vision::ImageView v = image;
    picture = {sizeof picture, v.data, v.width, v.height, v.stride, static_cast<hone_pixels>(v.format)};
  }
  vision::Image image;
  hone_picture picture;
};

struct hone_vision {
  vision::Pipeline pipeline;
  vision::Results results;
  std::vector<hone_keypoint> keypoints;  // of all detections, one after another
  std::vector<size_t> first_keypoint;
  std::optional<std::vector<uint16_t>> label_map;  // at the picture's size, once asked for
};

namespace hone::capi {
hone_status* to_status(Error e) noexcept {
  return hone_status_new(static_cast<int>(e.code), e.message.c_str());
}
hone_status* out_of_memory() noexcept { return hone_status_new(HONE_LIMIT, "out of memory"); }
}  // namespace hone::capi

namespace {
#define SAME(c_name, name) static_assert(static_cast<int>(c_name) == static_cast<int>(name))
SAME(HONE_GRAY8, vision::PixelFormat::gray8);
SAME(HONE_RGB8, vision::PixelFormat::rgb8);
SAME(HONE_BGR8, vision::PixelFormat::bgr8);
SAME(HONE_RGBA8, vision::PixelFormat::rgba8);
SAME(HONE_BGRA8, vision::PixelFormat::bgra8);
SAME(HONE_CLASSIFY, vision::TaskKind::classify);
SAME(HONE_DETECT, vision::TaskKind::detect);
SAME(HONE_SEGMENT, vision::TaskKind::segment);
SAME(HONE_POSE, vision::TaskKind::pose);
SAME(HONE_RAW, vision::TaskKind::raw);
#undef SAME

Result<vision::ImageView> view_of(const hone_picture* given) {
  if (!given) return error(Code::invalid_argument, "the picture is NULL");
  const hone_picture p = capi::take(given);
  const int pixels = hone::enum_number(p.pixels);
  if (pixels < HONE_GRAY8 || pixels > HONE_BGRA8)
    return error(Code::invalid_argument, "a picture's pixels are of format %d, which is none", pixels);
  vision::ImageView v{p.data, p.width, p.height, p.stride, static_cast<vision::PixelFormat>(pixels)};
  if (v.stride == 0) v.stride = int64_t{v.width} * v.channels();
  HONE_CHECK(vision::check_image(v, "the picture"));
  return v;
}

Status hand_out(Result<vision::Image> image, hone_image** out) {
  if (!image) return image.take_error();
  *out = new hone_image(*std::move(image));
  return {};
}

// An engine that is the caller's.
struct Borrowed {
  explicit Borrowed(const hone_engine* e) : engine(const_cast<hone_engine*>(e)) {}
  ~Borrowed() { engine.release(); }
  api::Engine engine;
};

Result<vision::Task> choose_task(const api::Engine& engine, const hone_vision_options& o) {
  if (o.task && o.preset)
    return error(Code::invalid_argument, "both a task and a preset are given; give one");
  if (o.task) return vision::parse_task(o.task);
  if (o.preset) return vision::preset(o.preset);
  if (!engine.meta("task").empty()) return vision::task_of(engine);
  HONE_TRY(const auto info, vision::info_of(engine));
  HONE_TRY(auto guess, vision::guess_task(info));
  return std::move(guess.task);
}

Status make(const api::Engine& engine, const hone_vision_options& o, hone_vision** out) {
  HONE_TRY(auto task, choose_task(engine, o));
  if (!(o.min_score >= 0 && o.min_score <= 1))
    return error(Code::invalid_argument, "min_score is %g: it must be in 0..1",
                 static_cast<double>(o.min_score));
  if (o.min_score > 0) task.head.score_threshold = o.min_score;
  HONE_TRY(auto pipeline, vision::Pipeline::make(engine, std::move(task), {.threads = o.threads}));
  *out = new hone_vision{std::move(pipeline), {}, {}, {}, {}};
  return {};
}

Status no_answer(const char* what, size_t index, size_t count) {
  return error(Code::invalid_argument, "%s %zu does not exist: the last run gave %zu", what, index, count);
}
}  // namespace

hone_status* hone_image_read(const char* path, hone_image** image) {
  return guarded([&]() -> Status {
    if (!path || !image)
      return error(Code::invalid_argument, "hone_image_read: path and image must not be NULL");
    return hand_out(imageio::read(path), image);
  });
}

hone_status* hone_image_decode(const void* bytes, size_t byte_count, hone_image** image) {
  return guarded([&]() -> Status {
    if ((!bytes && byte_count) || !image)
      return error(Code::invalid_argument, "hone_image_decode: NULL given");
    return hand_out(imageio::decode({static_cast<const std::byte*>(bytes), byte_count}), image);
  });
}

hone_status* hone_image_copy(const hone_picture* picture, hone_image** image) {
  return guarded([&]() -> Status {
    if (!image) return error(Code::invalid_argument, "hone_image_copy: image must not be NULL");
    HONE_TRY(const auto view, view_of(picture));
    return hand_out(vision::converted(view, vision::PixelFormat::rgb8), image);
  });
}

const hone_picture* hone_image_picture(const hone_image* image) { return &image->picture; }
void hone_image_free(hone_image* image) { delete image; }

hone_status* hone_picture_write(const hone_picture* picture, const char* path) {
  return guarded([&]() -> Status {
    if (!path) return error(Code::invalid_argument, "hone_picture_write: path must not be NULL");
    HONE_TRY(const auto view, view_of(picture));
    return imageio::write(view, path);
  });
}

hone_status* hone_vision_load(const char* path, const hone_vision_options* options, hone_vision** out) {
  return guarded([&]() -> Status {
    if (!path || !out)
      return error(Code::invalid_argument, "hone_vision_load: path and vision must not be NULL");
    auto engine = api::Engine::load(path);
    if (!engine) return lift(engine.error());
    Status made = make(*engine, capi::take(options), out);
    if (!made) return hone::in(path, made.take_error());
    return {};
  });
}

hone_status* hone_vision_create(const hone_engine* engine, const hone_vision_options* options,
                                hone_vision** out) {
  return guarded([&]() -> Status {
    if (!engine || !out)
      return error(Code::invalid_argument, "hone_vision_create: engine and vision must not be NULL");
    const Borrowed borrowed(engine);
    return make(borrowed.engine, capi::take(options), out);
  });
}

void hone_vision_free(hone_vision* v) { delete v; }
hone_task hone_vision_task(const hone_vision* v) { return static_cast<hone_task>(v->pipeline.task().kind); }
const char* hone_vision_label(const hone_vision* v, int label) {
  const auto& labels = v->pipeline.task().labels;
  return label >= 0 && static_cast<size_t>(label) < labels.size() ? labels[static_cast<size_t>(label)].c_str()
                                                                  : nullptr;
}

hone_status* hone_vision_run(hone_vision* v, const hone_picture* picture) {
  return guarded([&]() -> Status {
    HONE_TRY(const auto view, view_of(picture));
    HONE_TRY(v->results, v->pipeline.run(view));
    v->label_map.reset();
    v->keypoints.clear();
    v->first_keypoint.clear();
    for (const vision::Detection& d : v->results.detections) {
      v->first_keypoint.push_back(v->keypoints.size());
      for (const vision::Keypoint& k : d.keypoints) v->keypoints.push_back({k.x, k.y, k.score});
    }
    return {};
  });
}

void hone_vision_serve_models(void) { imageio::serve_models(); }

size_t hone_vision_class_count(const hone_vision* v) { return v->results.classes.size(); }
hone_status* hone_vision_class(const hone_vision* v, size_t index, hone_class* answer) {
  return guarded([&]() -> Status {
    const auto& list = v->results.classes;
    if (index >= list.size()) return no_answer("class", index, list.size());
    return capi::give(hone_class{0, list[index].label, list[index].score}, answer);
  });
}

size_t hone_vision_detection_count(const hone_vision* v) { return v->results.detections.size(); }
hone_status* hone_vision_detection(const hone_vision* v, size_t index, hone_detection* answer) {
  return guarded([&]() -> Status {
    const auto& list = v->results.detections;
    if (index >= list.size()) return no_answer("detection", index, list.size());
    const vision::Detection& d = list[index];
    return capi::give(hone_detection{0, d.box.x0, d.box.y0, d.box.x1, d.box.y1, d.label, d.score,
                                     v->keypoints.data() + v->first_keypoint[index], d.keypoints.size()},
                      answer);
  });
}

hone_status* hone_vision_label_map(hone_vision* v, hone_label_map* map) {
  return guarded([&]() -> Status {
    const vision::Results& r = v->results;
    if (v->pipeline.task().kind != vision::TaskKind::segment)
      return error(Code::invalid_argument, "this network can %s, not segment",
                   vision::task_kind_name(v->pipeline.task().kind));
    if (r.segmentation.labels.empty()) return error(Code::invalid_argument, "nothing has been run yet");
    if (!v->label_map) v->label_map = at_picture_size(r.segmentation, r.picture_width, r.picture_height);
    return capi::give(hone_label_map{0, r.picture_width, r.picture_height, v->label_map->data()}, map);
  });
}

hone_status* hone_vision_draw(hone_vision* v, hone_image* image) {
  return guarded([&]() -> Status {
    if (!image) return error(Code::invalid_argument, "hone_vision_draw: image must not be NULL");
    const vision::Results& r = v->results;
    if (image->image.width() != r.picture_width || image->image.height() != r.picture_height)
      return error(Code::invalid_argument,
                   "the image is %d x %d pixels, the picture of the last run was %d x %d",
                   image->image.width(), image->image.height(), r.picture_width, r.picture_height);
    if (image->image.format() != vision::PixelFormat::rgb8) {
      HONE_TRY(auto rgb, vision::converted(image->image, vision::PixelFormat::rgb8));
      *image = hone_image(std::move(rgb));
    }
    return vision::draw(image->image, v->pipeline.task(), r);
  });
}
