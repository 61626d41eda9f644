#include "vision/task.h"
#include "vision/task_fields.h"

namespace hone::vision {
namespace {

struct Embedded {
  std::string_view name, text;
};
// The files of presets/ (cmake/embed.cmake), by name.
constexpr Embedded files[] = {
#define EMBEDDED(name, text) {name, text},
#include "presets.inc"
#undef EMBEDDED
};

constexpr std::string_view suffix = ".toml";

const Embedded* find_file(std::string_view name) {
  for (const Embedded& f : files)
    if (f.name == name) return &f;
  return nullptr;
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Embedded& f : files)
    if (f.name.ends_with(suffix)) names.emplace_back(f.name.substr(0, f.name.size() - suffix.size()));
  return names;
}

std::string preset_about(std::string_view name) {
  const Embedded* file = find_file(std::string(name) + std::string(suffix));
  if (!file || !file->text.starts_with("# ")) return "";
  return std::string(file->text.substr(2, file->text.find('\n') - 2));
}

Result<Task> preset(std::string_view name) {
  const Embedded* file = find_file(std::string(name) + std::string(suffix));
  if (!file) {
    std::string names;
    for (const std::string& n : preset_names()) names += (names.empty() ? "" : ", ") + n;
    return error(Code::not_found, "there is no preset '%s'; there are: %s",
                 std::string(name.substr(0, 60)).c_str(), names.c_str());
  }
  TaskDraft draft;
  draft.labels_files = [](const std::string& labels) -> Result<std::string> {
    if (const Embedded* f = find_file(labels)) return std::string(f->text);
    return error(Code::not_found, "no such file among the presets");
  };
  auto task = parse_task_with(file->text, std::move(draft));
  if (!task) return in("preset '" + std::string(name) + "'", task.take_error());
  task->note = "preset " + std::string(name);
  return task;
}

}  // namespace hone::vision
