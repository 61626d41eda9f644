#include <unistd.h>

#include <filesystem>

#include "base/json.h"
#include "tool.h"
#ifdef HONE_VISION
#include "vision/tasks.h"
#endif

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;

#ifdef HONE_VISION
std::vector<Option> options(std::vector<Option> own) { return with_build_task_options(std::move(own)); }
#else
std::vector<Option> options(std::vector<Option> own) { return own; }
struct AttachedTask {
  hone::Json kind;
  std::string notice;
};
hone::Result<AttachedTask> attach_task(hone::api::Engine&, const Args&) { return AttachedTask(); }
#endif

// Said before the work starts rather than after it.
hone::Status check_output(const std::string& model, const std::string& output) {
  std::error_code ignored;
  if (fs::equivalent(model, output, ignored))
    return error(Code::invalid_argument,
                 "%s: the engine would replace the model; choose another name with -o", output.c_str());
  if (fs::is_directory(output, ignored))
    return error(Code::io, "%s: is a folder; name a file in it with -o", output.c_str());
  const fs::path folder = fs::path(output).has_parent_path() ? fs::path(output).parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored))
    return error(Code::io, "%s: the folder %s does not exist; make it first", output.c_str(), folder.c_str());
  if (!fs::exists(output, ignored) && ::access(folder.c_str(), W_OK) != 0)
    return error(Code::io, "%s: no permission to write in the folder %s", output.c_str(), folder.c_str());
  return {};
}

hone::Result<int> run(const Args& args) {
  const std::string& model = args.positional(0);
  const std::string output = args.text("--output");
  HONE_TRY(const bool is_engine, lift(hone::api::Engine::probe(model)));
  if (is_engine)
    return error(Code::invalid_argument, "%s: is an engine file already; give the model it was built from",
                 model.c_str());
  HONE_CHECK(check_output(model, output));
  const auto start = Clock::now();
  HONE_TRY(auto engine, build(model, args, false, args.text("--target", "native")));
  HONE_TRY(const AttachedTask task, attach_task(engine, args));
  HONE_CHECK(lift(engine.save(output)));
  if (!task.notice.empty()) std::fprintf(stderr, "%s\n", task.notice.c_str());
  const double seconds = ms_since(start) / 1000;
  std::error_code ignored;
  const auto size =
      fs::is_regular_file(output, ignored) ? static_cast<double>(fs::file_size(output, ignored)) : 0;
  if (args.has("--json")) {
    hone::Json j = hone::Json::object();
    j.set("engine", output)
        .set("bytes", size)
        .set("seconds", seconds)
        .set("precision", engine.meta("precision"))
        .set("task", task.kind);
    std::printf("%s\n", j.str().c_str());
  } else {
    std::fprintf(stderr, "%s: %s, built in %.1f s\n", output.c_str(), bytes_text(size).c_str(), seconds);
  }
  return 0;
}
}  // namespace

extern const Command command_build;
const Command command_build{
    "build",
    "MODEL -o ENGINE [options]",
    "Builds an engine file from a trained model (ONNX): imports, optimises, and writes the file whole or\n"
    "not at all. The engine of a network for pictures carries its task (docs/tasks.md): the one given, or\n"
    "what the graph leaves no doubt about.",
    {"MODEL"},
    with_build_options(options(
        {{.name = "--output",
          .letter = 'o',
          .kind = Option::text,
          .value = "ENGINE",
          .help = "the file to write",
          .required = true},
         {.name = "--target",
          .kind = Option::choice,
          .value = "native|generic",
          .help = "native (default): weights also packed for this machine's instruction "
                  "set, to load at once; generic: a smaller file that packs when loaded"},
         {.name = "--time",
          .kind = Option::duration,
          .value = "DURATION",
          .help = "time the kernels that could run a layer, for up to 60s, 500ms, 2m, ..., and use the "
                  "fastest; without it, estimates decide"},
         {.name = "--time-record",
          .kind = Option::text,
          .value = "FILE",
          .help = "use the times in this file; what --time measures is added to the first one, which need "
                  "not exist",
          .repeats = true},
         json_option})),
    "hone build mobilenet.onnx -o mobilenet.hone\n"
    "hone build yolo.onnx -o yolo.hone --shape images=1x3x320x320 --preset yolov8\n"
    "hone build net.onnx -o net.hone --target generic\n"
    "hone build net.onnx -o net.hone --time 60s --time-record board.times\n"
    "hone build net.onnx -o net.hone --disable=channels_last --dump-after=fold --explain",
    run};

}  // namespace cli
