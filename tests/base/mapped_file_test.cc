#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace hone {
namespace {

struct Folder {
  std::string path;
  Folder() {
    std::string name = testing::TempDir() + "hone_mapped_XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name, std::ios::binary) << text;
    return path + "/" + name;
  }
};

TEST(MappedFile, HoldsTheBytesOfTheFileEvenAfterItWasUnlinked) {
  Folder folder;
  const std::string path = folder.write("a", "some bytes");
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  std::filesystem::remove(path);
  ASSERT_EQ((*file)->size(), 10u);
  EXPECT_EQ(std::memcmp((*file)->bytes().data(), "some bytes", 10), 0);
}

TEST(MappedFile, KeepsTheMappingAliveForAsLongAsAnyOwnerLives) {
  Folder folder;
  auto file = MappedFile::open(folder.write("a", "12345678"));
  ASSERT_TRUE(file);
  std::shared_ptr<const void> owner = *file;
  const std::byte* bytes = (*file)->bytes().data();
  file->reset();
  EXPECT_EQ(static_cast<char>(bytes[7]), '8');
}

void expect_refused(const std::string& path, Code code, const char* reason) {
  auto file = MappedFile::open(path);
  ASSERT_FALSE(file) << path;
  EXPECT_EQ(file.error().code, code);
  EXPECT_NE(file.error().message.find(reason), std::string::npos) << file.error().message;
  EXPECT_NE(file.error().message.find(path.c_str()), std::string::npos) << file.error().message;
}

TEST(MappedFile, RefusesWhatIsNotAReadableRegularFileNamingPathAndReason) {
  Folder folder;
  expect_refused(folder.path + "/missing", Code::not_found, "No such file");
  expect_refused(folder.path, Code::invalid_argument, "is a directory");
  expect_refused(folder.write("empty", ""), Code::corrupt, "is empty");
  expect_refused("/dev/null", Code::invalid_argument, "not a regular file");
  const std::string pipe = folder.path + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_refused(pipe, Code::invalid_argument, "not a regular file");
  expect_refused(folder.write("file", "x") + "/below", Code::not_found, "Not a directory");
  if (::geteuid() != 0) {
    const std::string secret = folder.write("secret", "x");
    ::chmod(secret.c_str(), 0);
    expect_refused(secret, Code::io, "Permission denied");
  }
  EXPECT_FALSE(MappedFile::open(std::string("/dev/null\0x", 11)));
}

}  // namespace
}  // namespace hone
