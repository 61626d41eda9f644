#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "base/json.h"
#include "vision/data.h"
#include "vision/pictures.h"

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;
using hone::Json;
using hone::vision::Box;
using hone::vision::Task;
using hone::vision::Truth;

// COCO's categories as the task's labels: by name where the task has all of them, else by rank of their
// number.
hone::Result<std::map<int64_t, int>> categories_of(const Json& list, const std::string& path,
                                                   const Task& task) {
  std::map<int64_t, std::string> names;
  for (const Json& c : list.items()) names[c["id"].integer()] = c["name"].string();
  if (names.empty()) return error(Code::corrupt, "%s: has no 'categories'", path.c_str());
  std::map<int64_t, int> by_name, by_rank;
  std::string missing;
  for (const auto& [id, name] : names) {
    by_rank.emplace(id, static_cast<int>(by_rank.size()));
    const auto it = std::find(task.labels.begin(), task.labels.end(), name);
    if (it == task.labels.end()) missing = name;
    else by_name[id] = static_cast<int>(it - task.labels.begin());
  }
  if (missing.empty()) return by_name;
  if (task.labels.empty() || task.labels.size() == names.size()) return by_rank;
  return error(Code::invalid_argument,
               "%s: category '%s' is none of the task's %zu labels, and there are %zu categories",
               path.c_str(), missing.c_str(), task.labels.size(), names.size());
}

// cocodataset.org/#format-data
hone::Result<DataSet> read_coco(const std::string& path, const DataPlace& place, const Task& task) {
  HONE_TRY(const std::string text, read_text(path, size_t{1} << 30));
  auto parsed = Json::parse(text);
  if (!parsed) return hone::in(path, parsed.take_error());
  HONE_TRY(const auto categories, categories_of((*parsed)["categories"], path, task));
  // Pictures are in the folder, in images, or in one called as the file: instances_val2017.json, val2017.
  std::vector<std::string> folders = {place.folder, (fs::path(place.folder) / "images").string()};
  const std::string stem = fs::path(path).stem().string();
  if (const size_t at = stem.find('_'); at != std::string::npos)
    folders.push_back((fs::path(place.folder) / stem.substr(at + 1)).string());
  DataSet data{fs::path(path).filename().string(), {}};
  std::map<int64_t, size_t> by_id;
  for (const Json& image : (*parsed)["images"].items()) {
    const std::string name = image["file_name"].string();
    std::string file = (fs::path(place.folder) / name).string();
    std::error_code ignored;
    for (const std::string& folder : folders)
      if (const fs::path at = fs::path(folder) / name; fs::exists(at, ignored)) file = at.string();
    by_id[image["id"].integer()] = data.samples.size();
    data.samples.push_back(sample_of_file(name, file));
  }
  for (const Json& a : (*parsed)["annotations"].items()) {
    const auto& box = a["bbox"].items();
    const auto image = by_id.find(a["image_id"].integer());
    const auto category = categories.find(a["category_id"].integer());
    if (box.size() != 4 || image == by_id.end() || category == categories.end())
      return error(Code::corrupt,
                   "%s: annotation %lld has no box of four numbers, image or category of the file",
                   path.c_str(), static_cast<long long>(a["id"].integer()));
    const double x = box[0].number(), y = box[1].number(), w = box[2].number(), h = box[3].number();
    data.samples[image->second].truth.push_back(
        {{static_cast<float>(x), static_cast<float>(y), static_cast<float>(x + w), static_cast<float>(y + h)},
         category->second,
         a["iscrowd"].integer() != 0 || a["iscrowd"].boolean(),
         a["area"].number()});
  }
  return data;
}

// The numbers of a line; empty if something else stands in it.
std::vector<double> numbers_of(std::string_view line) {
  std::vector<double> numbers;
  for (size_t at = 0; at < line.size();) {
    if (line[at] == ' ' || line[at] == '\t' || line[at] == '\r') {
      at++;
      continue;
    }
    double v = 0;
    const auto r = std::from_chars(line.data() + at, line.data() + line.size(), v);
    if (r.ec != std::errc()) return {};
    numbers.push_back(v);
    at = static_cast<size_t>(r.ptr - line.data());
  }
  return numbers;
}

// "class centre_x centre_y width height", or "class x y x y x y ...", a polygon; all in 0..1 of the picture.
hone::Result<std::vector<Truth>> read_yolo(const std::string& path, const Task& task) {
  HONE_TRY(const std::string text, read_text(path, size_t{1} << 26));
  std::vector<Truth> truths;
  size_t line_number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    line_number++;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto v = numbers_of(line);
    const bool box = v.size() == 5, polygon = v.size() >= 7 && v.size() % 2 == 1;
    if (!box && !polygon)
      return error(Code::corrupt,
                   "%s: line %zu is neither 'class cx cy width height' nor 'class x y x y x y ...': '%s'",
                   path.c_str(), line_number, std::string(line.substr(0, 60)).c_str());
    const int most = task.labels.empty() ? 65535 : static_cast<int>(task.labels.size()) - 1;
    if (!(v[0] >= 0 && v[0] <= most) || v[0] != static_cast<int>(v[0]))
      return error(Code::invalid_argument, "%s: line %zu: class %g is none of the task's, 0 to %d",
                   path.c_str(), line_number, v[0], most);
    double x0 = v[1] - v[3] / 2, y0 = v[2] - v[4] / 2, x1 = v[1] + v[3] / 2, y1 = v[2] + v[4] / 2;
    if (polygon) {
      x0 = x1 = v[1];
      y0 = y1 = v[2];
      for (size_t i = 3; i + 1 < v.size(); i += 2) {
        x0 = std::min(x0, v[i]);
        x1 = std::max(x1, v[i]);
        y0 = std::min(y0, v[i + 1]);
        y1 = std::max(y1, v[i + 1]);
      }
    }
    truths.push_back(
        {{static_cast<float>(x0), static_cast<float>(y0), static_cast<float>(x1), static_cast<float>(y1)},
         static_cast<int>(v[0]),
         false,
         0});
  }
  return truths;
}

// Of several folders with labels the first that holds boxes: polygons say the same less directly.
std::string choose(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
      if (it->path().extension() != ".txt") continue;
      const auto text = read_text(it->path().string(), size_t{1} << 26);
      if (!text || text->empty()) continue;
      if (numbers_of(std::string_view(*text).substr(0, text->find('\n'))).size() == 5) return folder;
      break;
    }
  }
  return folders[0];
}

hone::Result<DataSet> read_yolo_set(const DataPlace& place, const Task& task) {
  std::string labels = place.labels;
  if (labels.empty()) {
    const auto folders = folders_called(place.folder, {"labels"});
    labels = folders.empty() ? place.folder : choose(folders);
  }
  HONE_TRY(const auto pictures, pictures_in(folder_of_images(place.folder), true));
  DataSet data{fs::path(labels).filename().string() + "/*.txt", {}};
  size_t labelled = 0;
  for (const PictureFile& p : pictures) {
    data.samples.push_back(sample_of_file(p.name, p.path));
    Sample& s = data.samples.back();
    s.normalised = true;
    const std::string file = (fs::path(labels) / p.name).replace_extension(".txt").string();
    // A picture without a file shows nothing, by YOLO's convention.
    if (std::error_code ignored; !fs::exists(file, ignored)) continue;
    labelled++;
    HONE_TRY(s.truth, read_yolo(file, task));
  }
  if (!labelled)
    return error(
        Code::not_found,
        "%s: no labelled pictures; there must be instances*.json (COCO), or images/ and labels*/ with a "
        ".txt per picture (YOLO)",
        place.folder.c_str());
  return data;
}
}  // namespace

hone::Result<DataSet> read_boxes(const DataPlace& place, const Task& task) {
  if (fs::path(place.labels).extension() == ".json") return read_coco(place.labels, place, task);
  if (!place.labels.empty()) return read_yolo_set(place, task);
  std::vector<std::string> files;
  for (const std::string& folder : {place.folder, (fs::path(place.folder) / "annotations").string()}) {
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
      const fs::path path = it->path();
      if (path.extension() == ".json" && path.filename().string().rfind("instances", 0) == 0)
        files.push_back(path.string());
    }
  }
  std::sort(files.begin(), files.end());
  if (files.size() > 1)
    return error(Code::invalid_argument, "%s and %s: choose one with --labels", files[0].c_str(),
                 files[1].c_str());
  return files.empty() ? read_yolo_set(place, task) : read_coco(files[0], place, task);
}

}  // namespace cli
