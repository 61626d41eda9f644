#include "vision/guess.h"

#include <algorithm>

#include "vision/decoder.h"
#include "vision/guess_families.h"

namespace hone::vision {
namespace guessing {

bool Look::has(const char* op) const {
  return std::find(engine.operators.begin(), engine.operators.end(), op) != engine.operators.end();
}

int64_t Look::cells(std::span<const int> strides, bool round_up) const {
  if (!sized()) return -1;
  int64_t n = 0;
  for (const int s : strides) {
    if (!round_up && (width % s || height % s)) return -1;
    n += ((width + s - 1) / s) * ((height + s - 1) / s);
  }
  return n;
}

Guess from_preset(const char* name, int64_t classes) {
  Guess g;
  auto task = preset(name);
  if (!task) return g;
  g.task = *std::move(task);
  g.task.note = "guessed from the shapes: as preset " + std::string(name);
  if (static_cast<int64_t>(g.task.labels.size()) != classes) {
    g.task.labels.clear();
    g.task.colours.clear();
    const std::string count = classes < 0 ? "any number of" : std::to_string(classes);
    g.open.push_back("labels: none for " + count + " classes; give labels or labels_file");
  } else if (classes > 1) {
    g.open.push_back(strf("labels: the usual ones of %lld classes, from \"%s\" to \"%s\"",
                          static_cast<long long>(classes), g.task.labels.front().c_str(),
                          g.task.labels.back().c_str()));
  }
  return g;
}

std::span<const Family> families() {
  static constexpr Family all[] = {detection_finished,   detection_two_outputs, detection_maps,
                                   detection_one_output, classification,        segmentation};
  return all;
}

}  // namespace guessing

namespace {

using guessing::Look;
using guessing::Verdict;

std::string three(const std::array<float, 3>& v) { return strf("%.4g, %.4g, %.4g", v[0], v[1], v[2]); }

// No graph says how its pictures were made: what was taken is told with each guess.
void tell_input(const Preprocess& p, std::vector<std::string>& open) {
  constexpr const char* fits[] = {"stretched", "letterboxed", "cropped"};
  if (p.channels != Channels::gray)
    open.push_back(strf("channels: %s", p.channels == Channels::bgr ? "bgr" : "rgb"));
  open.push_back("mean and scale: (pixel - [" + three(p.mean) + "]) * [" + three(p.scale) + "]");
  open.push_back(strf("fit: pictures are %s", fits[static_cast<size_t>(p.fit)]));
}

// A network of one channel takes what the family's usual values are on average.
void make_gray(Preprocess& p) {
  p.channels = Channels::gray;
  for (auto* v : {&p.mean, &p.scale, &p.pad}) v->fill(((*v)[0] + (*v)[1] + (*v)[2]) / 3);
}

Error refuse(const EngineInfo& engine, const std::string& why) {
  std::string names;
  for (const std::string& n : preset_names()) names += (names.empty() ? "" : ", ") + n;
  return error(
      Code::unsupported,
      "what the network does cannot be told from its graph: %s. Inputs: %s; outputs: %s. Say it with "
      "--preset NAME (%s) or with --task FILE.toml (docs/tasks.md)",
      why.c_str(), list_ports(engine.inputs).c_str(), list_ports(engine.outputs).c_str(), names.c_str());
}

}  // namespace

Result<Guess> guess_task(const EngineInfo& engine) {
  if (engine.inputs.size() != 1)
    return refuse(engine, strf("it has %zu inputs, and a picture is one", engine.inputs.size()));
  auto shape = picture_shape(engine.inputs[0], 0);
  if (!shape) return refuse(engine, shape.error().message);
  if (!shape->layout_certain)
    return refuse(engine, strf("input '%s' could have its channels first or last, or has neither 1 nor 3",
                               engine.inputs[0].name.c_str()));
  const Look look{engine, engine.inputs[0], *shape, shape->width, shape->height};
  std::string doubts;
  for (const auto family : guessing::families()) {
    Verdict v = family(look);
    if (!v.doubt.empty()) doubts += (doubts.empty() ? "" : "; ") + v.doubt;
    if (!v.guess || !doubts.empty()) continue;
    Guess& g = *v.guess;
    if (shape->channels == 1) {
      make_gray(g.task.input);
      g.reasons.push_back(port_is("input", look.input) + ": one channel, grey");
    }
    if (auto fits = complete_task(g.task, engine); !fits) return refuse(engine, fits.error().message);
    tell_input(g.task.input, g.open);
    return std::move(g);
  }
  if (!look.sized() && doubts.empty())
    doubts = "the size of its input is free (hone build --shape " + look.input.name + "=... fixes it)";
  return refuse(engine, doubts.empty() ? "its outputs are of no shape that says it" : doubts);
}

}  // namespace hone::vision
