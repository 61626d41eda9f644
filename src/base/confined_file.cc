#include "base/confined_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace hone {
namespace {

Error refused(const char* why) {
  return error(Code::unsupported, "%s; only files inside the folder are read", why);
}

Error failed(const std::string& folder, int number) {
  return error(number == ENOENT || number == ENOTDIR ? Code::not_found : Code::io,
               "%s in folder '%s'; keep the files that belong together beside each other",
               std::strerror(number), folder.c_str());
}

Result<std::string> real_path(const std::string& path, const std::string& folder) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (!resolved) return failed(folder, errno);
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
Result<int> open_beneath(const std::string& root, const std::filesystem::path& relative) {
  Descriptor at{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (at.fd < 0) return failed(root, errno);
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    const bool last = std::next(part) == relative.end();
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (last ? O_NONBLOCK : O_DIRECTORY);
    const int fd = ::openat(at.fd, part->c_str(), flags);
    if (fd < 0) return failed(root, errno);
    at.reset(fd);
  }
  return std::exchange(at.fd, -1);
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> open_confined(const std::string& folder, std::string_view name) {
  if (folder.empty()) return refused("what names it was read from memory and has no folder");
  if (name.empty()) return refused("the file's name is missing");
  if (name.size() >= PATH_MAX) return refused("the name is too long");
  if (name.find('\0') != std::string_view::npos) return refused("the name contains a NUL byte");
  const std::filesystem::path path(name);
  if (path.is_absolute()) return refused("the path is absolute");
  for (const auto& part : path)
    if (part == "..") return refused("the path contains '..'");

  HONE_TRY(const std::string root, real_path(folder, folder));
  HONE_TRY(const std::string real, real_path((std::filesystem::path(root) / path).string(), folder));
  const std::string prefix = root == "/" ? root : root + "/";
  if (real.compare(0, prefix.size(), prefix) != 0) return refused("a link leads out of the folder");
  HONE_TRY(const int fd, open_beneath(root, real.substr(prefix.size())));
  return MappedFile::from_descriptor(fd, real);
}

}  // namespace hone
