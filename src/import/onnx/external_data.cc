#include "import/onnx/external_data.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "import/quote.h"

namespace hone::onnx {
namespace {

Error refused(std::string_view location, const char* why) {
  return error(Code::unsupported, "external data %s: %s; only files inside the model's folder are read",
               quote(location).c_str(), why);
}

Error failed(std::string_view location, const std::string& folder, int number) {
  return error(number == ENOENT || number == ENOTDIR ? Code::not_found : Code::io,
               "external data %s in folder '%s': %s; keep the model's data files beside it",
               quote(location).c_str(), folder.c_str(), std::strerror(number));
}

Result<std::string> real_path(const std::string& path, std::string_view location, const std::string& folder) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (!resolved) return failed(location, folder, errno);
  std::string out = resolved;
  std::free(resolved);
  return out;
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  void reset(int next) {
    if (fd >= 0) ::close(fd);
    fd = next;
  }
};

// Opens `relative`, a path without links, step by step and following none: whatever has been replaced by a
// link since the path was resolved is refused rather than followed.
Result<int> open_beneath(const std::string& root, const std::filesystem::path& relative,
                         std::string_view location) {
  Descriptor at{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (at.fd < 0) return failed(location, root, errno);
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    const bool last = std::next(part) == relative.end();
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (last ? O_NONBLOCK : O_DIRECTORY);
    const int fd = ::openat(at.fd, part->c_str(), flags);
    if (fd < 0) return failed(location, root, errno);
    at.reset(fd);
  }
  return std::exchange(at.fd, -1);
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> ExternalData::open(std::string_view location) {
  if (const auto found = files_.find(location); found != files_.end()) return found->second;
  if (folder_.empty()) return refused(location, "this model was read from memory and has no folder");
  if (location.empty()) return refused(location, "the file's name is missing");
  if (location.size() >= PATH_MAX) return refused(location, "the name is too long");
  if (location.find('\0') != std::string_view::npos) return refused(location, "the name contains a NUL byte");
  const std::filesystem::path path(location);
  if (path.is_absolute()) return refused(location, "the path is absolute");
  for (const auto& part : path)
    if (part == "..") return refused(location, "the path contains '..'");

  HONE_TRY(const std::string root, real_path(folder_, location, folder_));
  HONE_TRY(const std::string real,
           real_path((std::filesystem::path(root) / path).string(), location, folder_));
  const std::string prefix = root == "/" ? root : root + "/";
  if (real.compare(0, prefix.size(), prefix) != 0) return refused(location, "a link leads out of the folder");
  HONE_TRY(const int fd, open_beneath(root, real.substr(prefix.size()), location));
  auto file = MappedFile::from_descriptor(fd, real);
  if (!file) return in("external data " + quote(location), file.take_error());
  files_.emplace(location, *file);
  return *file;
}

}  // namespace hone::onnx
