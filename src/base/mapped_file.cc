#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

namespace hone {
namespace {
Error system_error(const std::string& path, const char* verb, int number) {
  const Code code = number == ENOENT || number == ENOTDIR ? Code::not_found : Code::io;
  return error(code, "cannot %s '%s': %s", verb, path.c_str(), std::strerror(number));
}
}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  // An embedded NUL would silently open another file than the one named.
  if (path.find('\0') != std::string::npos)
    return error(Code::invalid_argument, "cannot open '%s': the path contains a NUL byte", path.c_str());
  // O_NONBLOCK: opening a pipe without a writer must not hang; it has no effect on regular files.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return system_error(path, "open", errno);
  return from_descriptor(fd, path);
}

Result<std::shared_ptr<const MappedFile>> MappedFile::from_descriptor(int fd, const std::string& path) {
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat info {};
  if (::fstat(fd, &info) != 0) return system_error(path, "examine", errno);
  if (S_ISDIR(info.st_mode))
    return error(Code::invalid_argument, "'%s' is a directory; name the file in it", path.c_str());
  if (!S_ISREG(info.st_mode))
    return error(Code::invalid_argument,
                 "'%s' is not a regular file (a pipe, socket or device); copy its contents to a file first",
                 path.c_str());
  if (info.st_size == 0) return error(Code::corrupt, "'%s' is empty", path.c_str());
  if (static_cast<uint64_t>(info.st_size) > std::numeric_limits<size_t>::max() / 2)
    return error(Code::limit, "'%s' has %lld bytes: more than this machine can address", path.c_str(),
                 static_cast<long long>(info.st_size));
  const auto size = static_cast<size_t>(info.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return system_error(path, "map", errno);
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size, path));
}

void MappedFile::let_go(std::span<const std::byte> part) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(part.data()), begin = reinterpret_cast<uintptr_t>(data_);
  if (first < begin || part.size() > size_ || first - begin > size_ - part.size()) return;
  const uintptr_t from = (first + page - 1) / page * page, to = (first + part.size()) / page * page;
  if (from < to) ::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(data_), size_); }

}  // namespace hone
