// Building through hone.h and hone.hpp over libhone, on the small model of examples/parts.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "hone/hone.hpp"

namespace {
namespace fs = std::filesystem;

const std::string model_path = HONE_SOURCE_DIR "/examples/parts/parts_classify.onnx";

std::vector<char> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The probabilities for a grey picture.
std::vector<float> run(const hone::Engine& engine) {
  auto session =
      engine.session({.threads = 2, .profile = false, .keep_values = false, .cancelled = {}}).value();
  const std::vector<float> grey(3 * 96 * 96, 0.5f);
  session.set(0, hone::TensorView::of<float>(grey, {1, 3, 96, 96})).value();
  session.run().value();
  const auto view = session.output(0).value();
  const auto values = view.values<float>();
  return {values.begin(), values.end()};
}

TEST(Build, from_a_file_from_memory_and_by_loading_a_model_are_the_same_engine) {
  const auto from_file = hone::build(model_path).value();
  const auto bytes = contents(model_path);
  const auto from_memory = hone::build(std::as_bytes(std::span(bytes))).value();
  const auto loaded = hone::Engine::load(model_path).value();
  const auto expected = run(from_file);
  EXPECT_EQ(run(from_memory), expected);
  EXPECT_EQ(run(loaded), expected);
  EXPECT_EQ(loaded.serialize().value(), from_file.serialize().value());
}

TEST(Build, a_saved_engine_gives_the_same_bits) {
  const auto engine = hone::build(model_path).value();
  const auto path =
      (fs::temp_directory_path() / ("hone-build-" + std::to_string(::getpid()) + ".hone")).string();
  ASSERT_TRUE(engine.save(path));
  EXPECT_TRUE(hone::Engine::probe(path).value());
  const auto loaded = hone::Engine::load(path, true).value();
  fs::remove(path);  // the mapping lives on
  EXPECT_EQ(run(loaded), run(engine));
  EXPECT_EQ(engine.save("/dev/full").error().code(), HONE_IO);
}

TEST(Build, for_this_machine_packs_weights_and_gives_the_same_bits) {
  hone::BuildOptions options;
  options.target = "native";
  const auto native = hone::build(model_path, options).value(), generic = hone::build(model_path).value();
  const auto bytes = native.serialize().value();
  EXPECT_GT(bytes.size(), generic.serialize().value().size());
  const auto loaded = hone::Engine::load(bytes).value();
  EXPECT_EQ(run(native), run(generic));
  EXPECT_EQ(run(loaded), run(generic));
  EXPECT_EQ(loaded.serialize().value(), bytes);
  const auto memory = [](const hone::Engine& e) {
    auto session = e.session().value();
    return session.memory();
  };
  EXPECT_EQ(memory(loaded).packed_bytes, 0);
  EXPECT_GT(memory(loaded).prepacked_bytes, 0);
  EXPECT_GT(memory(generic).packed_bytes, 0);
  EXPECT_EQ(memory(generic).prepacked_bytes, 0);
}

TEST(Build, tells_its_progress_and_stops_when_asked) {
  hone::BuildOptions options;
  double last = 0;
  int calls = 0;
  options.progress = [&](double fraction, const char* what) {
    EXPECT_GE(fraction, last);
    EXPECT_LE(fraction, 1.0);
    EXPECT_GT(std::string(what).size(), 0u);
    last = fraction;
    calls++;
    return false;
  };
  ASSERT_TRUE(hone::build(model_path, options));
  EXPECT_GT(calls, 1);
  options.progress = [](double, const char*) { return true; };
  const auto stopped = hone::build(model_path, options);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), HONE_CANCELLED);
}

TEST(Build, reports_graphs_and_reasons) {
  hone::BuildOptions options;
  std::string graph, reasons;
  options.dump_after = {"import"};
  options.explain = true;
  options.report = [&](const char* title, const char* text) {
    (std::string(title) == "explain" ? reasons : graph) += text;
  };
  ASSERT_TRUE(hone::build(model_path, options));
  EXPECT_NE(graph.find("BatchNormalization"), std::string::npos);
  EXPECT_FALSE(reasons.empty());
  EXPECT_NE(hone::describe_model(model_path).value().find("BatchNormalization"), std::string::npos);
}

TEST(Build, unoptimised_keeps_every_node_and_agrees) {
  hone::BuildOptions options;
  options.optimise = false;
  const auto plain = hone::build(model_path, options).value(), optimised = hone::build(model_path).value();
  EXPECT_NE(plain.describe().value().find("\"BatchNormalization\": "), std::string::npos);
  EXPECT_EQ(optimised.describe().value().find("\"BatchNormalization\": "), std::string::npos);
  const auto a = run(plain), b = run(optimised);
  for (size_t i = 0; i < a.size(); i++) EXPECT_NEAR(a[i], b[i], 1e-5f);
}

TEST(Build, what_cannot_be_is_refused_with_a_reason) {
  auto fault = [](const hone::BuildOptions& o) {
    return std::string(hone::build(model_path, o).error().what());
  };
  hone::BuildOptions o;
  o.precision = "int3";
  EXPECT_NE(fault(o).find("int3"), std::string::npos);
  o = {};
  o.target = "the moon";
  EXPECT_NE(fault(o).find("the moon"), std::string::npos);
  o = {};
  o.shapes["nothing"] = {1, 2};
  EXPECT_NE(fault(o).find("nothing"), std::string::npos);
  o = {};
  o.shapes["image"] = std::vector<int64_t>(13, 1);
  EXPECT_NE(fault(o).find("rank 13"), std::string::npos);
  o = {};
  o.disabled_passes = {"nonsense"};
  EXPECT_NE(fault(o).find("nonsense"), std::string::npos);
  EXPECT_EQ(hone::build(std::span<const std::byte>()).error().code(), HONE_INVALID_ARGUMENT);
  const hone_model both{sizeof both, "a", "b", 1};
  hone_engine* none = nullptr;
  hone_status* s = hone_build(&both, nullptr, &none);
  EXPECT_EQ(hone_status_code(s), HONE_INVALID_ARGUMENT);
  hone_status_free(s);
}

TEST(Build, damaged_models_never_crash) {
  const auto good = contents(model_path);
  // The nodes come first, then the weights, of which a few will do.
  for (size_t n = 0; n < good.size(); n += n < 32768 ? 97 : 1993) {
    const auto cut = std::span(good).first(n);
    (void)hone::build(std::as_bytes(cut));
    auto flipped = good;
    flipped[n] = static_cast<char>(flipped[n] ^ 0x55);
    (void)hone::build(std::as_bytes(std::span(flipped)));
  }
}

TEST(Explain, a_model_and_its_engine_are_supported_and_what_is_no_model_is_an_error) {
  const auto explained = hone::explain(model_path).value();
  EXPECT_TRUE(explained.supported);
  EXPECT_NE(explained.json.find("\"kernel\": \"conv_gemm_f32\""), std::string::npos);
  hone::BuildOptions options;
  options.disabled_passes = {"no_such_pass"};
  EXPECT_EQ(hone::explain(model_path, options).error().code(), HONE_NOT_FOUND);
  EXPECT_EQ(hone::explain("/no/such/file").error().code(), HONE_NOT_FOUND);
  int supported = 7;
  hone_status* s = hone_explain(nullptr, nullptr, &supported, nullptr);
  EXPECT_EQ(hone_status_code(s), HONE_INVALID_ARGUMENT);
  EXPECT_EQ(supported, 7);
  hone_status_free(s);
}

TEST(Conform, a_case_has_an_outcome_and_only_a_wrong_call_is_an_error) {
  const auto empty = (fs::temp_directory_path() / ("hone-case-" + std::to_string(::getpid()))).string();
  fs::create_directories(empty);
  auto result = hone::conform_case(empty).value();
  EXPECT_EQ(result.outcome, HONE_FAILED);
  EXPECT_EQ(result.reason, "there is no model.onnx");
  fs::copy(model_path, empty + "/model.onnx");
  result = hone::conform_case(empty, {.optimise = false, .reference = false, .threads = 1}).value();
  EXPECT_EQ(result.outcome, HONE_SKIPPED);
  EXPECT_EQ(result.reason, "there is no folder test_data_set_N");
  fs::remove_all(empty);
  hone_outcome outcome = HONE_PASSED;
  hone_status* s = hone_conform_case(nullptr, nullptr, &outcome, nullptr);
  EXPECT_EQ(hone_status_code(s), HONE_INVALID_ARGUMENT);
  EXPECT_EQ(outcome, HONE_PASSED);
  hone_status_free(s);
}

}  // namespace
