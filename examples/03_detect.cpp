// Finds things and draws them: 03_detect ENGINE PICTURE OUT.jpg
#include <cstdio>

#include "hone/vision.hpp"

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: 03_detect ENGINE PICTURE OUT.jpg\n");
    return 2;
  }
  auto detector = hone::Detector::load(argv[1]);
  auto image = hone::Image::read(argv[2]);
  for (const hone::Detection& d : detector(image))
    std::printf("%-12s %5.1f %%   x %6.1f .. %6.1f   y %6.1f .. %6.1f\n", d.name.c_str(), 100 * d.score, d.x0,
                d.x1, d.y0, d.y1);
  detector.draw(image);
  image.write(argv[3]);
} catch (const hone::Error& e) {
  std::fprintf(stderr, "03_detect: %s\n", e.what());
  return 1;
}
