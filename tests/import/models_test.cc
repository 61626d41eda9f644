// Real models, where they are at hand: $HONE_DATA or ../shared/data beside the repository.
#include "helpers.h"

namespace hone::test {
namespace {

std::filesystem::path data_folder() {
  const char* given = std::getenv("HONE_DATA");
  return given && *given ? given : HONE_SOURCE_DIR "/../shared/data";
}

TEST(RealModels, AreImportedLawfullyWithTypedOutputs) {
  const auto folder = data_folder() / "models/onnx";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no models in " << folder;
  int models = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") continue;
    models++;
    SCOPED_TRACE(entry.path().string());
    const auto g = import_model(entry.path());
    ASSERT_TRUE(g) << g.error().message;
    EXPECT_TRUE(ir::verify(**g)) << ir::verify(**g).error().message;
    for (const ir::Value* v : (*g)->outputs())
      EXPECT_TRUE(v->type.kind != Value::Kind::none && v->type.shape.ranked()) << v->name;
  }
  EXPECT_GT(models, 0);
}

}  // namespace
}  // namespace hone::test
