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
  out +=
      "\nDecoders:\n\n| decoder | task | networks | keys of `[head]` beside decoder, outputs, "
      "score_threshold |\n"
      "|---|---|---|---|\n";
  for (const Decoder& d : decoders()) {
    std::string keys;
    for (const char* key : d.fields) keys += (keys.empty() ? "" : ", ") + std::string(key);
    out += strf("| `%s` | %s | %s | %s |\n", d.name, task_kind_name(d.kind), d.about, keys.c_str());
  }
  out += "\nPresets:\n\n| preset | what for |\n|---|---|\n";
  for (const std::string& name : preset_names())
    out += strf("| `%s` | %s |\n", name.c_str(), preset_about(name).c_str());
  return out;
}

}  // namespace hone::vision
