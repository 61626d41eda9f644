// Loads an engine (or a model), runs it on ones, prints what comes out: 00_run ENGINE
#include <algorithm>
#include <cstdio>
#include <functional>
#include <numeric>
#include <vector>

#include "hone/hone.hpp"

int main(int argc, char** argv) try {
  if (argc != 2) return std::fprintf(stderr, "usage: 00_run ENGINE\n"), 2;
  auto engine = hone::Engine::load(argv[1]).value();
  auto session = engine.session().value();

  std::vector<std::vector<float>> pixels;
  for (auto& input : engine.inputs()) {
    for (auto& d : input.dims) d = d < 0 ? 1 : d;  // what the engine leaves open
    const auto n = std::accumulate(input.dims.begin(), input.dims.end(), int64_t{1}, std::multiplies<>());
    pixels.emplace_back(static_cast<size_t>(n), 1.0f);
    session.set(pixels.size() - 1, hone::TensorView::of<float>(pixels.back(), input.dims)).value();
  }
  session.run().value();

  const auto outputs = engine.outputs();
  for (size_t i = 0; i < outputs.size(); i++) {
    const auto output = session.output(i).value();
    std::printf("%s:", outputs[i].name.c_str());
    for (float v : output.values<float>().first(std::min<size_t>(8, output.bytes() / sizeof(float))))
      std::printf(" %g", v);
    std::printf("\n");
  }
} catch (const hone::Error& e) {
  std::fprintf(stderr, "00_run: %s\n", e.what());
  return 1;
}
