// What a newcomer hands over by mistake gets one clear line.
#include "helpers.h"

namespace hone::test {
namespace {

TEST(ImportModel, SaysWhatAFileIsThatIsNoModel) {
  TempFolder folder;
  const auto refuse = [&](std::string_view bytes, const char* what) {
    const std::string path = folder.write("file", bytes);
    expect_error(import_model(path), Code::corrupt,
                 {path.c_str(), "is not an ONNX model: it starts with", what});
  };
  refuse("%PDF-1.7\n", "%PDF");
  refuse("\xff\xd8\xff\xe0 JFIF", "JPEG");
  refuse("\x89PNG\r\n", "PNG");
  refuse(std::string("PK\x03\x04", 4), "zip");
  refuse("version https://git-lfs.github.com/spec/v1\noid", "git lfs pull");
  refuse("hello, this is text", "'hello, t'");
  refuse("Basic text that starts like a field", "'Basic te'");
  refuse(std::string("\0\0\0\0", 4), "'\\x00\\x00\\x00\\x00'");
  refuse("\x08", "'\\x08'");
}

TEST(ImportModel, SaysWhatIsWrongWithThePath) {
  TempFolder folder;
  expect_error(import_model(folder.path + "/missing.onnx"), Code::not_found,
               {"missing.onnx", "No such file"});
  expect_error(import_model(folder.path), Code::invalid_argument, {"is a directory"});
  expect_error(import_model(folder.write("empty.onnx", "")), Code::corrupt, {"is empty"});
}

TEST(ImportModel, SaysThatAModelIsTruncated) {
  TempFolder folder;
  const std::string bytes = relu_model().bytes();
  const std::string path = folder.write("m.onnx", std::string_view(bytes).substr(0, bytes.size() - 3));
  expect_error(import_model(path), Code::corrupt, {path.c_str(), "truncated"});
}

TEST(ImportModel, ReadsAModelWhoseFieldsComeInAnotherOrder) {
  TempFolder folder;
  const ModelMessage m = relu_model();
  const std::string path =
      folder.write("m", Message().sub(7, m.graph.message()).sub(8, opset("", 21)).number(1, 10).bytes);
  auto g = import_model(path);
  EXPECT_TRUE(g) << g.error().message;
}

}  // namespace
}  // namespace hone::test
