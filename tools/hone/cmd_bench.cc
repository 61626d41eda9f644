#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "tool.h"

namespace cli {
namespace {
using hone::Code;
using hone::error;

// The value below which the fraction q of a sorted, non-empty list lies.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// Of this program alone: getrusage() would count what its parent held when it started it.
double peak_rss_mb() {
  long long kib = 0;
  if (std::FILE* f = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, f))
      if (std::sscanf(line, "VmHWM: %lld", &kib) == 1) break;
    std::fclose(f);
  }
  return static_cast<double>(kib) * 1024 / 1e6;
}

struct Timed {
  hone::api::Session session;
  std::vector<hone::Tensor> inputs;  // bound to the session
  double prepare_ms = 0;
};

hone::Result<Timed> prepare(const hone::api::Engine& engine, const Args& args, bool profile) {
  auto start = Clock::now();
  hone::api::SessionOptions options;
  options.threads = static_cast<int>(args.whole("--threads", 0));
  options.pin = args.has("--pin");
  options.memory = args.bytes("--memory", 0);
  options.profile = profile;
  options.cancelled = interrupted;
  HONE_TRY(auto session, lift(engine.session(options)));
  Timed t{std::move(session), {}, ms_since(start)};
  const auto infos = engine.inputs();
  HONE_CHECK(check_shape_names(infos, args));
  for (size_t i = 0; i < infos.size(); i++) {
    HONE_TRY(const auto dims, run_shape(infos[i], args));
    HONE_TRY(t.inputs.emplace_back(), random_input(infos[i], dims, i));
    HONE_CHECK(bind(t.session, i, t.inputs.back()));
  }
  start = Clock::now();  // random numbers take no part
  HONE_CHECK(lift(t.session.prepare()));
  t.prepare_ms += ms_since(start);
  return t;
}

// Runs for `iterations`, or if that is 0 for two seconds but at least 5 and at most 1000 times.
hone::Result<std::vector<double>> measure(hone::api::Session& session, int64_t warmup, int64_t iterations) {
  Progress progress;
  for (int64_t i = 0; i < warmup; i++) HONE_CHECK(lift(session.run()));
  std::vector<double> times;
  const auto start = Clock::now();
  while (iterations ? static_cast<int64_t>(times.size()) < iterations
                    : times.size() < 5 || (ms_since(start) < 2000 && times.size() < 1000)) {
    const auto before = Clock::now();
    HONE_CHECK(lift(session.run()));
    times.push_back(ms_since(before));
    if (iterations)
      progress.update(static_cast<double>(times.size()) / static_cast<double>(iterations), "measuring");
  }
  return times;
}

struct Layer {
  std::string name, op, tactic;
  double ms = 0, flops = 0;
};

// Median time of each step over some runs of a session that measures its steps.
hone::Result<std::vector<Layer>> measure_layers(Timed& t, int runs) {
  std::vector<std::vector<double>> times;
  std::vector<Layer> layers;
  HONE_CHECK(lift(t.session.run()));
  for (int r = 0; r < runs; r++) {
    HONE_CHECK(lift(t.session.run()));
    const auto steps = t.session.steps();
    times.resize(steps.size());
    layers.resize(steps.size());
    for (size_t i = 0; i < steps.size(); i++) {
      times[i].push_back(steps[i].ms);
      if (r == 0) layers[i] = {steps[i].name, steps[i].op, steps[i].tactic, 0, steps[i].flops};
    }
  }
  for (size_t i = 0; i < layers.size(); i++) {
    std::sort(times[i].begin(), times[i].end());
    layers[i].ms = quantile(times[i], 0.5);
  }
  return layers;
}

// Floating-point operations of its definition in a second, in 10^9; empty where it has none.
std::string rate(const Layer& l) {
  if (!(l.flops > 0 && l.ms > 0)) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", l.flops / l.ms / 1e6);
  return text;
}

hone::Result<int> run(const Args& args) {
  HONE_TRY(const Loaded loaded, load(args.positional(0), args));
  std::vector<double> times;
  hone_memory memory{};
  double prepare_ms = 0, rss = 0;
  int threads = 0;
  {
    HONE_TRY(Timed plain, prepare(loaded.engine, args, false));
    HONE_TRY(times, measure(plain.session, args.whole("--warmup", 3), args.whole("--iterations", 0)));
    memory = plain.session.memory();
    threads = plain.session.threads();
    prepare_ms = plain.prepare_ms;
    rss = peak_rss_mb();  // before the second session
  }
  HONE_TRY(Timed profiled, prepare(loaded.engine, args, true));
  HONE_TRY(const auto layers, measure_layers(profiled, static_cast<int>(std::min<size_t>(times.size(), 10))));
  std::sort(times.begin(), times.end());
  const double median = quantile(times, 0.5), p95 = quantile(times, 0.95);
  const std::string precision =
      loaded.engine.meta("precision").empty() ? "fp32" : loaded.engine.meta("precision");

  if (args.has("--json")) {
    hone::Json list = hone::Json::array();
    double flops = 0;
    for (const Layer& l : layers) {
      list.push(hone::Json::object()
                    .set("name", l.name)
                    .set("op", l.op)
                    .set("tactic", l.tactic)
                    .set("ms", l.ms)
                    .set("flops", l.flops));
      flops += l.flops;
    }
    hone::Json j = hone::Json::object();
    j.set("median_ms", median)
        .set("min_ms", times.front())
        .set("p95_ms", p95)
        .set("iterations", times.size());
    j.set("load_ms", loaded.ms)
        .set("prepare_ms", prepare_ms)
        .set("peak_rss_mb", rss)
        .set("arena_bytes", memory.arena_bytes);
    j.set("weights_bytes", memory.weights_bytes)
        .set("packed_bytes", memory.packed_bytes)
        .set("prepacked_bytes", memory.prepacked_bytes)
        .set("threads", threads);
    j.set("precision", precision).set("flops", flops).set("layers", list);
    std::printf("%s\n", j.str().c_str());
    return 0;
  }
  std::vector<const Layer*> slowest;
  double sum = 0;
  for (const Layer& l : layers) {
    slowest.push_back(&l);
    sum += l.ms;
  }
  std::stable_sort(slowest.begin(), slowest.end(),
                   [](const Layer* a, const Layer* b) { return a->ms > b->ms; });
  if (!args.has("--all")) slowest.resize(std::min<size_t>(slowest.size(), 15));
  std::printf("%8s  %6s  %7s  %-16s  %-22s  %s\n", "ms", "share", "GFLOP/s", "operator", "kernel", "layer");
  for (const Layer* l : slowest)
    std::printf("%8.3f  %5.1f%%  %7s  %-16s  %-22s  %s\n", l->ms, sum > 0 ? 100 * l->ms / sum : 0,
                rate(*l).c_str(), l->op.c_str(), l->tactic.c_str(), l->name.c_str());
  if (slowest.size() < layers.size())
    std::printf("%8s  (%zu more layers; --all shows them)\n", "", layers.size() - slowest.size());
  std::printf("\nmedian %.3f ms  (min %.3f, p95 %.3f, %zu runs, %d thread%s, %s)\n", median, times.front(),
              p95, times.size(), threads, threads == 1 ? "" : "s", precision.c_str());
  std::printf("%s %.1f ms, prepared in %.1f ms\n", loaded.built ? "built in" : "loaded in", loaded.ms,
              prepare_ms);
  std::printf("memory: arena %s, weights %s, packed weights %s and %s ready, peak of the process %.1f MB\n",
              bytes_text(static_cast<double>(memory.arena_bytes)).c_str(),
              bytes_text(static_cast<double>(memory.weights_bytes)).c_str(),
              bytes_text(static_cast<double>(memory.packed_bytes)).c_str(),
              bytes_text(static_cast<double>(memory.prepacked_bytes)).c_str(), rss);
  return 0;
}
}  // namespace

extern const Command command_bench;
const Command command_bench{
    "bench",
    "ENGINE|MODEL [options]",
    "Measures on random inputs (dimensions left open are 1 unless --shape says otherwise): time of a run, of "
    "each layer,\n"
    "of loading, and memory. Without --iterations it runs for two seconds. load_ms is the time to load the "
    "engine file\n"
    "(or, for a model, to build it), prepare_ms that to plan and to pack weights.",
    {"ENGINE"},
    with_build_options({threads_option,
                        memory_option,
                        {.name = "--pin", .help = "each thread but the first stays on one core"},
                        {.name = "--iterations",
                         .letter = 'n',
                         .kind = Option::whole,
                         .value = "N",
                         .help = "runs to measure",
                         .least = 1,
                         .most = 1e6},
                        {.name = "--warmup",
                         .kind = Option::whole,
                         .value = "N",
                         .help = "runs before that (default 3)",
                         .least = 0,
                         .most = 1e6},
                        {.name = "--all", .help = "list all layers, not only the slowest"},
                        json_option}),
    "hone bench mobilenet.hone --threads 2\n"
    "hone bench mobilenet.onnx --json --iterations 50",
    run};

}  // namespace cli
