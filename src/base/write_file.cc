#include "base/write_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace hone {
namespace {
using Pieces = std::span<const std::span<const std::byte>>;

Error failed(const std::string& path, const char* doing) {
  return error(Code::io, "%s: cannot %s: %s", path.c_str(), doing, std::strerror(errno));
}

// Writes everything and closes. A full disk may be reported only by fsync or close. Devices and pipes know no
// fsync (EINVAL).
bool write_all(int fd, Pieces pieces) {
  bool ok = true;
  for (auto piece : pieces)
    while (ok && !piece.empty()) {
      const ssize_t n = ::write(fd, piece.data(), std::min(piece.size(), size_t{1} << 30));
      if (n > 0) piece = piece.subspan(static_cast<size_t>(n));
      else if (n == 0 || errno != EINTR) ok = false;
    }
  if (ok && ::fsync(fd) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) ok = false;
  const int saved = errno;
  if (::close(fd) != 0) return false;
  errno = saved;
  return ok;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}
}  // namespace

Status write_file(const std::string& path, Pieces pieces) {
  struct stat st;
  std::string target = path;
  bool direct = false;
  mode_t mode = 0666;
  bool replace = false;
  if (::stat(path.c_str(), &st) == 0) {
    if (S_ISDIR(st.st_mode)) return error(Code::io, "%s: is a folder; name a file in it", path.c_str());
    direct = !S_ISREG(st.st_mode);
    replace = !direct;
    mode = st.st_mode & 0777;
    if (char* real = ::realpath(path.c_str(), nullptr)) {
      target = real;
      std::free(real);
    }
  }
  if (direct) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return failed(path, "open for writing");
    if (!write_all(fd, pieces)) return failed(path, "write");
    return {};
  }
  if (replace && ::access(target.c_str(), W_OK) != 0) return failed(path, "write");
  std::string temporary;
  int fd = -1;
  for (int attempt = 0; fd < 0 && attempt < 100; attempt++) {
    temporary = strf("%s.%ld-%d.tmp", target.c_str(), static_cast<long>(::getpid()), attempt);
    fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 && errno != EEXIST) break;
  }
  if (fd < 0) return failed(path, "create");
  if (!write_all(fd, pieces) || ::rename(temporary.c_str(), target.c_str()) != 0) {
    const Error e = failed(path, "write");
    ::unlink(temporary.c_str());
    return e;
  }
  // The new name survives a power cut only once the folder is flushed too; some file systems refuse, and then
  // have done so.
  if (const int dir = ::open(folder_of(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    (void)::fsync(dir);
    ::close(dir);
  }
  return {};
}

Status write_file(const std::string& path, const std::string& text) {
  const std::span<const std::byte> piece = std::as_bytes(std::span(text));
  return write_file(path, Pieces(&piece, 1));
}

}  // namespace hone
