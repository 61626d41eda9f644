// vision.h and vision.hpp over libhone_vision, on the demo's models and pictures.
#include "hone/vision.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "hone/vision.hpp"

namespace {
namespace fs = std::filesystem;

const std::string parts = HONE_SOURCE_DIR "/examples/parts/";

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}
// The model with its task, which an engine file would carry.
hone::VisionOptions task_of(const std::string& model) {
  hone::VisionOptions options;
  options.task = text_of(parts + model + ".toml");
  return options;
}
std::string sample(const std::string& begin) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(parts + "samples"))
    if (entry.path().filename().string().rfind(begin, 0) == 0) found.push_back(entry.path().string());
  std::sort(found.begin(), found.end());
  return found.empty() ? "" : found[0];
}
std::string message(hone_status* s) {
  std::string m = hone_status_message(s);
  hone_status_free(s);
  return m;
}
void expect(const std::string& said, const char* part) {
  EXPECT_NE(said.find(part), std::string::npos) << said;
}

class Scratch {
 public:
  Scratch() : path(fs::temp_directory_path() / ("hone_vision_" + std::to_string(getpid()))) {
    fs::create_directories(path);
  }
  ~Scratch() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  fs::path path;
};

TEST(Classifier, names_the_part) {
  auto classifier = hone::Classifier::load(parts + "parts_classify.onnx", task_of("parts_classify"));
  const auto answers = classifier(hone::Image::read(sample("classify_bolt")));
  ASSERT_FALSE(answers.empty());
  EXPECT_EQ(answers[0].name, "bolt");
  EXPECT_GT(answers[0].score, 0.5f);
  EXPECT_TRUE(
      std::is_sorted(answers.begin(), answers.end(), [](auto& a, auto& b) { return a.score > b.score; }));
}

TEST(Detector, finds_the_parts_and_draws_them) {
  auto detector = hone::Detector::load(parts + "parts_detect.onnx", task_of("parts_detect"));
  auto image = hone::Image::read(sample("detect_"));
  const auto found = detector(image);
  EXPECT_GE(found.size(), 2u);
  for (const hone::Detection& d : found) {
    EXPECT_LT(d.x0, d.x1);
    EXPECT_LT(d.y0, d.y1);
    EXPECT_GE(d.x0, 0);
    EXPECT_LE(d.x1, image.width());
    EXPECT_GE(d.y0, 0);
    EXPECT_LE(d.y1, image.height());
  }
  const auto before = hone::Image::copy(image);
  detector.draw(image);
  const hone_picture &a = before, &b = image;
  EXPECT_NE(std::memcmp(a.data, b.data, static_cast<size_t>(a.stride) * static_cast<size_t>(a.height)), 0);
  const Scratch scratch;
  image.write(scratch / "found.png");
  const auto again = hone::Image::read(scratch / "found.png");
  ASSERT_EQ(again.width(), image.width());
  EXPECT_EQ(std::memcmp(again.picture().data, b.data,
                        static_cast<size_t>(b.stride) * static_cast<size_t>(b.height)),
            0);
}

TEST(Detector, takes_a_frame_that_someone_else_owns) {
  auto detector = hone::Detector::load(parts + "parts_detect.onnx", task_of("parts_detect"));
  const auto image = hone::Image::read(sample("detect_"));
  const auto want = detector(image);
  // The same frame as BGRA with gaps between rows, as a camera may give it.
  const hone_picture& rgb = image;
  hone_picture frame = rgb;
  frame.pixels = HONE_BGRA8;
  frame.stride = rgb.width * 4 + 64;
  std::vector<unsigned char> bytes(static_cast<size_t>(frame.stride) * static_cast<size_t>(rgb.height));
  for (int y = 0; y < rgb.height; y++)
    for (int x = 0; x < rgb.width; x++)
      for (int c = 0; c < 3; c++)
        bytes[static_cast<size_t>(y * frame.stride + x * 4 + 2 - c)] = rgb.data[y * rgb.stride + x * 3 + c];
  frame.data = bytes.data();
  const auto got = detector(frame);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); i++) EXPECT_FLOAT_EQ(got[i].x0, want[i].x0);
}

TEST(Segmenter, gives_every_pixel_a_class) {
  auto segmenter = hone::Segmenter::load(parts + "parts_segment.onnx", task_of("parts_segment"));
  const auto image = hone::Image::read(sample("segment_"));
  const auto map = segmenter(image);
  EXPECT_EQ(map.width, image.width());
  EXPECT_EQ(map.height, image.height());
  std::vector<int> seen(3);
  for (uint16_t label : map.labels) {
    ASSERT_LT(label, 3);
    seen[label]++;
  }
  EXPECT_GT(seen[0], 0);  // background
  EXPECT_GT(seen[1], 0);  // part
}

// A model that decodes pictures: y = ImageDecoder(file).
std::string decoding_model() {
  // Fields of protobuf shorter than 128 bytes.
  const auto field = [](int number, const std::string& payload) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(payload.size())} + payload;
  };
  const auto dims = [&](int rank) {
    std::string shape;
    for (int i = 0; i < rank; i++) shape += field(1, field(2, std::string(1, static_cast<char>('a' + i))));
    return field(2, field(1, std::string("\x08\x02") + field(2, shape)));  // of u8
  };
  const std::string graph = field(1, field(1, "file") + field(2, "y") + field(4, "ImageDecoder")) +
                            field(2, "g") + field(11, field(1, "file") + dims(1)) +
                            field(12, field(1, "y") + dims(3));
  return "\x08\x09" + field(7, graph) + field(8, field(1, "") + "\x10\x14");
}

TEST(Models, decode_pictures_by_this_library_once_it_is_asked_to) {
  const std::string model = decoding_model(), path = sample("classify_bolt");
  const auto engine = hone::build(std::as_bytes(std::span(model))).value();
  auto session = engine.session().value();
  const std::string file = text_of(path);
  const int64_t size[] = {static_cast<int64_t>(file.size())};
  session.set(0, {HONE_U8, size, file.data(), file.size()}).value();
  const auto refused = session.run();
  ASSERT_FALSE(refused);
  expect(refused.error().message(), "hone_vision_serve_models()");

  hone::serve_models();
  session.run().value();
  const auto pixels = session.output(0).value();
  const auto image = hone::Image::read(path);
  ASSERT_EQ(pixels.dims().size(), 3u);
  EXPECT_EQ(pixels.dims()[2], 3);
  ASSERT_EQ(pixels.bytes(), static_cast<size_t>(image.width() * image.height() * 3));
  EXPECT_EQ(std::memcmp(pixels.data(), image.picture().data, pixels.bytes()), 0);
  hone_set_image_decoder(nullptr, nullptr);
  EXPECT_FALSE(session.run());
}

TEST(Vision, an_engine_file_carries_its_task) {
  const Scratch scratch;
  auto engine = hone::build(parts + "parts_classify.onnx").value();
  engine.set_meta("task", task_of("parts_classify").task).value();
  engine.save(scratch / "parts.hone").value();
  auto classifier = hone::Classifier::load(scratch / "parts.hone");
  EXPECT_EQ(classifier(hone::Image::read(sample("classify_gear"))).at(0).name, "gear");
  // And from the engine at hand, which may go.
  auto other = hone::Classifier::create(engine);
  engine = hone::Engine::load(scratch / "parts.hone").value();
  EXPECT_EQ(other(hone::Image::read(sample("classify_nut"))).at(0).name, "nut");
}

TEST(Vision, refuses_what_cannot_be) {
  const auto wrong_verb = hone::Detector::try_load(parts + "parts_classify.onnx", task_of("parts_classify"));
  ASSERT_FALSE(wrong_verb.ok());
  expect(wrong_verb.error().message(), "not a network that can detect");
  EXPECT_THROW(hone::Classifier::load(parts + "nothing.onnx"), hone::Error);
  EXPECT_THROW(hone::Image::read(parts + "README.md"), hone::Error);

  hone_vision* v = nullptr;
  hone_vision_options options{};
  options.size = sizeof options;
  const std::string task = task_of("parts_classify").task;
  options.task = task.c_str();
  options.preset = "yolox";
  expect(message(hone_vision_load((parts + "parts_classify.onnx").c_str(), &options, &v)), "give one");
  options.preset = nullptr;
  options.min_score = NAN;
  expect(message(hone_vision_load((parts + "parts_classify.onnx").c_str(), &options, &v)), "min_score");
  options.min_score = 0;
  options.task = "task = 'classify'\nnonsense = 1";
  expect(message(hone_vision_load((parts + "parts_classify.onnx").c_str(), &options, &v)), "nonsense");
  options.task = nullptr;
  options.preset = "yolx";
  expect(message(hone_vision_load((parts + "parts_classify.onnx").c_str(), &options, &v)), "yolox");
  ASSERT_EQ(v, nullptr);

  options.preset = nullptr;
  options.task = task.c_str();
  ASSERT_EQ(hone_vision_load((parts + "parts_classify.onnx").c_str(), &options, &v), nullptr);
  expect(message(hone_vision_run(v, nullptr)), "NULL");
  hone_picture picture{};
  picture.size = sizeof picture;
  expect(message(hone_vision_run(v, &picture)), "empty");
  unsigned char pixels[12] = {};
  picture = {sizeof picture, pixels, 2, 2, 5, HONE_RGB8};
  expect(message(hone_vision_run(v, &picture)), "rows of 5 bytes");
  picture.pixels = static_cast<hone_pixels>(9);
  expect(message(hone_vision_run(v, &picture)), "format 9");
  picture = {sizeof picture, pixels, 2, 2, 0, HONE_RGB8};
  ASSERT_EQ(hone_vision_run(v, &picture), nullptr);
  hone_class c{sizeof c, 0, 0};
  expect(message(hone_vision_class(v, 99, &c)), "class 99 does not exist");
  EXPECT_EQ(hone_vision_detection_count(v), 0u);
  hone_label_map map{};
  map.size = sizeof map;
  expect(message(hone_vision_label_map(v, &map)), "not segment");
  EXPECT_EQ(hone_vision_label(v, -1), nullptr);
  hone_image* image = nullptr;
  ASSERT_EQ(hone_image_read(sample("classify_bolt").c_str(), &image), nullptr);
  expect(message(hone_vision_draw(v, image)), "the picture of the last run was 2 x 2");
  hone_image_free(image);
  hone_vision_free(v);
}

}  // namespace
