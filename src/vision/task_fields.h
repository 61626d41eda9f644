// The keys of a task, in one table: parsing, printing and the reference for people are derived from it.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vision/task.h"
#include "vision/toml_text.h"

namespace hone::vision {

// The bytes of a file that a task names; errors give the reason.
using TaskFiles = std::function<Result<std::string>(const std::string& name)>;

// A task on its way from text.
struct TaskDraft {
  Task task;
  bool kind_given = false;
  TaskFiles labels_files;
  // Whether a picture may be named: its file is there. Null: not looked at.
  std::function<Status(const std::string& name)> picture;
};

struct TaskField {
  const char* section;  // "", "input", "head"
  const char* key;
  std::string right;  // its values, for messages and the reference: "a number from 0 to 1"
  std::string help;
  // Takes the value over. `why` stays empty where `right` says what is wrong.
  std::function<bool(const TomlValue&, TaskDraft&, std::string& why)> read;
  // The value as TOML; "" where there is none to be written.
  std::function<std::string(const Task&)> write;
  const char* excludes = "";                   // another key of the section that says the same
  std::function<bool(const Task&)> used = {};  // whether the other keys let it have an effect; empty: always
  const char* used_when = "";                  // the same in words
};

// parse_task with other files than those of a folder. Fills the draft.
Result<Task> parse_task_with(std::string_view toml, TaskDraft);

// The comment that a preset begins with, one line.
std::string preset_about(std::string_view name);

// In the order of printing: the root's keys, those of [input], those of [head].
std::span<const TaskField> task_fields();
// Whether a decoder that reads `fields` reads that key of [head].
bool head_field_read(std::string_view key, std::span<const char* const> fields);

// A name a line; ends of lines "\n" or "\r\n", empty lines at the end ignored. Errors name the line.
Result<std::vector<std::string>> parse_labels(std::string_view text);

}  // namespace hone::vision
