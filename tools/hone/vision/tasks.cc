#include "vision/tasks.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/confined_file.h"
#include "vision/decoder.h"
#include "vision/pipeline.h"
#include "vision/task_fields.h"

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;
using hone::Json;
using hone::vision::Guess;
using hone::vision::Task;

constexpr size_t labels_shown = 8;

std::string joined(const std::vector<std::string>& texts) {
  std::string s;
  for (const std::string& t : texts) s += (s.empty() ? "" : "; ") + t;
  return s;
}

// What was guessed, why, and what the graph cannot say; on one line.
std::string guess_text(const Guess& g) {
  std::string s = std::string(task_kind_name(g.task.kind)) + ", decoder " + g.task.head.decoder;
  if (!g.reasons.empty()) s += ", because " + joined(g.reasons);
  if (!g.open.empty()) s += "; taken as usual, as the graph cannot say: " + joined(g.open);
  return s;
}

// The fields that the task's decoder reads and that say something, in the order of printing.
template <class F>
void each_field(const Task& task, F f) {
  const auto decoder = hone::vision::find_decoder(task.head.decoder);
  for (const auto& field : hone::vision::task_fields()) {
    if (field.used && !field.used(task)) continue;
    const bool head = field.section == std::string_view("head");
    if (head &&
        !hone::vision::head_field_read(field.key, decoder ? (*decoder)->fields : std::vector<const char*>{}))
      continue;
    if (const std::string value = field.write(task); !value.empty())
      f(std::string(field.section), std::string(field.key), value);
  }
}

// Pictures lie beside the TOML file, and not outside of its folder.
hone::Status attach_pictures(hone::api::Engine& engine, const Task& task, const std::string& folder) {
  for (const std::string& name : task.pictures) {
    auto file = hone::open_confined(folder.empty() ? "." : folder, name);
    if (!file) return hone::in("picture '" + name + "' of the task", file.take_error());
    const auto bytes = (*file)->bytes();
    HONE_CHECK(lift(
        engine.set_meta("picture/" + name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()})));
  }
  return {};
}
}  // namespace

std::vector<Option> with_task_options(std::vector<Option> options) {
  const std::vector<Option> own = {{.name = "--task",
                                    .kind = Option::text,
                                    .value = "FILE.toml",
                                    .help = "what pictures become and outputs mean (docs/tasks.md)"},
                                   {.name = "--preset",
                                    .kind = Option::text,
                                    .value = "NAME",
                                    .help = "the same, one of those built in: a wrong name lists them"}};
  options.insert(options.end(), own.begin(), own.end());
  return options;
}
std::vector<Option> with_build_task_options(std::vector<Option> options) {
  options = with_task_options(std::move(options));
  options.push_back({.name = "--no-task", .help = "leave the task out, and guess none"});
  return options;
}

hone::Result<std::optional<Task>> given_task(const Args& args) {
  if (args.has("--task") && args.has("--preset"))
    return error(Code::invalid_argument, "--task and --preset are both given: one will do");
  if (args.has("--task")) {
    HONE_TRY(Task task, hone::vision::read_task(args.text("--task")));
    return std::optional(std::move(task));
  }
  if (!args.has("--preset")) return std::optional<Task>();
  const std::string name = args.text("--preset");
  const auto names = hone::vision::preset_names();
  if (std::find(names.begin(), names.end(), name) == names.end())
    if (const std::string near = nearest(name, names); !near.empty())
      return error(Code::not_found, "there is no preset '%s'; did you mean '%s'?", name.c_str(),
                   near.c_str());
  HONE_TRY(Task task, hone::vision::preset(name));
  return std::optional(std::move(task));
}

hone::Result<Task> find_task(const hone::api::Engine& engine, const std::string& path, const Args& args) {
  HONE_TRY(const auto info, hone::vision::info_of(engine));
  HONE_TRY(std::optional<Task> task, given_task(args));
  if (!task && !engine.meta_bytes("task").empty()) {
    auto own = hone::vision::task_of(engine);
    if (!own) return hone::in(path, own.take_error());
    task = *std::move(own);
  }
  if (!task) {
    auto guess = hone::vision::guess_task(info);
    if (!guess) return hone::in(path, guess.take_error());
    std::fprintf(stderr, "%s carries no task; guessed: %s. --task or --preset says otherwise\n", path.c_str(),
                 guess_text(*guess).c_str());
    task = std::move(guess->task);
  }
  if (auto s = complete_task(*task, info); !s) return hone::in(path, s.take_error());
  return *std::move(task);
}

hone::Result<AttachedTask> attach_task(hone::api::Engine& engine, const Args& args) {
  AttachedTask attached;
  HONE_TRY(std::optional<Task> task, given_task(args));
  if (args.has("--no-task")) {
    if (task) return error(Code::invalid_argument, "--no-task and a task are both given: one will do");
    return attached;
  }
  HONE_TRY(const auto info, hone::vision::info_of(engine));
  if (!task) {
    auto guess = hone::vision::guess_task(info);
    if (!guess) {
      attached.notice = "no task: " + guess.error().message;
      return attached;
    }
    attached.notice = "task guessed: " + guess_text(*guess);
    if (!guess->open.empty()) {
      attached.notice += ". It is not stored, as that is open: --task or --preset settles it";
      return attached;
    }
    task = std::move(guess->task);
  }
  HONE_CHECK(complete_task(*task, info));
  if (args.has("--task"))
    HONE_CHECK(attach_pictures(engine, *task, fs::path(args.text("--task")).parent_path().string()));
  HONE_CHECK(lift(engine.set_meta("task", print_task(*task))));
  attached.kind = task_kind_name(task->kind);
  return attached;
}

std::string task_text(const Task& task) {
  std::string out, section;
  each_field(task, [&](const std::string& in, const std::string& key, std::string value) {
    if (key == "labels" && task.labels.size() > labels_shown) {
      value.clear();
      for (size_t i = 0; i < labels_shown; i++) value += task.labels[i] + ", ";
      value += hone::strf("... (%zu)", task.labels.size());
    }
    if (section != in) out += "  " + in + "\n";
    section = in;
    out += (in.empty() ? "  " : "    ") + key + " = " + value + "\n";
  });
  return out;
}

Json task_json(const Task& task) {
  Json j = Json::object();
  // TOML's texts, numbers and lists, as they are printed, are JSON's too.
  auto json = [](const std::string& toml) {
    auto parsed = Json::parse(toml);
    return parsed ? *std::move(parsed) : Json(toml);
  };
  Json sections[2] = {Json::object(), Json::object()};
  each_field(task, [&](const std::string& in, const std::string& key, const std::string& value) {
    (in.empty() ? j : sections[in == "head"]).set(key, json(value));
  });
  return j.set("input", sections[0]).set("head", sections[1]);
}

}  // namespace cli
