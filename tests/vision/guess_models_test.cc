// What is guessed of real models, from the file to the task.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "vision/pipeline.h"

namespace hone::vision {
namespace {

struct Case {
  const char* model;
  const char* decoder;  // "": refused
  const char* part;     // of the reasons, or of the refusal
};

class GuessModel : public testing::TestWithParam<Case> {};

TEST_P(GuessModel, is_as_its_makers_say) {
  const Case& c = GetParam();
  const char* data = std::getenv("HONE_DATA");
  const std::string path = std::string(data ? data : HONE_SOURCE_DIR "/../shared/data") + "/models/onnx/" +
                           c.model + "/model.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  auto engine = api::build(path);
  ASSERT_TRUE(engine) << engine.error().message();
  auto info = info_of(*engine);
  ASSERT_TRUE(info) << info.error().message;
  auto guess = guess_task(*info);
  if (!*c.decoder) {
    ASSERT_FALSE(guess);
    EXPECT_NE(guess.error().message.find(c.part), std::string::npos) << guess.error().message;
    return;
  }
  ASSERT_TRUE(guess) << guess.error().message;
  EXPECT_EQ(guess->task.head.decoder, c.decoder);
  std::string reasons;
  for (const std::string& r : guess->reasons) reasons += r + "\n";
  EXPECT_NE(reasons.find(c.part), std::string::npos) << reasons;
}

INSTANTIATE_TEST_SUITE_P(
    Data, GuessModel,
    testing::Values(Case{"yolox_nano", "yolox", "3549 cells"},
                    Case{"ultraface_rfb320", "ultraface", "boxes are decoded in the graph"},
                    Case{"squeezenet1.1", "classify", "Softmax makes it: the numbers are"},
                    Case{"shufflenet_v2_int8", "classify", "no Softmax makes it"},
                    Case{"mnist-8", "classify", "one channel, grey"},
                    Case{"espnet_camvid", "segment", "12 scores at stride 1"},
                    Case{"super_resolution", "", "of no shape that says it"}),
    [](const auto& info) {
      std::string name = info.param.model;
      for (char& ch : name)
        if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
      return name;
    });

}  // namespace
}  // namespace hone::vision
