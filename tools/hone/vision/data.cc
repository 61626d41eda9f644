#include "vision/data.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/mapped_file.h"
#include "imageio/imageio.h"

namespace cli {

using hone::Code;
using hone::error;
using hone::vision::Task;
using hone::vision::TaskKind;
namespace fs = std::filesystem;

hone::Result<DataSet> read_data(const DataPlace& place, const Task& task) {
  std::error_code ignored;
  if (!fs::exists(place.folder, ignored))
    return error(Code::not_found, "%s: No such file or directory", place.folder.c_str());
  auto data = task.kind == TaskKind::classify ? read_classified(place, task)
              : task.kind == TaskKind::detect ? read_boxes(place, task)
              : task.kind == TaskKind::segment
                  ? read_masks(place, task)
                  : error(Code::unsupported, "a task of kind %s is not measured", task_kind_name(task.kind));
  if (data && data->samples.empty())
    return error(Code::not_found, "%s: no labelled pictures", place.folder.c_str());
  return data;
}

Sample sample_of_file(std::string name, const std::string& path) {
  Sample s;
  s.name = std::move(name);
  s.picture = [path] { return hone::imageio::read(path); };
  return s;
}

int label_of(const Task& task, const std::string& text) {
  for (size_t i = 0; i < task.labels.size(); i++)
    if (task.labels[i] == text) return static_cast<int>(i);
  for (size_t i = 0; i < task.labels.size(); i++)
    if (task.labels[i].substr(0, task.labels[i].find(' ')) == text) return static_cast<int>(i);
  int index = -1;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool whole = r.ec == std::errc() && r.ptr == text.data() + text.size();
  const bool known = task.labels.empty() || index < static_cast<int>(task.labels.size());
  return whole && index >= 0 && known ? index : -1;
}

hone::Result<std::string> read_text(const std::string& path, size_t most) {
  std::error_code failed;
  if (fs::is_regular_file(path, failed) && fs::file_size(path, failed) == 0) return std::string();
  HONE_TRY(const auto file, hone::MappedFile::open(path));
  const auto bytes = file->bytes();
  if (bytes.size() > most)
    return error(Code::limit, "%s: %zu bytes, %zu at most are read", path.c_str(), bytes.size(), most);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::vector<std::string> folders_called(const std::string& folder, const std::vector<std::string>& prefixes) {
  std::vector<std::string> exact, longer;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    std::error_code ignored;
    if (!it->is_directory(ignored)) continue;
    const std::string name = it->path().filename().string();
    for (const std::string& prefix : prefixes)
      if (name.rfind(prefix, 0) == 0) (name == prefix ? exact : longer).push_back(it->path().string());
  }
  std::sort(exact.begin(), exact.end());
  std::sort(longer.begin(), longer.end());
  exact.insert(exact.end(), longer.begin(), longer.end());
  return exact;
}

std::string folder_of_images(const std::string& folder) {
  std::error_code ignored;
  const fs::path images = fs::path(folder) / "images";
  return fs::is_directory(images, ignored) ? images.string() : folder;
}

}  // namespace cli
