// The task of an engine on the command line: given, carried by the engine, or guessed; and how it is shown.
#pragma once
#include <string>
#include <vector>

#include "base/json.h"
#include "tool.h"
#include "vision/guess.h"
#include "vision/task.h"

namespace cli {

// --task, --preset.
std::vector<Option> with_task_options(std::vector<Option>);
// The same and --no-task.
std::vector<Option> with_build_task_options(std::vector<Option>);

// --task or --preset; empty if there is neither. Errors: both, a name that does not exist.
hone::Result<std::optional<hone::vision::Task>> given_task(const Args&);
// The task to run with: given, else the engine's own, else guessed, which is told on standard error. Errors:
// there is none, it is broken, it is not this engine's.
hone::Result<hone::vision::Task> find_task(const hone::api::Engine&, const std::string& path, const Args&);

// For `hone build`: puts the task given, or one that is certain, and its pictures into the engine's meta.
struct AttachedTask {
  hone::Json kind;     // null: none
  std::string notice;  // what was guessed, or why nothing; "" if the task was given
};
hone::Result<AttachedTask> attach_task(hone::api::Engine&, const Args&);

// For people, and the same as JSON.
std::string task_text(const hone::vision::Task&);
hone::Json task_json(const hone::vision::Task&);

}  // namespace cli
