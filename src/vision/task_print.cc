#include "vision/decoder.h"
#include "vision/task_fields.h"

namespace hone::vision {

// What a decoder does not read is not written, since it would be refused.
std::string print_task(const Task& task) {
  const auto decoder = find_decoder(task.head.decoder);
  std::string out;
  std::string_view section;
  for (const TaskField& f : task_fields()) {
    if (f.used && !f.used(task)) continue;
    const bool head = f.section == std::string_view("head");
    if (head && !head_field_read(f.key, decoder ? (*decoder)->fields : std::vector<const char*>{})) continue;
    const std::string value = f.write(task);
    if (value.empty()) continue;
    if (section != f.section) {
      section = f.section;
      out += strf("\n[%s]\n", f.section);
    }
    out += strf("%s = ", f.key) + value + "\n";
  }
  return out;
}

std::string task_reference() {
  static const Task defaults;
  std::string out;
  std::string_view section = "none";
  for (const TaskField& f : task_fields()) {
    if (section != f.section) {
      section = f.section;
      out += (out.empty() ? "" : "\n") +
             (section.empty() ? "At the top:\n" : "In `[" + std::string(section) + "]`:\n") +
             "\n| key | value | default | meaning |\n|---|---|---|---|\n";
    }
    const std::string value = f.section[0] ? f.write(defaults) : "";
    out += strf("| `%s` | %s | %s | %s%s%s |\n", f.key, f.right.c_str(),
                value.empty() ? "" : ("`" + value + "`").c_str(), f.help.c_str(),
                *f.used_when ? "; only with " : "", f.used_when);
  }
  return out;
}

}  // namespace hone::vision
