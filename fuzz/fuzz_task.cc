// Any text is refused or becomes a task; a task prints, parses again and prints the same. Labels are a file's
// lines: the text stands for that file too.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vision/task_fields.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hone;
  using namespace hone::vision;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TaskDraft draft;
  draft.labels_files = [&](const std::string&) -> Result<std::string> { return std::string(text); };
  draft.picture = [](const std::string& name) -> Status {
    if (name.starts_with("no")) return error(Code::not_found, "there is none");
    return {};
  };
  auto task = parse_task_with(text, std::move(draft));
  if (!task) {
    if (task.error().message.empty()) std::abort();
    return 0;
  }
  const std::string printed = print_task(*task);
  auto again = parse_task(printed);
  if (!again || print_task(*again) != printed) std::abort();
  return 0;
}
