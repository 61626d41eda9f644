// Real models: the same results before and after, and no transpose left where there need not be one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "check.h"
#include "import/import.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace hone::opt {
namespace {

namespace fs = std::filesystem;

// Model files: shared data (small ones), and the folder in HONE_BENCH_MODELS.
std::vector<fs::path> models() {
  std::vector<fs::path> out;
  const char* data = std::getenv("HONE_DATA");
  const fs::path shared = data ? fs::path(data) : fs::path(HONE_SOURCE_DIR "/../shared/data");
  std::error_code none;
  for (const auto& e : fs::recursive_directory_iterator(shared / "models/onnx", none))
    if (e.path().extension() == ".onnx") out.push_back(e.path());
  if (const char* bench = std::getenv("HONE_BENCH_MODELS"))
    for (const auto& e : fs::directory_iterator(bench, none))
      if (e.path().extension() == ".onnx") out.push_back(e.path());
  std::ranges::sort(out);
  return out;
}

int transposes(const ir::Graph& g) {
  int n = 0;
  for (const ir::Node* node : g.nodes()) n += std::string_view(node->op->name) == "Transpose";
  return n;
}

// HONE_MODEL=part of a name picks; HONE_EVALUATE=0 leaves out running them by the reference, which takes long
// for large ones.
TEST(Models, KeepTheirResults) {
  const char *only = std::getenv("HONE_MODEL"), *run = std::getenv("HONE_EVALUATE");
  int seen = 0;
  for (const fs::path& path : models()) {
    if (only && path.string().find(only) == std::string::npos) continue;
    auto g = import_model(path.string());
    if (!g) {
      ADD_FAILURE() << path << ": " << g.error().message;
      continue;
    }
    seen++;
    const auto before = (*g)->clone();
    OptReport report;
    auto ok = optimise(**g, {.verify = true}, &report);
    ASSERT_TRUE(ok) << path << ": " << ok.error().message;
    double total = 0;
    for (const PassReport& p : report.passes) total += p.milliseconds;
    std::printf("%-40s nodes %4zu -> %4zu, transposes %3d -> %2d, %.0f ms\n", path.stem().c_str(),
                before->nodes().size(), (*g)->nodes().size(), transposes(*before), transposes(**g), total);
    if (std::getenv("HONE_PRINT")) std::printf("%s", ir::print(**g).c_str());
    if (run && *run == '0') continue;
    const auto inputs = random_inputs(*before, test_seed());
    auto a = ir::evaluate(*before, inputs);
    auto b = ir::evaluate(**g, inputs);
    ASSERT_TRUE(a) << path << ": " << a.error().message;
    ASSERT_TRUE(b) << path << ": " << b.error().message;
    // Re-associated sums differ by rounding; a wrong rewrite differs by far more.
    EXPECT_EQ(difference(*a, *b, 1e-3), "") << path;
  }
  if (!seen) GTEST_SKIP() << "no model files here";
}

}  // namespace
}  // namespace hone::opt
