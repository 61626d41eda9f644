// What is in the pictures? 02_classify ENGINE PICTURE...
#include <cstdio>

#include "hone/vision.hpp"

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: 02_classify ENGINE PICTURE...\n");
    return 2;
  }
  auto classifier = hone::Classifier::load(argv[1]);
  for (int i = 2; i < argc; i++) {
    std::printf("%s:", argv[i]);
    for (const hone::Class& c : classifier(hone::Image::read(argv[i])))
      std::printf("  %s %.1f %%", c.name.c_str(), 100 * c.score);
    std::printf("\n");
  }
} catch (const hone::Error& e) {
  std::fprintf(stderr, "02_classify: %s\n", e.what());
  return 1;
}
