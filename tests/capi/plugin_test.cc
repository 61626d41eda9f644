// Plugins (examples/04_plugin.c) over libhone_runtime alone. An engine that names their operators is written by hand.
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/write.h"
#include "hone/hone.hpp"

namespace {

const std::string library = HONE_BINARY_DIR "/lib/04_plugin.so";

// y = Calibrate(Relu(x)), x of shape [n, 2]; the curve goes through (0, 0), (1, 10), (3, 20).
std::vector<std::byte> curve_engine() {
  hone::EngineData e;
  e.symbols = {"n"};
  const hone::ValueType type(hone::DType::f32, hone::Shape{hone::symbol_dim(0), 2});
  auto p = std::make_shared<hone::Program>();
  p->values = {{"x", type, hone::ProgramValue::Kind::input, -1},
               {"r", type, hone::ProgramValue::Kind::intermediate, -1},
               {"y", type, hone::ProgramValue::Kind::intermediate, -1}};
  hone::ProgramStep curve{.op = "Calibrate", .domain = "com.example", .name = "curve", .in = {1}, .out = {2}};
  curve.attrs.set("xs", std::vector<float>{0, 1, 3});
  curve.attrs.set("ys", std::vector<float>{0, 10, 20});
  p->steps = {{.op = "Relu", .name = "relu", .in = {0}, .out = {1}}, curve};
  p->inputs = {0};
  p->outputs = {2};
  e.plans = {{"generic", p}};
  return *hone::engine_bytes(e);
}

// One process, one registry: what is missing must be tried first.
TEST(CapiPlugin, an_engine_needs_its_plugin_and_runs_with_it) {
  const auto bytes = curve_engine();
  const auto missing = hone::api::Engine::load(bytes);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), HONE_UNSUPPORTED);
  for (const char* text : {"Calibrate of domain 'com.example'", "hone_load_plugin"})
    EXPECT_NE(missing.error().message().find(text), std::string::npos) << missing.error().message();

  const auto absent = hone::api::load_plugin("nowhere.so");
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code(), HONE_NOT_FOUND);
  for (const char* nothing : {static_cast<const char*>(nullptr), ""}) {
    hone_status* s = hone_load_plugin(nothing);
    EXPECT_EQ(hone_status_code(s), HONE_INVALID_ARGUMENT);
    hone_status_free(s);
  }

  if (!std::filesystem::exists(library)) GTEST_SKIP() << library << " is not built";
  for (int round = 0; round < 2; round++) {
    const auto loaded = hone::api::load_plugin(library);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  }
  auto engine = hone::api::Engine::load(bytes);
  ASSERT_TRUE(engine.ok()) << engine.error().message();
  auto session = engine.value().session().value();
  const std::vector<float> x{-1, 0.5f, 2, 3, 9, 0};
  for (const int64_t n : {3, 1, 3}) {
    session.set(0, hone::api::TensorView::of<float>(std::span(x).first(static_cast<size_t>(2 * n)), {n, 2}))
        .value();
    session.run().value();
    const auto y = session.output(0).value();
    const std::vector<float> want{0, 5, 15, 20, 20, 0};
    EXPECT_TRUE(std::ranges::equal(y.values<float>(), std::span(want).first(static_cast<size_t>(2 * n))));
  }
}

}  // namespace
