// The C interface and hone.hpp over libhone_runtime. The tests write their engines themselves, so they need
// no builder.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "engine/write.h"
#include "hone/hone.hpp"

namespace {
namespace fs = std::filesystem;
using hone::ProgramValue;

// y = Relu(x), z = Relu(y) with x of shape [batch, 3].
std::vector<std::byte> relu_engine() {
  hone::EngineData e;
  e.meta = {{"name", "two relus"}};
  e.symbols = {"batch"};
  const hone::ValueType type(hone::DType::f32, hone::Shape{hone::symbol_dim(0), 3});
  auto p = std::make_shared<hone::Program>();
  p->values = {{"x", type, ProgramValue::Kind::input, -1},
               {"y", type, ProgramValue::Kind::intermediate, -1},
               {"z", type, ProgramValue::Kind::intermediate, -1}};
  p->steps = {{.op = "Relu", .name = "first", .in = {0}, .out = {1}},
              {.op = "Relu", .name = "second", .in = {1}, .out = {2}}};
  p->inputs = {0};
  p->outputs = {2};
  e.plans = {{"generic", p}};
  return *hone::engine_bytes(e);
}

std::string message(hone_status* s) {
  std::string m = hone_status_message(s);
  hone_status_free(s);
  return m;
}

hone_tensor tensor(const float* data, int64_t rows, int64_t columns) {
  hone_tensor t{};
  t.size = sizeof t;
  t.kind = HONE_TENSOR;
  t.dtype = HONE_F32;
  t.rank = 2;
  t.dims[0] = rows;
  t.dims[1] = columns;
  t.data = data;
  t.bytes = static_cast<size_t>(rows * columns) * sizeof(float);
  return t;
}

class Capi : public testing::Test {
 protected:
  void SetUp() override {
    const auto bytes = relu_engine();
    ASSERT_EQ(hone_engine_load_memory(bytes.data(), bytes.size(), nullptr, &engine_), nullptr);
  }
  void TearDown() override { hone_engine_free(engine_); }
  hone_engine* engine_ = nullptr;
};

TEST_F(Capi, runs_an_engine) {
  hone_session* session = nullptr;
  ASSERT_EQ(hone_session_create(engine_, nullptr, &session), nullptr);
  const float x[6] = {1, -2, 3, -4, 5, -6};
  for (int64_t rows : {2, 1, 2}) {
    const hone_tensor in = tensor(x, rows, 3);
    ASSERT_EQ(hone_session_set_input(session, 0, &in), nullptr);
    ASSERT_EQ(hone_session_run(session), nullptr);
    hone_tensor out{};
    out.size = sizeof out;
    ASSERT_EQ(hone_session_output(session, 0, &out), nullptr);
    EXPECT_EQ(out.kind, HONE_TENSOR);
    EXPECT_EQ(out.dims[0], rows);
    ASSERT_EQ(out.bytes, static_cast<size_t>(rows) * 12);
    for (int64_t i = 0; i < rows * 3; i++)
      EXPECT_EQ(static_cast<const float*>(out.data)[i], std::max(0.0f, x[i]));
  }
  hone_session_free(session);
}

TEST_F(Capi, an_engine_may_be_freed_before_its_sessions) {
  hone_session* session = nullptr;
  ASSERT_EQ(hone_session_create(engine_, nullptr, &session), nullptr);
  hone_engine_free(engine_);
  engine_ = nullptr;
  const float x[3] = {1, -2, 3};
  const hone_tensor in = tensor(x, 1, 3);
  ASSERT_EQ(hone_session_set_input(session, 0, &in), nullptr);
  EXPECT_EQ(hone_session_run(session), nullptr);
  hone_session_free(session);
}

TEST_F(Capi, says_what_the_engine_takes_and_gives) {
  hone_value_info info{};
  info.size = sizeof info;
  ASSERT_EQ(hone_engine_input_count(engine_), 1u);
  ASSERT_EQ(hone_engine_input(engine_, 0, &info), nullptr);
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.rank, 2);
  EXPECT_EQ(info.dims[0], -1);
  EXPECT_STREQ(info.dim_names[0], "batch");
  EXPECT_EQ(info.dims[1], 3);
  EXPECT_EQ(info.dim_names[1], nullptr);
  EXPECT_NE(message(hone_engine_output(engine_, 1, &info)).find("output 1 does not exist"),
            std::string::npos);
  EXPECT_STREQ(hone_engine_meta(engine_, "name"), "two relus");
  EXPECT_EQ(hone_engine_meta(engine_, "nothing"), nullptr);
}

TEST(CapiStatus, libraries_on_top_make_their_own) {
  hone_status* s = hone_status_new(HONE_IO, "the disk is full");
  EXPECT_EQ(hone_status_code(s), HONE_IO);
  EXPECT_STREQ(hone_status_message(s), "the disk is full");
  hone_status_free(s);
  EXPECT_EQ(hone_status_new(HONE_OK, "x"), nullptr);
  s = hone_status_new(99, nullptr);
  EXPECT_EQ(hone_status_code(s), HONE_INTERNAL);
  hone_status_free(s);
}

TEST_F(Capi, facts_of_any_bytes_are_set_and_travel_with_the_engine) {
  ASSERT_EQ(hone_engine_set_meta(engine_, "picture/a.jpg", "\xff\0\xd8", 3), nullptr);
  ASSERT_EQ(hone_engine_set_meta(engine_, "name", nullptr, 0), nullptr);
  EXPECT_NE(message(hone_engine_set_meta(engine_, "", "x", 1)).find("key is empty"), std::string::npos);
  void* bytes = nullptr;
  size_t n = 0;
  ASSERT_EQ(hone_engine_serialize(engine_, &bytes, &n), nullptr);
  hone_engine* again = nullptr;
  ASSERT_EQ(hone_engine_load_memory(bytes, n, nullptr, &again), nullptr);
  hone_free(bytes);
  const void* picture = hone_engine_meta_bytes(again, "picture/a.jpg", &n);
  ASSERT_EQ(n, 3u);
  EXPECT_EQ(std::memcmp(picture, "\xff\0\xd8", 3), 0);
  EXPECT_EQ(hone_engine_meta(again, "name"), nullptr);
  EXPECT_EQ(hone_engine_meta_bytes(again, "name", &n), nullptr);
  char* json = nullptr;
  ASSERT_EQ(hone_engine_describe(again, &json), nullptr);
  EXPECT_NE(std::string(json).find("\"picture/a.jpg\": \"3 bytes\""), std::string::npos) << json;
  hone_free(json);
  hone_engine_free(again);
}

TEST_F(Capi, structs_of_older_and_newer_programs_are_understood) {
  hone_value_info info{};
  std::memset(&info, 0x77, sizeof info);
  info.size = offsetof(hone_value_info, dtype);  // a program that knows fewer fields
  ASSERT_EQ(hone_engine_input(engine_, 0, &info), nullptr);
  EXPECT_STREQ(info.name, "x");
  unsigned beyond;  // its struct: untouched, and no enumerator
  std::memcpy(&beyond, &info.dtype, sizeof beyond);
  EXPECT_EQ(beyond, 0x77777777u);
  struct {
    hone_session_options known;
    char more[64];
  } newer{};
  newer.known.size = sizeof newer;
  newer.known.threads = 1;
  hone_session* session = nullptr;
  ASSERT_EQ(hone_session_create(engine_, &newer.known, &session), nullptr);
  EXPECT_EQ(hone_session_threads(session), 1);
  hone_session_free(session);
  info.size = 0;
  EXPECT_NE(message(hone_engine_input(engine_, 0, &info)).find("sizeof"), std::string::npos);
}

TEST_F(Capi, wrong_inputs_are_refused_by_name) {
  hone_session* session = nullptr;
  ASSERT_EQ(hone_session_create(engine_, nullptr, &session), nullptr);
  const float x[12] = {};
  auto set = [&](auto&& change) {
    hone_tensor t = tensor(x, 2, 3);
    change(t);
    return message(hone_session_set_input(session, 0, &t));
  };
  EXPECT_EQ(message(hone_session_run(session)), "input 'x' (f32[batch,3]) is not set");
  EXPECT_NE(
      set([](auto& t) { t.dims[1] = 4, t.bytes = 32; }).find("input 'x' is f32[2,4], the engine takes f32["),
      std::string::npos);
  EXPECT_NE(set([](auto& t) { t.dtype = HONE_I32; }).find("input 'x' is i32[2,3]"), std::string::npos);
  EXPECT_NE(set([](auto& t) { t.rank = 1, t.bytes = 8; }).find("input 'x' is f32[2]"), std::string::npos);
  EXPECT_NE(set([](auto& t) { t.bytes = 20; }).find("20 bytes given, f32[2,3] has 24"), std::string::npos);
  EXPECT_NE(set([](auto& t) { t.rank = 13; }).find("rank 13"), std::string::npos);
  EXPECT_NE(set([](auto& t) { t.dims[0] = -1; }).find("not fully known"), std::string::npos);
  EXPECT_NE(set([](auto& t) { t.dims[0] = INT64_MAX; }).find("2^40"), std::string::npos);
  EXPECT_NE(set([](auto& t) { t.dtype = static_cast<hone_dtype>(99); }).find("element type 99"),
            std::string::npos);
  const hone_tensor t = tensor(x, 2, 3);
  EXPECT_NE(message(hone_session_set_input(session, 7, &t)).find("input 7 does not exist"),
            std::string::npos);
  hone_session_free(session);
}

TEST_F(Capi, a_callback_stops_a_run) {
  hone_session_options o{};
  o.size = sizeof o;
  o.cancel = [](void* user) { return *static_cast<int*>(user); };
  int stop = 1;
  o.user = &stop;
  hone_session* session = nullptr;
  ASSERT_EQ(hone_session_create(engine_, &o, &session), nullptr);
  const float x[3] = {1, -2, 3};
  const hone_tensor in = tensor(x, 1, 3);
  ASSERT_EQ(hone_session_set_input(session, 0, &in), nullptr);
  hone_status* s = hone_session_run(session);
  EXPECT_EQ(hone_status_code(s), HONE_CANCELLED);
  hone_status_free(s);
  hone_tensor out{};
  out.size = sizeof out;
  EXPECT_NE(message(hone_session_output(session, 0, &out)).find("no outputs"), std::string::npos);
  stop = 0;
  EXPECT_EQ(hone_session_run(session), nullptr);
  hone_session_free(session);
}

TEST_F(Capi, the_runtime_library_says_that_it_cannot_build) {
  const auto path = fs::temp_directory_path() / ("hone-capi-" + std::to_string(::getpid()) + ".onnx");
  std::ofstream(path) << "some model";
  hone_engine* none = nullptr;
  hone_status* s = hone_engine_load(path.c_str(), nullptr, &none);
  fs::remove(path);
  EXPECT_EQ(hone_status_code(s), HONE_UNSUPPORTED);
  EXPECT_NE(message(s).find("hone build"), std::string::npos);
  const hone_model model{sizeof model, "m.onnx", nullptr, 0};
  EXPECT_NE(message(hone_build(&model, nullptr, &none)).find("only runs engine files"), std::string::npos);
  EXPECT_EQ(none, nullptr);
}

TEST_F(Capi, missing_and_damaged_files_are_named) {
  hone_engine* none = nullptr;
  hone_status* s = hone_engine_load("/no/such.hone", nullptr, &none);
  EXPECT_NE(message(s).find("/no/such.hone"), std::string::npos);
  auto bytes = relu_engine();
  bytes.resize(bytes.size() / 2);
  s = hone_engine_load_memory(bytes.data(), bytes.size(), nullptr, &none);
  EXPECT_EQ(hone_status_code(s), HONE_CORRUPT);
  hone_status_free(s);
}

TEST_F(Capi, sessions_in_many_threads_share_an_engine) {
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (size_t k = 0; k < right.size(); k++)
    threads.emplace_back([&, k] {
      hone_session* session = nullptr;
      if (hone_session_create(engine_, nullptr, &session)) return;
      for (int round = 0; round < 20; round++) {
        const float x[3] = {static_cast<float>(k + 1), -1, static_cast<float>(round)};
        const hone_tensor in = tensor(x, 1, 3);
        hone_tensor out{};
        out.size = sizeof out;
        if (hone_session_set_input(session, 0, &in) || hone_session_run(session) ||
            hone_session_output(session, 0, &out))
          break;
        const auto* y = static_cast<const float*>(out.data);
        right[k] += y[0] == x[0] && y[1] == 0 && y[2] == x[2];
      }
      hone_session_free(session);
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(right, std::vector<int>(4, 20));
}

TEST(Cpp, builds_on_the_c_interface) {
  const auto bytes = relu_engine();
  auto engine = hone::api::Engine::load(std::span(bytes)).value();
  EXPECT_EQ(engine.inputs().at(0).dim_names.at(0), "batch");
  EXPECT_EQ(engine.meta("name"), "two relus");
  EXPECT_EQ(engine.serialize().value(), bytes);
  auto session =
      engine.session({.threads = 1, .profile = true, .keep_values = true, .cancelled = {}}).value();
  const std::vector<float> x = {1, -2, 3};
  ASSERT_TRUE(session.set(0, hone::api::TensorView::of<float>(x, {1, 3})));
  ASSERT_TRUE(session.run());
  const auto out = session.output(0).value();
  EXPECT_EQ(out.values<float>()[2], 3.0f);
  EXPECT_THROW(out.values<double>(), hone::api::Error);
  EXPECT_EQ(session.value("y").value().values<float>()[1], 0.0f);
  EXPECT_EQ(session.value("nothing").error().code(), HONE_NOT_FOUND);
  const auto steps = session.steps();
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_STREQ(steps[0].name, "first");
  EXPECT_STREQ(steps[1].op, "Relu");
  EXPECT_GT(session.memory().arena_bytes, 0);
  EXPECT_NE(engine.describe().value().find("\"operators\": {\"Relu\": 2}"), std::string::npos)
      << engine.describe().value();
  try {
    hone::api::Engine::load("/no/such.hone").value();
    FAIL();
  } catch (const hone::api::Error& e) { EXPECT_NE(e.message().find("/no/such.hone"), std::string::npos); }
}

// The libraries export what hone.h declares, and nothing else.
TEST(Exports, are_exactly_the_functions_of_the_header) {
  std::ifstream header(HONE_SOURCE_DIR "/include/hone/hone.h");
  std::set<std::string> declared;
  for (std::string line; std::getline(header, line);) {
    if (line.rfind("HONE_API ", 0) != 0) continue;
    const size_t end = line.find('('), begin = line.rfind("hone_", end);
    declared.insert(line.substr(begin, end - begin));
  }
  EXPECT_LE(declared.size(), 60u);
  EXPECT_GE(declared.size(), 30u);
  for (const char* library : {"libhone_runtime.so", "libhone.so"}) {
    const std::string path = std::string(HONE_BINARY_DIR "/lib/") + library;
    if (!fs::exists(path)) continue;
    std::set<std::string> exported;
    FILE* nm = ::popen(("nm -D --defined-only " + path).c_str(), "r");
    ASSERT_TRUE(nm);
    char line[4096];
    while (std::fgets(line, sizeof line, nm)) {
      std::string name = line;
      name.pop_back();
      exported.insert(name.substr(name.rfind(' ') + 1));
    }
    ::pclose(nm);
    EXPECT_EQ(exported, declared) << library;
  }
}

}  // namespace
