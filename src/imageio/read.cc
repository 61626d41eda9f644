#include "base/mapped_file.h"
#include "imageio/codec.h"

namespace hone::imageio {

Result<Image> read(const std::string& path) {
  HONE_TRY(const auto file, MappedFile::open(path));
  auto image = decode(file->bytes());
  if (!image) return in(path, image.take_error());
  return image;
}

}  // namespace hone::imageio
