#include "import/seeds.h"

#include "helpers.h"

namespace hone::test {
namespace {

TEST(Seeds, AreModels) {
  for (const auto& [name, bytes] : seed_models()) {
    if (name == "constants") continue;  // its external data do not exist
    const auto g = import_bytes(bytes);
    EXPECT_TRUE(g) << name << ": " << g.error().message;
  }
}

// HONE_UPDATE=1 writes them.
TEST(Seeds, AreTheOnesThatTheFuzzerStartsFrom) {
  for (const auto& [name, bytes] : seed_models()) {
    const std::string path = HONE_SOURCE_DIR "/fuzz/seeds/onnx/" + name + ".onnx";
    if (std::getenv("HONE_UPDATE")) std::ofstream(path, std::ios::binary) << bytes;
    std::ifstream in(path, std::ios::binary);
    const std::string stored{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(stored, bytes) << path << " differs; run this test with HONE_UPDATE=1";
  }
}

}  // namespace
}  // namespace hone::test
