#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>

#include "vision/data.h"
#include "vision/pictures.h"

namespace cli {
namespace {
namespace fs = std::filesystem;
using hone::Code;
using hone::error;
using hone::vision::Image;
using hone::vision::PixelFormat;
using hone::vision::Task;

// The fields of a line of CSV; "a ""b"", c" is one field.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); i++) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') fields.back() += line[++i];
    else if (c == '"') quoted = !quoted;
    else if (c == ',' && !quoted) fields.emplace_back();
    else fields.back() += c;
  }
  return fields;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    if (!lines.back().empty() && lines.back().back() == '\r') lines.back().pop_back();
    at = end + 1;
  }
  return lines;
}

// Columns: file, in the folder; class, an index or a name.
hone::Result<DataSet> read_csv(const std::string& path, const std::string& folder, const Task& task) {
  HONE_TRY(const std::string text, read_text(path, size_t{1} << 30));
  const auto lines = lines_of(text);
  if (lines.empty()) return error(Code::corrupt, "%s: is empty", path.c_str());
  const auto head = fields_of(lines[0]);
  auto column = [&](std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (const auto it = std::find(head.begin(), head.end(), name); it != head.end())
        return static_cast<size_t>(it - head.begin());
    return head.size();
  };
  const size_t file = column({"file", "image", "filename", "path"});
  const size_t label = column({"class_index", "class", "label", "index"});
  if (file == head.size() || label == head.size())
    return error(Code::corrupt,
                 "%s: line 1 names the columns, and must have 'file' and 'class_index'; it is '%s'",
                 path.c_str(), lines[0].substr(0, 80).c_str());
  DataSet data{fs::path(path).filename().string(), {}};
  for (size_t i = 1; i < lines.size(); i++) {
    if (lines[i].empty()) continue;
    const auto fields = fields_of(lines[i]);
    if (fields.size() <= std::max(file, label))
      return error(Code::corrupt, "%s: line %zu has %zu columns, line 1 has %zu", path.c_str(), i + 1,
                   fields.size(), head.size());
    Sample s = sample_of_file(fields[file], (fs::path(folder) / fields[file]).string());
    s.label = label_of(task, fields[label]);
    if (s.label < 0)
      return error(Code::invalid_argument, "%s: line %zu: class '%s' is none of the task's %zu labels",
                   path.c_str(), i + 1, fields[label].substr(0, 60).c_str(), task.labels.size());
    data.samples.push_back(std::move(s));
  }
  return data;
}

// A folder for each class, called as the class or its index.
hone::Result<DataSet> read_folders(const std::string& folder, const Task& task) {
  DataSet data{"a folder per class", {}};
  std::string strange;
  for (const std::string& path : folders_called(folder, {""})) {
    const std::string name = fs::path(path).filename().string();
    HONE_TRY(const auto pictures, pictures_in(path, true));
    if (pictures.empty()) continue;
    const int label = label_of(task, name);
    if (label < 0) {
      strange = name;
      continue;
    }
    for (const PictureFile& p : pictures) {
      data.samples.push_back(sample_of_file(name + "/" + p.name, p.path));
      data.samples.back().label = label;
    }
  }
  if (!strange.empty())
    return error(Code::invalid_argument,
                 "%s: folder '%s' is called like none of the task's %zu labels, and is no index of one",
                 folder.c_str(), strange.c_str(), task.labels.size());
  return data;
}

// The file's bytes, unpacked if they are packed.
hone::Result<std::string> unpacked(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rb"), ::gzclose);
  if (!file) return error(Code::io, "%s: cannot be read: %s", path.c_str(), std::strerror(errno));
  std::string bytes;
  char part[1 << 16];
  for (;;) {
    const int n = ::gzread(file.get(), part, sizeof part);
    if (n < 0) return error(Code::corrupt, "%s: is damaged", path.c_str());
    if (n == 0) return bytes;
    bytes.append(part, static_cast<size_t>(n));
    if (bytes.size() > size_t{1} << 30) return error(Code::limit, "%s: more than 1 GB", path.c_str());
  }
}

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t v = 0;
  for (size_t i = 0; i < 4; i++) v = v << 8 | static_cast<uint8_t>(bytes[at + i]);
  return v;
}

// The first file in the folder whose name has all the parts; "" if there is none.
std::string file_with(const std::string& folder, std::initializer_list<const char*> parts) {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (std::all_of(parts.begin(), parts.end(),
                    [&](const char* p) { return name.find(p) != std::string::npos; }))
      found.push_back(it->path().string());
  }
  return found.empty() ? "" : *std::min_element(found.begin(), found.end());
}

// yann.lecun.com/exdb/mnist: big-endian counts, then bytes.
hone::Result<DataSet> read_idx(const std::string& images, const std::string& labels) {
  HONE_TRY(std::string pixels, unpacked(images));
  HONE_TRY(const std::string classes, unpacked(labels));
  if (pixels.size() < 16 || big_endian(pixels, 0) != 0x803 || classes.size() < 8 ||
      big_endian(classes, 0) != 0x801)
    return error(Code::corrupt, "%s and %s: are no idx files of pictures and labels", images.c_str(),
                 labels.c_str());
  const uint64_t n = big_endian(pixels, 4), height = big_endian(pixels, 8), width = big_endian(pixels, 12);
  if (width == 0 || height == 0 || width > 4096 || height > 4096 || pixels.size() - 16 < n * width * height ||
      classes.size() - 8 < n)
    return error(Code::corrupt, "%s: says %llu pictures of %llu x %llu, which is more than it or %s holds",
                 images.c_str(), static_cast<unsigned long long>(n), static_cast<unsigned long long>(width),
                 static_cast<unsigned long long>(height), labels.c_str());
  const auto held = std::make_shared<const std::string>(std::move(pixels));
  DataSet data{"idx", {}};
  for (uint64_t i = 0; i < n; i++) {
    Sample s;
    s.name = std::to_string(i);
    s.label = static_cast<uint8_t>(classes[8 + i]);
    s.picture = [=]() -> hone::Result<Image> {
      HONE_TRY(Image image,
               Image::allocate(static_cast<int>(width), static_cast<int>(height), PixelFormat::gray8));
      std::memcpy(image.row(0), held->data() + 16 + i * width * height, width * height);
      return image;
    };
    data.samples.push_back(std::move(s));
  }
  return data;
}

// www.cs.toronto.edu/~kriz/cifar.html: a label, then 32 x 32 red, green and blue.
hone::Result<DataSet> read_cifar(const std::string& path) {
  constexpr size_t plane = 32 * 32, record = 1 + 3 * plane;
  HONE_TRY(std::string bytes, read_text(path, size_t{1} << 30));
  if (bytes.empty() || bytes.size() % record)
    return error(Code::corrupt, "%s: %zu bytes, which are no whole number of CIFAR-10's records",
                 path.c_str(), bytes.size());
  const auto held = std::make_shared<const std::string>(std::move(bytes));
  DataSet data{"CIFAR-10", {}};
  for (size_t i = 0; i < held->size() / record; i++) {
    Sample s;
    s.name = std::to_string(i);
    s.label = static_cast<uint8_t>((*held)[i * record]);
    s.picture = [=]() -> hone::Result<Image> {
      HONE_TRY(Image image, Image::allocate(32, 32, PixelFormat::rgb8));
      for (size_t k = 0; k < 3 * plane; k++)
        image.row(0)[k % plane * 3 + k / plane] = static_cast<uint8_t>((*held)[i * record + 1 + k]);
      return image;
    };
    data.samples.push_back(std::move(s));
  }
  return data;
}
// Single files of many pictures; empty: there are none.
hone::Result<DataSet> read_packed(const DataPlace& place) {
  const std::string images = file_with(place.folder, {"idx3-ubyte"});
  const std::string labels = file_with(place.folder, {"idx1-ubyte"});
  if (!images.empty() && !labels.empty()) return read_idx(images, labels);
  if (const std::string batch = file_with(place.folder, {".bin"}); !batch.empty()) return read_cifar(batch);
  return DataSet();
}
}  // namespace

hone::Result<DataSet> read_classified(const DataPlace& place, const Task& task) {
  std::error_code ignored;
  const std::string own = (fs::path(place.folder) / "labels.csv").string();
  if (!place.labels.empty()) return read_csv(place.labels, place.folder, task);
  if (fs::exists(own, ignored)) return read_csv(own, place.folder, task);
  HONE_TRY(DataSet packed, read_packed(place));
  if (!packed.samples.empty()) return packed;
  HONE_TRY(DataSet data, read_folders(place.folder, task));
  if (data.samples.empty())
    return error(
        Code::not_found,
        "%s: no labelled pictures; there must be labels.csv (columns file, class_index), a folder of "
        "pictures per class, idx files (MNIST) or CIFAR-10's .bin",
        place.folder.c_str());
  return data;
}

}  // namespace cli
