#include "vision/task.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/confined_file.h"
#include "vision/decoder.h"
#include "vision/task_fields.h"

namespace hone::vision {
namespace {

// Insertions, deletions and replacements from one to the other.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string in_section(std::string_view section) {
  return section.empty() ? "" : " of [" + std::string(section) + "]";
}

std::string where(const TomlValue& v, std::string_view section) {
  return strf("line %d: key %s%s", v.line, toml_string(v.key.substr(0, 60)).c_str(),
              in_section(section).c_str());
}

Error unknown_key(const TomlValue& v, std::string_view section) {
  const TaskField* nearest = nullptr;
  size_t least = 0;
  for (const TaskField& f : task_fields()) {
    // The same key of another section is nearer than any other.
    const size_t distance =
        2 * edit_distance(std::string_view(v.key).substr(0, 60), f.key) + (f.section != section);
    if (!nearest || distance < least) {
      nearest = &f;
      least = distance;
    }
  }
  return error(Code::invalid_argument,
               "%s is unknown: the nearest known key is \"%s\"%s; docs/tasks.md lists all",
               where(v, section).c_str(), nearest->key, in_section(nearest->section).c_str());
}

const TaskField* find_field(std::string_view section, std::string_view key) {
  for (const TaskField& f : task_fields())
    if (f.section == section && f.key == key) return &f;
  return nullptr;
}

Error wrong_value(const TomlValue& v, const TaskField& f, const std::string& why) {
  return error(Code::invalid_argument, "%s: value %s: %s", where(v, f.section).c_str(), shown(v).c_str(),
               why.empty() ? ("expected " + f.right).c_str() : why.c_str());
}

Status read_value(const TomlValue& v, const TaskField& f, TaskDraft& draft) {
  std::string why;
  if (!f.read(v, draft, why)) return wrong_value(v, f, why);
  return {};
}

Status read_section(const TomlValue& table, std::string_view section, TaskDraft& draft) {
  for (const TomlValue& v : table.items) {
    if (section.empty() && (v.key == "input" || v.key == "head")) continue;
    const TaskField* f = find_field(section, v.key);
    if (!f) return unknown_key(v, section);
    if (*f->excludes && table.find(f->excludes))
      return error(Code::invalid_argument,
                   "%s: value %s: \"%s\" is given too and says the same; leave one out",
                   where(v, section).c_str(), shown(v).c_str(), f->excludes);
    HONE_CHECK(read_value(v, *f, draft));
  }
  // Whether a key has an effect may depend on one that comes after it.
  for (const TomlValue& v : table.items)
    if (const TaskField* f = find_field(section, v.key); f && f->used && !f->used(draft.task))
      return error(Code::invalid_argument, "%s: value %s: it is read with %s only; leave it out",
                   where(v, section).c_str(), shown(v).c_str(), f->used_when);
  return {};
}

std::string read_fields(const Decoder& d) {
  std::string out;
  for (const TaskField& f : task_fields())
    if (f.section == std::string_view("head") && head_field_read(f.key, d.fields))
      out += (out.empty() ? "" : ", ") + std::string(f.key);
  return out;
}

// The decoder settles which other keys [head] may hold.
Status read_head(const TomlValue& root, const TomlValue& table, TaskDraft& draft) {
  Head& head = draft.task.head;
  const TomlValue* named = table.find("decoder");
  if (named) {
    HONE_CHECK(read_value(*named, *find_field("head", "decoder"), draft));
  } else if (draft.kind_given) {
    head.decoder = task_kind_name(draft.task.kind);
  }
  auto decoder = find_decoder(head.decoder);
  if (!decoder) {
    if (named) return wrong_value(*named, *find_field("head", "decoder"), decoder.error().message);
    const TomlValue* kind = root.find("task");
    return error(Code::invalid_argument, "line %d: key \"decoder\" of [head] is missing%s%s: %s", table.line,
                 kind ? ", and there is none that serves every task = " : ", and so is key \"task\"",
                 kind ? shown(*kind).c_str() : "", decoder.error().message.c_str());
  }
  for (const TomlValue& v : table.items)
    if (find_field("head", v.key) && !head_field_read(v.key, (*decoder)->fields))
      return error(Code::invalid_argument, "%s: value %s: decoder \"%s\" does not read it; it reads %s",
                   where(v, "head").c_str(), shown(v).c_str(), (*decoder)->name,
                   read_fields(**decoder).c_str());
  HONE_CHECK(read_section(table, "head", draft));
  if (draft.kind_given && draft.task.kind != (*decoder)->kind)
    return error(Code::invalid_argument,
                 "line %d: key \"task\": value \"%s\": decoder \"%s\" is for task = \"%s\"",
                 root.find("task")->line, task_kind_name(draft.task.kind), (*decoder)->name,
                 task_kind_name((*decoder)->kind));
  draft.task.kind = (*decoder)->kind;
  return {};
}

}  // namespace

Result<Task> parse_task_with(std::string_view toml, TaskDraft draft) {
  HONE_TRY(const TomlValue root, read_toml(toml));
  HONE_CHECK(read_section(root, "", draft));
  const TomlValue none;
  const TomlValue* sections[2] = {&none, &none};
  for (const TomlValue& v : root.items)
    if (v.key == "input" || v.key == "head") {
      if (v.kind != TomlValue::Kind::table)
        return error(Code::invalid_argument, "%s: value %s: expected a section: [%s]", where(v, "").c_str(),
                     shown(v).c_str(), v.key.c_str());
      sections[v.key == "head"] = &v;
    }
  HONE_CHECK(read_section(*sections[0], "input", draft));
  HONE_CHECK(read_head(root, *sections[1], draft));
  // An engine carries the text with its labels in it.
  if (const size_t bytes = print_task(draft.task).size(); bytes > max_toml_bytes)
    return error(Code::limit, "the task takes %zu bytes with its labels: at most %zu fit an engine", bytes,
                 max_toml_bytes);
  return std::move(draft.task);
}

Result<Task> parse_task(std::string_view toml, const std::string& folder) {
  TaskDraft draft;
  draft.labels_files = [&](const std::string& name) -> Result<std::string> {
    HONE_TRY(const auto file, open_confined(folder, name));
    if (file->size() > max_toml_bytes)
      return error(Code::limit, "%zu bytes: at most %zu are read", file->size(), max_toml_bytes);
    return std::string(reinterpret_cast<const char*>(file->bytes().data()), file->size());
  };
  if (!folder.empty())
    draft.picture = [&](const std::string& name) -> Status {
      HONE_CHECK(open_confined(folder, name));
      return {};
    };
  return parse_task_with(toml, std::move(draft));
}

Result<Task> read_task(const std::string& path) {
  HONE_TRY(const auto file, MappedFile::open(path));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  auto task = parse_task({reinterpret_cast<const char*>(file->bytes().data()), file->size()},
                         folder.empty() ? "." : folder);
  if (!task) return in(path, task.take_error());
  return task;
}

std::string label_name(const Task& task, int label) {
  const bool named = label >= 0 && static_cast<size_t>(label) < task.labels.size();
  return named && !task.labels[label].empty() ? task.labels[label] : strf("class %d", label);
}

}  // namespace hone::vision
