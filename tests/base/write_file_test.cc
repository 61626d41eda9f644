#include "base/write_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace hone {
namespace {
namespace fs = std::filesystem;

std::string contents(const fs::path& p) {
  std::ostringstream s;
  s << std::ifstream(p).rdbuf();
  return s.str();
}

class WriteFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("hone-write-file-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  size_t files() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {})); }
  fs::path folder_;
};

TEST_F(WriteFile, creates_replaces_and_leaves_no_temporary) {
  const auto path = folder_ / "a";
  ASSERT_TRUE(write_file(path.string(), "one"));
  EXPECT_EQ(contents(path), "one");
  ASSERT_TRUE(write_file(path.string(), "three"));
  EXPECT_EQ(contents(path), "three");
  EXPECT_EQ(files(), 1u);
}

TEST_F(WriteFile, follows_a_link_and_keeps_the_mode) {
  const auto path = folder_ / "a", link = folder_ / "link";
  ASSERT_TRUE(write_file(path.string(), "one"));
  fs::permissions(path, fs::perms::owner_all);
  fs::create_symlink(path, link);
  ASSERT_TRUE(write_file(link.string(), "two"));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(contents(path), "two");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
}

TEST_F(WriteFile, names_path_and_reason_when_the_system_refuses) {
  auto full = write_file("/dev/full", "some text");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::io);
  EXPECT_EQ(full.error().message, "/dev/full: cannot write: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));  // not replaced by a regular file
  const auto nowhere = (folder_ / "no" / "such").string();
  auto missing = write_file(nowhere, "x");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, nowhere + ": cannot create: No such file or directory");
  auto is_folder = write_file(folder_.string(), "x");
  ASSERT_FALSE(is_folder);
  EXPECT_EQ(is_folder.error().message, folder_.string() + ": is a folder; name a file in it");
}

TEST_F(WriteFile, a_write_that_fails_keeps_the_old_file) {
  const auto path = folder_ / "a";
  ASSERT_TRUE(write_file(path.string(), "old"));
  // Unmapped memory makes write() fail with EFAULT after the first piece has been written.
  const std::string good(100000, 'x');
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(good)),
                                               {reinterpret_cast<const std::byte*>(64), 4096}};
  EXPECT_FALSE(write_file(path.string(), pieces));
  EXPECT_EQ(contents(path), "old");
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace hone
