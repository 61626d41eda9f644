// Data beside the model, and the ways out of its folder that are shut.
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"

namespace hone::test {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

ModelMessage external_model(const Entries& entries, const Dims& dims = {2}) {
  return {{{node("Add", {"x", "w"}, {"y"})},
           {f32_info("x", {2})},
           {f32_info("y", {2})},
           {tensor_external("w", dims, DType::f32, entries)}}};
}

struct External : testing::Test {
  TempFolder outside;  // holds the model's folder and a file that the model must not reach
  std::string folder = outside.path + "/model";
  External() {
    outside.write("secret.bin", raw<float>({1, 2}));
    outside.write("model/w.bin", raw<float>({10, 20, 30}));
    outside.write("model/sub/w.bin", raw<float>({40, 50}));
  }
  Result<std::shared_ptr<ir::Graph>> load(const Entries& entries) {
    return import_model(outside.write("model/m.onnx", external_model(entries).bytes()));
  }
  void expect_sum(const Entries& entries, const std::vector<float>& want) {
    auto g = load(entries);
    ASSERT_TRUE(g) << g.error().message;
    EXPECT_EQ(floats(must_run(**g, {f32({2}, {1, 2})})[0]), want);
  }
};

TEST_F(External, IsFoundBesideTheModelAndBelow) {
  expect_sum({{"location", "w.bin"}, {"length", "8"}}, {11, 22});
  expect_sum({{"location", "w.bin"}, {"offset", "4"}, {"length", "8"}, {"checksum", "ignored"}}, {21, 32});
  expect_sum({{"location", "w.bin"}, {"offset", "4"}}, {21, 32});
  expect_sum({{"location", "./sub/w.bin"}}, {41, 52});
  // A link that stays inside is fine.
  ASSERT_EQ(::symlink("sub/w.bin", (folder + "/link.bin").c_str()), 0);
  expect_sum({{"location", "link.bin"}}, {41, 52});
}

TEST_F(External, IsViewedNotCopied) {
  auto g = load({{"location", "w.bin"}});
  ASSERT_TRUE(g) << g.error().message;
  std::filesystem::remove(folder + "/w.bin");
  for (const ir::Value* v : (*g)->values())
    if (v->is_constant()) { EXPECT_EQ(reinterpret_cast<uintptr_t>(v->constant.bytes()) % 4096, 0u); }
  EXPECT_EQ(floats(must_run(**g, {f32({2}, {1, 2})})[0]), (std::vector<float>{11, 22}));
}

TEST_F(External, IsFoundWhenTheModelsPathNamesNoFolder) {
  const std::string before = std::filesystem::current_path();
  load({{"location", "w.bin"}}).ok();
  std::filesystem::current_path(folder);
  auto g = import_model("m.onnx");
  std::filesystem::current_path(before);
  EXPECT_TRUE(g) << g.error().message;
}

TEST_F(External, NeverLeavesTheModelsFolder) {
  expect_error(load({{"location", "../secret.bin"}}), Code::unsupported, {"'w'", "'../secret.bin'", "'..'"});
  expect_error(load({{"location", "sub/../../secret.bin"}}), Code::unsupported, {"'..'"});
  expect_error(load({{"location", outside.path + "/secret.bin"}}), Code::unsupported, {"absolute"});
  ASSERT_EQ(::symlink("../secret.bin", (folder + "/out.bin").c_str()), 0);
  expect_error(load({{"location", "out.bin"}}), Code::unsupported, {"'out.bin'", "leads out"});
  ASSERT_EQ(::symlink("..", (folder + "/up").c_str()), 0);
  expect_error(load({{"location", "up/secret.bin"}}), Code::unsupported, {"leads out"});
  expect_error(load({{"location", "up/model/w.bin/../../../secret.bin"}}), Code::unsupported, {"'..'"});
  // The folder's name is a prefix of its neighbour's.
  outside.write("model2/w.bin", raw<float>({1, 2}));
  ASSERT_EQ(::symlink("../model2/w.bin", (folder + "/neighbour.bin").c_str()), 0);
  expect_error(load({{"location", "neighbour.bin"}}), Code::unsupported, {"leads out"});
}

TEST_F(External, RefusesWhatIsNoRegularFile) {
  expect_error(load({{"location", "sub"}}), Code::invalid_argument, {"is a directory"});
  expect_error(load({{"location", "."}}), Code::unsupported, {"external data '.'"});
  ASSERT_EQ(::mkfifo((folder + "/pipe").c_str(), 0600), 0);
  expect_error(load({{"location", "pipe"}}), Code::invalid_argument, {"not a regular file"});
  outside.write("model/empty", "");
  expect_error(load({{"location", "empty"}}), Code::corrupt, {"is empty"});
  expect_error(load({{"location", "missing.bin"}}), Code::not_found,
               {"'missing.bin'", "No such file", "beside"});
  ASSERT_EQ(::symlink("loop", (folder + "/loop").c_str()), 0);
  expect_error(load({{"location", "loop"}}), Code::io, {"'loop'"});
}

TEST_F(External, ChecksNamesOffsetsAndLengths) {
  expect_error(load({}), Code::unsupported, {"the file's name is missing"});
  expect_error(load({{"location", std::string("w.bin\0x", 7)}}), Code::unsupported, {"'w.bin\\x00x'", "NUL"});
  expect_error(load({{"location", std::string(5000, 'a')}}), Code::unsupported, {"(5000 bytes)", "too long"});
  expect_error(load({{"location", "w.bin"}, {"offset", "8"}}), Code::corrupt, {"12 bytes", "truncated"});
  expect_error(load({{"location", "w.bin"}, {"offset", "18446744073709551615"}}), Code::corrupt,
               {"12 bytes"});
  expect_error(load({{"location", "w.bin"}, {"offset", "18446744073709551616"}}), Code::corrupt,
               {"'offset'", "not a number"});
  expect_error(load({{"location", "w.bin"}, {"offset", "-4"}}), Code::corrupt, {"'-4'"});
  expect_error(load({{"location", "w.bin"}, {"offset", ""}}), Code::corrupt, {"'offset'"});
  expect_error(load({{"location", "w.bin"}, {"length", "12"}}), Code::corrupt, {"12 bytes", "takes 8"});
  expect_error(load({{"location", "w.bin"}, {"length", "18446744073709551615"}}), Code::corrupt,
               {"12 bytes"});
}

TEST_F(External, IsRefusedForAModelReadFromMemory) {
  expect_error(import_bytes(external_model({{"location", "w.bin"}}).bytes()), Code::unsupported,
               {"read from memory"});
}

}  // namespace
}  // namespace hone::test
