// Times preprocessing, beside OpenCV's resize + cvtColor + convertTo (+ split) where that is installed:
//
//   ninja bench_preprocess && build/dev/bin/bench_preprocess [ROUNDS]
//
// Milliseconds, the least of many rounds in which all contenders take turns. OpenCV's padding is written once
// and not timed. HONE_ISA picks the instruction set.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "base/cpu.h"
#include "vision/preprocess.h"

#if HONE_BENCH_OPENCV
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#endif

using namespace hone;
using namespace hone::vision;

namespace {

struct Problem {
  const char* name;
  int width, height;
  PixelFormat format;
  Preprocess settings;
};

struct Contender {
  std::string name;
  std::function<void()> run;
  double least = 1e9;
};

const char* name_of(Interpolation how) {
  constexpr const char* names[] = {"nearest", "bilinear", "area", "smooth"};
  return names[static_cast<int>(how)];
}

#if HONE_BENCH_OPENCV
// What one would write with OpenCV: the same placement, all buffers kept. `planes` is empty where interleaved
// channels are good enough.
struct ByOpenCv {
  cv::Mat picture, resized, bytes, floats;
  cv::Rect from, to;
  int how;
  double scale;
  std::vector<cv::Mat> planes;

  ByOpenCv(const Problem& p, const Image& image, const Placement& at, bool split) {
    picture = cv::Mat(image.height(), image.width(), CV_8UC3, const_cast<uint8_t*>(image.row(0)),
                      static_cast<size_t>(image.stride()));
    const int w = static_cast<int>(at.width * at.scale_x + 0.5),
              h = static_cast<int>(at.height * at.scale_y + 0.5);
    resized.create(h, w, CV_8UC3);
    from = cv::Rect(at.offset_x < 0 ? static_cast<int>(-at.offset_x) : 0,
                    at.offset_y < 0 ? static_cast<int>(-at.offset_y) : 0, at.x1 - at.x0, at.y1 - at.y0);
    to = cv::Rect(at.x0, at.y0, from.width, from.height);
    constexpr int modes[] = {cv::INTER_NEAREST, cv::INTER_LINEAR, cv::INTER_AREA, cv::INTER_LINEAR};
    how = modes[static_cast<int>(p.settings.interpolation)];
    scale = p.settings.scale[0];
    bytes = cv::Mat(p.settings.height, p.settings.width, CV_8UC3, cv::Scalar(114, 114, 114));
    floats.create(bytes.size(), CV_32FC3);
    if (split)
      for (int c = 0; c < 3; c++) planes.emplace_back(bytes.size(), CV_32FC1);
  }
  void run() {
    cv::resize(picture, resized, resized.size(), 0, 0, how);
    cv::Mat place = bytes(to);
    cv::cvtColor(resized(from), place, cv::COLOR_BGR2RGB);
    bytes.convertTo(floats, CV_32F, scale);
    if (!planes.empty()) cv::split(floats, planes);
  }
};
#endif

void bench(const Problem& problem, int rounds) {
  Image picture = *Image::allocate(problem.width, problem.height, problem.format);
  for (int y = 0; y < picture.height(); y++)
    for (int64_t i = 0; i < picture.stride(); i++)
      picture.row(y)[i] = static_cast<uint8_t>((i * 2654435761u + static_cast<uint32_t>(y) * 40503u) >> 13);
  std::vector<Contender> contenders;
  std::vector<float> out(size_t{3} * static_cast<size_t>(problem.settings.width * problem.settings.height));
  for (int threads : {1, 2}) {
    auto pool = std::make_shared<ThreadPool>(threads);
    auto p = std::make_shared<Preprocessor>(*Preprocessor::make(problem.settings, pool));
    contenders.push_back({strf("hone %d", threads), [p, &picture, &out] {
                            if (!p->run(picture, out.data())) std::abort();
                          }});
#if HONE_BENCH_OPENCV
    if (channels_of(problem.format) != 3 || problem.settings.interpolation == Interpolation::smooth) continue;
    const Placement at = *place(problem.settings, problem.width, problem.height);
    for (bool split : {false, true}) {
      auto cv = std::make_shared<ByOpenCv>(problem, picture, at, split);
      contenders.push_back({strf("opencv%s %d", split ? "+split" : "", threads), [cv, threads] {
                              cv::setNumThreads(threads);
                              cv->run();
                            }});
    }
#endif
  }
  for (int round = 0; round < rounds; round++)
    for (Contender& c : contenders) {
      for (int i = 0; i < 8; i++) {  // the first finds other people's data in the caches
        const auto start = std::chrono::steady_clock::now();
        c.run();
        c.least = std::min(
            c.least,
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
      }
    }
  std::printf("%-34s %-8s", problem.name, name_of(problem.settings.interpolation));
  for (const Contender& c : contenders) std::printf("  %s: %.3f", c.name.c_str(), c.least);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 100;
  const auto isa = active_isa();
  if (!isa) {
    std::fprintf(stderr, "%s\n", isa.error().message.c_str());
    return 1;
  }
#if HONE_BENCH_OPENCV
  std::printf("%s, OpenCV %s; milliseconds with as many threads\n", isa_name(*isa), CV_VERSION);
#else
  std::printf("%s; milliseconds with as many threads (OpenCV is not installed)\n", isa_name(*isa));
#endif
  constexpr float s = 1.0f / 255;
  Preprocess p{.width = 416, .height = 416, .fit = Fit::letterbox, .scale = {s, s, s}};
  const auto each = [&](const char* name, int width, int height, PixelFormat format) {
    for (Interpolation how :
         {Interpolation::nearest, Interpolation::bilinear, Interpolation::area, Interpolation::smooth}) {
      p.interpolation = how;
      bench({name, width, height, format, p}, rounds);
    }
  };
  each("1920x1080 bgr, 416x416 letterbox", 1920, 1080, PixelFormat::bgr8);
  each("1920x1080 bgra, 416x416 letterbox", 1920, 1080, PixelFormat::bgra8);
  p.width = p.height = 640;
  each("1280x720 bgr, 640x640 letterbox", 1280, 720, PixelFormat::bgr8);
  p.width = p.height = 224;
  p.fit = Fit::crop;
  p.short_side = 256;
  each("640x480 bgr, 224x224 crop of 256", 640, 480, PixelFormat::bgr8);
  p.width = p.height = 512;
  p.fit = Fit::stretch;
  each("320x240 bgr, 512x512 stretch", 320, 240, PixelFormat::bgr8);
  each("512x512 bgr, unchanged", 512, 512, PixelFormat::bgr8);
  p.type = DType::u8;
  p.layout = Layout::nhwc;
  p.scale = {1, 1, 1};
  bench({"1920x1080 rgb, 512x512 nhwc u8", 1920, 1080, PixelFormat::rgb8, p}, rounds);
}
