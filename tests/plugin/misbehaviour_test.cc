// What happens with plugins that misbehave: libraries that are none, wrong tables, and operators that fail, throw or lie.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "build/build.h"
#include "helpers.h"

namespace hone {
namespace {

namespace fs = std::filesystem;
using test::node;

// ---- misbehaviour of operators ----

struct Misbehaviour {
  const char* op;
  std::vector<const char*> texts;  // of the error
};

class BadInference : public Plugin, public testing::WithParamInterface<Misbehaviour> {};
TEST_P(BadInference, is_refused_when_importing) {
  const auto& [op, texts] = GetParam();
  test::ModelMessage m{{{node(op, {"x"}, {"y"}, {.name = "culprit", .domain = "bad"})},
                        {test::f32_info("x", {"N", 3})},
                        {test::value_info("y", {})},
                        {}}};
  m.opsets.push_back(test::opset("bad", 1));
  auto graph = import_message(m);
  ASSERT_FALSE(graph);
  for (const char* t : texts)
    EXPECT_NE(graph.error().message.find(t), std::string::npos) << graph.error().message;
  for (const char* t : {"culprit", "plugin_bad_op.so", op, "'bad'"})
    EXPECT_NE(graph.error().message.find(t), std::string::npos) << graph.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Plugin, BadInference,
    testing::Values(Misbehaviour{"InferFails", {"this is not what I like"}},
                    Misbehaviour{"InferSilent", {"infer", "returned 7", "no reason"}},
                    Misbehaviour{"InferThrows", {"infer threw", "something broke"}},
                    Misbehaviour{"InferThrowsInt", {"infer threw", "no std::exception"}},
                    Misbehaviour{"InferUnset", {"did not set", "output 0"}},
                    Misbehaviour{"InferMinusTwo", {"dimension 0 of output 0 is -2", "-1"}},
                    Misbehaviour{"InferLeast", {"dimension 0 of output 0 is -9223372036854775808"}},
                    Misbehaviour{"InferHuge", {"output 0", "9223372036854775807"}},
                    Misbehaviour{"InferOverflow", {"output 0", "[4294967296,4294967296]"}},
                    Misbehaviour{"InferRank13", {"output 0 has rank 13", "12"}},
                    Misbehaviour{"InferRankMinus2", {"output 0 has rank -2"}},
                    Misbehaviour{"InferType99", {"output 0 has element type 99"}},
                    Misbehaviour{"InferMoreOutputs", {"number of outputs from 1 to 1000"}},
                    Misbehaviour{"InferLies", {"dimension 0 of output 0 is -7"}},
                    Misbehaviour{"InferMakes", {"make_output is for run only"}}),
    [](const auto& p) { return std::string(p.param.op); });

class BadRun : public Plugin, public testing::WithParamInterface<Misbehaviour> {};
TEST_P(BadRun, is_an_error_of_reference_and_session_and_they_go_on) {
  const auto& [op, texts] = GetParam();
  auto graph =
      graph_of(std::string("graph @g(%x: f32[2,3]) -> (%y) {\n %y = bad.") + op + "(%x) \"culprit\"\n}");
  ASSERT_TRUE(graph);
  const std::vector<Value> inputs{f32({2, 3}, {1, 2, 3, 4, 5, 6})};
  const auto check = [&, &op = op, &texts = texts](const std::string& message) {
    for (const char* t : texts) EXPECT_NE(message.find(t), std::string::npos) << message;
    for (const char* t : {"culprit", "plugin_bad_op.so", op, "'bad'"})
      EXPECT_NE(message.find(t), std::string::npos) << message;
  };
  auto reference = ir::evaluate(*graph, inputs);
  ASSERT_FALSE(reference);
  check(reference.error().message);
  auto session = session_of(engine_of(*graph));
  ASSERT_TRUE(session);
  for (int round = 0; round < 2; round++) {
    auto ok = session->run(inputs);
    ASSERT_FALSE(ok);
    check(ok.error().message);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Plugin, BadRun,
    testing::Values(Misbehaviour{"RunFails", {"this is not what I like"}},
                    Misbehaviour{"RunSilent", {"run failed", "returned 7"}},
                    Misbehaviour{"RunThrows", {"run threw", "something broke"}},
                    Misbehaviour{"RunThrowsInt", {"run threw", "no std::exception"}},
                    Misbehaviour{"RunOutOfMemory", {"run ran out of memory"}},
                    Misbehaviour{"RunMoreOutputs", {"run changed the number of outputs"}},
                    Misbehaviour{"RunMakesLess", {"run did not make output 0"}},
                    Misbehaviour{"RunOtherShape", {"run makes output 0 as f32[2,4]", "f32[?,3]"}},
                    Misbehaviour{"RunOtherRank", {"run makes output 0 as f32[3]", "f32[?,3]"}},
                    Misbehaviour{"RunOtherType", {"run makes output 0 as i64[2,3]", "f32[?,3]"}},
                    Misbehaviour{"RunKnownOtherwise", {"run makes output 0 as f32[5,3]", "f32[2,3]"}},
                    Misbehaviour{"RunNegative", {"dimension 0 of output 0 is -5"}},
                    Misbehaviour{"RunUnknown", {"make_output: output 0 is f32[?,3]"}},
                    Misbehaviour{"RunHuge", {"output 0", "9223372036854775807"}},
                    Misbehaviour{"RunRank13", {"output 0 has rank 13"}},
                    Misbehaviour{"RunLies", {"there is no output 500"}},
                    Misbehaviour{"RunBeyond", {"there is no output 7"}},
                    Misbehaviour{"RunTextBeyond", {"output 0 has no text 0"}},
                    Misbehaviour{"CreateFails", {"no state today"}},
                    Misbehaviour{"CreateThrows", {"create threw", "state broke"}}),
    [](const auto& p) { return std::string(p.param.op); });

TEST_F(Plugin, an_exception_of_destroy_ends_there) {
  const auto out =
      run_both("graph @g(%x: f32[1]) -> (%y) {\n %y = bad.DestroyThrows(%x)\n}", {f32({1}, {3})});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(floats(out[0]), (std::vector<float>{0}));
}

TEST_F(Plugin, a_run_that_fails_while_folding_leaves_the_node_and_fails_again_where_it_runs) {
  auto data = build_engine(graph_of(R"(graph @g(%x: f32[1]) -> (%y) {
    %k = const f32[1] {1}
    %p = bad.PureRunFails(%k)
    %y = Add(%p, %x)
  })"));
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->plans[0].program->steps.size(), 2u);
  auto engine = Engine::load(*std::move(data));
  ASSERT_TRUE(engine);
  expect_error(Session::create(*engine, {.threads = 1}), {"PureRunFails", "this is not what I like"});
}

// ---- misbehaviour of libraries ----

struct Table {
  const char* wrong;
  std::vector<const char*> texts;
};
class BadTable : public Plugin, public testing::WithParamInterface<Table> {};
TEST_P(BadTable, is_refused_and_adds_nothing) {
  setenv("HONE_TEST_TABLE", GetParam().wrong, 1);
  auto ok = load_plugin(library("bad_table"));
  ASSERT_FALSE(ok);
  EXPECT_NE(ok.error().message.find("plugin_bad_table.so"), std::string::npos) << ok.error().message;
  for (const char* t : GetParam().texts)
    EXPECT_NE(ok.error().message.find(t), std::string::npos) << ok.error().message;
  EXPECT_EQ(find_op("First", "table"), nullptr);
}
INSTANTIATE_TEST_SUITE_P(
    Plugin, BadTable,
    testing::Values(
        Table{"abi", {"version 2 of plugin.h", "has version 1", "compile"}},
        Table{"null", {"hone_plugin_entry returned NULL"}},
        Table{"throws", {"hone_plugin_entry threw", "entry broke"}},
        Table{"throws int", {"hone_plugin_entry threw"}}, Table{"no ops", {"no operators"}},
        Table{"null ops", {"no operators"}}, Table{"many ops", {"18446744073709551615"}},
        Table{"infer", {"'Second'", "infer is NULL"}}, Table{"run", {"'Second'", "run is NULL"}},
        Table{"create", {"'Second'", "destroy is NULL"}}, Table{"null name", {"operator 1", "name"}},
        Table{"name", {"'with space'", "name"}}, Table{"null domain", {"'Second'", "domain"}},
        Table{"domain", {"'Second'", "domain"}}, Table{"standard", {"Relu", "ONNX's own"}},
        Table{"standard alias", {"Relu", "'ai.onnx'", "ONNX's own"}},
        Table{"standard new", {"Frobnicate", "ONNX's own"}},
        Table{"standard ml", {"'ai.onnx.ml'", "ONNX's own"}}, Table{"internal", {"'hone'", "Hone's own"}},
        Table{"hone has it", {"QLinearAdd", "'com.microsoft'", "Hone has itself"}},
        Table{"other has it", {"Scale", "'test'", "plugin_good.so"}},
        Table{"twice", {"First", "listed twice"}}, Table{"since", {"'Second'", "since_version is 0"}},
        Table{"inputs", {"1 to 0 inputs"}}, Table{"negative", {"-5 to -1 inputs"}},
        Table{"many inputs", {"1 to 1073741824 inputs"}}, Table{"no outputs", {"no outputs"}},
        Table{"flags", {"flags are 0x6"}}, Table{"null attrs", {"2 attributes", "lists none"}},
        Table{"attr twice", {"'a' is listed twice"}}, Table{"attr name", {"attribute 1 has no name"}},
        Table{"attr type", {"'b' is of type 99"}}, Table{"attr presence", {"'b' has presence 99"}},
        Table{"attr default", {"'b' has no default"}}, Table{"attr text", {"'b' has no default"}}),
    [](const auto& p) {
      std::string name = p.param.wrong;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

TEST_F(Plugin, files_that_are_no_plugins_are_refused) {
  const fs::path folder = fs::temp_directory_path() / ("hone-plugin-" + std::to_string(getpid()));
  fs::create_directories(folder);
  const auto file = [&](const char* name, const std::string& bytes) {
    std::ofstream(folder / name) << bytes;
    return (folder / name).string();
  };
  expect_error(load_plugin("/nowhere/at/all.so"), {"plugin '/nowhere/at/all.so'", "No such file"});
  expect_error(load_plugin("libm.so.6"), {"plugin 'libm.so.6'", "No such file"});  // no search path
  expect_error(load_plugin(""), {"No such file"});
  expect_error(load_plugin(folder.string()), {"directory"});
  expect_error(load_plugin(file("text.so", "this is a text")), {"text.so", "no shared library"});
  expect_error(load_plugin(file("empty.so", "")), {"empty.so", "empty"});
  expect_error(load_plugin(file("cut.so", "\177ELF")), {"cut.so", "file too short"});
  expect_error(load_plugin(library("none")), {"plugin_none.so", "hone_plugin_entry"});
  fs::remove_all(folder);
}

TEST_F(Plugin, a_library_may_be_loaded_again_by_any_of_its_paths) {
  EXPECT_TRUE(load_plugin(library("good")));
  EXPECT_TRUE(load_plugin(HONE_BINARY_DIR "/lib/../lib/plugin_good.so"));
}

TEST_F(Plugin, the_environment_names_plugins_and_its_errors_say_so) {
  setenv("HONE_PLUGINS", (":" + library("good") + ":" + library("none")).c_str(), 1);
  expect_error(load_environment_plugins(), {"HONE_PLUGINS", "plugin_none.so"});
  setenv("HONE_PLUGINS", (library("good") + "::" + library("bad_op")).c_str(), 1);
  EXPECT_TRUE(load_environment_plugins());
  setenv("HONE_PLUGINS", library("none").c_str(), 1);
  EXPECT_TRUE(load_environment_plugins());  // asked once
}

}  // namespace
}  // namespace hone
