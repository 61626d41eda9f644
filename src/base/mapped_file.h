// A whole file mapped read-only into memory. Copies of the shared pointer keep the mapping alive, so a Tensor
// can be a view into it with the pointer as its owner; the file's own name may vanish meanwhile. Immutable,
// hence safe to share between threads. The bytes are those of the file: a program that shortens the file
// while it is mapped makes reads past the new end fault, as with every mmap; replace files by rename, as Hone
// itself does.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace hone {

class MappedFile {
 public:
  // Errors name the path and the system's reason. Refused: what is not a regular file (directory, pipe,
  // device), an empty file.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  // The same for a file that is open already. Takes the descriptor over (it is closed in any case); `path` is
  // for messages.
  static Result<std::shared_ptr<const MappedFile>> from_descriptor(int fd, const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  size_t size() const { return size_; }
  const std::string& path() const { return path_; }

  // Lets go of the memory of the whole pages within `part`, if that lies in the mapping: for parts that are
  // not needed again soon. Their bytes come back from the file when they are read.
  void let_go(std::span<const std::byte> part) const;

 private:
  MappedFile(const std::byte* data, size_t size, std::string path)
      : data_(data), size_(size), path_(std::move(path)) {}
  const std::byte* data_;
  size_t size_;
  std::string path_;
};

}  // namespace hone
